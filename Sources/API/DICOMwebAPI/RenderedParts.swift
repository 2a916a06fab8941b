import Access
import DICOMData
import DICOMRendering
import DICOMTranslation
import HTTPSupport
import NIOCore
import PixelCodecs
import Workflow

/// The instances of a study or series as rendered parts, one at a time and in order: each frame of an image, each report
/// and document. Instances that have no rendered form of a wanted type are left out, those whose frames no codec here
/// reads, and presentation states, whose images are parts themselves. PS3.18 §10.4.1.1.3.
struct RenderedParts: Sendable {
    struct Part: Sendable {
        let type: RenderedType
        /// The URL of this part by itself.
        var location: String
        var bytes: [UInt8]

        func head(in framing: inout MultipartFraming) -> ByteBuffer {
            framing.partHead([("Content-Type", type.contentType), ("Content-Location", location)])
        }
    }

    private let routes: DICOMwebRoutes
    private let wishes: RenderedWishes
    private let query: RenderedQuery
    private let access: AccessContext
    /// The page behind an instance.
    private let page: @Sendable (_ after: Instance) async throws -> [InstanceHeader]
    private var rows: ArraySlice<InstanceHeader>
    private var isLastPage: Bool
    private var current: (pictures: RenderedInstance, form: RenderedInstance.Form, frames: ArraySlice<Int>)?
    /// Of series whose images bring no window.
    private var samples: [String: SeriesSample] = [:]
    /// Every type that could have been had.
    private(set) var available: [RenderedType] = []

    init(
        routes: DICOMwebRoutes, first: [InstanceHeader], wishes: RenderedWishes, query: RenderedQuery,
        access: AccessContext,
        page: @escaping @Sendable (_ after: Instance) async throws -> [InstanceHeader]
    ) {
        self.routes = routes
        self.wishes = wishes
        self.query = query
        self.access = access
        self.page = page
        rows = first[...]
        isLastPage = first.count < DICOMwebRoutes.batch
    }

    /// The next part; nil at the end.
    mutating func next() async throws -> Part? {
        while true {
            try Task.checkCancellation()
            if let part = try await nextFrame() { return part }
            guard let stored = rows.popFirst() else { return nil }
            let header = try StoredHeader(stored)
            if rows.isEmpty, !isLastPage {
                let page = try await page(stored.instance)
                rows = page[...]
                isLastPage = page.count < DICOMwebRoutes.batch
            }
            let content = RenderedContent(header)
            for type in content.partTypes where !available.contains(type) { available.append(type) }
            guard let (type, _) = RenderedType.best(of: content.partTypes, wishes) else { continue }
            let location = "\(routes.instanceURL(header.instance))/rendered"
            switch content {
            case .image(let frames): try await begin(header, type, frames)
            case .report, .selection:
                guard let report = ReportDocument(header.dataSet) else { continue }
                let text = type == .html ? report.html : report.plainText
                return Part(type: type, location: location, bytes: Array(text.utf8))
            case .document:
                return Part(type: type, location: location, bytes: try await routes.encapsulated(header))
            case .state, .video, .nothing: continue
            }
        }
    }

    private mutating func begin(_ header: StoredHeader, _ type: RenderedType, _ frames: Int) async throws {
        do {
            let pictures = try await RenderedInstance(
                header, blobs: routes.blobs, pixels: routes.pixels, memory: routes.memory)
            var form = RenderedInstance.Form(type: type, query: query)
            form.patient = try await routes.named(header, query, access)
            let numbers = Array(1...max(1, frames))
            form.defaultWindow = try await routes.defaultWindow(of: pictures, numbers, query, access, &samples)
            current = (pictures, form, numbers[...])
        } catch {
            guard Self.isUnreadable(error) else { throw error }
        }
    }

    private mutating func nextFrame() async throws -> Part? {
        guard let (pictures, form, rest) = current else { return nil }
        var frames = rest
        guard let number = frames.popFirst() else {
            current = nil
            return nil
        }
        current = (pictures, form, frames)
        do {
            return Part(
                type: form.type,
                location: "\(routes.instanceURL(pictures.header.instance))/frames/\(number)/rendered",
                bytes: try await pictures.file(number, form))
        } catch {
            guard Self.isUnreadable(error) else { throw error }
            // Its other frames are no better.
            current = nil
            return nil
        }
    }

    /// There is no rendered form, rather than one that failed.
    static func isUnreadable(_ error: any Error) -> Bool {
        if case .unsupported = error as? PixelCodecError { return true }
        // Frames whose borders cannot be told, or that are too large to be moved.
        if let code = (error as? HTTPFailure)?.code, code == .notFound || code == .notAcceptable { return true }
        return switch error as? RenderingError {
        case .noImage, .unsupported: true
        case .regionOutside, .tooLarge, nil: false
        }
    }
}
