import Access
import HTTPSupport
import HTTPTypes
import Hummingbird
import Workflow

/// The operator's routes: health, metrics, quarantine.
package struct OpsRoutes: Sendable {
    /// The series in quarantine that a caller may see, newest first, at most so many.
    package typealias Quarantine = @Sendable (_ limit: Int, _ access: AccessContext) async throws -> [QuarantinedSeries]

    /// The most series one answer lists.
    static let limitMax = 1000

    private let health: HealthChecks
    private let metrics: MetricRegistry
    private let quarantine: Quarantine
    private let audit: any AuditTrail

    package init(health: HealthChecks, metrics: MetricRegistry, audit: any AuditTrail, quarantine: @escaping Quarantine)
    {
        self.health = health
        self.metrics = metrics
        self.quarantine = quarantine
        self.audit = audit
    }

    package var group: RouteGroup {
        RouteGroup(
            name: "ops", prefix: "/ops", errorBody: OpsErrorBody(),
            routes: [
                Route(.get, "/health/live", operationID: "getLiveness", access: .open) { _ in health.live() },
                Route(.get, "/health/ready", operationID: "getReadiness", access: .open) { _ in await health.ready() },
                Route(.get, "/metrics", operationID: "getMetrics", access: .loopbackOrBearer(.anyToken)) { _ in
                    .bytes(Array(metrics.text().utf8), contentType: "text/plain; version=0.0.4; charset=utf-8")
                },
                Route(
                    .get, "/ops/quarantine", operationID: "listQuarantine",
                    access: .bearer(.permission(.search, on: "ImagingStudy")), deadline: .seconds(30)
                ) { try await list($0) },
            ])
    }

    private func list(_ request: APIRequest) async throws -> Response {
        let query = try request.query()
        var limit = 100
        if let text = query["limit"] {
            guard let number = Int(text), (1...OpsRoutes.limitMax).contains(number) else {
                throw HTTPFailure(.malformed, "limit must be 1 to \(OpsRoutes.limitMax)")
            }
            limit = number
        }
        let json = MediaType(type: "application", subtype: "json")
        let html = MediaType(type: "text", subtype: "html")
        guard let type = AcceptHeader(request.headers[.accept]).best(of: [json, html]) else {
            throw HTTPFailure(.notAcceptable, "This path answers application/json and text/html")
        }
        let series = try await quarantine(limit, request.access)
        do {
            try await audit.record(
                AuditRecord(
                    category: .query, interaction: "quarantine", action: .execute, outcome: .success,
                    access: request.access,
                    query: request.rawQuery))
        } catch {
            throw HTTPFailure(.unavailable, "The audit trail cannot be written", headers: [.retryAfter: "5"])
        }
        if type == html { return .bytes(QuarantineView.html(series), contentType: "text/html; charset=utf-8") }
        return .bytes(QuarantineView.json(series), contentType: "application/json")
    }
}
