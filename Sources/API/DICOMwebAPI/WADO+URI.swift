import DICOMData
import DICOMTranslation
import HTTPSupport
import HTTPTypes
import Hummingbird
import Workflow

/// The URI service (WADO-URI): one object by its three UIDs, itself or rendered. PS3.18 §9.
///
/// Each request is answered as that of the RESTful resource which is the same: who may see it, what is fetched for it and
/// what the audit trail has of it follow from that.
extension DICOMwebRoutes {
    func retrieveByURI(_ request: APIRequest) async throws -> Response {
        let query = try URIQuery(request.query())
        let names = [("study", query.study), ("series", query.series), ("instance", query.instance)]
        let asked = request.with(parameters: PathParameters(names), rawQuery: "", headers: request.headers)
        guard let stored = try await firstPage(try target(asked), asked).first else {
            throw HTTPFailure(.notFound, "there is no such object")
        }
        let header = try StoredHeader(stored)
        let content = RenderedContent(header)
        let wishes = try DICOMwebMediaType.wishes(query.contentType ?? request.headers[.accept])
        let choice = try Self.choice(wishes, content, query)
        var headers = request.headers
        guard let type = choice else {
            if let name = query.pictureParameter {
                throw HTTPFailure(.malformed, "\(name) is for pictures, and not for application/dicom")
            }
            let syntax = query.transferSyntax ?? wishes.first { $0.transferSyntax != nil }?.transferSyntax
            headers[.accept] = "application/dicom" + (syntax.map { ";transfer-syntax=\"\($0)\"" } ?? "")
            return try await retrieve(
                request.with(parameters: PathParameters(names), rawQuery: "", headers: headers))
        }
        headers[.accept] = type.rawValue
        // A part is one of the image's own pixels, and what shows others has none.
        if query.region != nil, content == .state || content == .selection {
            throw HTTPFailure(.malformed, "region is for images, and not for what refers to some")
        }
        let rendered = query.rendered(
            columns: header.dataSet.int(.columns) ?? 1, rows: header.dataSet.int(.rows) ?? 1)
        guard let number = query.frameNumber else {
            return try await renderedInstance(
                request.with(parameters: PathParameters(names), rawQuery: rendered, headers: headers))
        }
        return try await renderedFrames(
            request.with(
                parameters: PathParameters(names + [("frames", String(number))]), rawQuery: rendered, headers: headers))
    }

    /// The type of what is rendered; nil for the object itself. Where anything is taken: one picture as JPEG, several, a
    /// presentation state, and what has no rendered form, as the object, a report as a page. §9.4, §9.5.
    private static func choice(
        _ wishes: [DICOMwebMediaType.Wish], _ content: RenderedContent, _ query: URIQuery
    ) throws(HTTPFailure) -> RenderedType? {
        let byDefault: RenderedType? =
            switch content {
            case .image(let frames): frames == 1 || query.pictureParameter != nil ? .jpeg : nil
            case .state: query.pictureParameter == nil ? nil : .jpeg
            case .report, .selection: .html
            case .document, .video, .nothing: nil
            }
        for wish in wishes where !wish.isMultipart {
            if wish.media.type == "*" { return byDefault }
            if wish.media.includes(dicom) { return nil }
            if let type = content.types.first(where: { wish.media.includes($0.mediaType) }) { return type }
        }
        throw HTTPFailure(
            .notAcceptable,
            "available: " + (["application/dicom"] + content.types.map(\.rawValue)).joined(separator: ", "))
    }
}
