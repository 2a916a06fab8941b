import Access
import HTTPSupport
import HTTPTypes
import Metrics
import Synchronization
import Testing
import Workflow

@testable import OpsAPI

/// Reliability rule R18; attack class I; Prometheus text format 0.0.4.
struct OpsRoutesTests {
    final class Trail: AuditTrail {
        struct Full: Error {}
        let isFull = Mutex(false)
        let records = Mutex<[AuditRecord]>([])
        func record(_ record: AuditRecord) async throws {
            if isFull.withLock({ $0 }) { throw Full() }
            records.withLock { $0.append(record) }
        }
    }
    struct Tokens: TokenVerifying {
        func accessContext(bearerToken: String, requestID: String, sourceAddress: String?) async -> AccessContext? {
            guard let scope = Scope(bearerToken.contains("/") ? bearerToken : "system/" + bearerToken) else {
                return nil
            }
            return AccessContext(principal: Principal(kind: .client, id: "c"), scopes: [scope], requestID: requestID)
        }
    }
    final class Switch: Sendable {
        private let value = Mutex(false)
        var isOn: Bool { value.withLock { $0 } }
        func turn(on: Bool) { value.withLock { $0 = on } }
    }

    /// Answers with given series, and keeps what it is asked to decide.
    final class Desk: QuarantineDesk {
        let series: [QuarantinedSeries]
        let requests = Mutex<[QuarantineRequest]>([])
        let refusal = Mutex<QuarantineService.Refusal?>(nil)
        init(_ series: [QuarantinedSeries]) { self.series = series }
        func quarantine(
            _ state: QuarantineState?, limit: Int, access: AccessContext
        ) async throws -> [QuarantinedSeries] { Array(series.filter { $0.state == state }.prefix(limit)) }
        func quarantine(ofStudy uid: String, access: AccessContext) async throws -> [QuarantinedSeries]? {
            let found = series.filter { $0.study.studyInstanceUID == uid }
            return found.isEmpty ? nil : found
        }
        func decide(_ request: QuarantineRequest, access: AccessContext) async throws -> [QuarantinedSeries] {
            if let refusal = refusal.withLock({ $0 }) { throw refusal }
            requests.withLock { $0.append(request) }
            return series
        }
    }

    let trail = Trail()
    let draining = Switch()
    let broken = Switch()
    let metrics = MetricRegistry()

    private func responder(
        series: [QuarantinedSeries] = [], desk: Desk? = nil, health: HealthChecks? = nil
    ) throws -> APIResponder {
        let draining = self.draining
        let broken = self.broken
        let routes = OpsRoutes(
            health: health
                ?? HealthChecks(
                    [HealthChecks.Check("store") { !broken.isOn }], isDraining: { draining.isOn },
                    timeLimit: .seconds(300)),
            metrics: metrics, audit: trail, quarantine: desk ?? Desk(series))
        return APIResponder(
            table: try RouteTable([routes.group]),
            authenticator: BearerAuthenticator(tokens: Tokens(), audit: trail, realm: "ops"), newRequestID: { "r" })
    }

    private static func series(name: String) -> QuarantinedSeries {
        var study = StudyAttributes()
        study.patientName = name
        study.accessionNumber = "ACC\"1"
        let reason = Reconciliation.quarantined(.unknownAccession)
        return QuarantinedSeries(
            study: Study(
                id: EntityID("s"), studyInstanceUID: "1.2", reconciliation: reason, attributes: study,
                updatedAt: UTCInstant(microseconds: 0)),
            series: Series(
                studyInstanceUID: "1.2", seriesInstanceUID: "1.2.3", reconciliation: reason,
                attributes: SeriesAttributes(),
                updatedAt: UTCInstant(microseconds: 0)),
            reason: .unknownAccession, instances: 40)
    }

