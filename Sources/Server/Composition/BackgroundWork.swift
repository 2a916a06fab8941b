import Access
import BlobStore
import DICOMwebAPI
import FHIRAPI
import FHIRResources
import Glibc
import Logging
import Metrics
import OpsAPI
import SQLStore
import ServiceLifecycle
import Synchronization
import Workflow

/// Keeps the store's indexes small and its statistics fresh: one short step after the other while there is something to
/// do, with pauses in which others write.
struct IndexUpkeep: Service {
    let store: RelationalStore
    let logger: Logger

    func run() async throws {
        await repeatUntilShutdown(every: .seconds(30)) {
            do {
                while try await store.upkeepStep(), !Task.isCancelled {
                    try await Task.sleep(for: .milliseconds(100))
                }
            } catch is CancellationError {} catch {
                logger.warning("the index could not be kept up", metadata: ["error": "\(error)"])
            }
        }
    }
}

/// Looks at intervals for blobs that no row names, and moves them aside; tells loudly while the database has not proven to
/// be the blobs folder's own.
struct BlobSweep: Service {
    /// How often the folder's place among the commits is made durable.
    static let settleInterval = Duration.seconds(10)
    let custodian: BlobCustodian
    let interval: Duration
    let metrics: CustodyMetrics
    let logger: Logger

    func run() async throws {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await repeatUntilShutdown(every: interval) { await pass() } }
            group.addTask {
                await repeatUntilShutdown(every: Self.settleInterval) {
                    do { try await custodian.settle() } catch {
                        logger.warning("the blobs folder's place could not be noted", metadata: ["error": "\(error)"])
                    }
                }
            }
        }
    }

    private func pass() async {
        do {
            let pass = try await custodian.pass()
            metrics.tell(custodian.custody, pass)
            if let finding = custodian.custody?.finding {
                logger.error(
                    "blobs folder: \(finding)",
                    metadata: [
                        "custody": "\(custodian.custody?.word ?? "")", "unnamed": "\(pass.unnamed)",
                        "mend": "hilum doctor; hilum adopt",
                    ])
            }
            guard pass.movedAside + pass.expired + pass.putBack + pass.keptUnopened + pass.unfinished > 0 else {
                return
            }
            logger.notice(
                "looked for objects that no row names",
                metadata: [
                    "objects": "\(pass.objects)", "moved-aside": "\(pass.movedAside)", "aside": "\(pass.aside)",
                    "removed-after-days": "\(pass.expired)", "put-back": "\(pass.putBack)",
                    "kept-unopened": "\(pass.keptUnopened)", "unfinished": "\(pass.unfinished)",
                ])
        } catch is CancellationError {
        } catch {
            logger.warning("the blob sweep failed", metadata: ["error": "\(error)"])
        }
    }
}

/// What the sweep knows, as metrics.
struct CustodyMetrics: Sendable {
    private final class LastPass: Sendable { let value = Mutex<BlobCustodian.Pass?>(nil) }

    private let last = LastPass()
    private let isOwn: Gauge
    private let aside: Gauge
    private let unnamed: Gauge
    private let free: Gauge
    private let freeBytes: @Sendable () -> Int64?

    init(_ registry: MetricRegistry, freeBytes: @escaping @Sendable () -> Int64?) {
        isOwn = Gauge(label: "hilum_blobs_folder_is_own", factory: registry)
        aside = Gauge(label: "hilum_blobs_set_aside", factory: registry)
        unnamed = Gauge(label: "hilum_blobs_unnamed", factory: registry)
        free = Gauge(label: "hilum_blobs_free_bytes", factory: registry)
        self.freeBytes = freeBytes
    }

    /// What the last sweep found; nil before the first.
    var lastPass: BlobCustodian.Pass? { last.value.withLock { $0 } }

    func tell(_ custody: Custody?, _ pass: BlobCustodian.Pass?) {
        isOwn.record(custody == .own ? 1 : 0)
        if let pass {
            last.value.withLock { $0 = pass }
            aside.record(pass.aside)
            unnamed.record(pass.unnamed)
        }
        if let bytes = freeBytes() { free.record(bytes) }
    }
}

