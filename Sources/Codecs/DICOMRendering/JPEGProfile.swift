/// A colour profile in a JPEG: APP2 segments behind its first marker segment. ICC.1 §B.4.
package enum JPEGProfile {
    /// Bytes of a profile in one segment.
    private static let partBytesMax = 65_519

    /// The file with the profile in it; the file itself when it is no JPEG or the profile needs more than 255 segments.
    package static func embedding(_ profile: [UInt8], in jpeg: [UInt8]) -> [UInt8] {
        let parts = (profile.count + partBytesMax - 1) / partBytesMax
        guard jpeg.starts(with: [0xFF, 0xD8]), (1...255).contains(parts) else { return jpeg }
        var position = 2
        // JFIF wants to be first.
        if jpeg.count >= 6, jpeg[2] == 0xFF, jpeg[3] == 0xE0 {
            position = min(jpeg.count, 4 + (Int(jpeg[4]) << 8 | Int(jpeg[5])))
        }
        var file = Array(jpeg[..<position])
        for part in 0..<parts {
            let bytes = profile[part * partBytesMax..<min(profile.count, (part + 1) * partBytesMax)]
            let length = 16 + bytes.count
            file += [0xFF, 0xE2, UInt8(length >> 8), UInt8(length & 0xFF)]
            file += Array("ICC_PROFILE\0".utf8) + [UInt8(part + 1), UInt8(parts)]
            file += bytes
        }
        return file + jpeg[position...]
    }
}
