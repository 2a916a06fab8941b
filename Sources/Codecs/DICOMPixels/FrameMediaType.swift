import DICOMData

extension TransferSyntax {
    /// The media type under which frames of this transfer syntax are sent: `application/octet-stream` for native pixels,
    /// which go as Explicit VR Little Endian. nil where a frame has no media type of its own. PS3.18 Table 8.7.3-5.
    package var frameMediaType: String? {
        guard isEncapsulated else { return "application/octet-stream" }
        return Self.frameMediaTypes[uid] ?? (isVideo ? videoMediaType : nil)
    }

    /// The transfer syntax to name beside `frameMediaType`: big endian, implicit and deflated are never sent.
    /// PS3.18 §8.7.3.
    package var frameTransferSyntax: TransferSyntax { isEncapsulated ? self : .explicitVRLittleEndian }

    /// MPEG-2, MPEG-4 or HEVC: the pixel data is one stream, not frames.
    package var isVideo: Bool {
        let prefix = "1.2.840.10008.1.2.4.10"
        return uid.hasPrefix(prefix) && uid != "1.2.840.10008.1.2.4.10"
    }

    /// Of bulk data and pixel data; `video/mpeg` of what is rendered is `video/mpeg2` there. PS3.18 Table 8.7.3-5.
    private var videoMediaType: String {
        switch uid.dropFirst("1.2.840.10008.1.2.4.".count).prefix(3) {
        case "100", "101": "video/mpeg2"
        case "107", "108": "video/H265"
        default: "video/mp4"
        }
    }

    private static let frameMediaTypes: [String: String] = [
        "1.2.840.10008.1.2.4.50": "image/jpeg", "1.2.840.10008.1.2.4.51": "image/jpeg",
        "1.2.840.10008.1.2.4.57": "image/jpeg", "1.2.840.10008.1.2.4.70": "image/jpeg",
        "1.2.840.10008.1.2.4.80": "image/jls", "1.2.840.10008.1.2.4.81": "image/jls",
        "1.2.840.10008.1.2.4.90": "image/jp2", "1.2.840.10008.1.2.4.91": "image/jp2",
        "1.2.840.10008.1.2.4.92": "image/jpx", "1.2.840.10008.1.2.4.93": "image/jpx",
        "1.2.840.10008.1.2.4.201": "image/jphc", "1.2.840.10008.1.2.4.202": "image/jphc",
        "1.2.840.10008.1.2.4.203": "image/jphc", "1.2.840.10008.1.2.5": "image/dicom-rle",
        "1.2.840.10008.1.2.1.98": "application/octet-stream",
    ]
}
