import DICOMPixels

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
    /// Behind EOI; nil where there is none.
    private var end: Int?

    /// nil where the bytes are no JPEG with one frame header.
    init?(_ bytes: [UInt8]) {
        guard var segments = JPEGMarkerSegments(bytes) else { return nil }
        while let segment = segments.next() {
            guard take(segment) else { return nil }
        }
        guard process != 0, !segments.isCut || scans > 0 else { return nil }
        end = segments.end
    }

    private mutating func take(_ segment: JPEGMarkerSegments.Segment) -> Bool {
        let body = segment.body
        switch segment.marker {
        case 0xC0...0xC3, 0xC5...0xC7, 0xC9...0xCB, 0xCD...0xCF, 0xF7:
            guard process == 0, body.count >= 6, body.count == 6 + 3 * Int(body[5]) else { return false }
            process = segment.marker
            precision = Int(body[0])
            rows = Int(body[1]) << 8 | Int(body[2])
            columns = Int(body[3]) << 8 | Int(body[4])
            components = (0..<Int(body[5])).map { body[6 + 3 * $0] }
        case 0xDA: scans += 1
        case 0xE0 where scans == 0:
            if body.starts(with: "JFIF".utf8) {
                isJFIF = true
                colourSegments.append(segment.range)
            }
        case 0xEE where scans == 0:
            if body.starts(with: "Adobe".utf8), body.count >= 12 {
                adobeTransform = body[11]
                colourSegments.append(segment.range)
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
        out += bytes[position..<(end ?? bytes.count)]
        if end == nil { out += [0xFF, 0xD9] }
        return out
    }
}
