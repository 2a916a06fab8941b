import Access
import Admission
import Logging
import OpsAPI
import ServiceLifecycle
import Synchronization
import UnixSignals
import Workflow

/// The certificates of one door: read at start, and again when their files change; a new one that cannot be used leaves
/// the old one in use.
final class DoorCertificates: Sendable {
    /// What became of a look at the files.
    enum Outcome: Sendable, Equatable {
        case unchanged
        case replaced
        /// Said once for each content of the files.
        case refused(String)
    }

    private struct State {
        /// What was looked at last, taken or refused; nil when the files could not be read.
        var seen: TLSContexts.Material?
        var ends: Int64
        var refusal: String?
    }

    let door: DoorConfiguration
    let tls: DoorTLS
    private let folder: ServerFolder
    private let now: @Sendable () -> Int64
    private let state: Mutex<State>

    /// - Parameter now: seconds since 1970 UTC.
    ///
    /// Throws ``ConfigurationError`` where the files do not make a TLS. One that has ended is served: it is for the
    /// operator to see, and a server that does not start helps nobody.
    init(_ door: DoorConfiguration, _ folder: ServerFolder, now: @escaping @Sendable () -> Int64) throws {
        let material = try TLSContexts.Material(door, folder)
        let made = try TLSContexts.context(door, material, folder)
        self.door = door
        self.folder = folder
        self.now = now
        tls = DoorTLS(made.context, door.tls == .optional ? .optional : .required)
        state = Mutex(State(seen: material, ends: made.ends))
    }

    /// Until the certificate in use ends, rounded down; negative when it has ended.
    var daysLeft: Int64 {
        let seconds = state.withLock { $0.ends } - now()
        return seconds >= 0 ? seconds / 86_400 : -1 - (-seconds - 1) / 86_400
    }

    /// Whether what lies in the files is refused now.
    var isRefused: Bool { state.withLock { $0.refusal != nil } }

    /// Looks at the files. What is being replaced file by file is refused at one look and taken at the next.
    func refresh() -> Outcome {
        let material: TLSContexts.Material
        do { material = try TLSContexts.Material(door, folder) } catch { return refuse(nil, "\(error)") }
        guard state.withLock({ $0.seen != material || $0.seen == nil }) else { return .unchanged }
        do {
            let made = try TLSContexts.context(door, material, folder)
            guard made.ends > now() else { return refuse(material, "the new certificate has ended already") }
            tls.replace(with: made.context)
            state.withLock { $0 = State(seen: material, ends: made.ends) }
            return .replaced
        } catch {
            return refuse(material, "\(error)")
        }
    }

    private func refuse(_ material: TLSContexts.Material?, _ reason: String) -> Outcome {
        state.withLock { state in
            let isNews = state.refusal != reason || state.seen != material
            state.seen = material
            state.refusal = reason
            return isNews ? .refused(reason) : .unchanged
        }
    }
}

/// Looks at the certificates of all doors at intervals and at SIGHUP, and tells how long they last.
struct CertificateWatch: Service {
    private static let interval = Duration.seconds(30)
    /// Days before the end from which on the log says so, once a day.
    private static let warningDays: Int64 = 30

    let doors: [DoorCertificates]
    /// Has files of its own: those of no door, where none for peers has TLS.
    let calling: CallingTLS
    let metrics: MetricRegistry
    /// Told of each certificate that takes another's place; nil for none.
    let audit: (any AuditTrail)?
    let logger: Logger

    init(
        _ doors: [DoorCertificates], calling: CallingTLS, metrics: MetricRegistry, audit: (any AuditTrail)? = nil,
        logger: Logger
    ) {
        self.audit = audit
        self.doors = doors
        self.calling = calling
        self.metrics = metrics
        self.logger = logger
        metrics.observe { [doors] in
            doors.flatMap { door in
                [
                    .init(
                        "hilum_certificate_days_left", .gauge, Double(door.daysLeft), [("door", door.door.place)]),
                    .init(
                        "hilum_certificate_files_refused", .gauge, door.isRefused ? 1 : 0, [("door", door.door.place)]),
                ]
            }
        }
    }

    func run() async throws {
        let signals = await UnixSignalsSequence(trapping: .sighup)
        await withDiscardingTaskGroup { group in
            group.addTask {
                for await _ in signals.cancelOnGracefulShutdown() {
                    logger.notice("SIGHUP: certificates are read again")
                    look()
                }
            }
            group.addTask { await repeatUntilShutdown(every: Self.interval) { look() } }
            group.addTask { await repeatUntilShutdown(every: .seconds(86_400)) { warn() } }
        }
    }

    /// A row of a certificate that was replaced. The files are in use already; a row that cannot be kept is in the log.
    private func record(_ entity: String) {
        let logger = logger
        audit?.record(
            AuditRecord(
                category: .security, interaction: "certificate", action: .update, outcome: .success,
                access: .server(requestID: "certificate"), entity: entity)
        ) { isKept in
            if !isKept { logger.error("a new certificate has no audit row", metadata: ["of": "\(entity)"]) }
        }
    }

    private func look() {
        for door in doors {
            let place: Logger.Metadata = ["door": "\(door.door.place)"]
            switch door.refresh() {
            case .unchanged: continue
            case .replaced:
                logger.notice(
                    "a new certificate is in use", metadata: place.merging(["days": "\(door.daysLeft)"]) { $1 })
                record("door:" + door.door.place)
            case .refused(let reason):
                logger.error(
                    "new certificate files are not used; the old certificate stays",
                    metadata: place.merging(["reason": "\(reason)"]) { $1 })
            }
        }
        switch calling.look() {
        case .unchanged: break
        case .replaced:
            logger.notice("peers are called with new certificates")
            record("calling")
        case .refused(let reason):
            logger.error("peers are called with the old certificates", metadata: ["reason": "\(reason)"])
        }
    }

    private func warn() {
        for door in doors where door.daysLeft < Self.warningDays {
            logger.warning(
                door.daysLeft < 0 ? "a certificate has ended" : "a certificate ends soon",
                metadata: ["door": "\(door.door.place)", "days": "\(door.daysLeft)"])
        }
    }
}

extension CertificateWatch: CustomStringConvertible { var description: String { "certificate watch" } }
