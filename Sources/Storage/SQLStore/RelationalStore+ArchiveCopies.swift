import Access
import Workflow

extension RelationalStore: ArchiveCopies {
    package func copiesDue(
        at time: UTCInstant, notOf archives: Set<String>, limit: Int
    ) async throws -> [ArchiveCopy] {
        try await translating {
            try await self.database.read {
                try ArchiveCopyTable(connection: $0).due(at: time, notOf: archives, limit: limit)
            }
        }
    }

    package func waitingCopies() async throws -> Int {
        try await translating { try await self.database.read { try ArchiveCopyTable(connection: $0).waitingCount() } }
    }

    package func resumeCopies(at time: UTCInstant) async throws {
        try await translating {
            try await self.database.write { try ArchiveCopyTable(connection: $0.connection).resume(at: time) }
        }
    }

    package func copies(
        in states: Set<ArchiveCopy.State>, limit: Int, access: AccessContext
    ) async throws -> [ArchiveCopy] {
        guard access.imagingSight(.search).isWhole else { return [] }
        return try await readUnit(access) {
            try ArchiveCopyTable(connection: $0.connection).copies(in: states, limit: limit)
        }
    }

    package func copiesByUse(limit: Int) async throws -> [ArchiveCopy] {
        try await translating {
            try await self.database.read(.background) { try ArchiveCopyTable(connection: $0).byUse(limit: limit) }
        }
    }

    package func noteUse(of studies: [String: UTCInstant]) async throws {
        guard !studies.isEmpty else { return }
        try await translating {
            try await self.database.write { transaction in
                let table = ArchiveCopyTable(connection: transaction.connection)
                for (study, time) in studies.sorted(by: { $0.key < $1.key }) {
                    try table.noteUse(of: study, at: time)
                }
            }
        }
    }

    package func copyTotals() async throws -> ArchiveCopyTotals {
        try await translating {
            try await self.database.read(.background) { try ArchiveCopyTable(connection: $0).totals() }
        }
    }

    package func remoteTotals() async throws -> [RemoteStudyTotal] {
        try await translating {
            try await self.database.read(.background) { try RemoteStudyTable(connection: $0).totals() }
        }
    }
}

extension RelationalStore: LeftBlobs {
    package func leftBlobs(until time: UTCInstant, limit: Int) async throws -> LeftBlobPage {
        try await translating {
            try await self.database.read(.background) {
                try LeftBlobTable(connection: $0).page(until: time, limit: limit)
            }
        }
    }

    package func forgetLeftBlobs(_ ids: [BlobID]) async throws {
        guard !ids.isEmpty else { return }
        try await translating {
            try await self.database.write { try LeftBlobTable(connection: $0.connection).forget(ids) }
        }
    }
}
