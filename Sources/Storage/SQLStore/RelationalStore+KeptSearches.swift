import Access
import FHIRSearch
import Workflow

extension RelationalStore {
    package func keepSearch(_ text: String, access: AccessContext) async throws -> String {
        try await translating {
            try await self.database.write {
                try KeptSearchTable(connection: $0.connection).keep(
                    text, of: access.principal, now: self.now(),
                    expires: self.now() + self.searchLimits.linkSeconds * 1_000_000)
            }
        }
    }

    package func keptSearch(_ id: String, access: AccessContext) async throws -> String? {
        try await translating {
            try await self.database.read {
                try KeptSearchTable(connection: $0).find(id, of: access.principal, now: self.now())
            }
        }
    }
}
