import DICOMData
import DICOMPixels
import DICOMTranslation
import HTTPSupport
import Hummingbird
import NIOCore
import PixelCodecs
import Workflow

/// The pixel data of the instances of a study or series, one instance at a time and in order, in the form that it is had
/// in by itself: native pixels as one part, of others each frame, video as one stream. What has no pixel data is left
/// out, and so is what has none of a wanted type. PS3.18 §10.4.1.1.6, §10.4.3.3.6.
struct PixelDataParts: Sendable {
    /// All of one instance; the first part is ready.
    struct Part: Sendable {
        let mediaType: HTTPSupport.MediaType
        let send: InstanceParts.Sending
    }

    private let routes: DICOMwebRoutes
    private let wishes: [DICOMwebMediaType.Wish]
    private let request: APIRequest
    /// The page behind an instance.
    private let page: @Sendable (_ after: Instance) async throws -> [InstanceHeader]
    private var rows: ArraySlice<InstanceHeader>
    private var isLastPage: Bool
    /// What the first instance with pixel data could have been had as; nil where there was none yet.
    private(set) var available: String?

    init(
        routes: DICOMwebRoutes, first: [InstanceHeader], wishes: [DICOMwebMediaType.Wish], request: APIRequest,
        page: @escaping @Sendable (_ after: Instance) async throws -> [InstanceHeader]
    ) {
        self.routes = routes
        // Of several instances there are parts alone.
        self.wishes = wishes.filter { $0.isMultipart || $0.media.type == "*" }
        self.request = request
        self.page = page
        rows = first[...]
        isLastPage = first.count < DICOMwebRoutes.batch
    }

    /// The pixel data of the next instance that has some; nil at the end.
    mutating func next() async throws -> Part? {
        while let stored = rows.popFirst() {
            try Task.checkCancellation()
            if rows.isEmpty, !isLastPage {
                let page = try await page(stored.instance)
                rows = page[...]
                isLastPage = page.count < DICOMwebRoutes.batch
            }
            // Bodies are written on a connection's event loop, which has no time for headers.
            let header = try await withTaskExecutorPreference(globalConcurrentExecutor) { try StoredHeader(stored) }
            guard let location = header.pixelData ?? header.inflatedPixelData,
                let element = header.dataSet[location.tag], case .external(let value) = element.value
            else { continue }
            let canMake = DICOMwebRoutes.transcodes(header)
            available =
                available ?? DICOMwebMediaType.availableFrames(stored: header.transferSyntax, canMake: canMake)
            do {
                if let part = try await part(of: header, value, element, canMake) { return part }
            } catch let failure as HTTPFailure where failure.code == .notFound || failure.code == .notAcceptable {
                // Frames whose borders cannot be told, or that are too large to be moved.
                continue
            }
        }
        return nil
    }

    private func part(
        of header: StoredHeader, _ value: ExternalValue, _ element: DataElement,
        _ canMake: (TransferSyntax) -> Bool
    ) async throws -> Part? {
        // Several frames, however many there are: parts are all that there is.
        for form in DICOMwebMediaType.pixelDataForms(
            wishes, stored: header.transferSyntax, isEncapsulated: value.isEncapsulated, frames: 2, canMake: canMake)
        {
            switch form {
            case .video(let contentType, _):
                let source = try await FrameSource(header, blobs: routes.blobs, memory: routes.memory)
                let stream = PixelDataLayout.Frame(ofFragments: source.layout.allFrames.flatMap(\.ranges))
                return stream.byteCount > 0 ? try await stored([stream], contentType, source, header) : nil
            case .value: return try await native(value, element, header)
            case .frames(let form):
                if let target = form.transcoded {
                    guard let part = try await made(form, target, header) else { continue }
                    return part
                }
                let path = ElementPath(element.tag, in: [])
                let source = try await FrameSource(
                    of: value, at: path, header, blobs: routes.blobs, memory: routes.memory)
                let frames = source.layout.allFrames
                return frames.isEmpty ? nil : try await stored(frames, form.contentType, source, header)
            }
        }
        return nil
    }

