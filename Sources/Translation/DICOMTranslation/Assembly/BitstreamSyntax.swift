import DICOMData
import DICOMPixels

/// The transfer syntax of a compressed frame, from the first bytes of its bitstream: for a body part whose media type names
/// none. Every loop ends with the bytes, which are the first of a frame and few. PS3.5 §A.4, PS3.18 Table 8.7.3-5.
package enum BitstreamSyntax {
    /// Bytes of a frame that are looked at.
    package static let bytesMax = 64 << 10

    /// Of a media type's frames; nil where it is none of compressed frames, or the bytes are not of it. What says nothing
    /// of itself has the default of its media type.
    package static func transferSyntax(_ mediaType: String, _ start: [UInt8]) -> TransferSyntax? {
        switch mediaType {
        case "image/jpeg": jpeg(start)
        case "image/jls": jpegLS(start)
        case "image/jp2": jpeg2000(start, lossless: .jpeg2000Lossless, other: .jpeg2000)
        case "image/jpx": jpeg2000(start, lossless: .jpeg2000Part2Lossless, other: .jpeg2000Part2)
        case "image/jphc": jpeg2000(start, lossless: .htj2kLossless, other: .htj2k)
        case "image/dicom-rle": .rleLossless
        default: nil
        }
    }

    /// Whether video may begin like this: with a start code, a packet of a transport stream, or, but of MPEG-2, the first
    /// box of an MP4 file. ISO/IEC 13818-1 §2.4.3, 13818-2 §6.2.1, 14496-12 §4.3; PS3.5 §8.2.5 to §8.2.10.
    package static func isVideo(_ start: [UInt8], of syntax: TransferSyntax) -> Bool {
        if start.starts(with: [0, 0, 1]) || start.starts(with: [0, 0, 0, 1]) { return true }
        if start.first == 0x47, start.count >= 188 { return start.count == 188 || start[188] == 0x47 }
        return syntax.frameMediaType != "video/mpeg2" && start.count >= 8 && start[4..<8].elementsEqual("ftyp".utf8)
    }

    /// The marker segments of a stream, each with the place of its first parameter; up to the first scan.
    private static func segments(_ bytes: [UInt8]) -> [(marker: UInt8, start: Int)] {
        var found: [(UInt8, Int)] = []
        var place = 2
        while place + 4 <= bytes.count, bytes[place] == 0xFF {
            let marker = bytes[place + 1]
            // Fill bytes. ITU-T T.81 §B.1.1.2.
            if marker == 0xFF {
                place += 1
                continue
            }
            let length = Int(bytes[place + 2]) << 8 | Int(bytes[place + 3])
            guard length >= 2 else { break }
            found.append((marker, place + 4))
            if marker == 0xDA || marker == 0x90 { break }
            place += 2 + length
        }
        return found
    }

    /// By the frame header and, of lossless ones, the predictor of the first scan. ITU-T T.81 §B.2.2, §B.2.3.
    private static func jpeg(_ bytes: [UInt8]) -> TransferSyntax? {
        guard bytes.starts(with: [0xFF, 0xD8]) else { return nil }
        let all = segments(bytes)
        guard
            let frame = all.first(where: {
                (0xC0...0xCF).contains($0.marker) && ![0xC4, 0xC8, 0xCC].contains($0.marker)
            })
        else { return nil }
        switch frame.marker {
        case 0xC0: return .jpegBaseline
        case 0xC1: return .jpegExtended
        case 0xC3:
            guard let scan = all.first(where: { $0.marker == 0xDA }), scan.start < bytes.count else { return nil }
            let predictor = scan.start + 1 + 2 * Int(bytes[scan.start])
            guard predictor < bytes.count else { return nil }
            return bytes[predictor] == 1 ? .jpegLosslessSV1 : .jpegLossless
        default: return nil
        }
    }

    /// By NEAR of the first scan. ITU-T T.87 §C.2.3.
    private static func jpegLS(_ bytes: [UInt8]) -> TransferSyntax? {
        guard bytes.starts(with: [0xFF, 0xD8]) else { return nil }
        let all = segments(bytes)
        guard all.contains(where: { $0.marker == 0xF7 }), let scan = all.first(where: { $0.marker == 0xDA }),
            scan.start < bytes.count
        else { return nil }
        let near = scan.start + 1 + 2 * Int(bytes[scan.start])
        guard near < bytes.count else { return nil }
        return bytes[near] == 0 ? .jpegLSLossless : .jpegLSNearLossless
    }

    /// By the wavelet of the default coding style. A file of boxes is no codestream, which alone is a frame.
    /// ITU-T T.800 §A.6.1, PS3.5 §A.4.4.
    private static func jpeg2000(
        _ bytes: [UInt8], lossless: TransferSyntax, other: TransferSyntax
    ) -> TransferSyntax? {
        guard bytes.starts(with: [0xFF, 0x4F]), let style = segments(bytes).first(where: { $0.marker == 0x52 }),
            style.start + 9 < bytes.count
        else { return nil }
        return bytes[style.start + 9] == 1 ? lossless : other
    }
}
