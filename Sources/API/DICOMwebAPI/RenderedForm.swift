import DICOMData
import DICOMPixels
import DICOMRendering
import DICOMTranslation
import HTTPSupport
import HTTPTypes
import Workflow

/// What of an instance can be rendered. PS3.18 §8.7.2.
enum RenderedContent: Sendable, Equatable {
    /// Frames that are pictures, and how many.
    case image(frames: Int)
    case report
    /// A presentation state: what it refers to is shown by it. PS3.18 §8.7.2.
    case state
    /// A Key Object Selection: a report, or what it refers to.
    case selection
    /// An encapsulated PDF document.
    case document
    /// A stream that is passed on as it is stored.
    case video(RenderedType)
    case nothing

    init(_ header: StoredHeader) {
        let layout = header.layout ?? header.inflatedLayout
        if let type = RenderedType(videoOf: header.transferSyntax), header.layout != nil {
            self = .video(type)
        } else if let layout, !header.transferSyntax.isVideo, header.instance.numberOfFrames > 0 {
            self = .image(frames: min(layout.frameCount, header.instance.numberOfFrames))
        } else if header.instance.sopClassUID == UID.encapsulatedPDFStorage,
            header.dataSet.contains(.encapsulatedDocument)
        {
            self = .document
        } else if PresentationState.isState(header.instance.sopClassUID) {
            self = .state
        } else if ReportDocument.isReport(header.dataSet) {
            self = KeyObjects.isSelection(header.instance.sopClassUID) ? .selection : .report
        } else {
            self = .nothing
        }
    }

    /// The types it can be sent as, the default first. PS3.18 Table 8.7.4-1.
    var types: [RenderedType] {
        switch self {
        case .image, .state: [.jpeg, .png, .gif]
        case .report: [.html, .text]
        case .selection: [.html, .text, .jpeg, .png, .gif]
        case .document: [.pdf]
        case .video(let type): [type]
        case .nothing: []
        }
    }

    /// Those as a part of its study or series, whose images are parts themselves.
    var partTypes: [RenderedType] {
        switch self {
        case .state, .video: []
        case .selection: [.html, .text]
        case .image, .report, .document, .nothing: types
        }
    }
}

/// A media type of something rendered. PS3.18 §8.7.4.
enum RenderedType: String, Sendable, CaseIterable {
    case jpeg = "image/jpeg"
    case png = "image/png"
    case gif = "image/gif"
    case html = "text/html"
    case text = "text/plain"
    case pdf = "application/pdf"
    case mpeg = "video/mpeg"
    case mp4 = "video/mp4"
    case h265 = "video/H265"

    /// What video of a transfer syntax is; nil for pictures. PS3.18 Table 8.7.4-1.
    init?(videoOf syntax: TransferSyntax) {
        guard syntax.isVideo, let stored = syntax.frameMediaType else { return nil }
        self = RenderedType(rawValue: stored) ?? .mpeg
    }

    var isPicture: Bool { self == .jpeg || self == .png || self == .gif }

    var mediaType: MediaType { MediaType(rawValue) ?? MediaType(type: "application", subtype: "octet-stream") }

    /// As it stands in a header.
    var contentType: String {
        switch self {
        case .html, .text: rawValue + "; charset=utf-8"
        case .jpeg, .png, .gif, .pdf, .mpeg, .mp4, .h265: rawValue
        }
    }

    /// The best of some types for a client, and whether it asks for parts; nil when none is acceptable.
    static func best(of types: [RenderedType], _ wishes: RenderedWishes) -> (type: RenderedType, isMultipart: Bool)? {
        let types = types.filter { type in !wishes.refused.contains { $0.includes(type.mediaType) } }
        for wish in wishes.ranges {
            if let type = types.first(where: { wish.media.includes($0.mediaType) }) { return (type, wish.isMultipart) }
        }
        return nil
    }

    /// The refusal that lists what there is.
    static func notAcceptable(_ types: [RenderedType]) -> HTTPFailure {
        HTTPFailure(
            .notAcceptable,
            types.isEmpty
                ? "this has no rendered form; ask for application/dicom"
                : "available: " + types.map(\.rawValue).joined(separator: ", "))
    }
}

/// What a client takes of rendered resources. PS3.18 §8.7.5.
struct RenderedWishes: Sendable {
    /// Best first.
    let ranges: [DICOMwebMediaType.Wish]
    /// Types by name that it does not want, whatever other ranges include: those of weight 0. RFC 9110 §12.4.2.
    let refused: [MediaType]

    /// Of the `accept` parameter, else of the header. Throws `.malformed`.
    init(_ request: APIRequest) throws(HTTPFailure) {
        let text = try request.query()["accept"] ?? request.headers[.accept]
        ranges = try DICOMwebMediaType.wishes(text)
        refused = AcceptHeader(text).ranges.filter { $0.quality == 0 && $0.type.subtype != "*" }.map(\.type)
    }
}
