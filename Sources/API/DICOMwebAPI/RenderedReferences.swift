import Access
import DICOMData
import DICOMRendering
import DICOMTranslation
import HTTPSupport
import HTTPTypes
import Hummingbird
import NIOCore
import Workflow

/// Presentation states and key object selections: pictures of the images that they refer to, those of a state shown by
/// it. PS3.18 §8.7.2, §10.4.1.1.3.
///
/// Images are those of the same study that the caller may see; what else is referred to is as if it were not there, and
/// nothing that they refer to in turn is followed.
extension DICOMwebRoutes {
    /// Pictures of one answer.
    static let referencedPicturesMax = 10_000

    /// - Parameter header: of the state or the selection.
    ///
    /// Throws `.notFound` where none of the images is here.
    func referenced(
        by header: StoredHeader, _ type: RenderedType, isMultipart: Bool, _ query: RenderedQuery,
        _ request: APIRequest
    ) async throws -> Response {
        // A thousand images are looked up for one request: with a place among those that are answered.
        let permit = try await gate.permit()
        let whole = try await ValuesInFile.brought(header, blobs: blobs, memory: memory)
        // Of many graphics that is work, which a connection's event loop has no time for.
        let (state, references) = try await withTaskExecutorPreference(globalConcurrentExecutor) {
            try Self.read(whole.dataSet, header.instance.sopClassUID)
        }
        let found = try await images(references, of: header.instance.studyInstanceUID, request)
        guard !found.isEmpty else { throw HTTPFailure(.notFound, "none of the images that this refers to is here") }
        var headers = HTTPFields()
        if found.count < references.count {
            let missing = references.count - found.count
            headers[.warning] =
                "299 hilum \"\(missing) of the \(references.count) images that this refers to are not here\""
        }
        var pictures = ReferencedPictures(
            routes: self, request: request, source: header, state: state, held: whole.held, type: type, query: query,
            isSingle: !isMultipart, found)
        let first = try await pictures.first()
        try await record("rendered", request)
        guard isMultipart else {
            defer { withExtendedLifetime(permit) {} }
            headers[.contentLocation] = first.location
            return .bytes(first.bytes, contentType: type.contentType, headers: headers)
        }
        let framing = MultipartFraming(boundary: newBoundary())
        return .stream(
            contentType: framing.contentType(ofParts: type.mediaType), headers: headers
        ) { [pictures] writer in
            defer { withExtendedLifetime(permit) {} }
            var (pictures, framing) = (pictures, framing)
            var next: RenderedParts.Part? = first
            while let part = next {
                try await writer.write(contentsOf: [part.head(in: &framing), ByteBuffer(bytes: part.bytes)])
                next = try await pictures.next()
            }
            try await writer.write(framing.end)
        }
    }

    private static func read(
        _ dataSet: DataSet, _ sopClassUID: String
    ) throws -> (state: PresentationState?, references: [ImageReference]) {
        guard PresentationState.isState(sopClassUID) else { return (nil, try KeyObjects.references(dataSet)) }
        let state = try PresentationState(dataSet, sopClassUID: sopClassUID)
        return (state, state.references)
    }

    /// Whether two objects of a study are of one patient: by what they say, else by whom they are linked to.
    func areOfOnePatient(_ one: StoredHeader, _ other: StoredHeader, _ access: AccessContext) async throws -> Bool {
        let issuers = [one, other].compactMap { $0.dataSet.string(.issuerOfPatientID) }
        if one.dataSet.string(.patientID) == other.dataSet.string(.patientID), Set(issuers).count < 2 { return true }
        guard case .linked(let patient) = try await index.patient(of: one.instance, access: access),
            case .linked(let otherPatient) = try await index.patient(of: other.instance, access: access)
        else { return false }
        return patient.id == otherPatient.id
    }

    /// The referenced images that the study has for the caller. Throws `.tooLarge` for more frames than
    /// ``referencedPicturesMax``, `.unavailable` while an image is on its way from an archive.
    private func images(
        _ references: [ImageReference], of study: String, _ request: APIRequest
    ) async throws -> [ImageReference] {
        var found: [ImageReference] = []
        var frames = 0
        // Archives are asked once, for the whole study: what is not here then is nowhere.
        var isWhole = false
        for reference in references {
            try Task.checkCancellation()
            let target = Target(study: study, series: nil, instance: reference.sopInstanceUID)
            var rows = try await instances(target, after: nil, limit: 1, request)
            if rows.isEmpty, !isWhole {
                rows = try await present(
                    study: study, sopInstanceUID: nil, request, instance: { $0 },
                    read: { try await instances(target, after: nil, limit: 1, request) })
                isWhole = true
            }
            guard let instance = rows.first, instance.numberOfFrames > 0 else { continue }
            frames += reference.frames.isEmpty ? instance.numberOfFrames : reference.frames.count
            guard frames <= Self.referencedPicturesMax else {
                throw HTTPFailure(.tooLarge, "this refers to more than \(Self.referencedPicturesMax) frames")
            }
            found.append(reference)
        }
        return found
    }
}

