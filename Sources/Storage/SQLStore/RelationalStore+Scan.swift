import Access
import FHIRModel
import FHIRResources
import FHIRSearch
import Workflow

/// Resources of a type as of a snapshot, in the order of their keys: what exports read.
extension RelationalStore {
    package func scan(
        _ type: String, snapshot: Int64, since: UTCInstant?, until: UTCInstant?, matching filter: SearchFilter?,
        after: Int64?, limit: Int, access: AccessContext
    ) async throws -> (resources: [StoredResource], next: Int64?) {
        try await translating {
            try await self.database.read(.background, snapshot: true) { connection in
                let scan = try self.scan(
                    ResourceScan(type: type, snapshot: snapshot, since: since, until: until, filter: filter),
                    connection, access)
                return try scan.page(after: after ?? 0, through: .max, limit: max(limit, 1))
            }
        }
    }

    package func pour(
        _ scan: ResourceScan, after: Int64, through: Int64, access: AccessContext, into sink: any ResourceSink
    ) async throws -> Int64? {
        try await translating {
            try await self.database.read(.background, snapshot: true) { connection in
                try self.scan(scan, connection, access).pour(after: after, through: through, into: sink)
            }
        }
    }

    package func extents(of type: String, every count: Int) async throws -> [Int64] {
        try await translating {
            try await self.database.read(.background, snapshot: true) { connection in
                let isThere = try connection.first(
                    "SELECT 1 FROM resource_versions WHERE type = ? LIMIT 1", [.text(type)]
                ) { _ in true }
                guard isThere == true else { return [] }
                var ends: [Int64] = []
                while ends.count < Self.extentsMax {
                    let end = try connection.first(
                        """
                        SELECT v.version_key FROM resource_versions v WHERE v.type = ? AND v.version_key > ? \
                        AND v.end_sequence = \(ResourceTable.current) AND v.deleted = 0 \
                        ORDER BY v.version_key LIMIT 1 OFFSET ?
                        """, [.text(type), .int(ends.last ?? 0), .int(Int64(max(count, 1)))]
                    ) { try $0.int(0) }
                    guard let end else { break }
                    ends.append(end)
                }
                return ends + [.max]
            }
        }
    }

    /// What one type is parted into at most.
    private static let extentsMax = 10_000

    private func scan(
        _ scan: ResourceScan, _ connection: any SQLConnection, _ access: AccessContext
    ) throws -> ScanRun {
        try ScanRun(
            scan, connection: connection, compiler: compiler(connection, access, .past(scan.snapshot)), paging: paging,
            indexer: indexer)
    }
}
