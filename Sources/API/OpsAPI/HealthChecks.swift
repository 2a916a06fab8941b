import HTTPSupport
import HTTPTypes
import Hummingbird

/// Whether this process can serve. Liveness asks only whether it runs; readiness asks what it depends on.
package struct HealthChecks: Sendable {
    /// One dependency: the store, the blob folder, a listener.
    package struct Check: Sendable {
        /// As the answer names it.
        package let name: String
        /// Whether the server is not ready without it; otherwise it is told as `degraded`.
        package let isRequired: Bool
        /// Whether the dependency works. Cancelled after ``HealthChecks/timeLimit``, which counts as no.
        package let isHealthy: @Sendable () async -> Bool
        /// - Parameters:
        ///   - name: as the answer names it.
        ///   - isRequired: see ``isRequired``.
        ///   - isHealthy: see ``isHealthy``.
        package init(
            _ name: String, isRequired: Bool = true, isHealthy: @escaping @Sendable () async -> Bool
        ) {
            self.name = name
            self.isRequired = isRequired
            self.isHealthy = isHealthy
        }
    }

    /// Of one check.
    package static let timeLimit: Duration = .seconds(2)

    private let checks: [Check]
    private let isDraining: @Sendable () -> Bool
    private let timeLimit: Duration

    /// - Parameters:
    ///   - checks: of readiness, in the order of the answer.
    ///   - isDraining: a server on its way down is not ready.
    ///   - timeLimit: of one check.
    package init(
        _ checks: [Check], isDraining: @escaping @Sendable () -> Bool, timeLimit: Duration = HealthChecks.timeLimit
    ) {
        self.checks = checks
        self.isDraining = isDraining
        self.timeLimit = timeLimit
    }

    /// How a check ended.
    enum State: String, Sendable {
        case works = "ok"
        /// Does not work, and the server is not ready without it.
        case failed
        /// Does not work, and the server goes on.
        case degraded
    }

    /// A server on its way down takes no new work.
    var isOnItsWayDown: Bool { isDraining() }

    /// Every check by its name, in order.
    func results() async -> [(name: String, state: State)] {
        var results: [(name: String, state: State)] = []
        for check in checks {
            let isHealthy = await isHealthy(check)
            results.append((check.name, isHealthy ? .works : check.isRequired ? .failed : .degraded))
        }
        return results
    }

    func live() -> Response { answer("live", [], status: .ok) }

    /// 200 when every required check is healthy, else 503; 503 at once while draining. Says which check, never why.
    func ready() async -> Response {
        guard !isDraining() else { return answer("draining", [], status: .serviceUnavailable) }
        let results = await results()
        let isReady = !results.contains { $0.state == .failed }
        return answer(isReady ? "ready" : "unavailable", results, status: isReady ? .ok : .serviceUnavailable)
    }

    private func isHealthy(_ check: Check) async -> Bool {
        await withTaskGroup(of: Bool.self) { group in
            group.addTask { await check.isHealthy() }
            group.addTask {
                // Cancelled when the check was quicker; then this answer is not looked at.
                try? await Task.sleep(for: timeLimit)
                return false
            }
            defer { group.cancelAll() }
            return await group.next() ?? false
        }
    }

    private func answer(
        _ status: String, _ results: [(name: String, state: State)], status code: HTTPResponse.Status
    ) -> Response {
        var json = JSONText()
        json.object { json in
            json.member("status", status)
            if !results.isEmpty {
                json.object("checks") { json in
                    for result in results { json.member(result.name, result.state.rawValue) }
                }
            }
        }
        var headers = HTTPFields()
        if code == .serviceUnavailable { headers[.retryAfter] = "5" }
        return .bytes(json.bytes, contentType: "application/json", status: code, headers: headers)
    }
}