/// Gives memory back to the system after much of what peers made the server hold was let go: the allocator keeps it
/// otherwise, for as long as the process lives.
struct MemoryReturn: Service {
    /// Below this the allocator's own keeping costs less than asking it.
    static let bytesMin = 32 << 20
    /// `malloc_trim(3)` of glibc, which its module map leaves out; nil with another C library.
    private static let trim: (@convention(c) (Int) -> CInt)? = dlsym(nil, "malloc_trim").map {
        unsafeBitCast($0, to: (@convention(c) (Int) -> CInt).self)
    }
    let memory: MemoryBudget

    func run() async throws {
        await repeatUntilShutdown(every: .seconds(5)) {
            guard memory.takeReturned() >= Self.bytesMin else { return }
            _ = Self.trim?(0)
        }
    }
}

/// Keeps the metric of assigning authorities that senders name and the site has not configured.
struct AuthorityWatch: Service {
    let store: RelationalStore
    let authorities: AssigningAuthorities
    let metrics: any MetricsFactory

    func run() async throws {
        let gauge = metrics.makeRecorder(label: "hilum_unknown_authorities", dimensions: [], aggregate: false)
        gauge.record(Int64(0))
        await repeatUntilShutdown(every: .seconds(15)) {
            guard let named = try? await store.unknownAuthorities() else { return }
            gauge.record(Int64(authorities.unknown(of: named).count))
        }
    }
}

/// The export worker as a service.
struct ExportWorker: Service {
    let exports: ExportService

    func run() async throws {
        await withGracefulShutdownHandler {
            await exports.run()
        } onGracefulShutdown: {
            exports.stop()
        }
    }
}

/// The worker of imports as a service. What is under way at the end goes on behind its last line with the next start.
struct ImportWorker: Service {
    let imports: ImportService

    func run() async throws {
        let imports = imports
        await cancelWhenGracefulShutdown { await imports.run() }
    }
}

/// Reads back what clients ask to be committed to. What is under way at the end is read back by the next process.
struct CommitmentWorker: Service {
    let desk: CommitmentDesk

    func run() async throws {
        let desk = desk
        await cancelWhenGracefulShutdown { await desk.run() }
    }
}

extension CommitmentWorker: CustomStringConvertible { var description: String { "commitment worker" } }

extension ImportWorker: CustomStringConvertible { var description: String { "import worker" } }

extension RelationalStore {
    /// Whether a client may still do with all of some types what it could at the kick-off of a job: it was not revoked, and
    /// the operator still allows it.
    func stillAllows(_ clientID: String, _ permissions: [Permissions], of types: [String]) async throws -> Bool {
        guard let client = try await client(id: clientID), client.revokedAt == nil else { return false }
        return types.allSatisfy { client.scopes.giveWhole($0, permissions) }
    }
}

/// Writes what strangers were refused as one audit row for each address, at intervals and at the end.
struct RefusalSums: Service {
    let ledger: RefusalLedger
    let interval: Duration
    let logger: Logger

    func run() async throws {
        let (ledger, logger) = (ledger, logger)
        await repeatUntilShutdown(every: interval) { await Self.sumUp(ledger, logger) }
    }

    static func sumUp(_ ledger: RefusalLedger, _ logger: Logger) async {
        let summary = await ledger.sumUp(requestID: "refusals")
        guard summary.refusals > 0 else { return }
        logger.notice(
            "refused strangers",
            metadata: ["requests": "\(summary.refusals)", "addresses": "\(summary.addresses)"])
    }
}

/// Runs `work` at intervals until the service is told to stop.
func repeatUntilShutdown(every interval: Duration, _ work: @escaping @Sendable () async -> Void) async {
    await cancelWhenGracefulShutdown {
        while !Task.isCancelled {
            await work()
            do { try await Task.sleep(for: interval) } catch { return }
        }
    }
}

// The service group writes the name of each service to its log; the default would describe all it holds.
extension MemoryReturn: CustomStringConvertible { var description: String { "memory return" } }
extension BlobSweep: CustomStringConvertible { var description: String { "blob sweep" } }
extension IndexUpkeep: CustomStringConvertible { var description: String { "index upkeep" } }
extension AuthorityWatch: CustomStringConvertible { var description: String { "authority watch" } }
extension ExportWorker: CustomStringConvertible { var description: String { "export worker" } }
extension RefusalSums: CustomStringConvertible { var description: String { "refusal sums" } }
