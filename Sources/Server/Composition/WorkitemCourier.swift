import DICOMwebAPI
import HTTPSupport
import Metrics
import OpsAPI
import Workflow

/// Tells subscribers of workitems where they listen: over the notification connections that are open for them, and as
/// peers by N-EVENT-REPORT. The two do not stand in for each other: who opens a connection takes no report from a peer.
///
/// Over a connection a report is told at most once. Who has none open and is no peer misses it after a minute: how a
/// workitem stands can be read at any time. PS3.18 §8.10.
struct WorkitemCourier: Courier {
    /// Seconds that a report waits for a connection.
    static let waitSeconds: Int64 = 60

    let hub: NotificationHub
    let peers: any PeerDirectory
    let clock: any Workflow.Clock
    /// By N-EVENT-REPORT.
    let reports: any Courier

    var policy: DeliveryPolicy { reports.policy }

    func deliver(_ entry: OutboxEntry) async -> DeliveryOutcome {
        guard let report = WorkitemReport(entry) else { return .permanent("the entry is not one of a workitem") }
        let peer: Peer?
        do { peer = try await peers.peer(kind: .applicationEntity, name: report.receiver) } catch {
            return .transient("the peers cannot be read")
        }
        if let peer, peer.offers.contains(.ups) {
            // With the first attempt alone; the others are the peer's.
            if entry.attempts == 0 { _ = hub.tell(report) }
            return await reports.deliver(entry)
        }
        if await hub.tellExpected(report) { return .delivered }
        guard clock.now() < entry.waitingSince.advanced(bySeconds: Self.waitSeconds) else {
            return .withdrawn("\(report.receiver) has no connection open, and is no peer that offers ups")
        }
        return .transient("\(report.receiver) has no connection open")
    }

    func settled(_ entry: OutboxEntry, _ verdict: DeliveryVerdict, in unit: any UnitOfWork) throws {
        try reports.settled(entry, verdict, in: unit)
    }
}

/// The figures of notification connections: how many are open, what was told, and why they ended.
struct NotificationMetrics: Sendable {
    let registry: MetricRegistry

    func observe(_ figure: NotificationHub.Figure) {
        switch figure {
        case .open(let count):
            registry.makeRecorder(label: "hilum_notification_connections", dimensions: [], aggregate: false).record(
                Int64(count))
        case .told: registry.count("hilum_notifications_told", [])
        case .ended(let end): registry.count("hilum_notification_connections_ended", [("reason", Self.word(end))])
        }
    }

    private static func word(_ end: EventSocket.End) -> String {
        switch end {
        case .peer: "peer"
        case .silence: "silence"
        case .closed(.goingAway): "stop"
        case .closed(.policyViolation): "rights"
        case .closed(.tryAgainLater): "slow"
        case .closed: "protocol"
        }
    }
}
