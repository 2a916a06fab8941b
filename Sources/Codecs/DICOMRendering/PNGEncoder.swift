import CZlib

/// Writes PNG of 8 bits, grey or RGB, without loss. PNG Third Edition (W3C) §5, §9, §11.
package enum PNGEncoder {
    /// A middle way: level 6 takes twice as long for files a twentieth smaller.
    private static let level: Int32 = 3

    /// A whole file; nil when there is no memory for it.
    ///
    /// - Parameter iccProfile: of RGB, embedded as `iCCP`.
    package static func encode(_ image: RenderedImage, iccProfile: [UInt8]? = nil) -> [UInt8]? {
        var file: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
        var head = bigEndian(UInt32(image.columns)) + bigEndian(UInt32(image.rows))
        // Bit depth, colour type, compression, filter and interlace method.
        head += [8, image.samplesPerPixel == 3 ? 2 : 0, 0, 0, 0]
        append("IHDR", head, to: &file)
        if let iccProfile, image.samplesPerPixel == 3, let packed = deflated(iccProfile) {
            append("iCCP", Array("ICC\0\0".utf8) + packed, to: &file)
        }
        guard let packed = deflated(filtered(image)) else { return nil }
        // A chunk has at most 2^31 - 1 bytes.
        for start in stride(from: 0, to: packed.count, by: 1 << 30) {
            append("IDAT", Array(packed[start..<min(packed.count, start + 1 << 30)]), to: &file)
        }
        append("IEND", [], to: &file)
        return file
    }

    /// Each line behind the number of its filter: Sub or Up, whichever has the smaller sum of differences. §12.7.
    private static func filtered(_ image: RenderedImage) -> [UInt8] {
        let (width, step) = (image.columns * image.samplesPerPixel, image.samplesPerPixel)
        let lines = image.rows * (width + 1)
        return [UInt8](unsafeUninitializedCapacity: lines) { out, filled in
            image.bytes.withUnsafeBufferPointer { source in
                for row in 0..<image.rows {
                    let from = row * width
                    var (sub, up) = (0, 0)
                    for column in 0..<width {
                        let value = source[from + column]
                        let left = column >= step ? source[from + column - step] : 0
                        let above = row > 0 ? source[from + column - width] : 0
                        sub += Int(Int8(bitPattern: value &- left).magnitude)
                        up += Int(Int8(bitPattern: value &- above).magnitude)
                    }
                    let usesUp = up < sub
                    var to = row * (width + 1)
                    out[to] = usesUp ? 2 : 1
                    for column in 0..<width {
                        to += 1
                        let before: UInt8
                        if usesUp {
                            before = row > 0 ? source[from + column - width] : 0
                        } else {
                            before = column >= step ? source[from + column - step] : 0
                        }
                        out[to] = source[from + column] &- before
                    }
                }
            }
            filled = lines
        }
    }

    /// As a zlib stream. RFC 1950.
    private static func deflated(_ bytes: [UInt8]) -> [UInt8]? {
        var size = compressBound(UInt(bytes.count))
        var out = [UInt8](repeating: 0, count: Int(size))
        let result = out.withUnsafeMutableBufferPointer { out in
            bytes.withUnsafeBufferPointer { bytes in
                compress2(out.baseAddress, &size, bytes.baseAddress, UInt(bytes.count), level)
            }
        }
        guard result == Z_OK else { return nil }
        return Array(out.prefix(Int(size)))
    }

    private static func append(_ type: String, _ content: [UInt8], to file: inout [UInt8]) {
        let named = Array(type.utf8) + content
        file += bigEndian(UInt32(content.count))
        file += named
        file += bigEndian(UInt32(truncatingIfNeeded: crc32_z(0, named, named.count)))
    }

    private static func bigEndian(_ value: UInt32) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
    }
}
