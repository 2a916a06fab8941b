import DICOMData
import DICOMPixels
import Workflow

/// The pixels of two objects, frame by frame.
extension ContentComparison {
    /// The pixels of an image in an item, such as an icon.
    func pixels(_ element: DataElement, of dataSet: DataSet, _ side: Side) async throws -> Pixels? {
        var bytes: [UInt8]
        var isEncapsulated = false
        switch element.value {
        case .bytes(let value): bytes = value
        case .fragments(let value): (bytes, isEncapsulated) = (value.encoded, true)
        case .external(let value):
            bytes = try await side.bytes(value.offset..<value.offset + (value.length ?? 0))
            isEncapsulated = value.isEncapsulated
            if side.syntax.isBigEndian { swapWords(&bytes, size: element.vr.wordSize) }
        case .items: return nil
        }
        var location = PixelDataLocation(tag: element.tag, vr: element.vr, offset: 0, length: bytes.count)
        if isEncapsulated {
            var scanner = FragmentScanner(offset: 0)
            _ = try bytes.withUnsafeBytes { try scanner.consume($0) }
            location.basicOffsetTable = scanner.basicOffsetTable
            location.fragments = scanner.fragments
        }
        // Native pixels in memory are in little endian, also in an instance whose other pixels are encapsulated.
        return Pixels(
            tag: element.tag,
            layout: PixelDataLayout(
                location, of: dataSet, transferSyntax: isEncapsulated ? side.syntax : .explicitVRLittleEndian),
            image: ImagePixel(dataSet), isEncapsulated: isEncapsulated, inMemory: bytes, range: 0..<bytes.count,
            swapsBy: 1)
    }

    func areSame(_ a: Pixels, of sideOfA: Side, _ b: Pixels, of sideOfB: Side) async throws -> Bool {
        if let layoutOfA = a.layout, let layoutOfB = b.layout, layoutOfA.frameCount == layoutOfB.frameCount {
            for index in 0..<layoutOfA.frameCount {
                guard let storedOfA = try await stored(index, a, sideOfA),
                    let storedOfB = try await stored(index, b, sideOfB)
                else { return try await areSameWhole(a, sideOfA, b, sideOfB) }
                // Codestreams that are the same need not be read. One byte of padding may end each.
                if a.isEncapsulated, b.isEncapsulated, sideOfA.syntax == sideOfB.syntax,
                    Self.trimmed(storedOfA) == Self.trimmed(storedOfB)
                {
                    continue
                }
                let left = values(storedOfA, of: index, a, sideOfA)
                let right = values(storedOfB, of: index, b, sideOfB)
                if left.isDecoded, right.isDecoded {
                    if left.values == right.values { continue }
                    guard let image = a.image, Self.keepsStoredBits(sideOfA, a) || Self.keepsStoredBits(sideOfB, b),
                        Self.masked(left.values, image) == Self.masked(right.values, image)
                    else { return false }
                    continue
                }
                // Codestreams that cannot be read are the same only of one codec.
                return false
            }
            return true
        }
        return try await areSameWhole(a, sideOfA, b, sideOfB)
    }

    /// Where frames cannot be told apart: the whole values, of native pixels in little endian.
    private func areSameWhole(_ a: Pixels, _ sideOfA: Side, _ b: Pixels, _ sideOfB: Side) async throws -> Bool {
        guard a.isEncapsulated == b.isEncapsulated, !a.isEncapsulated || sideOfA.syntax == sideOfB.syntax,
            a.range.count == b.range.count
        else { return false }
        var done = 0
        while done < a.range.count {
            let step = min(Self.pieceBytes, a.range.count - done)
            var left = try await value(a, sideOfA, done..<done + step)
            var right = try await value(b, sideOfB, done..<done + step)
            swapWords(&left, size: a.swapsBy)
            swapWords(&right, size: b.swapsBy)
            guard left == right else { return false }
            done += step
        }
        return true
    }

    private func value(_ pixels: Pixels, _ side: Side, _ range: Range<Int>) async throws -> [UInt8] {
        if let bytes = pixels.inMemory { return Array(bytes[range]) }
        let start = pixels.range.lowerBound
        return try await side.bytes(start + range.lowerBound..<start + range.upperBound)
    }

