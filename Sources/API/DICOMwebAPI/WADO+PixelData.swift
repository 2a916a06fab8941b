import DICOMData
import DICOMPixels
import DICOMTranslation
import HTTPSupport
import HTTPTypes
import Hummingbird
import PixelCodecs
import Workflow

/// All pixel data of an instance, without its other attributes. PS3.18 §10.4.1.1.6, §10.4.3.3.6.
///
/// Native pixels are one value; of others each frame is a part, as it is stored or as it is asked for.
extension DICOMwebRoutes {
    /// Frames of one answer; who wants more asks for them by their numbers.
    static let pixelFramesMax = 10_000

    func pixelData(_ request: APIRequest) async throws -> Response {
        guard let stored = try await firstPage(try target(request), request).first else {
            throw HTTPFailure(.notFound, "there is no such instance")
        }
        let header = try StoredHeader(stored)
        guard let location = header.pixelData ?? header.inflatedPixelData,
            let element = header.dataSet[location.tag], case .external(let value) = element.value
        else { throw HTTPFailure(.notFound, "this instance has no pixel data") }
        let path = ElementPath(location.tag, in: [])
        let (wishes, syntax) = (try accept(request), header.transferSyntax)
        let canMake = Self.transcodes(header)
        let count = max(1, stored.instance.numberOfFrames)
        var refusal: PixelCodecError?
        for form in DICOMwebMediaType.pixelDataForms(
            wishes, stored: syntax, isEncapsulated: value.isEncapsulated, frames: count, canMake: canMake)
        {
            switch form {
            case .video(let contentType, let isMultipart):
                return try await video(
                    header, contentType, isMultipart: isMultipart, at: "pixeldata", "bulkdata", request)
            case .value(let isMultipart):
                return try await self.value(value, element.vr, path, header, isMultipart: isMultipart, request)
            case .frames(let form) where form.transcoded == nil:
                return try await fragments(value, path, header, wishes, request)
            case .frames(let form):
                guard count <= Self.pixelFramesMax else {
                    throw HTTPFailure(
                        .tooLarge, "there are more frames than are made at once; ask for them by their numbers")
                }
                let source = try await FrameSource(header, blobs: blobs, memory: memory)
                let frames = try (1...count).map { (number: $0, frame: try source.frame($0)) }
                do {
                    return try await transcodedFrames(frames, [form], source, header, request)
                } catch let error as PixelCodecError {
                    refusal = refusal ?? error
                }
            }
        }
        throw refusal
            ?? HTTPFailure(.notAcceptable, DICOMwebMediaType.availableFrames(stored: syntax, canMake: canMake))
    }

    /// That of all instances of a study or series.
    func pixelDataOfAll(_ request: APIRequest) async throws -> Response {
        let target = try target(request)
        let wishes = try accept(request)
        let first = try await firstPage(target, request)
        guard !first.isEmpty else {
            throw HTTPFailure(.notFound, "there is no such \(target.series == nil ? "study" : "series")")
        }
        let permit = try await gate.permit()
        var parts = PixelDataParts(routes: self, first: first, wishes: wishes, request: request) { last in
            try await page(target, after: last.place, request)
        }
        // The first part tells the type of the whole, and what is wrong with a wish.
        guard let part = try await parts.next() else {
            throw parts.available.map { HTTPFailure(.notAcceptable, $0) }
                ?? HTTPFailure(.notFound, "no instance of it has pixel data")
        }
        try await record("bulkdata", request)
        let framing = MultipartFraming(boundary: newBoundary())
        return .stream(contentType: framing.contentType(ofParts: part.mediaType)) { [parts] writer in
            defer { withExtendedLifetime(permit) {} }
            var (parts, framing) = (parts, framing)
            var next: PixelDataParts.Part? = part
            while let part = next {
                try await part.send(&framing, &writer)
                next = try await parts.next()
            }
            try await writer.write(framing.end)
        }
    }
}