/// Pictures of referenced images, one at a time and in order. An image that no codec here reads is left out, and one of
/// another patient than a state's.
struct ReferencedPictures: Sendable {
    private let routes: DICOMwebRoutes
    private let request: APIRequest
    private let source: StoredHeader
    private let state: PresentationState?
    /// Tables and graphics, which the state keeps.
    private let held: MemoryReservation
    private let type: RenderedType
    private let query: RenderedQuery
    /// Of an image without named frames the one in the middle stands for all.
    private let isSingle: Bool
    private var references: ArraySlice<ImageReference>
    private var current: (pictures: RenderedInstance, form: RenderedInstance.Form, frames: ArraySlice<Int>)?
    /// Of series whose images bring no window.
    private var samples: [String: SeriesSample] = [:]
    /// Why the last image that was left out was.
    private var reason: (any Error)?

    init(
        routes: DICOMwebRoutes, request: APIRequest, source: StoredHeader, state: PresentationState?,
        held: MemoryReservation, type: RenderedType, query: RenderedQuery,
        isSingle: Bool, _ references: [ImageReference]
    ) {
        self.routes = routes
        self.request = request
        self.source = source
        self.state = state
        self.held = held
        self.type = type
        self.query = query
        self.isSingle = isSingle
        self.references = references[...]
    }

    /// The first picture. Throws why there is none.
    mutating func first() async throws -> RenderedParts.Part {
        if let part = try await next() { return part }
        throw reason ?? RenderedType.notAcceptable([])
    }

    /// The next picture; nil at the end.
    mutating func next() async throws -> RenderedParts.Part? {
        while true {
            try Task.checkCancellation()
            if let part = try await nextFrame() { return part }
            guard let reference = references.popFirst() else { return nil }
            let target = DICOMwebRoutes.Target(
                study: source.instance.studyInstanceUID, series: nil, instance: reference.sopInstanceUID)
            guard let stored = try await routes.page(target, after: nil, request).first else { continue }
            let header = try StoredHeader(stored)
            guard case .image(let count) = RenderedContent(header) else { continue }
            // What was drawn on one patient's images is not put over another's.
            if state != nil, try await !routes.areOfOnePatient(source, header, request.access) {
                reason = HTTPFailure(
                    .notAcceptable, "a presentation state is shown with images of its own patient alone")
                continue
            }
            do {
                let pictures = try await RenderedInstance(
                    header, blobs: routes.blobs, pixels: routes.pixels, memory: routes.memory, state: state)
                var frames = reference.frames.filter { $0 <= count }
                if reference.frames.isEmpty {
                    frames = isSingle ? [pictures.representative] : Array(1...max(1, count))
                }
                var form = RenderedInstance.Form(type: type, query: query)
                form.patient = try await routes.named(header, query, request.access)
                form.defaultWindow = try await routes.defaultWindow(
                    of: pictures, frames, query, request.access, &samples)
                current = (pictures, form, frames[...])
            } catch {
                guard RenderedParts.isUnreadable(error) else { throw error }
                reason = error
            }
        }
    }

    private mutating func nextFrame() async throws -> RenderedParts.Part? {
        guard let (pictures, form, rest) = current else { return nil }
        var frames = rest
        guard let number = frames.popFirst() else {
            current = nil
            return nil
        }
        current = (pictures, form, frames)
        do {
            // A picture by a state has no address but that of the state.
            let location =
                state == nil
                ? "\(routes.instanceURL(pictures.header.instance))/frames/\(number)/rendered"
                : "\(routes.instanceURL(source.instance))/rendered"
            return RenderedParts.Part(type: type, location: location, bytes: try await pictures.file(number, form))
        } catch {
            guard RenderedParts.isUnreadable(error) else { throw error }
            reason = error
            current = nil
            return nil
        }
    }
}
