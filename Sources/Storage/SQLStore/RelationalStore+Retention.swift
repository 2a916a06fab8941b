import Workflow

extension RelationalStore: RetentionStore {
    package func remove(
        _ kind: RetentionStep.Kind, before time: UTCInstant, limit: Int
    ) async throws -> RetentionStep {
        try await translating {
            try await self.database.write {
                try RetentionTable(connection: $0.connection).remove(kind, before: time, limit: limit)
            }
        }
    }

    package func finishedJobs(before time: UTCInstant, limit: Int) async throws -> [ExportJob] {
        try await translating {
            try await self.database.read { try RetentionTable(connection: $0).finishedJobs(before: time, limit: limit) }
        }
    }
}
