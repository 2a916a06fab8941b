import Access
import DICOMwebAPI
import Synchronization
import Testing
import Workflow

@testable import hilum

/// Who is told of workitems by which way. PS3.18 §8.10, PS3.4 §CC.2.4.
@Suite("Workitem courier") struct WorkitemCourierTests {
    private struct Peers: PeerDirectory {
        let all: [Peer]
        let fails: Bool
        func peer(kind: Peer.Kind, name: String) async throws -> Peer? {
            if fails { throw StoreError(.unavailable, "test") }
            return all.first { $0.kind == kind && $0.name == name }
        }
        func peers() async throws -> [Peer] { all }
        func save(_ peer: Peer) async throws {}
        func removePeer(kind: Peer.Kind, name: String) async throws -> Bool { false }
    }

    private struct FixedClock: Workflow.Clock {
        let time: UTCInstant
        func now() -> UTCInstant { time }
    }

    /// Counts what it is given.
    private final class Reports: Courier {
        let policy = DeliveryPolicy()
        let count = Mutex(0)
        func deliver(_ entry: OutboxEntry) async -> DeliveryOutcome {
            count.withLock { $0 += 1 }
            return .unreachable("test")
        }
    }

    private static func entry(_ receiver: String) -> OutboxEntry {
        let draft = WorkitemReport(receiver: receiver, sopInstanceUID: "1.1", kind: .state, information: []).draft
        let made = UTCInstant(microseconds: 0)
        return OutboxEntry(
            number: 1, eventID: EntityID("e"), destination: draft.destination, orderingKey: draft.orderingKey,
            kind: draft.kind, payload: draft.payload, state: .leased, attempts: 0, createdAt: made, waitingSince: made,
            nextAttemptAt: made)
    }

    private static func courier(_ reports: Reports, seconds: Int64, fails: Bool = false) -> WorkitemCourier {
        WorkitemCourier(
            hub: NotificationHub(),
            peers: Peers(
                all: [
                    Peer(kind: .applicationEntity, name: "WATCHER", offers: [.ups]),
                    Peer(kind: .applicationEntity, name: "OTHER"),
                ], fails: fails), clock: FixedClock(time: UTCInstant(microseconds: seconds * 1_000_000)),
            reports: reports)
    }

    @Test("A peer is told by N-EVENT-REPORT, whoever else listens; what is no report never is")
    func peer() async {
        let reports = Reports()
        let courier = Self.courier(reports, seconds: 1_000)
        #expect(await courier.deliver(Self.entry("WATCHER")) == .unreachable("test"))
        #expect(reports.count.withLock { $0 } == 1)
        var other = Self.entry("WATCHER")
        other.payload = [1]
        guard case .permanent = await courier.deliver(other) else {
            Issue.record("an entry that is none is tried again")
            return
        }
        let failing = Self.courier(reports, seconds: 0, fails: true)
        #expect(await failing.deliver(Self.entry("WATCHER")) == .transient("the peers cannot be read"))
    }

    @Test("Who listens nowhere is waited for a minute, and misses the report after it", arguments: ["PAGE", "OTHER"])
    func away(receiver: String) async {
        let reports = Reports()
        let entry = Self.entry(receiver)
        guard case .transient = await Self.courier(reports, seconds: WorkitemCourier.waitSeconds - 1).deliver(entry),
            case .withdrawn = await Self.courier(reports, seconds: WorkitemCourier.waitSeconds).deliver(entry)
        else {
            Issue.record("not waited for, or for too long")
            return
        }
        #expect(reports.count.withLock { $0 } == 0)
    }

    @Test("The origin of the server is what a browser sends of it")
    func origin() {
        #expect(WebComposition.origin(of: "https://H.example:443/base") == "https://h.example")
        #expect(WebComposition.origin(of: "https://h.example:8443") == "https://h.example:8443")
        #expect(WebComposition.origin(of: "http://localhost:80") == "http://localhost")
    }
}
