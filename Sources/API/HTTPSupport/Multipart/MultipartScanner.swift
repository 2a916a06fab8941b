import NIOCore

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Finds parts, their headers and content in a multipart body that arrives in pieces. Pure: pieces in, events out.
///
/// Content is handed on as slices of the pieces; nothing is kept but a tail that may be the start of a delimiter
/// (at most 140 bytes) or an unfinished header block. *Spec:* RFC 2046 §5.1.1.
package struct MultipartScanner {
    package enum Event: Equatable {
        case partBegan(MultipartHeaders)
        /// A piece of the current part's content; never empty.
        case content(ByteBuffer)
        case partEnded
        /// The closing delimiter was seen; what follows is the epilogue and is passed over.
        case closed
    }

    private enum State { case preamble, headers, content, epilogue }
    private enum Match { case none, needsMore, delimiter(Int), close(Int) }

    /// Padding after a delimiter longer than this is content. RFC 2046 leaves the length open.
    private static let paddingBytesMax = 64

    private let delimiter: [UInt8]
    private let limits: MultipartLimits
    private var state = State.preamble
    private var pending = ByteBuffer()
    /// The offset in the body of the first byte of `pending`.
    private var offset: Int64 = 0
    private var partBytes: Int64 = 0
    private var parts = 0
    private var isAtStart = true

    /// Throws `.noBoundary` or `.malformedBoundary`.
    package init(contentType: MediaType, limits: MultipartLimits = MultipartLimits()) throws(MultipartError) {
        guard contentType.type == "multipart", let boundary = contentType["boundary"] else { throw .noBoundary }
        let bytes = Array(boundary.utf8)
        guard (1...MultipartLimits.boundaryBytesMax).contains(bytes.count), bytes.last != 0x20,
            bytes.allSatisfy(MultipartScanner.isBoundaryByte)
        else { throw .malformedBoundary }
        self.delimiter = [0x0D, 0x0A, UInt8(ascii: "-"), UInt8(ascii: "-")] + bytes
        self.limits = limits
    }

    /// Takes the next piece of the body.
    package mutating func feed(_ piece: ByteBuffer) {
        if pending.readableBytes == 0 {
            pending = piece
        } else {
            var piece = piece
            var joined = ByteBufferAllocator().buffer(capacity: pending.readableBytes + piece.readableBytes)
            joined.writeBuffer(&pending)
            joined.writeBuffer(&piece)
            pending = joined
        }
    }

    /// The next event, or nil when more bytes are needed. Throws for a body that breaks the format or a limit.
    package mutating func next() throws(MultipartError) -> Event? {
        switch state {
        case .epilogue:
            drop(pending.readableBytes)
            return nil
        case .preamble: return try afterPreamble()
        case .headers: return try headers()
        case .content: return try content()
        }
    }

    /// To be asked when the body has ended and `next()` gave nil. Throws `.neverOpened` or `.neverClosed`.
    package func finish() throws(MultipartError) {
        switch state {
        case .epilogue: return
        case .preamble: throw .neverOpened
        case .headers, .content: throw .neverClosed(offset: offset + Int64(pending.readableBytes))
        }
    }

    // MARK: States

    private mutating func afterPreamble() throws(MultipartError) -> Event? {
        // The first delimiter may stand at the very start of the body, without the CR LF before it.
        if isAtStart {
            switch match(at: 0, delimiter: delimiter[2...]) {
            case .needsMore: return nil
            case .delimiter(let length): return try opened(length)
            case .close(let length): return closed(length)
            case .none: isAtStart = false
            }
        }
        let (length, match) = scan()
        drop(length)
        switch match {
        case .none, .needsMore: return nil
        case .delimiter(let length): return try opened(length)
        case .close(let length): return closed(length)
        }
    }

    private mutating func opened(_ length: Int) throws(MultipartError) -> Event? {
        drop(length)
        isAtStart = false
        state = .headers
        parts += 1
        partBytes = 0
        guard parts <= limits.partsMax else { throw .tooManyParts(offset: offset) }
        return try headers()
    }

    private mutating func closed(_ length: Int) -> Event? {
        drop(length)
        state = .epilogue
        drop(pending.readableBytes)
        return .closed
    }

    private mutating func headers() throws(MultipartError) -> Event? {
        guard let length = headerBlockLength() else {
            guard pending.readableBytes <= limits.partHeaderBytesMax else { throw .partHeadersTooLarge(offset: offset) }
            return nil
        }
        guard length <= limits.partHeaderBytesMax else { throw .partHeadersTooLarge(offset: offset) }
        let block = pending.getBytes(at: pending.readerIndex, length: length) ?? []
        guard let headers = MultipartHeaders(block: block) else { throw .malformedPartHeader(offset: offset) }
        guard headers.fields.count <= limits.partHeaderFieldsMax else { throw .partHeadersTooLarge(offset: offset) }
        // A part without content may have its delimiter follow the blank line at once, sharing its CR LF.
        drop(length == 2 ? 0 : length - 2)
        if case .none = match(at: 0, delimiter: delimiter[...]) { drop(2) } else { isAtStart = true }
        state = .content
        return .partBegan(headers)
    }

    private mutating func content() throws(MultipartError) -> Event? {
        if isAtStart {
            // Still undecided whether the blank line's CR LF begins a delimiter.
            switch match(at: 0, delimiter: delimiter[...]) {
            case .needsMore: return nil
            case .none: drop(2)
            case .delimiter, .close: break
            }
            isAtStart = false
        }
        let (length, match) = scan()
        if length > 0 {
            partBytes += Int64(length)
            guard partBytes <= limits.partBytesMax else { throw .partTooLarge(offset: offset) }
            offset += Int64(length)
            return pending.readSlice(length: length).map { .content($0) }
        }
        switch match {
        case .none, .needsMore: return nil
        case .delimiter, .close:
            // The delimiter stays for the next call, which reads it as after a preamble.
            state = .preamble
            return .partEnded
        }
    }

    // MARK: Bytes

    private mutating func drop(_ count: Int) {
        pending.moveReaderIndex(forwardBy: count)
        offset += Int64(count)
    }

    /// How many bytes at the front are surely content, and what stands behind them.
    ///
    /// The pointer of memchr lies inside the buffer, because at least one byte is searched and only as many as there are.
    private func scan() -> (length: Int, match: Match) {
        pending.withUnsafeReadableBytes { bytes in
            guard let base = bytes.baseAddress else { return (0, .none) }
            var from = 0
            while from < bytes.count, let carriageReturn = memchr(base + from, 0x0D, bytes.count - from) {
                let found = UnsafeRawPointer(carriageReturn) - base
                let match = match(bytes, at: found, delimiter: delimiter[...])
                if case .none = match {
                    from = found + 1
                    continue
                }
                return (found, match)
            }
            return (bytes.count, .none)
        }
    }

    private func match(at index: Int, delimiter: ArraySlice<UInt8>) -> Match {
        pending.withUnsafeReadableBytes { match($0, at: index, delimiter: delimiter) }
    }

    /// Compares the bytes at a place with a delimiter line: the delimiter, then `--`, or padding and CR LF.
    private func match(_ bytes: UnsafeRawBufferPointer, at index: Int, delimiter: ArraySlice<UInt8>) -> Match {
        var position = index
        for byte in delimiter {
            guard position < bytes.count else { return .needsMore }
            guard bytes[position] == byte else { return .none }
            position += 1
        }
        guard position < bytes.count else { return .needsMore }
        if bytes[position] == UInt8(ascii: "-") {
            guard position + 1 < bytes.count else { return .needsMore }
            return bytes[position + 1] == UInt8(ascii: "-") ? .close(position + 2 - index) : .none
        }
        let padding = position
        while position < bytes.count, bytes[position] == 0x20 || bytes[position] == 0x09 {
            position += 1
            if position - padding > MultipartScanner.paddingBytesMax { return .none }
        }
        guard position < bytes.count else { return .needsMore }
        guard bytes[position] == 0x0D else { return .none }
        guard position + 1 < bytes.count else { return .needsMore }
        return bytes[position + 1] == 0x0A ? .delimiter(position + 2 - index) : .none
    }

    /// The length of the header block with the blank line that ends it; nil when it has not all arrived.
    private func headerBlockLength() -> Int? {
        pending.withUnsafeReadableBytes { bytes in
            if bytes.count >= 2, bytes[0] == 0x0D, bytes[1] == 0x0A { return 2 }
            let end = min(bytes.count, limits.partHeaderBytesMax)
            var index = 0
            while index + 3 < end {
                if bytes[index] == 0x0D, bytes[index + 1] == 0x0A, bytes[index + 2] == 0x0D, bytes[index + 3] == 0x0A {
                    return index + 4
                }
                index += 1
            }
            return nil
        }
    }

    /// The `bchars` of RFC 2046 §5.1.1, and the characters that DICOM toolkits put into boundaries beside them.
    private static func isBoundaryByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "'()+_,-./:=? !#$%&*;<>@[]^`{|}~".utf8.contains(byte)
        }
    }
}
