import DICOMData
import PixelCodecs

/// Which frames a frame is shown with: the mean of some, less the mean of others. PS3.3 §C.7.6.10.
package struct MaskSubtraction: Sendable, Equatable {
    /// Frames that are put together for one, each way.
    package static let framesMax = 32
    private static let itemsMax = 1_024

    /// Contrast frames, from 1: the frame itself, and those behind it that are averaged with it.
    package let frames: [Int]
    /// Mask frames, from 1.
    package let masks: [Int]
    /// By how many rows and columns the mask is moved.
    let shift: (rows: Double, columns: Double)

    package static func == (a: MaskSubtraction, b: MaskSubtraction) -> Bool {
        a.frames == b.frames && a.masks == b.masks && a.shift == b.shift
    }

    /// Of the first item of a Mask Subtraction Sequence that is for a frame, from 1, of `count`.
    ///
    /// nil where none is: frames out of range, and those of TID and REV_TID whose mask is not there, are shown as they
    /// are. Throws `.unsupported` for an operation that is not known here, REV_TID without a range, and for more than
    /// ``framesMax`` frames.
    init?(_ dataSet: DataSet, frame: Int, of count: Int) throws(RenderingError) {
        let items = dataSet.items(.maskSubtractionSequence).prefix(Self.itemsMax)
        guard let item = items.first(where: { Self.applies($0, frame, count) }) else { return nil }
        let moved = item.doubles(.maskSubPixelShift)
        let isMoved = moved.count == 2 && moved.allSatisfy { $0.magnitude <= 65_535 }
        shift = isMoved ? (moved[0], moved[1]) : (0, 0)
        switch item.string(.maskOperation) {
        case "AVG_SUB":
            masks = item.ints(.maskFrameNumbers).filter { (1...count).contains($0) }
            let averaged = max(1, item.int(.contrastFrameAveraging) ?? 1)
            guard averaged <= Self.framesMax, masks.count <= Self.framesMax else {
                throw .unsupported("a mask of more than \(Self.framesMax) frames")
            }
            frames = Array(frame...min(count, frame + averaged - 1))
            guard !masks.isEmpty else { return nil }
        case "TID":
            let offset = item.int(.tidOffset) ?? 1
            guard offset.magnitude <= 0xFFFF, offset != 0, (1...count).contains(frame - offset) else { return nil }
            (frames, masks) = ([frame], [frame - offset])
        case "REV_TID":
            // Back in time for each frame on, from the first of the first range, which has to be there.
            guard let first = item.ints(.applicableFrameRange).first, (1...count).contains(first) else {
                throw .unsupported("this mask operation")
            }
            let offset = item.int(.tidOffset) ?? 1
            guard offset.magnitude <= 0xFFFF else { return nil }
            let mask = (first - offset) - (frame - first)
            guard (1...count).contains(mask), mask != frame else { return nil }
            (frames, masks) = ([frame], [mask])
        case "NONE", nil: return nil
        default: throw .unsupported("this mask operation")
        }
    }

    private static func applies(_ item: DataSet, _ frame: Int, _ count: Int) -> Bool {
        guard (1...count).contains(frame) else { return false }
        let ends = item.ints(.applicableFrameRange)
        guard ends.count >= 2 else { return true }
        return stride(from: 0, to: ends.count - 1, by: 2).contains { ends[$0] <= frame && frame <= ends[$0 + 1] }
    }
}

/// The mean of frames, in units of the modality LUT's output.
package struct FrameMean: Sendable {
    fileprivate var sums: [Float]
    fileprivate var count: Float = 0

    /// Bytes for each pixel, of a mean.
    package static let pixelBytes = 4

    package init(rows: Int, columns: Int) { sums = [Float](repeating: 0, count: rows * columns) }

    mutating func add(_ frame: NativeFrame, isFloat: Bool, _ modality: GreyTransform.Modality) {
        guard frame.rows * frame.columns == sums.count, frame.samplesPerPixel == 1 else { return }
        count += 1
        if frame.sampleBytes <= 2, !isFloat {
            let bits = min(16, frame.bitsStored)
            let table = (0..<1 << bits).map { pattern in
                let isNegative = frame.isSigned && pattern >> (bits - 1) == 1
                return Float(modality.value(Double(isNegative ? pattern - 1 << bits : pattern)))
            }
            let mask = 1 << bits - 1
            for index in sums.indices {
                let low = Int(frame.bytes[index * frame.sampleBytes])
                let high = frame.sampleBytes == 2 ? Int(frame.bytes[index * 2 + 1]) << 8 : 0
                sums[index] += table[(low | high) & mask]
            }
        } else {
            for index in sums.indices {
                sums[index] += Float(modality.value(frame.sample(index, isFloat: isFloat).value))
            }
        }
    }

    /// This mean less another, as a frame of floating point samples; nil where either is of no frame.
    func less(_ mask: FrameMean, rows: Int, columns: Int, shift: (rows: Double, columns: Double)) -> NativeFrame? {
        guard count > 0, mask.count > 0, sums.count == rows * columns, mask.sums.count == sums.count else { return nil }
        let isMoved = shift != (0, 0)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(4 * sums.count)
        for index in sums.indices {
            let other =
                isMoved
                ? mask.between(
                    row: Double(index / columns) - shift.rows, column: Double(index % columns) - shift.columns, rows,
                    columns) : mask.sums[index]
            let bits = (sums[index] / count - other / mask.count).bitPattern
            for byte in 0..<4 { bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(8 * byte))) }
        }
        return NativeFrame(
            rows: rows, columns: columns, samplesPerPixel: 1, sampleBytes: 4, bitsStored: 32, isSigned: false,
            photometricInterpretation: "MONOCHROME2", bytes: bytes)
    }

    /// A sum between four pixels; beyond the edge that of the edge.
    private func between(row: Double, column: Double, _ rows: Int, _ columns: Int) -> Float {
        let (row, column) = (max(0, min(Double(rows - 1), row)), max(0, min(Double(columns - 1), column)))
        let (top, left) = (Int(row), Int(column))
        let (bottom, right) = (min(rows - 1, top + 1), min(columns - 1, left + 1))
        let (down, across) = (Float(row - Double(top)), Float(column - Double(left)))
        let upper = sums[top * columns + left] * (1 - across) + sums[top * columns + right] * across
        let lower = sums[bottom * columns + left] * (1 - across) + sums[bottom * columns + right] * across
        return upper * (1 - down) + lower * down
    }
}
