import Access
import Workflow

extension RelationalStore: WorkflowStore {
    package func write<T: Sendable>(
        _ access: AccessContext, _ body: @escaping @Sendable (any UnitOfWork) throws -> T
    ) async throws -> T {
        try await writeUnit(access) { try body($0) }
    }

    package func read<T: Sendable>(
        _ access: AccessContext, _ body: @escaping @Sendable (any UnitOfWork) throws -> T
    ) async throws -> T {
        try await readUnit(access) { try body($0) }
    }

    /// Orders by their accession number, whoever gave it, for an operator; at most 100.
    package func orders(accessionNumber: String) async throws -> [ImagingOrder] {
        try await translating {
            try await self.database.read {
                try OrderTable(connection: $0, stations: self.stations).orders(accessionNumber: accessionNumber)
            }
        }
    }

    /// The assigning authorities that senders have named and the site had not configured then, oldest first.
    package func unknownAuthorities(limit: Int = 1_000) async throws -> [UnknownAuthority] {
        try await readUnit(.server(requestID: "authorities")) {
            try AuthorityTable(connection: $0.connection).all(limit: limit)
        }
    }
}