    private static func mediaType(_ contentType: String) -> HTTPSupport.MediaType {
        MediaType(contentType).map { MediaType(type: $0.type, subtype: $0.subtype) } ?? DICOMwebRoutes.octets
    }

    /// The URI that the metadata has for the pixel data.
    private func location(_ header: StoredHeader, _ tag: Tag) -> String {
        "\(routes.instanceURL(header.instance))/bulkdata/\(ElementPath(tag, in: []))"
    }

    /// Native pixels in little endian.
    private func native(_ value: ExternalValue, _ element: DataElement, _ header: StoredHeader) async throws -> Part? {
        let isDeflated = header.transferSyntax.isDeflated
        guard let length = value.length ?? header.inflatedPixelData?.length else { return nil }
        let fields = [
            ("Content-Type", DICOMwebRoutes.octets.essence), ("Content-Location", location(header, element.tag)),
        ]
        let range = value.offset..<value.offset + length
        if isDeflated {
            let inflated = try await InflatedObject(header.instance, in: routes.blobs)
            return Part(mediaType: DICOMwebRoutes.octets) { framing, writer in
                try await writer.write(framing.partHead(fields))
                try await inflated.send(range, to: &writer)
            }
        }
        let size = header.transferSyntax.isBigEndian ? element.vr.wordSize : 1
        let sent = Int64(range.lowerBound)..<Int64(range.upperBound)
        let sender = try await BlobSender.open(
            header.instance.blobID, in: routes.blobs, range: sent, files: request.files)
        return Part(mediaType: DICOMwebRoutes.octets) { framing, writer in
            try await sender.send(sent, swappingBy: size, before: framing.partHead(fields), to: &writer)
        }
    }

    /// Frames, or one stream, as they are stored.
    private func stored(
        _ frames: [PixelDataLayout.Frame], _ contentType: String, _ source: FrameSource, _ header: StoredHeader
    ) async throws -> Part {
        let fields = [
            ("Content-Type", contentType),
            ("Content-Location", location(header, (header.pixelData ?? header.inflatedPixelData)?.tag ?? .pixelData)),
        ]
        let sender = try await source.open(
            header.instance, in: routes.blobs, first: frames[0], files: request.files)
        return Part(mediaType: Self.mediaType(contentType)) { framing, writer in
            for frame in frames {
                try await source.send(frame, from: sender, before: framing.partHead(fields), to: &writer)
            }
        }
    }

    /// Frames in another transfer syntax, the first one made; nil where no codec here can do that. Throws `.tooLarge` for
    /// more frames than are made at once.
    private func made(
        _ form: DICOMwebMediaType.FrameForm, _ syntax: TransferSyntax, _ header: StoredHeader
    ) async throws -> Part? {
        let source = try await FrameSource(header, blobs: routes.blobs, memory: routes.memory)
        let count = max(1, source.layout.frameCount)
        guard count <= DICOMwebRoutes.pixelFramesMax else {
            throw HTTPFailure(
                .tooLarge, "an instance has more frames than are made at once; ask for them by their numbers")
        }
        let frames = try (1...count).map { try source.frame($0) }
        let base = routes.instanceURL(header.instance)
        do {
            let work = DICOMwebRoutes.FrameWork(
                source: source,
                sender: try await source.open(
                    header.instance, in: routes.blobs, first: frames[0], files: request.files),
                transcoder: try DICOMwebRoutes.transcoder(header, to: syntax), transcoding: routes.transcoding,
                isSingle: true)
            let first = try await withTaskExecutorPreference(globalConcurrentExecutor) {
                try await work.frame(frames[0])
            }
            let send: InstanceParts.Sending = { framing, writer in
                for index in frames.indices {
                    let head = framing.partHead([
                        ("Content-Type", form.contentType), ("Content-Location", "\(base)/frames/\(index + 1)"),
                    ])
                    let content =
                        index == 0
                        ? first
                        : try await withTaskExecutorPreference(globalConcurrentExecutor) {
                            try await work.frame(frames[index])
                        }
                    try await writer.write(contentsOf: [head, content])
                }
            }
            return Part(mediaType: Self.mediaType(form.contentType), send: send)
        } catch PixelCodecError.unsupported {
            return nil
        }
    }
}
