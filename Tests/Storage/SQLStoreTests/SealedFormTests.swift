import Foundation
import TestSupport
import Testing
import Workflow

@testable import SQLStore

/// Several processes have one store open, and not all were started with the same option: what is written has one form.
/// Decision 0051.
@Suite("What is written has the form that the store says")
struct SealedFormTests {
    private typealias Location = SQLDatabaseConfiguration.Location

    private static func seal(_ store: RelationalStore, atMost steps: Int = .max) async throws {
        var count = 0
        while count < steps, try await store.sealStep() != nil { count += 1 }
    }

    /// Another process, as a command beside the server is.
    private static func beside<Value>(
        _ location: Location, isOn: Bool, _ secrets: [UInt8] = [1], _ body: (RelationalStore) async throws -> Value
    ) async throws -> Value {
        try await SealedStore.with(location, TestDatabases.sealing(isOn: isOn, secrets), isServer: false, body)
    }

    @Test(
        "A server that was started before sealing was switched on leaves no clear value behind the walk",
        arguments: TestDatabases.all)
    func switchedOn(_ kind: SQLDialect) async throws {
        try await TestDatabases.withLocation(kind) { (location) async throws -> Void in
            try await SealedStore.with(location, isOn: false) { (server) async throws -> Void in
                let first = try await SealedStore.fill(server, 1)
                #expect(try SealedStore.forms(location).sealed.isEmpty)
                try await Self.beside(location, isOn: true) { (command) async throws -> Void in
                    try await command.turnBodies()
                    try await Self.seal(command, atMost: 4)
                    // Behind the walk, and before it.
                    let second = try await SealedStore.fill(server, 2)
                    #expect(server.sealsBodies && !server.isToSealBodies)
                    try await Self.seal(command)
                    #expect(try await !command.hasUnevenBodies())
                    try await SealedStore.expectWhole(command, 2, second)
                }
                // Once it is through, and nobody else is there.
                let third = try await SealedStore.fill(server, 3)
                #expect(try SealedStore.forms(location).open.isEmpty)
                try await SealedStore.expectWhole(server, 1, first)
                try await SealedStore.expectWhole(server, 3, third)
                // Its configuration says otherwise, which is for its next start.
                #expect(try await server.hasUnevenBodies())
            }
            try await SealedStore.with(location, isOn: true) { (store) async throws -> Void in
                #expect(try await !store.hasUnevenBodies())
            }
        }
    }

