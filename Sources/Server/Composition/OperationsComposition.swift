import Admission
import BlobStore
import OpsAPI
import SQLStore
import Workflow

/// What the pages for operators tell of doors, room and exports.
enum OperationsComposition {
    static func doors(
        _ doors: [DoorConfiguration], _ certificates: [DoorCertificates?]
    ) -> OperationsDesk.Doors {
        {
            zip(doors, certificates).map { door, certificate in
                OperationsDoor(
                    place: door.place, kind: door.kind.rawValue, address: "\(door.host):\(door.port)",
                    tls: door.tls.rawValue, daysLeft: certificate?.daysLeft,
                    isRefused: certificate?.isRefused ?? false)
            }
        }
    }

    /// Of the audit trail's feeds, where there are any: the server goes on without them.
    static func checks(of feeds: AuditFeedStates) -> [HealthChecks.Check] {
        feeds.all.isEmpty
            ? []
            : [.init("audit-feeds", isRequired: false) { !feeds.all.contains(where: \.needsAttention) }]
    }

    static func storage(
        _ store: RelationalStore, _ blobs: BlobStore, _ custodian: BlobCustodian, _ sweep: CustodyMetrics
    ) -> @Sendable () async throws -> StorageFigures {
        {
            var figures = StorageFigures()
            figures.freeBytes = blobs.space.freeBytes
            figures.isFull = blobs.space.refusal() != nil
            figures.isOwn = custodian.custody == .own
            let growth = try await store.database.growth()
            figures.databaseBytes = growth.bytes
            figures.databaseFreeBytes = growth.freeBytes
            figures.logBytes = growth.logBytes
            let pass = sweep.lastPass
            figures.setAside = pass?.aside
            figures.unnamed = pass?.unnamed
            return figures
        }
    }
}

extension RelationalStore {
    /// Exports that are there: those under way, then those that have ended, the newest first.
    func exports(limit: Int, at time: UTCInstant) async throws -> [ExportJob] {
        let active = try await unfinishedJobs()
        let ended = try await finishedJobs(before: time.advanced(bySeconds: 1), limit: 10_000)
        return Array((active + ended.sorted { $0.createdAt > $1.createdAt }).prefix(limit))
    }
}