    /// The bytes of one frame as they are stored. nil when there is none.
    private func stored(_ index: Int, _ pixels: Pixels, _ side: Side) async throws -> [UInt8]? {
        guard let layout = pixels.layout, let frame = layout.frame(index), frame.byteCount <= Self.frameBytesMax else {
            return nil
        }
        var stored: [UInt8] = []
        for range in frame.ranges {
            if let bytes = pixels.inMemory {
                stored += bytes[range]
            } else {
                stored += try await side.bytes(range)
            }
        }
        return stored
    }

    /// The samples of a frame pixel by pixel where they can be read, else its codestream.
    private func values(
        _ stored: [UInt8], of index: Int, _ pixels: Pixels, _ side: Side
    ) -> (values: [UInt8], isDecoded: Bool) {
        guard let image = pixels.image, pixels.isEncapsulated else {
            let values = pixels.layout.flatMap { layout in
                layout.frame(index).map { layout.rearranged(stored, of: $0) }
            }
            return (pixels.image.map { Self.byPixel(values ?? stored, $0) } ?? values ?? stored, !pixels.isEncapsulated)
        }
        guard let values = decoded(stored, image, side.syntax) else { return (stored, false) }
        return (values, true)
    }

    /// The samples of a frame in an encapsulated transfer syntax that can be read without loss.
    private func decoded(_ frame: [UInt8], _ image: ImagePixel, _ syntax: TransferSyntax) -> [UInt8]? {
        if syntax == .encapsulatedUncompressed {
            return Self.byPixel(Array(frame.prefix((image.frameBits + 7) / 8)), image)
        }
        guard image.bitsAllocated % 8 == 0 else { return nil }
        let size = image.bitsAllocated / 8
        switch syntax {
        case .rleLossless:
            return RLEFrame.decoded(
                frame, pixels: image.rows * image.columns, samples: image.samplesPerPixel, sampleBytes: size)
        case .jpegLossless, .jpegLosslessSV1:
            return JPEGLosslessFrame.decoded(
                frame, rows: image.rows, columns: image.columns, samples: image.samplesPerPixel, sampleBytes: size)
        case .jpegLSLossless:
            return JPEGLSFrame.decoded(
                frame, rows: image.rows, columns: image.columns, samples: image.samplesPerPixel, sampleBytes: size)
        case .jpeg2000Lossless, .jpeg2000:
            return JPEG2000Frame.decoded(
                frame, rows: image.rows, columns: image.columns, samples: image.samplesPerPixel, sampleBytes: size)
        default: return nil
        }
    }

    /// Codecs that keep the stored bits of a sample and no others.
    private static func keepsStoredBits(_ side: Side, _ pixels: Pixels) -> Bool {
        pixels.isEncapsulated && side.syntax != .rleLossless && side.syntax != .encapsulatedUncompressed
    }

    /// Samples without the bits that are not stored, which codecs do not keep.
    private static func masked(_ bytes: [UInt8], _ image: ImagePixel) -> [UInt8] {
        let size = image.bitsAllocated / 8
        guard size >= 1, image.bitsStored < image.bitsAllocated, image.highBit == image.bitsStored - 1 else {
            return bytes
        }
        let mask = (UInt64(1) << UInt64(image.bitsStored)) - 1
        let ofByte = (0..<size).map { UInt8(truncatingIfNeeded: mask >> UInt64(8 * $0)) }
        return bytes.enumerated().map { $1 & ofByte[$0 % size] }
    }

    /// Samples pixel by pixel, where they stand plane by plane. PS3.3 §C.7.6.3.1.3.
    private static func byPixel(_ bytes: [UInt8], _ image: ImagePixel) -> [UInt8] {
        let size = image.bitsAllocated / 8
        let samples = image.samplesPerPixel
        guard image.isPlanar, size >= 1, image.bitsAllocated % 8 == 0 else { return bytes }
        let pixels = image.rows * image.columns
        guard bytes.count == pixels * samples * size else { return bytes }
        var out = [UInt8](repeating: 0, count: bytes.count)
        for sample in 0..<samples {
            for pixel in 0..<pixels {
                let from = (sample * pixels + pixel) * size
                let to = (pixel * samples + sample) * size
                for byte in 0..<size { out[to + byte] = bytes[from + byte] }
            }
        }
        return out
    }
}
