import HTTPSupport
import Testing
import Workflow

@testable import OpsAPI

/// What operators see of the feeds to audit repositories.
@Suite struct AuditFeedPageTests {
    private static func state(
        _ name: String, waiting: Int64 = 0, seconds: Int64 = 0, parked: Int64 = 0, isLate: Bool = false
    ) -> AuditFeedState {
        var state = AuditFeedState(name: name)
        (state.waiting, state.oldestSeconds, state.parked, state.isLate) = (waiting, seconds, parked, isLate)
        return state
    }

    @Test("The first page has a row for each feed: what its repository does not have, and since when")
    func page() async throws {
        let fixture = try OperationsFixture {
            $0.feeds = { [Self.state("<siem>", waiting: 5, seconds: 60, parked: 2), Self.state("regional")] }
        }
        let text = try await fixture.get("/operations").text
        #expect(text.contains("by feed: &lt;siem&gt;"))
        #expect(!text.contains("<siem>"))
        #expect(text.contains("regional"))
        // 86,400 s less a minute.
        #expect(text.contains("23:59"))
        #expect(try await !OperationsFixture().get("/operations").text.contains("by feed"))
    }

    @Test("Each feed has its metrics from the first moment, and is told of when a row is late, parked or missed")
    func metrics() {
        let registry = MetricRegistry()
        let states = AuditFeedStates(registry: registry, names: ["a", "b"])
        #expect(states.all.map(\.name) == ["a", "b"])
        #expect(registry.text().contains("hilum_audit_feed_waiting{feed=\"b\"} 0"))
        #expect(states.all.allSatisfy { !$0.needsAttention })
        states.tell(Self.state("a", waiting: 9, seconds: 7_200, parked: 1, isLate: true))
        states.took(3, "a")
        states.took(4, "a")
        let text = registry.text()
        for line in [
            "hilum_audit_feed_waiting{feed=\"a\"} 9", "hilum_audit_feed_oldest_seconds{feed=\"a\"} 7200",
            "hilum_audit_feed_parked{feed=\"a\"} 1", "hilum_audit_feed_late{feed=\"a\"} 1",
            "hilum_audit_feed_late{feed=\"b\"} 0", "hilum_audit_feed_rows_total{feed=\"a\"} 7",
        ] {
            #expect(text.contains(line), "\(line)")
        }
        #expect(states.all.filter(\.needsAttention).map(\.name) == ["a"])
        #expect(Self.state("x", parked: 1).needsAttention && !Self.state("x", waiting: 3).needsAttention)
    }
}
