import Access
import Workflow

extension RelationalStore: ExportJobStore {
    package func save(_ job: ExportJob) async throws {
        try await translating {
            let detail = try DetailColumn.encode(job, .exportJob, job.id.value)
            let isLeft = try await self.database.write {
                try ExportJobTable(connection: $0.connection).save(job, detail)
            }
            if isLeft { try await self.dropFiles(of: job.id) }
        }
    }

    /// The rest of them, one commit after the other.
    private func dropFiles(of id: EntityID) async throws {
        while try await database.write({ try ExportJobTable(connection: $0.connection).dropFiles(id) }) {}
    }

    package func job(_ id: EntityID) async throws -> ExportJob? {
        try await translating {
            try await self.database.read(.door, snapshot: true) { try ExportJobTable(connection: $0).job(id) }
        }
    }

    package func unfinishedJobs() async throws -> [ExportJob] {
        try await translating {
            try await self.database.read(.door, snapshot: true) { try ExportJobTable(connection: $0).unfinishedJobs() }
        }
    }

    package func accept(_ job: ExportJob, activeMax: Int) async throws -> Bool {
        try await translating {
            let detail = try DetailColumn.encode(job, .exportJob, job.id.value)
            return try await self.database.write { transaction in
                let table = ExportJobTable(connection: transaction.connection)
                guard try table.activeJobs(ownerID: job.ownerID) < activeMax else { return false }
                try table.save(job, detail)
                return true
            }
        }
    }

    package func plan(_ id: EntityID, _ parts: [ExportPart]) async throws -> [BlobID] {
        try await translating {
            let rows = try parts.map { (part: $0, detail: try ExportPartTable.detail($0, of: id)) }
            return try await self.database.write { transaction in
                guard try ExportPartTable(connection: transaction.connection).plan(id, rows) else { return [] }
                return try ExportJobTable(connection: transaction.connection).dropWithoutPlace(id)
            }
        }
    }

    package func claimExport(owner: String, seconds: Int64) async throws -> ExportClaim {
        try await translating {
            try await self.database.write { transaction in
                let now = UTCInstant(microseconds: transaction.stamp.time)
                return try ExportPartTable(connection: transaction.connection).claim(
                    owner, until: now.advanced(bySeconds: seconds), at: now)
            }
        }
    }

    package func renew(_ lease: ExportLease, seconds: Int64) async throws -> Bool {
        try await translating {
            try await self.database.write { transaction in
                try ExportPartTable(connection: transaction.connection).renew(
                    lease, until: UTCInstant(microseconds: transaction.stamp.time).advanced(bySeconds: seconds))
            }
        }
    }

    package func settle(_ lease: ExportLease, _ step: ExportStep) async throws -> Bool {
        try await translating {
            var part = lease.part
            if let place = step.place { part.place = place }
            let detail = step.place == nil ? nil : try ExportPartTable.detail(part, of: lease.jobID)
            let files = try step.files.map { try DetailColumn.encode($0) }
            return try await self.database.write { transaction in
                try ExportPartTable(connection: transaction.connection).settle(lease, step, detail, files)
            }
        }
    }

    package func putOff(_ lease: ExportLease, seconds: Int64) async throws -> Int? {
        try await translating {
            try await self.database.write { transaction in
                try ExportPartTable(connection: transaction.connection).putOff(
                    lease, until: UTCInstant(microseconds: transaction.stamp.time).advanced(bySeconds: seconds))
            }
        }
    }

    package func releaseExports(owner: String?) async throws {
        try await translating {
            try await self.database.write {
                try ExportPartTable(connection: $0.connection).release(owner: owner)
            }
            if owner != nil { return }
            let left = try await self.database.read(.background) {
                try ExportJobTable(connection: $0).halfDropped()
            }
            for id in left { try await self.dropFiles(of: id) }
        }
    }

    package func exportObject(_ id: EntityID, named name: String) async throws -> ExportJob.OutputFile? {
        try await translating {
            try await self.database.read { try ExportJobTable(connection: $0).object(id, named: name) }
        }
    }

    package func exportBlobs(_ id: EntityID) async throws -> [BlobID] {
        try await translating { try await self.database.read { try ExportJobTable(connection: $0).blobs(id) } }
    }

    package func exportReferences(
        _ id: EntityID, _ type: String, after: Int64, limit: Int
    ) async throws -> [(number: Int64, id: String)] {
        try await translating {
            try await self.database.read(.background) {
                try ExportPartTable(connection: $0).references(id, type, after: after, limit: limit)
            }
        }
    }
}
