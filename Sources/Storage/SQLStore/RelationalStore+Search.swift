import Access
import FHIRResources
import FHIRSearch
import Workflow

extension RelationalStore {
    package func search(_ query: SearchQuery, token: String?, access: AccessContext) async throws -> SearchPage {
        try await translating {
            // One state of the database: what is current in it is the view of a first page.
            try await self.database.read(.search(client: access.principal.id), snapshot: true) { connection in
                if let planning = connection.dialect.searchPlanning { try connection.execute(planning) }
                let stamp = try CommitBatches.readStamp(connection)
                let now = UTCInstant(microseconds: self.now())
                var place: PageTokens.Content?
                if let token {
                    place = self.paging.tokens.open(token, query: query, principal: access.principal, now: now)
                    if place == nil { throw StoreError(.notFound, "the page token is not valid any more") }
                }
                let snapshot = place?.snapshot ?? stamp.sequence
                let compiler = self.compiler(
                    connection, access, snapshot == stamp.sequence ? .current : .past(snapshot))
                let expires = place?.expires ?? now.microseconds &+ self.paging.limits.linkSeconds * 1_000_000
                return try self.paging.page(
                    query, after: place?.position, snapshot: snapshot, expires: expires,
                    of: SearchRun(connection: connection, compiler: compiler), for: access.principal)
            }
        }
    }
}
