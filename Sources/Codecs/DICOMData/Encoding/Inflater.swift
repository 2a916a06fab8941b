import CZlib

/// A raw deflate stream being inflated, piece by piece, within the limits of a decoder. PS3.5 §A.5, RFC 1951.
///
/// `@unchecked Sendable` is sound: the value cannot be copied, so the zlib state it points to has one owner at any
/// time, and zlib keeps nothing in thread-local storage.
struct Inflater: ~Copyable, @unchecked Sendable {
    private let stream: UnsafeMutablePointer<z_stream>
    private let limits: DecodingLimits
    private(set) var inputBytes = 0
    private(set) var outputBytes = 0
    /// The end of the deflate stream was reached; what follows is padding.
    private(set) var isAtEnd = false

    /// Something came in, but not the end of the stream.
    var isUnfinished: Bool { inputBytes > 0 && !isAtEnd }

    init(limits: DecodingLimits) throws(DICOMDataError) {
        self.limits = limits
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        guard hilum_inflateInit2(stream, -15) == Z_OK else { throw DICOMDataError(.deflateInvalid, at: 0) }
    }

    deinit {
        inflateEnd(stream)
        stream.deinitialize(count: 1)
        stream.deallocate()
    }

    /// Inflates the next piece and gives the output in pieces of at most 64 KiB. Throws `.deflateInvalid` and
    /// `.deflateBomb` with the offset in the deflated bytes.
    mutating func consume(
        _ bytes: UnsafeRawBufferPointer, _ output: (UnsafeRawBufferPointer) throws(DICOMDataError) -> Void
    ) throws(DICOMDataError) {
        guard !isAtEnd, let base = bytes.baseAddress else { return }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 8)
        defer { buffer.deallocate() }
        guard let out = buffer.baseAddress else { return }
        var position = 0
        while position < bytes.count {
            let piece = min(bytes.count - position, 1 << 30)
            // zlib reads through this pointer only; its type lacks the const.
            stream.pointee.next_in = UnsafeMutablePointer(
                mutating: base.advanced(by: position).assumingMemoryBound(to: UInt8.self))
            stream.pointee.avail_in = UInt32(piece)
            repeat {
                stream.pointee.next_out = out.assumingMemoryBound(to: UInt8.self)
                stream.pointee.avail_out = UInt32(buffer.count)
                let result = inflate(stream, Z_NO_FLUSH)
                let used = position + piece - Int(stream.pointee.avail_in)
                guard result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR else {
                    throw DICOMDataError(.deflateInvalid, at: inputBytes + used)
                }
                let produced = buffer.count - Int(stream.pointee.avail_out)
                outputBytes += produced
                let fair = limits.deflateFreeBytes + (inputBytes + used) * limits.deflateRatioMax
                guard outputBytes <= min(fair, limits.inflatedBytesMax) else {
                    throw DICOMDataError(.deflateBomb, at: inputBytes + used)
                }
                if produced > 0 { try output(UnsafeRawBufferPointer(start: out, count: produced)) }
                if result == Z_STREAM_END { isAtEnd = true }
                // No room was left: there may be more output without more input.
            } while !isAtEnd && stream.pointee.avail_out == 0
            position += piece
            if isAtEnd { break }
        }
        inputBytes += bytes.count
        stream.pointee.next_in = nil
        stream.pointee.avail_in = 0
    }

    /// All of a deflated data set. Throws `.truncated` when the stream does not end.
    static func inflated(_ bytes: UnsafeRawBufferPointer, limits: DecodingLimits) throws(DICOMDataError) -> [UInt8] {
        var inflater = try Inflater(limits: limits)
        var output: [UInt8] = []
        try inflater.consume(bytes) { piece in output.append(contentsOf: piece) }
        guard inflater.isAtEnd || bytes.isEmpty else { throw DICOMDataError(.truncated, at: bytes.count) }
        return output
    }
}

/// Deflates a data set, raw, and pads to an even length. PS3.5 §A.5.
func deflated(_ bytes: [UInt8], level: Int32 = 6) -> [UInt8]? {
    // zlib keeps the address of the stream, so it must not move.
    let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    stream.initialize(to: z_stream())
    defer { stream.deallocate() }
    guard bytes.count <= Int(UInt32.max), hilum_deflateInit2(stream, level, -15) == Z_OK else { return nil }
    defer { deflateEnd(stream) }
    var input = bytes
    var output = [UInt8](repeating: 0, count: Int(deflateBound(stream, UInt(bytes.count))))
    let count = input.withUnsafeMutableBufferPointer { input in
        output.withUnsafeMutableBufferPointer { output -> Int? in
            stream.pointee.next_in = input.baseAddress
            stream.pointee.avail_in = UInt32(input.count)
            stream.pointee.next_out = output.baseAddress
            stream.pointee.avail_out = UInt32(output.count)
            return deflate(stream, Z_FINISH) == Z_STREAM_END ? Int(stream.pointee.total_out) : nil
        }
    }
    guard let count else { return nil }
    return Array(output.prefix(count)) + (count & 1 == 1 ? [0] : [])
}
