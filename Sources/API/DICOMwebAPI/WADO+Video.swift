import DICOMData
import DICOMPixels
import DICOMTranslation
import HTTPSupport
import HTTPTypes
import Hummingbird
import Workflow

/// Video goes as it is stored: the stream of all fragments, whole or a range of it. PS3.18 §8.7.3, Table 8.7.3-5, §8.7.4.
extension DICOMwebRoutes {
    /// - Parameters:
    ///   - place: of the resource below the instance, for its tag and the location of a part.
    ///   - interaction: of its audit row.
    func video(
        _ header: StoredHeader, _ contentType: String, isMultipart: Bool, at place: String, _ interaction: String,
        _ request: APIRequest
    ) async throws -> Response {
        let source = try await FrameSource(header, blobs: blobs, memory: memory)
        let stream = PixelDataLayout.Frame(ofFragments: source.layout.allFrames.flatMap(\.ranges))
        guard stream.byteCount > 0 else { throw HTTPFailure(.notFound, "this video is empty") }
        guard isMultipart else {
            return try await single(stream, named: place, contentType, source, header, interaction, request)
        }
        let permit = try await gate.permit()
        let sender = try await recorded(interaction, request) {
            try await source.open(header.instance, in: blobs, first: stream, files: request.files)
        }
        var framing = MultipartFraming(boundary: newBoundary())
        let inner = MediaType(contentType).map { MediaType(type: $0.type, subtype: $0.subtype) }
        let head = framing.partHead([
            ("Content-Type", contentType), ("Content-Location", "\(instanceURL(header.instance))/\(place)"),
        ])
        return .stream(
            contentType: framing.contentType(ofParts: inner ?? Self.octets),
            contentLength: head.readableBytes + stream.byteCount + framing.end.readableBytes, isBrief: true
        ) { [framing] writer in
            defer { withExtendedLifetime(permit) {} }
            try await source.send(stream, from: sender, before: head, after: framing.end, to: &writer)
        }
    }
}

extension DICOMwebMediaType {
    /// How video is wanted; nil for what is no video, and where its own type is not among the wishes.
    ///
    /// `video/mpeg` is taken for `video/mpeg2`: clients write the one for the other. Who takes anything gets it whole.
    static func videoForm(_ wishes: [Wish], stored: TransferSyntax) -> (contentType: String, isMultipart: Bool)? {
        guard stored.isVideo, let type = stored.frameMediaType else { return nil }
        let names = type == "video/mpeg2" ? [type, "video/mpeg"] : [type.lowercased()]
        for wish in wishes {
            guard wish.transferSyntax == nil || wish.transferSyntax == "*" || wish.transferSyntax == stored.uid else {
                continue
            }
            guard wish.media.type == "*" || wish.media.essence == "video/*" || names.contains(wish.media.essence) else {
                continue
            }
            let named = names.contains(wish.media.essence) ? wish.media.essence : type
            return ("\(named == type.lowercased() ? type : named);transfer-syntax=\(stored.uid)", wish.isMultipart)
        }
        return nil
    }
}
