import Testing

@testable import SQLStore

@Suite("The audit chain")
struct AuditChainTests {
    @Test("300 concurrent appends are all there, in one unbroken chain", arguments: TestDatabases.all)
    func concurrent(_ kind: SQLDialect) async throws {
        try await TestDatabases.with(kind) { (database) async throws in
            let writer = AuditWriter(database)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<300 { group.addTask { try await writer.append(Array("record \(number)".utf8)) } }
                try await group.waitForAll()
            }
            #expect(try await database.read { try AuditChain.verify($0) } == 300)
            let records = try await database.read { try AuditChain.rows(after: 0, limit: 1_000, $0).map(\.record) }
            #expect(Set(records).count == 300)
        }
    }

    @Test("Waves of appends, a lone one between them, all end and all are there", arguments: TestDatabases.all)
    func waves(_ kind: SQLDialect) async throws {
        try await TestDatabases.with(kind) { (database) async throws in
            let writer = AuditWriter(database)
            for wave in 0..<12 {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for number in 0..<(wave % 3 == 0 ? 1 : 30) {
                        group.addTask { try await writer.append(Array("\(wave) \(number)".utf8)) }
                    }
                    try await group.waitForAll()
                }
            }
            #expect(try await database.read { try AuditChain.verify($0) } == 4 + 8 * 30)
        }
    }

    @Test(
        "a changed, removed or reordered row is found",
        arguments: TestDatabases.all,
        [
            "UPDATE audit SET record = hash WHERE number = 3", "DELETE FROM audit WHERE number = 3",
            "UPDATE audit SET time = time + 1 WHERE number = 3", "UPDATE audit SET number = 99 WHERE number = 3",
        ])
    func tampered(_ kind: SQLDialect, _ tampering: String) async throws {
        try await TestDatabases.with(kind) { (database) async throws in
            try await database.write { try AuditChain.append((0..<5).map { [UInt8($0)] }, $0) }
            #expect(try await database.read { try AuditChain.verify($0) } == 5)
            _ = try await database.write { try $0.connection.run(tampering) }
            await #expect(throws: SQLStoreError(.corrupt, "")) { try await database.read { try AuditChain.verify($0) } }
        }
    }
}
