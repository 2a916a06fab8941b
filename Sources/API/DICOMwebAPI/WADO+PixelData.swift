import DICOMData
import DICOMPixels
import DICOMTranslation
import HTTPSupport
import HTTPTypes
import Hummingbird
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
        if let type = DICOMwebMediaType.videoForm(wishes, stored: syntax) {
            return try await video(
                header, type.contentType, isMultipart: type.isMultipart, at: "pixeldata", "bulkdata", request)
        }
        let canMake = Self.transcodes(header)
        let count = max(1, stored.instance.numberOfFrames)
        for (index, wish) in wishes.enumerated() {
            let isNative = !value.isEncapsulated
            // However many frames there are, native pixels are one value.
            if isNative, let form = DICOMwebMediaType.frameForm([wish], stored: syntax, frames: 1),
                form.transcoded == nil
            {
                return try await self.value(value, element.vr, path, header, isMultipart: wish.isMultipart, request)
            }
            let forms = DICOMwebMediaType.frameForms(
                Array(wishes[index...]), stored: syntax, frames: count, canMake: canMake)
            let own = DICOMwebMediaType.frameForms([wish], stored: syntax, frames: count, canMake: canMake)
            guard let form = own.first else { continue }
            if form.transcoded == nil { return try await fragments(value, path, header, wishes, request) }
            guard count <= Self.pixelFramesMax else {
                throw HTTPFailure(
                    .tooLarge, "there are more frames than are made at once; ask for them by their numbers")
            }
            let source = try await FrameSource(header, blobs: blobs, memory: memory)
            let frames = try (1...count).map { (number: $0, frame: try source.frame($0)) }
            return try await transcodedFrames(frames, forms, source, header, request)
        }
        throw HTTPFailure(.notAcceptable, DICOMwebMediaType.availableFrames(stored: syntax, canMake: canMake))
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
