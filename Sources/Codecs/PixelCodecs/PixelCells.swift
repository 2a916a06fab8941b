import DICOMPixels

/// From pixel cells to values. PS3.5 §8.1.1, PS3.3 §C.7.6.3.
enum PixelCells {
    /// Bytes of the container of a sample of this many bits.
    static func sampleBytes(_ bits: Int) -> Int { bits <= 8 ? 1 : bits <= 16 ? 2 : bits <= 32 ? 4 : 8 }

    /// The values of a native frame in little endian, its first bit being the first of its first byte.
    static func values(_ frame: [UInt8], _ image: ImagePixel) throws(PixelCodecError) -> NativeFrame {
        guard frame.count >= (image.frameBits + 7) / 8 else {
            throw .malformed("\(frame.count) bytes of \((image.frameBits + 7) / 8)")
        }
        guard image.bitsAllocated % 8 == 0 || image.bitsAllocated <= 32 else {
            throw .unsupported("\(image.bitsAllocated) bits allocated")
        }
        let size = sampleBytes(image.bitsAllocated)
        var samples: [UInt8]
        if image.bitsAllocated == 8 * size {
            samples = frame.count == image.frameBits / 8 ? frame : Array(frame.prefix(image.frameBits / 8))
        } else {
            samples = unpacked(frame, bits: image.bitsAllocated, count: image.frameBits / image.bitsAllocated, size)
        }
        if image.samplesPerPixel == 3, image.photometricInterpretation == "YBR_FULL_422" {
            samples = try full(samples, image, size)
        } else if image.isPlanar {
            samples = byPixel(samples, samples: image.samplesPerPixel, size)
        }
        if image.bitsStored < 8 * size {
            extract(&samples, size, low: image.highBit + 1 - image.bitsStored, image)
        }
        return try frameOf(samples, image, size, photometric: nil)
    }

    /// Cells that stand one behind the other without regard to bytes, the first at the lowest bit. §8.1.1.
    private static func unpacked(_ frame: [UInt8], bits: Int, count: Int, _ size: Int) -> [UInt8] {
        var out = [UInt8](repeating: 0, count: count * size)
        if bits == 1 {
            for index in 0..<count { out[index] = frame[index >> 3] >> UInt8(index & 7) & 1 }
            return out
        }
        var bit = 0
        for index in 0..<count {
            var value: UInt64 = 0
            for byte in 0...(bits + 7) / 8 where bit / 8 + byte < frame.count && byte < 8 {
                value |= UInt64(frame[bit / 8 + byte]) << UInt64(8 * byte)
            }
            value = value >> UInt64(bit % 8) & (bits == 64 ? .max : 1 << UInt64(bits) - 1)
            for byte in 0..<size { out[index * size + byte] = UInt8(truncatingIfNeeded: value >> UInt64(8 * byte)) }
            bit += bits
        }
        return out
    }

    /// Y Y Cb Cr for each two pixels of a line: chrominance is repeated. PS3.3 §C.7.6.3.1.2.
    private static func full(
        _ halved: [UInt8], _ image: ImagePixel, _ size: Int
    ) throws(PixelCodecError) -> [UInt8] {
        guard image.columns % 2 == 0, size == 1 else { throw .unsupported("YBR_FULL_422 of odd Columns or 16 bits") }
        var out = [UInt8](repeating: 0, count: image.rows * image.columns * 3)
        for pair in 0..<image.rows * image.columns / 2 {
            let (from, to) = (pair * 4, pair * 6)
            (out[to], out[to + 1], out[to + 2]) = (halved[from], halved[from + 2], halved[from + 3])
            (out[to + 3], out[to + 4], out[to + 5]) = (halved[from + 1], halved[from + 2], halved[from + 3])
        }
        return out
    }

    /// Plane by plane to pixel by pixel. PS3.3 §C.7.6.3.1.3.
    static func byPixel(_ planes: [UInt8], samples: Int, _ size: Int) -> [UInt8] {
        let pixels = planes.count / (samples * size)
        var out = [UInt8](repeating: 0, count: pixels * samples * size)
        planes.withUnsafeBufferPointer { planes in
            out.withUnsafeMutableBufferPointer { out in
                for sample in 0..<samples {
                    var from = sample * pixels * size
                    var to = sample * size
                    for _ in 0..<pixels {
                        for byte in 0..<size { out[to + byte] = planes[from + byte] }
                        from += size
                        to += samples * size
                    }
                }
            }
        }
        return out
    }

