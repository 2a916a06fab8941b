import Testing
import Workflow

@testable import SQLStore

/// What destinations were told is kept with the unit that told it, on both databases.
@Suite struct ToldTests {
    private typealias Support = WorkflowSupport

    private static func memory(_ unit: any UnitOfWork) throws -> any ToldUnit { try #require(unit as? any ToldUnit) }

    @Test(
        "The last that was told stands for each destination and thing, and is forgotten alone",
        arguments: TestDatabases.all)
    func kept(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { (store) async throws in
            let first = Told(destination: "hl7/A", subject: "order/1", state: "SC", digest: "d1", detail: "{}")
            let other = Told(destination: "hl7/B", subject: "order/1", digest: "d1")
            try await store.work { unit in
                try Self.memory(unit).save(first)
                try Self.memory(unit).save(other)
            }
            var second = first
            (second.state, second.digest, second.detail) = ("IP", "d2", nil)
            let changed = second
            try await store.work { try Self.memory($0).save(changed) }
            let found = try await store.look { unit in
                let memory = try Self.memory(unit)
                return [
                    try memory.told("order/1", to: "hl7/A"), try memory.told("order/1", to: "hl7/B"),
                    try memory.told("order/2", to: "hl7/A"),
                ]
            }
            #expect(found == [changed, other, nil])
            try await store.work { try Self.memory($0).forget(other) }
            let left = try await store.look { unit in
                (try Self.memory(unit).told("order/1", to: "hl7/A"), try Self.memory(unit).told("order/1", to: "hl7/B"))
            }
            #expect(left.0 == changed)
            #expect(left.1 == nil)
        }
    }

    @Test("A read forgets and keeps nothing, and a unit that fails has told nothing", arguments: TestDatabases.all)
    func undone(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { (store) async throws in
            let told = Told(destination: "hl7/A", subject: "order/1", digest: "d")
            await #expect(throws: StoreError.self) {
                try await store.look { try Self.memory($0).save(told) }
            }
            await #expect(throws: StoreError.self) {
                try await store.work { unit in
                    try Self.memory(unit).save(told)
                    throw StoreError(.conflict, "undone")
                }
            }
            #expect(try await store.look { try Self.memory($0).told("order/1", to: "hl7/A") } == nil)
        }
    }
}
