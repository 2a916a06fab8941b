import Access
import Logging
import Metrics
import SQLStore
import ServiceLifecycle
import Synchronization
import Workflow

/// Has destinations asked to keep what they were sent once a study is quiet, and again where a report is overdue; tells
/// how many reports are waited for. PS3.4 §J.3.
struct PeerCommitmentWork: Service {
    private static let interval = Duration.seconds(5)
    /// Destinations of which something was told: also where nothing is open any more, and nothing is to be.
    private final class Told: Sendable { let names = Mutex<Set<String>>([]) }

    let store: RelationalStore
    /// AE titles by the names of the destinations.
    let destinations: [String: String]
    let clock: any Workflow.Clock
    let metrics: any MetricsFactory
    let logger: Logger
    private let told = Told()

    func run() async throws {
        await repeatUntilShutdown(every: Self.interval) {
            // What was asked for before a destination was taken out of the configuration is ended here too.
            do {
                while try await PeerCommitments().pass(store, destinations, now: clock.now()), !Task.isCancelled {}
                try await tell()
            } catch is CancellationError {
            } catch {
                logger.warning("destinations could not be asked for commitment", metadata: ["error": "\(error)"])
            }
        }
    }

    /// Zero where nothing is waited for.
    private func tell() async throws {
        let open = try await (store as any WorkflowStore).read(.server(requestID: "commitment")) {
            try $0.peerCommitments.openCommitments()
        }
        let now = clock.now()
        let names = told.names.withLock { names in
            names.formUnion(destinations.keys)
            names.formUnion(open.map(\.destination))
            return names
        }
        for name in names {
            for state in [CommitmentTransaction.State.asked, .overdue] {
                let found = open.first { $0.destination == name && $0.state == state }
                let dimensions = [("destination", name), ("state", state.rawValue)]
                let age = found.map { max(0, (now.microseconds - $0.oldest.microseconds) / 1_000_000) } ?? 0
                gauge("hilum_commitment_transactions", dimensions).record(Int64(found?.count ?? 0))
                gauge("hilum_commitment_oldest_seconds", dimensions).record(age)
            }
        }
    }

    private func gauge(_ name: String, _ dimensions: [(String, String)]) -> any RecorderHandler {
        metrics.makeRecorder(label: name, dimensions: dimensions, aggregate: false)
    }
}

extension PeerCommitmentWork: CustomStringConvertible { var description: String { "commitment of destinations" } }
