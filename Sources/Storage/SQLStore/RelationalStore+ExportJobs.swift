import Access
import Workflow

extension RelationalStore: ExportJobStore {
    package func save(_ job: ExportJob) async throws {
        try await translating {
            let detail = try DetailColumn.encode(job)
            try await self.database.write { try ExportJobTable(connection: $0.connection).save(job, detail) }
        }
    }

    package func job(_ id: EntityID) async throws -> ExportJob? {
        try await translating { try await self.database.read { try ExportJobTable(connection: $0).job(id) } }
    }

    package func unfinishedJobs() async throws -> [ExportJob] {
        try await translating { try await self.database.read { try ExportJobTable(connection: $0).unfinishedJobs() } }
    }

    package func accept(_ job: ExportJob, activeMax: Int) async throws -> Bool {
        try await translating {
            let detail = try DetailColumn.encode(job)
            return try await self.database.write { transaction in
                let table = ExportJobTable(connection: transaction.connection)
                guard try table.activeJobs(ownerID: job.ownerID) < activeMax else { return false }
                try table.save(job, detail)
                return true
            }
        }
    }
}
