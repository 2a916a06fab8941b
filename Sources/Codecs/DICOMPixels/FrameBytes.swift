import DICOMData

extension PixelDataLayout {
    /// The bytes of a frame as DICOMweb sends them: fragments one behind the other, native numbers in little endian, a
    /// frame of one-bit pixels from the first bit of its first byte. PS3.18 §8.7.3.3.2, §8.7.3.2.
    ///
    /// `read` gives the bytes of a range of the source, all of them. nil when there is no such frame.
    package func frameBytes<E: Error>(_ index: Int, read: (Range<Int>) throws(E) -> [UInt8]) throws(E) -> [UInt8]? {
        guard let frame = frame(index) else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(frame.byteCount)
        for range in frame.ranges { bytes += try read(range) }
        return rearranged(bytes, of: frame)
    }

    /// The ranges of a frame can be sent as they are: nothing has to be swapped or shifted.
    package func isStoredAsSent(_ frame: Frame) -> Bool {
        guard case .native(_, _, let frameBits) = kind else { return true }
        return frame.bitOffset == 0 && frameBits % 8 == 0 && (!isBigEndian || wordSize == 1)
    }

    /// Brings the bytes of a frame's ranges into the form that DICOMweb sends.
    package func rearranged(_ bytes: [UInt8], of frame: Frame) -> [UInt8] {
        guard !isStoredAsSent(frame), case .native(_, _, let frameBits) = kind else { return bytes }
        var bytes = bytes
        if isBigEndian, wordSize > 1 {
            var start = 0
            while start + wordSize <= bytes.count {
                bytes[start..<start + wordSize].reverse()
                start += wordSize
            }
        }
        guard frame.bitOffset > 0 || frameBits % 8 != 0 || bytes.count != frame.sentByteCount else { return bytes }
        return Self.shifted(bytes, by: frame.bitOffset, bits: frameBits)
    }

    /// Drops the first bits and clears what is behind the last bit. The first pixel of a byte is its lowest bit.
    /// PS3.5 §8.1.1.
    private static func shifted(_ bytes: [UInt8], by bitOffset: Int, bits: Int) -> [UInt8] {
        let count = (bits + 7) / 8
        let bytes = bytes.dropFirst(bitOffset / 8)
        let offset = bitOffset % 8
        if offset == 0, bits % 8 == 0 { return Array(bytes.prefix(count)) }
        return shifted(Array(bytes), by: offset, bits: bits, count: count)
    }

    private static func shifted(_ bytes: [UInt8], by offset: Int, bits: Int, count: Int) -> [UInt8] {
        var shifted = [UInt8](repeating: 0, count: count)
        for index in 0..<min(count, bytes.count) {
            let low = bytes[index] >> UInt8(offset)
            let high = offset > 0 && index + 1 < bytes.count ? bytes[index + 1] << UInt8(8 - offset) : 0
            shifted[index] = low | high
        }
        if bits % 8 != 0, count > 0 { shifted[count - 1] &= UInt8(1 << (bits % 8)) - 1 }
        return shifted
    }
}

/// The frames of an instance that is in memory as a whole.
package struct InstanceFrames: Sendable {
    package let layout: PixelDataLayout
    private let source: [UInt8]

    /// The frames of a data set whose pixel data was decoded, not left external; nil without pixels, and when the image
    /// description is unusable.
    package init?(_ dataSet: DataSet, transferSyntax: TransferSyntax) {
        let tag = ImagePixel.pixelTag(dataSet)
        guard let element = dataSet[tag] else { return nil }
        let location: PixelDataLocation
        switch element.value {
        case .bytes(let bytes):
            source = bytes
            location = PixelDataLocation(tag: tag, vr: element.vr, offset: 0, length: bytes.count)
        case .fragments(let value):
            source = value.encoded
            var scanner = FragmentScanner(offset: 0)
            let bytes = source
            do {
                _ = try bytes.withUnsafeBufferPointer { buffer throws(DICOMDataError) in
                    try scanner.consume(UnsafeRawBufferPointer(buffer))
                }
            } catch {
                return nil
            }
            location = PixelDataLocation(
                tag: tag, vr: element.vr, offset: 0, length: bytes.count, basicOffsetTable: scanner.basicOffsetTable,
                fragments: scanner.fragments)
        case .items, .external: return nil
        }
        // Decoded values are in little endian already.
        let inMemory = transferSyntax.isEncapsulated ? transferSyntax : .explicitVRLittleEndian
        guard let layout = PixelDataLayout(location, of: dataSet, transferSyntax: inMemory) else { return nil }
        self.layout = layout
    }

    package var count: Int { layout.frameCount }

    /// The bytes of a frame, counted from 0, in the stored transfer syntax; nil when there is no such frame.
    package func frame(_ index: Int) -> [UInt8]? {
        layout.frameBytes(index) { range in Array(source[range]) }
    }
}
