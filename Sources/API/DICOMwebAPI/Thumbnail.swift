import Access
import DICOMData
import DICOMPixels
import DICOMRendering
import DICOMTranslation
import HTTPSupport
import HTTPTypes
import Hummingbird
import Workflow

/// Retrieve thumbnails: one small picture that stands for a study, a series, an instance or its frames.
/// PS3.18 §10.4.1.1.4, §10.4.3.3.4.
extension DICOMwebRoutes {
    /// Sides of a thumbnail where the client names none, in pixels.
    static let thumbnailSide = 128
    /// Sides of one whose image has text burned into it, whatever the client names: a thumbnail shows nothing that
    /// identifies a patient (§10.4.3.3.4), and letters are a pixel or two high then.
    static let burnedInSideMax = 96
    /// Instances among which the one in the middle is looked for.
    private static let candidatesMax = 2_000

    func thumbnail(_ request: APIRequest) async throws -> Response {
        var target = try target(request)
        let numbers = request.parameters["frames"].isEmpty ? nil : try frameNumbers(request)
        var query = try RenderedQuery(request.query(), isThumbnail: true)
        let wishes = try RenderedWishes(request)
        let isOfInstance = target.instance != nil
        if target.instance == nil {
            let representative = try await representative(target, request)
            target.series = representative.seriesInstanceUID
            target.instance = representative.sopInstanceUID
        }
        guard let stored = try await firstPage(target, request).first else {
            throw HTTPFailure(.notFound, "there is no such instance")
        }
        if numbers != nil, stored.instance.numberOfFrames == 0 {
            throw HTTPFailure(.notFound, "this instance has no frames")
        }
        let header = try StoredHeader(stored)
        guard case .image = RenderedContent(header) else { throw RenderedType.notAcceptable([]) }
        let types = RenderedContent(header).types
        guard let (type, _) = RenderedType.best(of: types, wishes) else { throw RenderedType.notAcceptable(types) }
        let middle = numbers.map { [$0[($0.count - 1) / 2]] }
        let sample = try await sample(for: header, middle, query, request.access)
        // Of a study or series another image may be the middle one the next time.
        let (headers, unchanged) = Self.validators(
            stored.instance, type, isMultipart: false, life: isOfInstance ? .immutable : .changing, sample: sample,
            RenderedQuery(), request)
        if let unchanged {
            try await record("thumbnail", request)
            return unchanged
        }
        query.viewport = Self.viewport(query.viewport, of: header.dataSet)
        let permit = try await gate.permit()
        defer { withExtendedLifetime(permit) {} }
        let pictures = try await RenderedInstance(header, blobs: blobs, pixels: pixels, memory: memory)
        // Overlays may hold text too.
        var form = RenderedInstance.Form(type: type, query: query, drawsOverlays: false)
        form.defaultWindow = try await defaultWindow(of: pictures, middle, query, request.access, sample)
        let number = middle?[0] ?? pictures.representative
        let file = try await pictures.file(number, form)
        try await record("thumbnail", request)
        return .bytes(file, contentType: type.contentType, headers: headers)
    }

    private static func viewport(_ wished: Viewport?, of dataSet: DataSet) -> Viewport? {
        let most = dataSet.string(.burnedInAnnotation) == "YES" ? burnedInSideMax : Viewport.sideMax
        return Viewport(
            width: min(most, wished?.width ?? thumbnailSide), height: min(most, wished?.height ?? thumbnailSide))
    }

    /// The image in the middle of a series, for a study of the series with the most images. Throws `.notFound` where
    /// there is nothing, `.notAcceptable` where there is no image.
    private func representative(_ target: Target, _ request: APIRequest) async throws -> Instance {
        let rows = try await present(
            study: target.study, sopInstanceUID: nil, request, instance: { $0 },
            read: {
                var rows: [Instance] = []
                while rows.count < Self.candidatesMax {
                    let page = try await instances(target, after: rows.last?.place, request)
                    rows += page
                    if page.count < Self.batch { break }
                }
                return rows
            })
        guard !rows.isEmpty else {
            throw HTTPFailure(.notFound, "there is no such \(target.series == nil ? "study" : "series")")
        }
        var series: [(uid: String, images: [Instance])] = []
        for instance in rows where instance.numberOfFrames > 0 && !Self.isVideo(instance) {
            if series.last?.uid != instance.seriesInstanceUID { series.append((instance.seriesInstanceUID, [])) }
            series[series.count - 1].images.append(instance)
        }
        // The first of equals.
        guard let most = series.max(by: { $0.images.count < $1.images.count })?.images.count,
            let images = series.first(where: { $0.images.count == most })?.images
        else { throw RenderedType.notAcceptable([]) }
        return images[(images.count - 1) / 2]
    }

    private static func isVideo(_ instance: Instance) -> Bool {
        TransferSyntax(uid: instance.transferSyntaxUID)?.isVideo ?? true
    }
}