    /// Samples in containers of `size` bytes, where they were in fewer.
    static func widened(_ bytes: [UInt8], from narrow: Int, to size: Int) -> [UInt8] {
        guard narrow < size else { return bytes }
        var out = [UInt8](repeating: 0, count: bytes.count / narrow * size)
        for index in 0..<bytes.count / narrow {
            for byte in 0..<narrow { out[index * size + byte] = bytes[index * narrow + byte] }
        }
        return out
    }

    /// What a codec gave, as values.
    ///
    /// A codestream of more bits than Bits Stored holds whole cells where it is without loss; one of as many or fewer
    /// holds values. Signed values are coded as their bits. PS3.5 §8.2.
    static func decoded(
        _ bytes: [UInt8], _ image: ImagePixel, size: Int, precision: Int, isLossless: Bool,
        rows: Int? = nil, columns: Int? = nil, photometric: String? = nil
    ) throws(PixelCodecError) -> NativeFrame {
        var bytes = bytes
        var bits = precision
        if isLossless, precision > image.bitsStored, image.highBit < precision {
            extract(&bytes, size, low: image.highBit + 1 - image.bitsStored, image)
            bits = image.bitsStored
        } else if image.isSigned, precision < 8 * size {
            extract(&bytes, size, low: 0, bits: precision, isSigned: true)
        }
        return try frameOf(
            bytes, image, size, bits: bits, rows: rows, columns: columns, photometric: photometric)
    }

    private static func frameOf(
        _ bytes: [UInt8], _ image: ImagePixel, _ size: Int, bits: Int? = nil, rows: Int? = nil, columns: Int? = nil,
        photometric: String?
    ) throws(PixelCodecError) -> NativeFrame {
        let term = image.photometricInterpretation
        let colour =
            switch term {
            case "YBR_FULL_422", "YBR_FULL": "YBR_FULL"
            case "YBR_RCT", "YBR_ICT": "RGB"
            default: term
            }
        guard
            let frame = NativeFrame(
                rows: rows ?? image.rows, columns: columns ?? image.columns, samplesPerPixel: image.samplesPerPixel,
                sampleBytes: size, bitsStored: bits ?? image.bitsStored, isSigned: image.isSigned,
                photometricInterpretation: photometric ?? (image.samplesPerPixel == 1 ? term : colour), bytes: bytes)
        else { throw .malformed("\(bytes.count) bytes of samples") }
        return frame
    }

    private static func extract(_ bytes: inout [UInt8], _ size: Int, low: Int, _ image: ImagePixel) {
        extract(&bytes, size, low: low, bits: image.bitsStored, isSigned: image.isSigned)
    }

    /// Keeps `bits` bits of each sample from the bit `low`, extended by their sign.
    private static func extract(_ bytes: inout [UInt8], _ size: Int, low: Int, bits: Int, isSigned: Bool) {
        bytes.withUnsafeMutableBytes { bytes in
            switch size {
            case 1: extract(bytes, as: Int8.self, UInt8.self, low, bits, isSigned)
            case 2: extract(bytes, as: Int16.self, UInt16.self, low, bits, isSigned)
            case 4: extract(bytes, as: Int32.self, UInt32.self, low, bits, isSigned)
            default: extract(bytes, as: Int64.self, UInt64.self, low, bits, isSigned)
            }
        }
    }

    @inline(__always)
    private static func extract<Signed: FixedWidthInteger, Unsigned: FixedWidthInteger>(
        _ bytes: UnsafeMutableRawBufferPointer, as: Signed.Type, _: Unsigned.Type, _ low: Int, _ bits: Int,
        _ isSigned: Bool
    ) {
        let width = Signed.bitWidth
        guard bits >= 1, low >= 0, low + bits <= width else { return }
        let (up, down) = (width - bits - low, width - bits)
        for offset in stride(from: 0, to: bytes.count - width / 8 + 1, by: width / 8) {
            let cell = Unsigned(
                littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Unsigned.self))
            let shifted = cell &<< Unsigned(truncatingIfNeeded: up)
            let value =
                isSigned
                ? Unsigned(truncatingIfNeeded: Signed(truncatingIfNeeded: shifted) &>> Signed(down))
                : shifted &>> Unsigned(truncatingIfNeeded: down)
            bytes.storeBytes(of: value.littleEndian, toByteOffset: offset, as: Unsigned.self)
        }
    }
}
