import CZlib

/// A raw deflate stream read by whoever wants its output: a window of input is fed, and output is taken in pieces. Holds
/// one window of input and zlib's own of 32 KiB, whatever the stream inflates to. PS3.5 §A.5, RFC 1951.
///
/// `@unchecked Sendable` is sound for the reasons given at ``Inflater``; the input is owned in the same way.
package struct InflateStream: ~Copyable, @unchecked Sendable {
    /// Bytes of deflated input that ``feed(_:)`` takes at a time.
    package static let inputBytesMax = 64 << 10

    private let stream: UnsafeMutablePointer<z_stream>
    private let input: UnsafeMutableRawBufferPointer
    private let outputBytesMax: Int
    private var inputBytes = 0
    /// Bytes given out so far.
    package private(set) var outputBytes = 0
    /// The end of the deflate stream was reached; what follows is padding.
    package private(set) var isAtEnd = false

    /// - Parameter outputBytesMax: more than this is `.deflateBomb`. Throws `.deflateInvalid` when zlib has no memory.
    package init(outputBytesMax: Int = DecodingLimits.stored.inflatedBytesMax) throws(DICOMDataError) {
        self.outputBytesMax = outputBytesMax
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        input = .allocate(byteCount: Self.inputBytesMax, alignment: 16)
        guard hilum_inflateInit2(stream, -15) == Z_OK else { throw DICOMDataError(.deflateInvalid, at: 0) }
    }

    deinit {
        inflateEnd(stream)
        stream.deinitialize(count: 1)
        stream.deallocate()
        input.deallocate()
    }

    /// All input was used, and no more output comes without more of it.
    package var needsInput: Bool { !isAtEnd && stream.pointee.avail_in == 0 }

    /// Gives the next bytes of the deflated stream, at most ``inputBytesMax``, once the last were used.
    package mutating func feed(_ bytes: [UInt8]) {
        let count = min(bytes.count, input.count)
        bytes.withUnsafeBytes { input.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[..<count])) }
        stream.pointee.next_in = input.baseAddress?.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_in = UInt32(count)
        inputBytes += count
    }

    /// Fills the front of `target` with output, and returns how many bytes: 0 when more input is needed or the stream is
    /// at its end. Throws `.deflateInvalid` and `.deflateBomb` with the offset in the deflated bytes.
    package mutating func read(into target: UnsafeMutableRawBufferPointer) throws(DICOMDataError) -> Int {
        guard !isAtEnd, let start = target.baseAddress, !target.isEmpty else { return 0 }
        let count = min(target.count, 1 << 30)
        stream.pointee.next_out = start.assumingMemoryBound(to: UInt8.self)
        stream.pointee.avail_out = UInt32(count)
        let result = inflate(stream, Z_NO_FLUSH)
        let offset = inputBytes - Int(stream.pointee.avail_in)
        guard result == Z_OK || result == Z_STREAM_END || result == Z_BUF_ERROR else {
            throw DICOMDataError(.deflateInvalid, at: offset)
        }
        isAtEnd = result == Z_STREAM_END
        let produced = count - Int(stream.pointee.avail_out)
        outputBytes += produced
        guard outputBytes <= outputBytesMax else { throw DICOMDataError(.deflateBomb, at: offset) }
        return produced
    }
}
