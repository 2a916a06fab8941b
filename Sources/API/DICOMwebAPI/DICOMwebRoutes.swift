import Access
import DICOMTranslation
import HTTPSupport
import HTTPTypes
import Hummingbird
import PixelCodecs
import Workflow

/// The DICOMweb base as routes. `openapi/dicomweb.yaml` is compared with this table. PS3.18 §10 to §15.
package struct DICOMwebRoutes: Sendable {
    let index: any ImagingIndex
    let blobs: any BlobStoring
    /// Decodes and encodes frames.
    let pixels: any PixelCoding
    let ingest: InstanceIngest
    let audit: any AuditTrail
    /// The absolute base without a slash at its end, for example `https://localhost:8443/dicomweb`.
    let baseURL: String
    let gate: BulkResponseGate
    /// For what must be in memory as a whole.
    let memory: MemoryBudget
    let newBoundary: @Sendable () -> String
    /// Searched too; nil for none.
    let archives: ArchiveSearch?
    /// The worklist service beside them; nil for none.
    let workitems: WorkitemRoutes?
    /// Worklist, performed steps and storage commitment beside them; nil for none.
    let modalities: ModalityRoutes?
    let commitments: CommitmentRoutes?
    /// Brings what lies in an archive alone; nil for none.
    let fetch: ArchiveFetch?
    /// Carries a deletion out.
    let rejections: any RejectionDesk
    /// Of the site, for objects that name no zone.
    let localOffset: @Sendable (Int) -> Int?
    /// For responses that last as long as an archive takes, so that they keep no others from being sent.
    let arrivingGate = BulkResponseGate(limit: Self.arrivingMax)
    private static let arrivingMax = 16
    /// Of series whose images bring none.
    let windows = SeriesWindows()

    /// - Parameters:
    ///   - audit: where each retrieval is durable before its data leaves, or the event that it is part of.
    ///   - baseURL: absolute, without a slash at its end.
    ///   - gate: for responses of data that lies here.
    ///   - memory: for what must be in memory as a whole.
    ///   - archives: searched too; nil for none.
    ///   - workitems: the worklist service beside these routes; nil for none.
    ///   - modalities: what modalities ask and tell beside these routes; nil for none.
    ///   - commitments: storage commitment beside these routes; nil for none.
    ///   - fetch: brings what lies in an archive alone; nil for none.
    ///   - rejections: carries a deletion out.
    ///   - localOffset: minutes east of UTC of the site's wall clock, in seconds since 1970-01-01T00:00:00 of that clock; nil
    ///     where its zone is not known.
    ///   - newBoundary: of multipart responses, never the same twice.
    package init(
        index: any ImagingIndex, blobs: any BlobStoring, pixels: any PixelCoding, ingest: InstanceIngest,
        audit: any AuditTrail, baseURL: String, gate: BulkResponseGate, memory: MemoryBudget = .unlimited,
        archives: ArchiveSearch? = nil, workitems: WorkitemRoutes? = nil, modalities: ModalityRoutes? = nil,
        commitments: CommitmentRoutes? = nil, fetch: ArchiveFetch? = nil, rejections: any RejectionDesk,
        localOffset: @escaping @Sendable (Int) -> Int? = { _ in nil },
        newBoundary: @escaping @Sendable () -> String
    ) {
        self.localOffset = localOffset
        self.archives = archives
        self.workitems = workitems
        self.modalities = modalities
        self.commitments = commitments
        self.fetch = fetch
        self.rejections = rejections
        self.index = index
        self.blobs = blobs
        self.pixels = pixels
        self.ingest = ingest
        self.audit = audit
        self.baseURL = baseURL
        self.gate = gate
        self.memory = memory
        self.newBoundary = newBoundary
    }

    private static let read: RouteAccess = .bearer(.permission(.read, on: "ImagingStudy"))
    private static let search: RouteAccess = .bearer(.permission(.search, on: "ImagingStudy"))
    private static let delete: RouteAccess = .bearer(.permission(.delete, on: "ImagingStudy"))
    private static let create: RouteAccess = .bearer(.permission(.create, on: "ImagingStudy"))

    /// The routes of PS3.18 §9 to §15 below `/dicomweb`, errors as status reports, with what describes them (§8.9).
    package var group: RouteGroup { services.described(baseURL: baseURL) }

    private var services: RouteGroup {
        let study = "/dicomweb/studies/{study}"
        let series = study + "/series/{series}"
        let instance = series + "/instances/{instance}"
        return RouteGroup(
            name: "dicomweb", prefix: "/dicomweb", errorBody: StatusReport(),
            routes: [
                Route(.get, "/dicomweb/studies", operationID: "searchStudies", access: Self.search) {
                    try await search(.study, $0)
                },
                Route(.get, study + "/series", operationID: "searchStudySeries", access: Self.search) {
                    try await search(.series, $0)
                },
                Route(.get, study + "/instances", operationID: "searchStudyInstances", access: Self.search) {
                    try await search(.instance, $0)
                },
                Route(.get, "/dicomweb/series", operationID: "searchSeries", access: Self.search) {
                    try await search(.series, $0)
                },
                Route(.get, series + "/instances", operationID: "searchSeriesInstances", access: Self.search) {
                    try await search(.instance, $0)
                },
                Route(.get, "/dicomweb/instances", operationID: "searchInstances", access: Self.search) {
                    try await search(.instance, $0)
                },
                Route(.get, study, operationID: "retrieveStudy", access: Self.read, isBrief: true, handler: retrieve),
                Route(.get, series, operationID: "retrieveSeries", access: Self.read, isBrief: true, handler: retrieve),
                Route(
                    .get, instance, operationID: "retrieveInstance", access: Self.read, isBrief: true,
                    fromMemory: InstanceFromMemory(routes: self), handler: retrieve),
                Route(
                    .get, study + "/metadata", operationID: "retrieveStudyMetadata", access: Self.read,
                    handler: metadata),
                Route(
                    .get, series + "/metadata", operationID: "retrieveSeriesMetadata", access: Self.read,
                    handler: metadata),
                Route(
                    .get, instance + "/metadata", operationID: "retrieveInstanceMetadata", access: Self.read,
                    handler: metadata),
                Route(
                    .get, instance + "/frames/{frames}", operationID: "retrieveFrames", access: Self.read,
                    handler: frames),
                Route(
                    .get, instance + "/bulkdata/{path}", operationID: "retrieveBulkData", access: Self.read,
                    handler: bulkData),
                Route(
                    .get, instance + "/pixeldata", operationID: "retrievePixelData", access: Self.read,
                    handler: pixelData),
                Route(
                    .get, study + "/pixeldata", operationID: "retrieveStudyPixelData", access: Self.read,
                    handler: pixelDataOfAll),
                Route(
                    .get, series + "/pixeldata", operationID: "retrieveSeriesPixelData", access: Self.read,
                    handler: pixelDataOfAll),
                Route(
                    .get, "/dicomweb/wado", operationID: "retrieveByURI", access: Self.read,
                    handler: retrieveByURI),
            ] + renderedRoutes(study: study, series: series, instance: instance) + [
                Route(.post, "/dicomweb/studies", operationID: "storeInstances", access: Self.create, handler: store),
                Route(.post, study, operationID: "storeStudyInstances", access: Self.create, handler: store),
                Route(.delete, study, operationID: "deleteStudy", access: Self.delete, handler: reject),
                Route(.delete, series, operationID: "deleteSeries", access: Self.delete, handler: reject),
                Route(.delete, instance, operationID: "deleteInstance", access: Self.delete, handler: reject),
            ] + (workitems?.routes ?? []) + (modalities?.routes ?? []) + (commitments?.routes ?? []))
    }

    /// The routes of rendered resources and thumbnails. PS3.18 §10.4.1.1.3, §10.4.1.1.4.
    private func renderedRoutes(study: String, series: String, instance: String) -> [Route] {
        let frames = instance + "/frames/{frames}"
        return [
            Route(
                .get, study + "/rendered", operationID: "retrieveRenderedStudy", access: Self.read,
                handler: renderedInstances),
            Route(
                .get, series + "/rendered", operationID: "retrieveRenderedSeries", access: Self.read,
                handler: renderedInstances),
            Route(
                .get, instance + "/rendered", operationID: "retrieveRenderedInstance", access: Self.read,
                handler: renderedInstance),
            Route(
                .get, frames + "/rendered", operationID: "retrieveRenderedFrames", access: Self.read,
                handler: renderedFrames),
            Route(
                .get, study + "/thumbnail", operationID: "retrieveStudyThumbnail", access: Self.read,
                handler: thumbnail),
            Route(
                .get, series + "/thumbnail", operationID: "retrieveSeriesThumbnail", access: Self.read,
                handler: thumbnail),
            Route(
                .get, instance + "/thumbnail", operationID: "retrieveInstanceThumbnail", access: Self.read,
                handler: thumbnail),
            Route(
                .get, frames + "/thumbnail", operationID: "retrieveFrameThumbnail", access: Self.read,
                handler: thumbnail),
        ]
    }

    /// The row that must be durable before data leaves.
    func record(
        _ interaction: String, _ request: APIRequest, category: AuditRecord.Category = .transfer,
        action: AuditRecord.Action = .read, query: String? = nil
    ) async throws {
        try await audit.record(
            Self.auditRecord(interaction, request, category: category, action: action, query: query))
    }

    /// Reads of an instance, whole, in part or as a picture. Those of one series in one sitting are one event, which names no
    /// instance; so are reads of its metadata. What names a whole study or series has its own row. Decision 0065.
    private static let instanceReads: Set<String> = ["retrieve", "frames", "rendered", "thumbnail", "bulkdata"]
    /// The interaction of the row of ``instanceReads``.
    static let instancesRead = "instances"

    static func auditRecord(
        _ interaction: String, _ request: APIRequest, category: AuditRecord.Category = .transfer,
        action: AuditRecord.Action = .read, query: String? = nil
    ) -> AuditRecord {
        let parameters = request.parameters
        let hasSeries = !parameters["series"].isEmpty
        let isOfInstances = hasSeries && !parameters["instance"].isEmpty && instanceReads.contains(interaction)
        let coversSitting = isOfInstances || hasSeries && interaction == "metadata"
        let uids = ["study", "series", "instance"].compactMap { name in
            parameters[name].isEmpty || coversSitting && name == "instance" ? nil : "\(name):\(parameters[name])"
        }
        var record = AuditRecord(
            category: category, interaction: isOfInstances ? instancesRead : interaction, action: action,
            outcome: .success, access: request.access, entity: uids.isEmpty ? nil : uids.joined(separator: " "),
            query: query)
        record.coversSitting = coversSitting
        return record
    }
}