    @Test("R18: liveness is 200 throughout; readiness is 503 while draining or when a check fails, and says no reason")
    func health() async throws {
        let responder = try responder()
        #expect(
            try await responder.answer(.get, "/health/ready").text == #"{"status":"ready","checks":{"store":"ok"}}"#)
        broken.turn(on: true)
        let failed = try await responder.answer(.get, "/health/ready")
        #expect(failed.status == 503)
        #expect(failed.text == #"{"status":"unavailable","checks":{"store":"failed"}}"#)
        #expect(failed[.retryAfter] != nil)
        broken.turn(on: false)
        draining.turn(on: true)
        #expect(try await responder.answer(.get, "/health/ready").status == 503)
        #expect(try await responder.answer(.get, "/health/live").status == 200)
    }

    @Test("A check that hangs counts as failed after its time")
    func hangingCheck() async throws {
        let checks = HealthChecks(
            [
                HealthChecks.Check("slow") {
                    try? await Task.sleep(for: .seconds(3600))
                    return true
                }
            ], isDraining: { false }, timeLimit: .milliseconds(1))
        #expect(try await responder(health: checks).answer(.get, "/health/ready").status == 503)
    }

    @Test("Quarantine needs the search scope of ImagingStudy, from this machine too")
    func quarantineAccess() async throws {
        let responder = try responder()
        #expect(try await responder.answer(.get, "/ops/quarantine", sourceAddress: "127.0.0.1").status == 401)
        #expect(
            try await responder.answer(.get, "/ops/quarantine", headers: [.authorization: "Bearer Patient.rs"]).status
                == 403)
        #expect(
            try await responder.answer(.get, "/ops/quarantine", headers: [.authorization: "Bearer ImagingStudy.r"])
                .status == 403)
        #expect(
            try await responder.answer(.get, "/ops/quarantine", headers: [.authorization: "Bearer ImagingStudy.s"])
                .status == 200)
    }

    @Test("Class I: names from other systems are text in the page, which has a policy without scripts")
    func quarantinePage() async throws {
        let responder = try responder(series: [Self.series(name: "<script>alert('x')</script>^\"&\u{1}")])
        let headers: HTTPFields = [
            .authorization: "Bearer ImagingStudy.s", .accept: "text/html,application/xhtml+xml,*/*;q=0.8",
        ]
        let page = try await responder.answer(.get, "/ops/quarantine", headers: headers)
        #expect(page[.contentType] == "text/html; charset=utf-8")
        #expect(page[.contentSecurityPolicy]?.hasPrefix("default-src 'none'") == true)
        #expect(!page.text.contains("<script"))
        #expect(page.text.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;^&quot;&amp; "))
        #expect(page.text.contains("ACC&quot;1"))
        #expect(trail.records.withLock { $0.last?.interaction } == "quarantine")
    }

    @Test("The list is JSON by default, bounded by limit, audited, and closed when it cannot be audited")
    func quarantineList() async throws {
        let responder = try responder(series: [Self.series(name: "A^B"), Self.series(name: "C^D")])
        func answer(_ query: String, accept: String = "*/*") async throws -> CollectedResponse {
            try await responder.answer(
                .get, "/ops/quarantine" + query, headers: [.authorization: "Bearer *.s", .accept: accept])
        }
        let list = try await answer("?limit=1")
        #expect(
            list.text
                == #"{"total":1,"series":[{"reason":"unknown-accession","studyInstanceUID":"1.2","seriesInstanceUID":"1.2.3","#
                + #""accessionNumber":"ACC\"1","patientName":"A^B","receivedAt":"1970-01-01T00:00:00.000Z","instances":40,"state":"waiting"}]}"#
        )
        for bad in ["0", "1001", "-1", "x", "", "9223372036854775808"] {
            #expect(try await answer("?limit=" + bad).status == 400)
        }
        #expect(try await answer("?limit=1000").status == 200)
        #expect(try await answer("", accept: "image/png").status == 406)
        trail.isFull.withLock { $0 = true }
        #expect(try await answer("").status == 503)
    }

    @Test("S4: a decision is a form that needs the update scope and a reason; a refusal says what to do")
    func decisions() async throws {
        let desk = Desk([Self.series(name: "A^B")])
        let responder = try responder(desk: desk)
        func post(
            _ name: String, _ form: String, scope: String = "ImagingStudy.u",
            type: String = "application/x-www-form-urlencoded"
        ) async throws -> CollectedResponse {
            try await responder.answer(
                .post, "/ops/quarantine/1.2/" + name,
                headers: [.authorization: "Bearer " + scope, .contentType: type], body: Array(form.utf8))
        }
        for scope in ["ImagingStudy.rs", "Patient.u"] {
            #expect(try await post("accept", "reason=x", scope: scope).status == 403)
        }
        #expect(try await post("accept", "{}", type: "application/json").status == 415)
        #expect(try await post("relink", "reason=x").status == 400)
        #expect(try await post("relink", "reason=x&order=o&patient=p").status == 400)
        #expect(try await post("drop", "reason=x").status == 404)
        #expect(try await post("accept", "reason=" + String(repeating: "x", count: 20_000)).status == 413)
        #expect(desk.requests.withLock { $0.isEmpty })

        #expect(try await post("accept", "reason=asked+the+ward&series=1.2.3").status == 200)
        #expect(try await post("relink", "reason=r&order=urn%3Aacc%7CA1").status == 200)
        #expect(try await post("relink", "reason=r&patient=p1").status == 200)
        #expect(try await post("reject", "reason=r&instance=1.2.3.4").status == 200)
        #expect(try await post("undo", "reason=r").status == 200)
        let asked = desk.requests.withLock { $0 }
        #expect(
            asked.map(\.ask) == [
                .accept, .relink(.order(.number(system: "urn:acc", value: "A1"))),
                .relink(.patient(.id(EntityID("p1")))), .reject, .undo,
            ])
        #expect(asked.first?.reason == "asked the ward")
        #expect(asked.first?.seriesInstanceUID == "1.2.3")
        #expect(asked[3].sopInstanceUID == "1.2.3.4")

        for (refusal, status) in [
            (QuarantineService.Refusal.unknown, 404), (.reasonMissing, 400), (.namesNoPatient, 409),
            (.studyOfAnotherPatient(seriesInstanceUID: "1.2.3"), 409),
        ] {
            desk.refusal.withLock { $0 = refusal }
            let answer = try await post("accept", "reason=x")
            #expect(answer.status == status)
            #expect(answer.text.contains(refusal.description))
        }
    }

    @Test("The list is of one state, a study is shown alone, with the decision and what contradicts it")
    func quarantineStates() async throws {
        var decided = Self.series(name: "A^B")
        decided.reason = nil
        decided.series.reconciliation = .matched(patientID: EntityID("p"), orderID: EntityID("o"))
        var decision = QuarantineDecision(
            action: .relink, reason: "R", decidedBy: "operator:ann", decidedAt: UTCInstant(microseconds: 0),
            automatic: .quarantined(.unknownPatient))
        decided.decision = decision
        let responder = try responder(series: [decided])
        func answer(_ path: String) async throws -> CollectedResponse {
            try await responder.answer(.get, "/ops/quarantine" + path, headers: [.authorization: "Bearer *.s"])
        }
        #expect(try await answer("").text == #"{"total":0,"series":[]}"#)
        #expect(try await answer("?state=lost").status == 400)
        let text = try await answer("?state=decided").text
        #expect(text.contains(#""state":"decided","link":{"patient":"Patient/p","order":"ServiceRequest/o"}"#))
        #expect(text.contains(#""decision":{"action":"relink","reason":"R","decidedBy":"operator:ann""#))
        #expect(try await answer("/1.2").text == text)
        #expect(try await answer("/9").status == 404)
        decision.contradiction = .unscheduled(patientID: EntityID("q"))
        decided.decision = decision
        #expect(decided.state == .waiting)
    }

    @Test("Metrics are open to this machine and to a token, and to nobody else")
    func metricsAccess() async throws {
        let responder = try responder()
        let local = try await responder.answer(.get, "/metrics", sourceAddress: "::1")
        #expect(local.status == 200)
        #expect(local[.contentType] == "text/plain; version=0.0.4; charset=utf-8")
        #expect(try await responder.answer(.get, "/metrics", sourceAddress: "192.0.2.1").status == 401)
        #expect(
            try await responder.answer(.get, "/metrics", headers: [.authorization: "Bearer Device.r"]).status == 200)
        // An application that a person has launched is no operator's.
        for scope in ["patient/Patient.r", "user/Patient.r"] {
            let answer = try await responder.answer(.get, "/metrics", headers: [.authorization: "Bearer " + scope])
            #expect(answer.status == 403)
        }
    }
}