    @Test(
        "The name of the key under which the server begins to seal is noted with its first sealed value",
        arguments: TestDatabases.all)
    func noted(_ kind: SQLDialect) async throws {
        try await TestDatabases.withLocation(kind) { (location) async throws -> Void in
            // The server has an older key than the command that was started after a change of keys.
            try await SealedStore.with(location, isOn: false, [1]) { (server) async throws -> Void in
                try await Self.beside(location, isOn: true, [2, 1]) { (command) async throws -> Void in
                    try await command.work { try $0.journal(SealedStore.message(1, "command")) }
                }
                try await server.work { try $0.journal(SealedStore.message(2, "server")) }
            }
            let raw = try SealedStore.raw(location, .messageText)
            #expect(raw["m1"]?.dropFirst().first == 2)
            #expect(raw["m2"]?.dropFirst().first == 1)
            let noted = try TestDatabases.connect(location).all("SELECT id FROM body_keys") { try $0.bytes(0).first }
            #expect(Set(noted) == [1, 2])
            await #expect(throws: SQLStoreError(.unopened, "")) {
                try await Self.beside(location, isOn: false, [2]) { _ in }
            }
        }
    }

    @Test(
        "A server without the store's keys refuses what it would have to seal, and goes on once they are there",
        arguments: TestDatabases.all)
    func withoutKeys(_ kind: SQLDialect) async throws {
        try await TestDatabases.withLocation(kind) { (location) async throws -> Void in
            let keys = Results()
            let bodies = BodySealing(isOn: false) { keys.all.isEmpty ? nil : TestDatabases.keys([1]) }
            try await SealedStore.with(location, bodies) { (server) async throws -> Void in
                try await server.work { try $0.journal(SealedStore.message(1, "clear")) }
                try await Self.beside(location, isOn: true) { (command) async throws -> Void in
                    try await command.work { try $0.journal(SealedStore.message(2, "sealed")) }
                }
                do {
                    try await server.work { try $0.journal(SealedStore.message(3, "none")) }
                    Issue.record("written in clear")
                } catch { #expect((error as? StoreError)?.code == .corrupt, "\(error)") }
                #expect(server.database.failure == nil)
                keys.add(.success("there"))
                try await server.work { try $0.journal(SealedStore.message(4, "late")) }
            }
            let raw = try SealedStore.raw(location, .messageText)
            #expect(Set(raw.keys) == ["m1", "m2", "m4"])
            #expect(raw["m4"]?.first == BodySeal.sealed)
        }
    }

    @Test(
        "Laid open beside a process that seals: that goes on sealing, and the walk says so instead of ending",
        arguments: TestDatabases.all)
    func switchedOff(_ kind: SQLDialect) async throws {
        try await TestDatabases.withLocation(kind) { (location) async throws -> Void in
            try await SealedStore.with(location, isOn: true) { (server) async throws -> Void in
                try await SealedStore.fill(server, 1)
                try await Self.beside(location, isOn: false) { (command) async throws -> Void in
                    // A command that says nothing of the form writes in the one that is there.
                    try await command.work { try $0.journal(SealedStore.message(7, "command")) }
                    #expect(try SealedStore.raw(location, .messageText)["m7"]?.first == BodySeal.sealed)
                    try await command.turnBodies()
                    try await Self.seal(command, atMost: 2)
                    try await SealedStore.fill(server, 2)
                    await #expect(throws: StoreError.self) { try await Self.seal(command) }
                    #expect(try await command.hasUnevenBodies())
                }
                #expect(try SealedStore.raw(location, .resourceBody)["Basic/b2/2"]?.first == BodySeal.sealed)
            }
            // The server is started anew, as the words say.
            try await SealedStore.with(location, isOn: false) { (server) async throws -> Void in
                try await Self.beside(location, isOn: false) { (command) async throws -> Void in
                    try await command.turnBodies()
                    try await Self.seal(command, atMost: 2)
                    try await SealedStore.fill(server, 3)
                    try await Self.seal(command)
                    #expect(try await !command.hasUnevenBodies())
                }
                #expect(try await !server.hasUnevenBodies())
            }
            #expect(try SealedStore.forms(location).sealed.isEmpty)
        }
    }

    @Test(
        "The database's word alone does not have a server that was started to seal write in clear",
        arguments: TestDatabases.all)
    func forged(_ kind: SQLDialect) async throws {
        try await TestDatabases.withLocation(kind) { (location) async throws -> Void in
            try await SealedStore.with(location, isOn: true) { (server) async throws -> Void in
                try await SealedStore.fill(server, 1)
                let connection = try TestDatabases.connect(location)
                try connection.run("UPDATE body_walks SET seals = 0, is_done = 1")
                try connection.run("UPDATE commit_sequence SET sequence = sequence + 1, time = time + 1")
                try await SealedStore.fill(server, 2)
                #expect(try SealedStore.forms(location).open.isEmpty)
                #expect(try BodyFormTable(connection: connection).form()?.seals == true)
            }
        }
    }

    @Test("A store that was made to seal has nothing to be sealed; one that never did says nothing of it")
    func fresh() async throws {
        try await TestDatabases.withLocation(.sqlite) { (location) async throws -> Void in
            try await SealedStore.with(location, isOn: true) { (store) async throws -> Void in
                try await SealedStore.fill(store, 1)
                #expect(try await !store.hasUnevenBodies())
            }
        }
        try await TestDatabases.withLocation(.sqlite) { (location) async throws -> Void in
            try await SealedStore.with(location, isOn: false) { (store) async throws -> Void in
                try await SealedStore.fill(store, 1)
                try await store.turnBodies()
                #expect(try await !store.hasUnevenBodies())
            }
            #expect(try BodyFormTable(connection: try TestDatabases.connect(location)).form() == nil)
        }
    }

    @Test(
        "Images that are put back while their headers were walked, and those of rejected ones were not, are sealed too",
        arguments: TestDatabases.all)
    func putBack(_ kind: SQLDialect) async throws {
        try await TestDatabases.withLocation(kind) { (location) async throws -> Void in
            try await SealedStore.with(location, isOn: false) { (store) async throws -> Void in
                try await SealedStore.fill(store, 1)
                let request = QuarantineRequest(
                    .reject, studyInstanceUID: "1.2.1", sopInstanceUID: "1.1.1", reason: "wrong")
                _ = try await store.decide(request, access: WorkflowSupport.server)
            }
            #expect(try SealedStore.raw(location, .rejectedHeader).count == 1)
            try await SealedStore.with(location, isOn: true) { (store) async throws -> Void in
                var columns: [SealedColumn] = []
                while columns.last != .header, let step = try await store.sealStep() { columns.append(step.column) }
                #expect(columns.last == .header)
                try await store.database.write { transaction in
                    let table = RejectionTable(connection: transaction.connection, memo: transaction.memo)
                    guard var left = try table.series(in: "1.2.1").first else { throw SQLStoreError(.value, "none") }
                    left.instances = [:]
                    _ = try table.restore(["1.1.1"], of: left)
                }
                #expect(try SealedStore.raw(location, .header)["1.1.1"]?.first != BodySeal.sealed)
                try await Self.seal(store)
                #expect(try SealedStore.raw(location, .header)["1.1.1"]?.first == BodySeal.sealed)
            }
            #expect(try SealedStore.forms(location).open.isEmpty)
        }
    }
}
