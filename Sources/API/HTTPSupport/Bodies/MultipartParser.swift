import NIOCore

/// Takes a multipart body apart while it arrives, without keeping more of it than a boundary may be long.
///
/// Pure: bytes in, events out, any split of the bytes gives the same parts. RFC 2046 §5.1, RFC 2387.
package struct MultipartParser: Sendable {
    package enum Event: Sendable {
        /// A part begins; header names in lower case.
        case began(headers: [(name: String, value: String)])
        /// Bytes of the part's body.
        case body(ByteBuffer)
        case ended
    }

    /// What is wrong with a body.
    package enum Problem: String, Error, Sendable, Hashable, CaseIterable {
        /// The boundary parameter is absent, empty, over 70 characters, or has characters it may not have.
        case boundary
        /// A part's header block is over the limit or no header block.
        case partHeader
        case tooManyParts
        /// After a boundary comes neither a line end nor the closing hyphens.
        case delimiter
        /// The body ended before the closing boundary.
        case notClosed
    }

    /// Limits of one body.
    package struct Limits: Sendable, Hashable {
        /// Bytes of one part's header block.
        package var headerBytesMax = 8 << 10
        package var partsMax = 100_000
        package init() {}
    }

    private enum State: Sendable { case preamble, afterDelimiter, header, body, epilogue }

    private let delimiter: [UInt8]
    private let limits: Limits
    private var state = State.preamble
    private var pending = ByteBuffer()
    private var parts = 0
    /// The end of the header's empty line is still before the body: it begins the delimiter of an empty body and
    /// belongs to no other.
    private var bodyStartsWithLineEnd = false

    /// Throws `.boundary`.
    package init(boundary: String?, limits: Limits = Limits()) throws(Problem) {
        let bytes = Array((boundary ?? "").utf8)
        let isLegal = (1...70).contains(bytes.count) && bytes.last != 0x20 && bytes.allSatisfy { byte in
            (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                || Array("'()+_,-./:=? ".utf8).contains(byte)
        }
        guard isLegal else { throw .boundary }
        delimiter = Array("\r\n--".utf8) + bytes
        self.limits = limits
        // The first boundary may stand at the very start, without a line end before it.
        pending.writeString("\r\n")
    }

    /// Takes the next bytes. `handle` may throw; then the parser is of no more use.
    package mutating func consume(_ bytes: ByteBuffer, _ handle: (Event) throws -> Void) throws {
        guard state != .epilogue else { return }
        pending.writeImmutableBuffer(bytes)
        while try step(handle) {}
        if pending.readableBytes == 0 { pending.clear() } else { pending.discardReadBytes() }
    }

    /// Says that the body is over. Throws `.notClosed`.
    package func finish() throws(Problem) {
        guard state == .epilogue else { throw .notClosed }
    }

    /// Parts begun so far.
    package var partCount: Int { parts }

    /// One move; false when more bytes are needed.
    private mutating func step(_ handle: (Event) throws -> Void) throws -> Bool {
        switch state {
        case .epilogue:
            pending.clear()
            return false
        case .preamble, .body:
            let isBody = state == .body
            guard let position = find() else {
                // All but what could be the beginning of a delimiter is the part's.
                if bodyStartsWithLineEnd { return false }
                let safe = pending.readableBytes - (delimiter.count - 1)
                if safe > 0, let piece = pending.readSlice(length: safe), isBody { try handle(.body(piece)) }
                return false
            }
            if position > 0, let piece = pending.readSlice(length: position), isBody { try handle(.body(piece)) }
            pending.moveReaderIndex(forwardBy: delimiter.count)
            if isBody { try handle(.ended) }
            state = .afterDelimiter
            return true
        case .afterDelimiter:
            let view = pending.readableBytesView
            guard view.count >= 2 else { return false }
            if view.starts(with: [0x2D, 0x2D]) {
                state = .epilogue
                return true
            }
            // Space between the boundary and the line end is transport padding.
            guard let end = view.firstIndex(where: { $0 != 0x20 && $0 != 0x09 }) else {
                if view.count > limits.headerBytesMax { throw Problem.delimiter }
                return false
            }
            guard view.endIndex - end >= 2 else { return false }
            guard view[end] == 0x0D, view[end + 1] == 0x0A else { throw Problem.delimiter }
            pending.moveReaderIndex(forwardBy: end - view.startIndex)
            state = .header
            return true
        case .header:
            // The line end of the boundary is still there, so an empty header block is CR LF CR LF too.
            guard let length = headerLength() else {
                if pending.readableBytes > limits.headerBytesMax { throw Problem.partHeader }
                return false
            }
            guard length <= limits.headerBytesMax, let block = pending.readBytes(length: length) else { throw Problem.partHeader }
            parts += 1
            guard parts <= limits.partsMax else { throw Problem.tooManyParts }
            try handle(.began(headers: try Self.headers(block)))
            // The empty line's end may begin the next delimiter: an empty body.
            pending.moveReaderIndex(to: pending.readerIndex - 2)
            state = .body
            bodyStartsWithLineEnd = true
            return true
        }
    }

    /// Where the delimiter starts, counted from the reader index.
    private mutating func find() -> Int? {
        if bodyStartsWithLineEnd {
            guard pending.readableBytes >= delimiter.count else { return nil }
            bodyStartsWithLineEnd = false
            if pending.readableBytesView.starts(with: delimiter) { return 0 }
            pending.moveReaderIndex(forwardBy: 2)
        }
        return pending.withUnsafeReadableBytes { bytes in
            let count = bytes.count
            guard count >= delimiter.count else { return nil }
            var index = 0
            let last = count - delimiter.count
            while index <= last {
                if bytes[index] != 0x0D {
                    index += 1
                    continue
                }
                var matched = 1
                while matched < delimiter.count, bytes[index + matched] == delimiter[matched] { matched += 1 }
                if matched == delimiter.count { return index }
                index += 1
            }
            return nil
        }
    }

    /// Bytes up to and with the empty line.
    private func headerLength() -> Int? {
        let view = pending.readableBytesView
        guard view.count >= 4 else { return nil }
        var index = view.startIndex
        while index + 3 < view.endIndex {
            if view[index] == 0x0D, view[index + 1] == 0x0A, view[index + 2] == 0x0D, view[index + 3] == 0x0A {
                return index + 4 - view.startIndex
            }
            index += 1
        }
        return nil
    }

    private static func headers(_ block: [UInt8]) throws -> [(name: String, value: String)] {
        var headers: [(name: String, value: String)] = []
        var start = 2
        while start + 1 < block.count {
            guard let end = (start..<(block.count - 1)).first(where: { block[$0] == 0x0D && block[$0 + 1] == 0x0A }) else { break }
            if end == start { break }
            let line = block[start..<end]
            guard let colon = line.firstIndex(of: 0x3A), colon > start, headers.count < 64,
                let name = String(validating: line[..<colon], as: UTF8.self),
                let value = String(validating: line[(colon + 1)...], as: UTF8.self)
            else { throw Problem.partHeader }
            headers.append((name.lowercased(), value.trimmingSpaces))
            start = end + 2
        }
        return headers
    }
}

extension String {
    fileprivate var trimmingSpaces: String {
        var view = self[...]
        while let first = view.utf8.first, first == 0x20 || first == 0x09 { view = view.dropFirst() }
        while let last = view.utf8.last, last == 0x20 || last == 0x09 { view = view.dropLast() }
        return String(view)
    }
}