/// Prometheus text format 0.0.4.
struct MetricRegistryTests {
    @Test("Counters, gauges and timers are written sorted, with legal names and escaped labels")
    func text() {
        let registry = MetricRegistry()
        let counter = Counter(label: "dimse.c-store", dimensions: [("ae", "A\"B\\C\nD")], factory: registry)
        counter.increment(by: 2)
        counter.increment()
        Gauge(label: "9queue", factory: registry).record(7)
        let text = registry.text()
        #expect(text.contains("# TYPE dimse_c_store_total counter\ndimse_c_store_total{ae=\"A\\\"B\\\\C\\nD\"} 3\n"))
        #expect(text.contains("# TYPE _9queue gauge\n_9queue 7.0\n"))
    }

    @Test("A histogram's buckets are cumulative and end in +Inf")
    func histogram() {
        let registry = MetricRegistry()
        let requests = RequestMetrics(registry: registry)
        for milliseconds in [1, 2, 4, 60_000] {
            requests.observe(operationID: "read", status: 200, duration: .milliseconds(milliseconds))
        }
        let text = registry.text()
        #expect(text.contains("hilum_http_requests_total{operation=\"read\",status=\"200\"} 4\n"))
        #expect(text.contains("hilum_http_request_duration_seconds_bucket{operation=\"read\",le=\"0.001\"} 1\n"))
        #expect(text.contains("hilum_http_request_duration_seconds_bucket{operation=\"read\",le=\"0.005\"} 3\n"))
        #expect(text.contains("hilum_http_request_duration_seconds_bucket{operation=\"read\",le=\"30.0\"} 3\n"))
        #expect(text.contains("hilum_http_request_duration_seconds_bucket{operation=\"read\",le=\"+Inf\"} 4\n"))
        #expect(text.contains("hilum_http_request_duration_seconds_count{operation=\"read\"} 4\n"))
    }