/// Errors as a plain text status report, without clinical values. PS3.18 §8.5, Table 8.5-1.
struct StatusReport: ErrorBody {
    func failure(for error: any Error) -> HTTPFailure? {
        if let failure = WorkitemRoutes.failure(for: error) ?? ModalityRoutes.failure(for: error) { return failure }
        if let failure = Self.failure(ofPixels: error) ?? DICOMwebRoutes.failure(ofRendering: error) {
            return failure
        }
        guard let error = error as? StoreError else { return nil }
        return switch error.code {
        case .unavailable, .closed, .failed:
            HTTPFailure(.unavailable, "the store is not available now; try again", headers: [.retryAfter: "2"])
        case .costly:
            HTTPFailure(
                .unavailable,
                "the search took more time or read more than it may; narrow it, or try again when there is less load",
                headers: [.retryAfter: "5"])
        case .throttled:
            HTTPFailure(
                .tooManyRequests, "too many searches of this client are under way; try again when some have ended",
                headers: [.retryAfter: "2"])
        case .full: HTTPFailure(.insufficientStorage, "there is no space left in the store")
        case .conflict: HTTPFailure(.conflict, "another change was made at the same time; try again")
        case .notFound: HTTPFailure(.notFound, "not found")
        case .unacceptable: HTTPFailure(.malformed, "a value holds what no attribute may hold")
        case .misuse, .corrupt: nil
        }
    }

    /// Of frames that are decoded or encoded: what cannot be made of a sound frame is 406, a frame that is none 409. A
    /// process that died of a frame, or took too long, is nobody's mistake who asks.
    private static func failure(ofPixels error: any Error) -> HTTPFailure? {
        if let error = error as? PixelCodecError {
            return switch error {
            case .unsupported: HTTPFailure(.notAcceptable, error.description)
            case .tooLarge: HTTPFailure(.tooLarge, error.description)
            case .malformed, .mismatch: HTTPFailure(.conflict, error.description)
            }
        }
        guard let error = error as? any PixelCodingFailure, error.isTemporary else { return nil }
        return HTTPFailure(
            .unavailable, "frames are not decoded or encoded now; try again", headers: [.retryAfter: "2"])
    }

    func body(of failure: HTTPFailure, requestID: String, accept: String?) -> (contentType: String, bytes: [UInt8]) {
        ("text/plain; charset=utf-8", Array("\(failure.message)\nrequest: \(requestID)\n".utf8))
    }
}
