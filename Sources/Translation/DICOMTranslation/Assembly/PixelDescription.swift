import DICOMData

/// Whether a data set says of its pixels what must be said, and as many bytes are there as it says. PS3.3 §C.7.6.3.
enum PixelDescription {
    /// Bytes of all frames without compression; nil where they were not counted.
    ///
    /// Throws ``IngestFailure``, `.classMismatch`, for an attribute that is missing or not possible.
    static func bytes(_ dataSet: DataSet, of tag: Tag) throws(IngestFailure) -> Int64 {
        func number(_ tag: Tag, _ range: ClosedRange<Int>) throws(IngestFailure) -> Int {
            guard let value = dataSet.int(tag), range.contains(value) else {
                throw IngestFailure(.classMismatch, "\(tag) is missing or not possible")
            }
            return value
        }
        let rows = try number(.rows, 1...0xFFFF)
        let columns = try number(.columns, 1...0xFFFF)
        var samples = try number(.samplesPerPixel, 1...4)
        let allocated = try number(.bitsAllocated, 1...64)
        guard let kind = dataSet.string(.photometricInterpretation), !kind.isEmpty else {
            throw IngestFailure(.classMismatch, "\(Tag.photometricInterpretation) is missing")
        }
        if tag == .pixelData {
            let stored = try number(.bitsStored, 1...allocated)
            _ = try number(.highBit, (stored - 1)...(allocated - 1))
            _ = try number(.pixelRepresentation, 0...1)
        }
        // Two samples for each pixel: the colours of two are one. PS3.3 §C.7.6.3.1.2.
        if samples == 3, kind == "YBR_FULL_422" || kind == "YBR_PARTIAL_422" { samples = 2 }
        let frames = dataSet.contains(.numberOfFrames) ? try number(.numberOfFrames, 1...Int(Int32.max)) : 1
        let bits = Int64(rows) * Int64(columns) * Int64(samples * allocated)
        let (all, isOver) = bits.multipliedReportingOverflow(by: Int64(frames))
        guard !isOver, all < Int64.max - 7 else { throw IngestFailure(.classMismatch, "too many pixels") }
        return (all + 7) / 8
    }

    /// Throws `.classMismatch` unless so many bytes are those of the pixels, with or without the one that makes them even.
    static func check(_ count: Int64, _ dataSet: DataSet, of tag: Tag) throws(IngestFailure) {
        let expected = try bytes(dataSet, of: tag)
        guard count == expected || count == expected + (expected & 1) else {
            throw IngestFailure(.classMismatch, "\(count) bytes of pixels, where \(expected) are described")
        }
    }
}
