import Access
import Workflow

extension RelationalStore: AuditLog {
    package func auditRows(_ query: AuditQuery, access: AccessContext) async throws -> AuditFindings {
        guard access.visibility(.search, of: "AuditEvent").isWhole else { return AuditFindings(rows: [], next: nil) }
        return try await translating { try await self.database.read { try AuditSearch(connection: $0).run(query) } }
    }

    package func lastContacts(access: AccessContext) async throws -> [Principal: Int64] {
        guard access.visibility(.search, of: "AuditEvent").isWhole else { return [:] }
        return try await translating { try await self.database.read { try AuditSearch(connection: $0).lastContacts() } }
    }
}
