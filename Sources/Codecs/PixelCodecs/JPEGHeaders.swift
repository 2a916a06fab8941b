/// What the marker segments of a JPEG say before anything is decoded. ITU-T T.81 Annex B.
struct JPEGHeaders {
    /// The marker of the frame header: C0 to CF, or F7 for JPEG-LS.
    private(set) var process: UInt8 = 0
    private(set) var precision = 0
    private(set) var rows = 0
    private(set) var columns = 0
    private(set) var components: [UInt8] = []
    private(set) var scans = 0
    private(set) var isJFIF = false
    /// Of an Adobe segment: 0 no transformation, 1 YCbCr, 2 YCCK.
    private(set) var adobeTransform: UInt8?
    /// APP0 and APP14, from the marker to the end.
    private var colourSegments: [Range<Int>] = []
    /// Behind EOI, or the end where there is none.
    private var end = 0
    /// There is an EOI.
    private(set) var hasEnd = false

    /// nil where the bytes are no JPEG with one frame header.
    init?(_ bytes: [UInt8]) {
        guard bytes.count > 4, bytes[0] == 0xFF, bytes[1] == 0xD8 else { return nil }
        let isRead = bytes.withUnsafeBufferPointer { bytes in read(bytes) }
        guard isRead, process != 0 else { return nil }
    }

    private mutating func read(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        var position = 2
        end = bytes.count
        while position + 2 <= bytes.count {
            guard bytes[position] == 0xFF else {
                position += 1
                continue
            }
            let marker = bytes[position + 1]
            switch marker {
            // Stuffing, padding, and markers without a segment. JPEG-LS has bits of 0 behind FF, below 80.
            case 0...0x7F, 0xD0...0xD7, 0xD8, 0x80...0xBF:
                position += 2
                continue
            case 0xFF:
                position += 1
                continue
            case 0xD9:
                end = position + 2
                hasEnd = true
                return true
            default: break
            }
            guard position + 4 <= bytes.count else { return true }
            let length = Int(bytes[position + 2]) << 8 | Int(bytes[position + 3])
            let next = position + 2 + length
            guard length >= 2, next <= bytes.count else { return scans > 0 }
            let body = UnsafeBufferPointer(rebasing: bytes[(position + 4)..<next])
            guard take(marker, body, at: position..<next) else { return false }
            position = next
        }
        return true
    }

    private mutating func take(_ marker: UInt8, _ body: UnsafeBufferPointer<UInt8>, at range: Range<Int>) -> Bool {
        switch marker {
        case 0xC0...0xC3, 0xC5...0xC7, 0xC9...0xCB, 0xCD...0xCF, 0xF7:
            guard process == 0, body.count >= 6, body.count == 6 + 3 * Int(body[5]) else { return false }
            process = marker
            precision = Int(body[0])
            rows = Int(body[1]) << 8 | Int(body[2])
            columns = Int(body[3]) << 8 | Int(body[4])
            components = (0..<Int(body[5])).map { body[6 + 3 * $0] }
        case 0xDA: scans += 1
        case 0xE0 where scans == 0:
            if body.starts(with: "JFIF".utf8) {
                isJFIF = true
                colourSegments.append(range)
            }
        case 0xEE where scans == 0:
            if body.starts(with: "Adobe".utf8), body.count >= 12 {
                adobeTransform = body[11]
                colourSegments.append(range)
            }
        default: break
        }
        return true
    }

    /// Whether three components are luminance and chrominance: what the codestream says of itself, else the data set.
    func isYBR(photometric: String) -> Bool {
        guard components.count == 3 else { return false }
        if let adobeTransform { return adobeTransform != 0 }
        if isJFIF { return true }
        if components.elementsEqual("RGB".utf8) { return false }
        return photometric != "RGB"
    }

    /// The bytes with one word on colour, an Adobe segment, and with an EOI.
    func bytes(_ bytes: [UInt8], adobeTransform: UInt8) -> [UInt8] {
        var out: [UInt8] = [0xFF, 0xD8, 0xFF, 0xEE, 0, 14]
        out.reserveCapacity(bytes.count + 20)
        out += "Adobe".utf8
        out += [0, 100, 0, 0, 0, 0, adobeTransform]
        var position = 2
        for range in colourSegments {
            out += bytes[position..<range.lowerBound]
            position = range.upperBound
        }
        out += bytes[position..<end]
        if !hasEnd { out += [0xFF, 0xD9] }
        return out
    }
}
