import Access
import HTTPSupport
import Workflow

/// What the pages for operators show and change, and who may see them: the services that the JSON routes use.
package struct OperationsDesk: Sendable {
    /// The doors as they are now.
    package typealias Doors = @Sendable () -> [OperationsDoor]
    /// Bulk exports that are there, at most so many, those under way first.
    package typealias Exports = @Sendable (_ limit: Int) async throws -> [ExportJob]
    /// Bulk imports that are there, at most so many, those under way first.
    package typealias Imports = @Sendable (_ limit: Int) async throws -> [ImportJob]
    /// Every peer, by kind and name.
    package typealias Peers = @Sendable () async throws -> [Peer]

    /// Assigning authorities that senders have named and the site profile does not name, at most so many, oldest first.
    package typealias Authorities = @Sendable (_ limit: Int) async throws -> [UnknownAuthority]

    let sessions: any PersonSessions
    /// Scheme, host and port of this server, as browsers name where a form comes from.
    let origin: String
    let audit: any AuditTrail
    let health: HealthChecks
    let outbox: any OutboxLog
    let messages: any MessageLog
    let quarantine: any QuarantineDesk
    let trail: any AuditLog
    let now: @Sendable () -> UTCInstant
    /// Due steps that modalities are not shown yet.
    package var waiting: OpsRoutes.Waiting = { _, _ in [] }
    /// Objects that were sent again with other content.
    package var conflicts: OpsRoutes.Conflicts = { _, _ in [] }
    /// Studies of archives that are fetched or held.
    package var fetches: OpsRoutes.Fetches = { _, _, _ in [] }
    /// What destinations were asked to keep.
    package var commitments: OpsRoutes.Commitments = { _, _ in [] }
    /// In the order of the configuration.
    package var doors: Doors = { [] }
    /// Whoever asked for them.
    package var exports: Exports = { _ in [] }
    /// Whoever asked for them.
    package var imports: Imports = { _ in [] }
    /// Who may connect, and who is called.
    package var peers: Peers = { [] }
    /// Whose identifiers are kept under systems that were made for them.
    package var authorities: Authorities = { _ in [] }
    /// The feeds of the audit trail; none where none is configured.
    package var feeds: @Sendable () -> [AuditFeedState] = { [] }
    /// How much room is taken and left.
    package var storage: @Sendable () async throws -> StorageFigures = { StorageFigures() }

    /// What has a default there is nothing of, unless the server says otherwise.
    package init(
        sessions: any PersonSessions, origin: String, audit: any AuditTrail, health: HealthChecks,
        outbox: any OutboxLog, messages: any MessageLog, quarantine: any QuarantineDesk, trail: any AuditLog,
        now: @escaping @Sendable () -> UTCInstant
    ) {
        self.sessions = sessions
        self.origin = origin
        self.audit = audit
        self.health = health
        self.outbox = outbox
        self.messages = messages
        self.quarantine = quarantine
        self.trail = trail
        self.now = now
    }
}

/// A door as it is now.
package struct OperationsDoor: Sendable, Hashable {
    /// As the configuration names it.
    package var place: String
    /// `http`, `dimse` or `mllp`.
    package var kind: String
    /// Host and port.
    package var address: String
    /// `required`, `optional` or `off`.
    package var tls: String
    /// Until the certificate ends, negative when it has ended; nil without TLS.
    package var daysLeft: Int64?
    /// Whether what lies in the certificate's files now is not used.
    package var isRefused: Bool

    /// As the properties say.
    package init(
        place: String, kind: String, address: String, tls: String, daysLeft: Int64?, isRefused: Bool = false
    ) {
        self.place = place
        self.kind = kind
        self.address = address
        self.tls = tls
        self.daysLeft = daysLeft
        self.isRefused = isRefused
    }
}

/// How much room is taken and left, in bytes; nil for what is not known.
package struct StorageFigures: Sendable, Hashable {
    /// Left on the disk of the blobs folder.
    package var freeBytes: Int64?
    /// Whether images are refused for want of space.
    package var isFull = false
    /// Whether the blobs folder is known to be this database's.
    package var isOwn = true
    /// Taken by the database, ``databaseFreeBytes`` included.
    package var databaseBytes: Int64?
    /// Of pages that will be used again; 0 where the database does not tell.
    package var databaseFreeBytes: Int64?
    /// Of the write-ahead log beside it; 0 for PostgreSQL.
    package var logBytes: Int64?
    /// Blobs that lie aside after the last sweep.
    package var setAside: Int?
    /// Blobs that no row names and that stay.
    package var unnamed: Int?

    package init() {}
}