    @Test("X10: series are bounded in all and for each name, labels in length; what is not counted is told")
    func bound() {
        let registry = MetricRegistry()
        for index in 0..<(MetricRegistry.seriesOfNameMax + 100) {
            registry.makeCounter(label: "c", dimensions: [("i", String(index))]).increment(by: 1)
        }
        // One name cannot push others out.
        registry.makeCounter(label: "other", dimensions: []).increment(by: 1)
        let text = registry.text()
        #expect(text.split(separator: "\n").count { $0.hasPrefix("c_total{") } == MetricRegistry.seriesOfNameMax)
        #expect(text.contains("other_total 1\n"))
        #expect(text.contains("hilum_metrics_dropped_total 100\n"))
        for index in 0..<(MetricRegistry.seriesMax + 100) {
            registry.makeCounter(label: "d\(index)", dimensions: []).increment(by: 1)
        }
        #expect(registry.text().split(separator: "\n").count { !$0.hasPrefix("#") } == MetricRegistry.seriesMax + 1)
        // A kind past the limit is counted as that kind, and harms none.
        registry.makeTimer(label: "late", dimensions: []).recordNanoseconds(1)
        #expect(!registry.text().contains("late"))
    }

    @Test("X10: a label cannot end its line, forge another or be long")
    func labels() {
        let registry = MetricRegistry()
        let long = String(repeating: "ä", count: 1000)
        registry.makeCounter(
            label: "c", dimensions: [("peer", "A\nforged_total 1\r\u{1B}[2J\"\\"), ("long", long)]
        ).increment(by: 1)
        let text = registry.text()
        #expect(text.split(whereSeparator: { $0 == "\n" || $0 == "\r\n" || $0 == "\r" }).count == 2)
        #expect(text.contains(#"peer="A\nforged_total 1__[2J\"\\""#))
        #expect(text.contains("long=\"" + String(repeating: "ä", count: 64) + "\""))
    }
}
