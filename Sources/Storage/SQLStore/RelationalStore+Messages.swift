import Access
import Workflow

extension RelationalStore: MessageLog {
    package func message(_ id: EntityID, access: AccessContext) async throws -> JournaledMessage? {
        guard access.visibility(.read, of: "MessageHeader").isWhole else { return nil }
        return try await readUnit(access, snapshot: false) { try MessageTable(connection: $0.connection).message(id) }
    }

    package func messages(_ query: MessageQuery, access: AccessContext) async throws -> [JournaledMessage] {
        guard access.visibility(.search, of: "MessageHeader").isWhole else { return [] }
        return try await readUnit(access, snapshot: false) {
            try MessageTable(connection: $0.connection).messages(query)
        }
    }
}
