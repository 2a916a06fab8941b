import Access
import Admission
import DIMSEAdapter
import Logging
import OpsAPI
import Synchronization

/// What all doors share to stand hostile use: one admission of connections, one budget of memory, and for each door a
/// throttle of callers by name; with their metrics and a log that one address cannot fill.
final class DoorGuards: Sendable {
    let admission: Admission
    let memory: MemoryBudget
    /// Of all DIMSE doors together.
    let associations: AssociationPlaces
    private let strangers: [Admission.Door: CallerThrottle]

    init(_ limits: ServerLimits, metrics: MetricRegistry, logger: Logger) {
        let events = DoorEvents(metrics: metrics, logger: logger)
        admission = Admission(limits: limits.admission, observer: { events.note($0) })
        memory = MemoryBudget(bytesMax: limits.memoryBytesMax)
        associations = AssociationPlaces(limits: limits.associations)
        strangers = Dictionary(
            uniqueKeysWithValues: Admission.Door.allCases.map {
                ($0, CallerThrottle(limits: limits.callers, now: Descriptors.monotonicMicroseconds))
            })
        metrics.observe { [memory, admission, strangers] in
            var values: [MetricRegistry.Sample] = [
                .init("hilum_memory_reserved_bytes", .gauge, Double(memory.used)),
                .init("hilum_memory_reserved_bytes_max", .gauge, Double(memory.peak)),
                .init("hilum_memory_refusals", .counter, Double(memory.refusals)),
                .init("hilum_descriptors_max", .gauge, Double(admission.descriptorsMax)),
            ]
            for door in Admission.Door.allCases {
                values.append(
                    .init(
                        "hilum_connections", .gauge, Double(admission.connections(door)), [("door", door.rawValue)]))
                if let throttle = strangers[door], door != .http {
                    values.append(
                        .init(
                            "hilum_callers_held_back", .counter, Double(throttle.heldBack),
                            [("door", door.rawValue)]))
                }
            }
            return values
        }
    }

    /// The throttle of a door.
    func strangers(at door: Admission.Door) -> CallerThrottle {
        strangers[door] ?? CallerThrottle(now: Descriptors.monotonicMicroseconds)
    }
}

/// Counts what becomes of connections, and tells of each kind of trouble at most once in a minute.
private final class DoorEvents: Sendable {
    private struct Trouble: Hashable {
        let door: Admission.Door
        let what: String
    }
    private struct Told {
        var at: Int64
        var since = 0
    }
    private static let pauseMicroseconds: Int64 = 60_000_000

    private let metrics: MetricRegistry
    private let logger: Logger
    private let told = Mutex<[Trouble: Told]>([:])

    init(metrics: MetricRegistry, logger: Logger) {
        self.metrics = metrics
        self.logger = logger
    }

    func note(_ event: Admission.Event) {
        switch event {
        case .admitted, .left: break
        case .refused(let door, let refusal):
            count("hilum_connections_refused", door, [("reason", refusal.rawValue)])
            warn(door, "connections refused: too many", refusal.rawValue)
        case .displaced(let door):
            count("hilum_connections_displaced", door)
            warn(door, "connections without work closed to let others in", "displaced")
        case .handshakeTimedOut(let door):
            count("hilum_handshakes_timed_out", door)
            warn(door, "TLS handshakes not finished in time", "handshake")
        case .acceptFailed(let door, let code):
            count("hilum_accepts_failed", door, [("errno", String(code))])
            warn(door, "connections could not be accepted", "errno \(code)")
        }
    }

    private func count(_ name: String, _ door: Admission.Door, _ labels: [(String, String)] = []) {
        metrics.count(name, [("door", door.rawValue)] + labels)
    }

    private func warn(_ door: Admission.Door, _ text: Logger.Message, _ reason: String) {
        let now = Descriptors.monotonicMicroseconds()
        let times = told.withLock { told -> Int? in
            let trouble = Trouble(door: door, what: reason)
            guard let last = told[trouble], now - last.at < Self.pauseMicroseconds else {
                let times = (told[trouble]?.since ?? 0) + 1
                told[trouble] = Told(at: now)
                return times
            }
            told[trouble]?.since += 1
            return nil
        }
        guard let times else { return }
        logger.warning(
            text, metadata: ["door": "\(door.rawValue)", "reason": "\(reason)", "times": "\(times)"])
    }
}
