import Access
import Testing
import Workflow

@testable import SQLStore

/// Messages that came, and those that are sent, are found by their numbers and times, on both databases.
@Suite struct MessageSearchTests {
    private typealias Support = WorkflowSupport

    private static func keys(_ patients: [String], _ accessions: [String] = []) -> MessageKeys {
        var keys = MessageKeys()
        for number in patients { keys.add(.patient, number) }
        for number in accessions { keys.add(.accession, number) }
        return keys
    }

    private static func message(_ id: String, at seconds: Int64, _ keys: MessageKeys) -> JournaledMessage {
        var message = JournaledMessage(
            id: EntityID(id), sender: "A|B", controlID: "C" + id, type: "ADT^A04", digest: id, raw: [1],
            disposition: .applied, note: nil, acknowledgement: [1], receivedAt: Support.at(seconds), peer: nil)
        message.keys = keys
        return message
    }

    private static func received(
        _ store: RelationalStore, _ fill: (inout MessageQuery) -> Void
    ) async throws -> [String] {
        var query = MessageQuery(limit: 10)
        fill(&query)
        return try await store.messages(query, access: Support.server).map(\.id.value)
    }

    private static func sent(_ store: RelationalStore, _ fill: (inout OutboxQuery) -> Void) async throws -> [String] {
        var query = OutboxQuery(limit: 10)
        fill(&query)
        return try await store.outboxEntries(query, access: Support.server).map(\.eventID.value)
    }

    @Test(
        "Received messages by patient, accession number and time; numbers go with the text",
        arguments: TestDatabases.all)
    func received(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { (store) async throws in
            try await store.work { unit in
                try unit.journal(Self.message("m1", at: 1, Self.keys(["P-1", "P-2"], ["ACC-1"])))
                try unit.journal(Self.message("m2", at: 2, Self.keys(["P-1"])))
                try unit.journal(Self.message("m3", at: 3, MessageKeys()))
            }
            #expect(try await Self.received(store) { $0.patient = "P-1" } == ["m2", "m1"])
            #expect(try await Self.received(store) { $0.patient = "P-2" } == ["m1"])
            #expect(try await Self.received(store) { $0.patient = "ACC-1" } == [])
            #expect(try await Self.received(store) { $0.accession = "ACC-1" } == ["m1"])
            #expect(
                try await Self.received(store) { query in
                    query.patient = "P-1"
                    query.accession = "ACC-1"
                    query.controlID = "Cm1"
                } == ["m1"])
            #expect(try await Self.received(store) { $0.since = Support.at(2) } == ["m3", "m2"])
            #expect(try await Self.received(store) { $0.until = Support.at(2) } == ["m1"])
            _ = try await store.remove(.messageTexts, before: Support.at(2), limit: 10)
            #expect(try await Self.received(store) { $0.patient = "P-1" } == ["m2"])
            _ = try await store.remove(.messages, before: Support.at(3), limit: 10)
            #expect(try await Self.received(store) { $0.patient = "P-1" } == [])
            #expect(try await Self.received(store) { _ in } == ["m3"])
        }
    }

    @Test("Entries of the outbox by event, patient, accession number and time", arguments: TestDatabases.all)
    func sent(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { (store) async throws in
            try await store.work { unit in
                for (id, keys) in [("e1", Self.keys(["P-1"], ["ACC-1"])), ("e2", Self.keys(["P-1"]))] {
                    try unit.enqueue(
                        OutboxDraft(
                            destination: "hl7/RIS", kind: "hl7/RIS", payload: [1], eventID: EntityID(id), keys: keys))
                }
            }
            #expect(try await Self.sent(store) { $0.eventID = EntityID("e1") } == ["e1"])
            #expect(try await Self.sent(store) { $0.patient = "P-1" } == ["e2", "e1"])
            #expect(try await Self.sent(store) { $0.accession = "ACC-1" } == ["e1"])
            #expect(try await Self.sent(store) { $0.since = UTCInstant(microseconds: .max) } == [])
            #expect(try await Self.sent(store) { $0.until = UTCInstant(microseconds: .max) } == ["e2", "e1"])
            #expect(
                try await Self.sent(store) { query in
                    query.patient = "P-1"
                    query.state = .leased
                } == [])
        }
    }

    @Test(
        "Numbers that were kept before they had a time go with their message all the same", arguments: TestDatabases.all
    )
    func numbersBeforeTimes(_ kind: SQLDialect) async throws {
        try await TestDatabases.withLocation(kind) { location in
            let connection = try TestDatabases.connect(location)
            try Migrator(Array(Migrations.all.prefix { $0.name != "times of message numbers" }))
                .migrate(connection, now: 1)
            _ = try connection.run(
                """
                INSERT INTO messages (id, ordinal, sender, control_id, type, digest, raw, disposition, acknowledgement,
                received_at) VALUES ('m1', 1, 'A|B', 'C1', 'ADT^A04', 'd', ?, 'applied', ?, 5)
                """, [.bytes([1]), .bytes([1])])
            _ = try connection.run(
                """
                INSERT INTO outbox (event, destination, ordering_key, kind, payload, state, attempts, created_at,
                waiting_since, next_at, ended_at) VALUES ('e1', 'hl7/RIS', '', 'hl7/RIS', ?, 'done', 0, 7, 7, 7, 8)
                """, [.bytes([1])])
            for id in ["m1", "e1", "gone"] {
                _ = try connection.run(
                    "INSERT INTO message_keys (kind, value, message_id) VALUES ('patient', 'P-1', ?)", [.text(id)])
            }
            try Migrator(Migrations.all).migrate(connection, now: 2)
            func kept() throws -> [String] {
                try connection.all("SELECT message_id FROM message_keys ORDER BY message_id") { try $0.text(0) }
            }
            let retention = RetentionTable(connection: connection)
            _ = try retention.remove(.messages, before: UTCInstant(microseconds: 6), limit: 10)
            #expect(try kept() == ["e1", "gone"])
            _ = try retention.remove(.outbox, before: UTCInstant(microseconds: 9), limit: 10)
            #expect(try kept() == ["gone"])
        }
    }

    @Test("A number that no store can keep, one that is there, and one past the limit are not looked for")
    func keys() {
        var keys = Self.keys(["", "a\u{0}", "P", "P", String(repeating: "x", count: 5_000)])
        #expect(keys[.patient] == ["P"])
        for number in 1...100 { keys.add(.accession, "A\(number)") }
        #expect(keys[.accession].count == MessageKeys.countMax)
    }
}
