import Access
import Workflow

extension RelationalStore: ImportJobStore {
    package func accept(
        _ job: ImportJob, _ inputs: [ImportInput], activeMax: Int
    ) async throws -> ImportAcceptance {
        let rows = try ImportTable.rows(inputs, of: job.id)
        return try await writing { table, _ in
            if let other = try table.job(asked: job.key) { return .underWay(other) }
            if job.origin == .client, try table.activeJobs(ownerID: job.ownerID) >= activeMax { return .tooMany }
            try table.insert(job)
            try table.insert(inputs: rows)
            return .accepted
        }
    }

    package func importJob(_ id: EntityID) async throws -> ImportJob? {
        try await translating { try await self.database.read { try ImportTable(connection: $0).job(id) } }
    }

    package func importInputs(of id: EntityID) async throws -> [ImportInput] {
        try await translating { try await self.database.read { try ImportTable(connection: $0).inputs(of: id) } }
    }

    package func add(_ inputs: [ImportInput], to job: ImportJob, holder: String) async throws {
        let rows = try ImportTable.rows(inputs, of: job.id)
        try await writing { table, time in
            try table.save(job, holder: holder, at: time)
            try table.insert(inputs: rows)
        }
    }

    package func importJobs(limit: Int) async throws -> [ImportJob] {
        try await translating { try await self.database.read { try ImportTable(connection: $0).jobs(limit: limit) } }
    }

    package func unfinishedImports() async throws -> [ImportJob] {
        try await translating { try await self.database.read { try ImportTable(connection: $0).unfinished() } }
    }

    package func endedImports(before time: UTCInstant, limit: Int) async throws -> [ImportJob] {
        try await translating {
            try await self.database.read { try ImportTable(connection: $0).ended(before: time, limit: limit) }
        }
    }

    package func takeImport(_ id: EntityID, holder: String, isSole: Bool) async throws -> Bool {
        try await writing { try $0.take(id, holder: holder, isSole: isSole, at: $1) }
    }

    package func importOutcomes(of id: EntityID, from first: Int64, limit: Int) async throws -> [[UInt8]] {
        try await translating {
            try await self.database.read {
                try ImportTable(connection: $0).outcomes(of: id, from: first, limit: limit)
            }
        }
    }

    package func cancelImport(_ id: EntityID, at time: UTCInstant) async throws -> Bool {
        try await writing { table, _ in try table.cancel(id, at: time) }
    }

    package func cancelLeftImports(before time: UTCInstant) async throws -> [EntityID] {
        // Mostly there is none, and then nothing is written.
        let left = try await translating {
            try await self.database.read { try ImportTable(connection: $0).left(before: time) }
        }
        if left.isEmpty { return [] }
        return try await writing { table, now in
            try table.left(before: time).filter { try table.cancel($0, at: now) }
        }
    }

    package func forgetClaims(of id: EntityID, limit: Int) async throws -> Bool {
        try await writing { table, _ in try table.removeClaims(of: id, limit: limit) }
    }

    package func removeImport(_ id: EntityID, limit: Int) async throws -> Bool {
        try await writing { table, _ in try table.remove(id, limit: limit) }
    }

    private func writing<T: Sendable>(
        _ body: @escaping @Sendable (ImportTable, UTCInstant) throws -> T
    ) async throws -> T {
        try await translating {
            try await self.database.write {
                try body(ImportTable(connection: $0.connection), UTCInstant(microseconds: $0.stamp.time))
            }
        }
    }
}

extension SQLUnitOfWork: ImportUnit {
    func claim(_ name: String, for job: EntityID, at line: ImportedLine) throws -> ImportedLine? {
        _ = try writing()
        return try ImportTable(connection: connection).claim(name, for: job, at: line)
    }

    func save(_ job: ImportJob, _ input: ImportInput?, outcomes: [[UInt8]], holder: String) throws {
        _ = try writing()
        let table = ImportTable(connection: connection)
        try table.save(job, holder: holder, at: time)
        if let input { try table.save(input, of: job.id) }
        try table.insert(outcomes, of: job.id, from: job.errors - Int64(outcomes.count))
    }
}
