import Access
import Workflow

extension RelationalStore: AuditLog {
    package func auditRows(_ query: AuditQuery, access: AccessContext) async throws -> AuditFindings {
        guard access.visibility(.search, of: "AuditEvent").isWhole else { return AuditFindings(rows: [], next: nil) }
        let found = try await translating {
            try await self.database.read { try AuditSearch(connection: $0).run(query) }
        }
        tellUnopened(found.unopened)
        return found
    }

    package func lastContacts(access: AccessContext) async throws -> [Principal: Int64] {
        guard access.visibility(.search, of: "AuditEvent").isWhole else { return [:] }
        let found = try await translating {
            try await self.database.read { try AuditSearch(connection: $0).lastContacts() }
        }
        tellUnopened(found.unopened)
        return found.times
    }

    /// Tells of rows that were passed over because their records do not open.
    func tellUnopened(_ numbers: [Int64]) { if !numbers.isEmpty { auditUnopened(numbers) } }
}
