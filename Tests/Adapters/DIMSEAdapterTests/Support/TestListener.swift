import Access
import Admission
import DICOMData
import DICOMNetwork
import DIMSEAdapter
import Logging
import NIOCore
import NIOSSL
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing
import Workflow

/// A listener on a free port of loopback, for the time of one test.
struct TestListener: Sendable {
    let port: Int
    let listener: DIMSEListener
    let audit: MemoryAudit
    /// Begins a graceful shutdown.
    let shutDown: @Sendable () async -> Void

    var destination: SCUAssociation.Destination {
        var destination = SCUAssociation.Destination(
            host: "127.0.0.1", port: port, calledAETitle: title("HILUM"), callingAETitle: title("CT1"))
        destination.timers = .unhurried
        return destination
    }

    /// Runs `body` against a listener, then stops the listener and waits for it.
    static func run(
        services: [any ServiceClassProvider] = [VerificationSCP()],
        peers: [Peer] = [Peer(kind: .applicationEntity, name: "CT1")],
        admission: Admission = Admission(), strangers: StrangerLimits = CallerThrottle.limitsDefault,
        memory: MemoryBudget = .unlimited, configure: (inout DIMSEConfiguration) -> Void = { _ in },
        _ body: @Sendable @escaping (TestListener) async throws -> Void
    ) async throws {
        var configuration = DIMSEConfiguration(aeTitles: [title("HILUM")])
        configuration.port = 0
        // A test that is about one of these times sets it.
        configuration.timers.idle = .minutes(10)
        configuration.timers.drain = .milliseconds(500)
        configuration.timers.drainIdle = .milliseconds(20)
        configure(&configuration)
        let (ports, continuation) = AsyncStream.makeStream(of: Int.self)
        let audit = MemoryAudit()
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let listener = DIMSEListener(
            configuration: configuration, services: services, peers: MemoryPeers(all: peers), audit: audit,
            entropy: SeededEntropy(), logger: logger, admission: admission,
            strangers: CallerThrottle(limits: strangers, now: { 0 }), memory: memory,
            onListening: { continuation.yield($0) })
        let group = ServiceGroup(services: [listener], logger: logger)
        try await withThrowingTaskGroup { tasks in
            tasks.addTask { try await group.run() }
            var iterator = ports.makeAsyncIterator()
            guard let port = await iterator.next() else { throw SCUError.connectionLost }
            let test = TestListener(port: port, listener: listener, audit: audit) {
                await group.triggerGracefulShutdown()
            }
            let result: Result<Void, any Error>
            do { result = .success(try await body(test)) } catch { result = .failure(error) }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
            #expect(listener.associations == 0)
            try result.get()
        }
    }
}

extension DIMSETimers {
    /// Of who waits for the other side, however much runs beside it.
    static var unhurried: DIMSETimers {
        var timers = DIMSETimers()
        (timers.connect, timers.associate, timers.response) = (.minutes(5), .minutes(5), .minutes(5))
        return timers
    }
}

func title(_ text: String) -> AETitle {
    guard let title = AETitle(text) else { preconditionFailure("not a title: \(text)") }
    return title
}

/// The audit rows of a test.
final class MemoryAudit: AuditTrail {
    private let rows = Mutex<[AuditRecord]>([])
    var records: [AuditRecord] { rows.withLock { $0 } }
    func record(_ record: AuditRecord) async throws { rows.withLock { $0.append(record) } }
}

struct MemoryPeers: PeerDirectory {
    let all: [Peer]
    func peer(kind: Peer.Kind, name: String) async throws -> Peer? {
        if name == "BROKEN" { throw StoreError(.unavailable, "test") }
        return all.first { $0.kind == kind && $0.name == name }
    }
    func peers() async throws -> [Peer] { all }
    func save(_ peer: Peer) async throws {}
    func removePeer(kind: Peer.Kind, name: String) async throws -> Bool { false }
}
