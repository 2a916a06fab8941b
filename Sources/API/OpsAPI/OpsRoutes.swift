import Access
import HTTPSupport
import HTTPTypes
import Hummingbird
import Workflow

/// The operator's routes: health, metrics, quarantine.
package struct OpsRoutes: Sendable {
    /// The most items one answer lists.
    static let limitMax = 1000

    private let health: HealthChecks
    private let metrics: MetricRegistry
    /// Due steps that modalities are not shown yet, earliest start first.
    package typealias Waiting = @Sendable (_ limit: Int, _ access: AccessContext) async throws -> [WaitingStep]

    /// Other content that came for stored instances, newest first.
    package typealias Conflicts = @Sendable (_ limit: Int, _ access: AccessContext) async throws -> [InstanceConflict]

    /// Copies of archives' studies in some states, those that were asked for last first.
    package typealias Fetches =
        @Sendable (
            _ states: Set<ArchiveCopy.State>, _ limit: Int, _ access: AccessContext
        ) async throws -> [ArchiveCopy]

    /// What destinations were asked to keep, the newest transactions first.
    package typealias Commitments =
        @Sendable (_ limit: Int, _ access: AccessContext) async throws -> [CommitmentTransaction]

    private let fetches: Fetches
    private let commitments: Commitments
    private let quarantine: any QuarantineDesk
    private let waiting: Waiting
    private let conflicts: Conflicts
    private let audit: any AuditTrail
    private let hasPages: Bool

    /// - Parameters:
    ///   - health: what the two probes answer.
    ///   - metrics: what `/metrics` tells.
    ///   - audit: keeps the row of each list before it leaves.
    ///   - waiting: nothing waits unless the server says otherwise.
    ///   - conflicts: likewise.
    ///   - fetches: likewise.
    ///   - commitments: likewise.
    ///   - quarantine: what is listed and decided about.
    ///   - hasPages: whether ``OperationsRoutes`` are served, to which browsers are led.
    package init(
        health: HealthChecks, metrics: MetricRegistry, audit: any AuditTrail,
        waiting: @escaping Waiting = { _, _ in [] }, conflicts: @escaping Conflicts = { _, _ in [] },
        fetches: @escaping Fetches = { _, _, _ in [] }, commitments: @escaping Commitments = { _, _ in [] },
        quarantine: any QuarantineDesk, hasPages: Bool = true
    ) {
        self.hasPages = hasPages
        self.commitments = commitments
        self.fetches = fetches
        self.waiting = waiting
        self.conflicts = conflicts
        self.health = health
        self.metrics = metrics
        self.quarantine = quarantine
        self.audit = audit
    }

    /// The routes of health, metrics and `/ops`, errors as problem JSON.
    package var group: RouteGroup {
        RouteGroup(
            name: "ops", prefix: "/ops", errorBody: OpsErrorBody(),
            routes: [
                Route(.get, "/health/live", operationID: "getLiveness", access: .open) { _ in health.live() },
                Route(.get, "/health/ready", operationID: "getReadiness", access: .open) { _ in await health.ready() },
                Route(.get, "/metrics", operationID: "getMetrics", access: .loopbackOrBearer(.systemToken)) { _ in
                    .bytes(Array(metrics.text().utf8), contentType: "text/plain; version=0.0.4; charset=utf-8")
                },
                Route(
                    .get, "/ops/worklist/waiting", operationID: "listWaitingSteps",
                    access: .bearer(.permission(.search, on: "ServiceRequest")), deadline: .seconds(30),
                    page: hasPages ? PageBeside.page("/steps") : nil
                ) { try await listWaiting($0) },
                Route(
                    .get, "/ops/conflicts", operationID: "listConflicts",
                    access: .bearer(.permission(.search, on: "ImagingStudy")), deadline: .seconds(30),
                    page: hasPages ? PageBeside.page("/conflicts") : nil
                ) { try await listConflicts($0) },
                Route(
                    .get, "/ops/fetches", operationID: "listFetches",
                    access: .bearer(.permission(.search, on: "ImagingStudy")), deadline: .seconds(30),
                    page: hasPages ? PageBeside.page("/fetches") : nil
                ) { try await listFetches($0) },
                Route(
                    .get, "/ops/commitments", operationID: "listCommitments",
                    access: .bearer(.permission(.search, on: "ImagingStudy")), deadline: .seconds(30),
                    page: hasPages ? PageBeside.page("/commitments") : nil
                ) { try await listCommitments($0) },
            ] + QuarantineRoutes(desk: quarantine, audit: audit, hasPages: hasPages).routes
                + (hasPages ? [Self.start] : []))
    }

    /// `/ops` itself: the first page for a browser, and nothing for programs.
    private static var start: Route {
        Route(.get, "/ops", operationID: "getOps", access: .open, page: PageBeside.page("")) { _ in
            throw HTTPFailure(
                .notFound,
                "There is nothing at this path; lists are below it, such as /ops/quarantine, and pages at "
                    + OperationsRoutes.path)
        }
    }

    private func listWaiting(_ request: APIRequest) async throws -> Response {
        let steps = try await waiting(try Self.limit(request), request.access)
        try await Self.record("waiting-steps", request, audit)
        return .bytes(WaitingStepsView.json(steps), contentType: "application/json")
    }

    private func listConflicts(_ request: APIRequest) async throws -> Response {
        let conflicts = try await conflicts(try Self.limit(request), request.access)
        try await Self.record("conflicts", request, audit)
        return .bytes(ConflictsView.json(conflicts), contentType: "application/json")
    }

    private func listCommitments(_ request: APIRequest) async throws -> Response {
        let transactions = try await commitments(try Self.limit(request), request.access)
        try await Self.record("commitments", request, audit)
        return .bytes(CommitmentsView.json(transactions), contentType: "application/json")
    }

    /// Without `state` what is on its way or could not be had.
    private func listFetches(_ request: APIRequest) async throws -> Response {
        let states = try Self.fetchStates(try request.query())
        let copies = try await fetches(states, try Self.limit(request), request.access)
        try await Self.record("fetches", request, audit)
        return .bytes(FetchesView.json(copies), contentType: "application/json")
    }

    /// The states of copies that a query asks for by `state`.
    static func fetchStates(_ query: QueryParameters) throws -> Set<ArchiveCopy.State> {
        guard let text = query["state"] else { return [.waiting, .running, .failed] }
        guard let state = ArchiveCopy.State(rawValue: text) else {
            let all = ArchiveCopy.State.allCases.map(\.rawValue).joined(separator: ", ")
            throw HTTPFailure(.malformed, "state is one of \(all)")
        }
        return [state]
    }

    /// How many items an answer lists: `limit` of the query, 100 without it. Throws `.malformed` outside of 1 to
    /// ``limitMax``.
    static func limit(_ request: APIRequest) throws -> Int {
        guard let text = try request.query()["limit"] else { return 100 }
        guard let number = Int(text), (1...OpsRoutes.limitMax).contains(number) else {
            throw HTTPFailure(.malformed, "limit must be 1 to \(OpsRoutes.limitMax)")
        }
        return number
    }

    /// The row that must be durable before the answer leaves.
    /// - Parameters:
    ///   - patients: whose data are shown, where the entity does not tell.
    ///   - access: whose it is; nil for that of the request's token.
    static func record(
        _ interaction: String, _ request: APIRequest, _ audit: any AuditTrail, entity: String? = nil,
        patients: [EntityID] = [], access: AccessContext? = nil
    ) async throws {
        var record = AuditRecord(
            category: .query, interaction: interaction, action: .execute, outcome: .success,
            access: access ?? request.access, entity: entity, query: request.rawQuery)
        record.name(patients: patients.map(\.value))
        do { try await audit.record(record) } catch {
            throw HTTPFailure(.unavailable, "The audit trail cannot be written", headers: [.retryAfter: "5"])
        }
    }
}
