import Access
import FHIRModel
import FHIRResources
import FHIRSearch
import Testing
import Workflow

@testable import SQLStore

/// Rows of images, workitems and queries name the patient whose they are when the row is kept. Decision 0037.
@Suite("The audit trail names the patient of images, on both databases")
struct AuditPatientTests {
    private static func record(
        _ entity: String?, _ category: AuditRecord.Category = .transfer, _ interaction: String = "retrieve",
        query: String? = nil
    ) -> AuditRecord {
        AuditRecord(
            category: category, interaction: interaction, action: .read, outcome: .success,
            principal: Principal(kind: .client, id: "viewer"), sourceAddress: "192.0.2.1", requestID: "r",
            tokenID: nil, entity: entity, patientID: nil, query: query, detail: nil)
    }

    /// Whose the newest row is.
    private static func keep(_ record: AuditRecord, _ store: RelationalStore) async throws -> [String] {
        try await store.record(record)
        return try await store.database.read { connection in
            let row = try #require(
                try AuditChain.rows(after: AuditChain.tip(connection).number - 1, limit: 1, connection).first)
            let indexed = try connection.all(
                "SELECT patient FROM audit_patients WHERE number = ?", [.int(row.number)]
            ) { try $0.text(0) }
            let named = try #require(row.content).record.patientIDs
            #expect(Set(indexed) == Set(named))
            return named
        }
    }

    private static func numbers(_ store: RelationalStore, of patient: String) async throws -> [Int64] {
        let access = AccessContext(
            principal: Principal(kind: .client, id: "app"), scopes: [Scope("patient/AuditEvent.rs")].compactMap { $0 },
            patient: patient, requestID: "t")
        return try await store.searchAuditEvents(SearchQuery("AuditEvent"), token: nil, access: access).matches.map(
            \.sequence)
    }

    @Test("Of a study, a series and an instance; of nobody where they are kept aside", arguments: TestDatabases.all)
    func images(_ kind: SQLDialect) async throws {
        try await QuarantineTests.with(kind) { store, ids in
            let (one, two) = (try #require(ids["100"]).value, try #require(ids["200"]).value)
            try await QuarantineTests.send(
                store, QuarantineTests.image("1.1", accession: "A1"),
                QuarantineTests.image("2.1", series: "1.2.3.2", patient: "200", accession: "A2"),
                QuarantineTests.image("3.1", series: "1.2.3.3", patient: "999"))
            let expected: [(String, Set<String>)] = [
                ("study:1.2.3 series:1.2.3.1", [one]), ("study:1.2.3 series:1.2.3.1 instance:1.1", [one]),
                ("instance:1.1 study:1.2.3", [one]), ("study:1.2.3 series:1.2.3.3", []),
                ("instance:3.1 study:1.2.3", []), ("study:9.9", []), ("instance:1.1 study:9.9", []),
                ("study:", []), ("study:1.2.3'--", []), ("uid:1.2.3", []),
            ]
            for (entity, patients) in expected {
                #expect(Set(try await Self.keep(Self.record(entity), store)) == patients, "\(entity)")
            }
            // Of a whole study everybody whose series are in it.
            let second = try await QuarantineTests.link(store, "1.2.3.2")?.patientID?.value
            let whole = try await Self.keep(Self.record("study:1.2.3"), store)
            #expect(Set(whole) == Set([one, second].compactMap { $0 }))
            #expect(second == nil || second == two)
        }
    }

    @Test("Of queries by patient number and by study, whole and exact alone", arguments: TestDatabases.all)
    func queries(_ kind: SQLDialect) async throws {
        try await QuarantineTests.with(kind) { store, ids in
            let (one, two) = (try #require(ids["100"]).value, try #require(ids["200"]).value)
            try await QuarantineTests.send(store, QuarantineTests.image("1.1", accession: "A1"))
            let unknown = (1...16).map { "9.\($0)" }
            let expected: [(String, String, Set<String>)] = [
                ("C-FIND", "patientID=100", [one]), ("search", "PatientID=100&limit=3", [one]),
                ("search", "00100020=10%30", [one]), ("C-FIND", "patientID=10%30", []),
                ("C-FIND", "patientID=100\\200", [one, two]), ("C-FIND", "patientID=1*", []),
                ("C-FIND", "patientID=10?", []), ("C-FIND", "patientName=X", []),
                ("C-FIND", "studyInstanceUID=1.2.3", [one]),
                ("C-FIND", "patientID=200&studyInstanceUID=1.2.3", [one]),
                ("search", "StudyInstanceUID=1.2.3,1.2.4", [one]), ("search", "PatientID=%00", []),
                ("search", "=&&=", []), ("search-type", "PatientID=100", []),
                ("search", "PatientID=" + unknown.dropFirst().joined(separator: ",") + ",100", [one]),
                // What is past sixteen values is not looked at, in however many keys they stand.
                ("search", "PatientID=" + unknown.joined(separator: ",") + ",100", []),
                ("C-FIND", unknown.map { "studyInstanceUID=" + $0 + "&" }.joined() + "studyInstanceUID=1.2.3", []),
                ("search", String(repeating: "x=1&", count: 63) + "PatientID=100", [one]),
                ("search", String(repeating: "x=1&", count: 64) + "PatientID=100", []),
            ]
            for (interaction, query, patients) in expected {
                let found = try await Self.keep(Self.record("study", .query, interaction, query: query), store)
                #expect(Set(found) == patients, "\(query)")
            }
            // The words of what is no query name nobody.
            #expect(try await Self.keep(Self.record(nil, .rest, query: "PatientID=100"), store) == [])
        }
    }

    @Test(
        "A value of C-FIND names nobody by what looks like another key or value in it; escapes of a URL are read",
        arguments: TestDatabases.all)
    func values(_ kind: SQLDialect) async throws {
        try await QuarantineTests.with(kind) { store, ids in
            let one = try #require(ids["100"]).value
            try await QuarantineTests.send(store, QuarantineTests.image("1.1", accession: "A1"))
            let names = SearchKeys([.patientName: .exact("X&patientID=100")])
            let expected: [(String, String, [String])] = [
                ("C-FIND", names.auditText, []),
                ("C-FIND", SearchKeys([.patientID: .exact("100&studyInstanceUID=1.2.3")]).auditText, []),
                ("C-FIND", SearchKeys([.patientID: .exact("100,200")]).auditText, []),
                ("C-FIND", SearchKeys([.patientID: .exact("100")]).auditText, [one]),
                ("search", "StudyInstanceUID=1%2E2%2e3", [one]), ("search", "StudyInstanceUID=9.9%2C1.2.3", [one]),
                ("search", "PatientID=%", []), ("search", "PatientID=100%2", []),
            ]
            for (interaction, query, patients) in expected {
                let found = try await Self.keep(Self.record("study", .query, interaction, query: query), store)
                #expect(found == patients, "\(query)")
            }
        }
    }

    @Test(
        "A study that goes to another patient leaves the rows of before with the one whose it was",
        arguments: TestDatabases.all)
    func moved(_ kind: SQLDialect) async throws {
        try await QuarantineTests.with(kind) { store, ids in
            let (one, two) = (try #require(ids["100"]).value, try #require(ids["200"]).value)
            try await QuarantineTests.send(store, QuarantineTests.image("1.1", accession: "A1"))
            #expect(try await Self.keep(Self.record("study:1.2.3"), store) == [one])
            let before = try await Self.numbers(store, of: one)
            try await store.work { unit in
                for var series in try unit.series(in: "1.2.3") {
                    series.reconciliation = .unscheduled(patientID: EntityID(two))
                    try unit.save(series)
                }
            }
            #expect(try await Self.keep(Self.record("study:1.2.3"), store) == [two])
            #expect(try await Self.numbers(store, of: one) == before)
            #expect(try await Self.numbers(store, of: two).count == 1)
            // The table follows from the rows, also when it is made anew.
            try await store.database.write { try AuditPatientTable.rebuild($0.connection) }
            #expect(try await Self.numbers(store, of: one) == before)
            #expect(try await Self.numbers(store, of: two).count == 1)
        }
    }

    @Test(
        "Whose record has absorbed another sees the rows of both, as long as the merge stands",
        arguments: TestDatabases.all)
    func merged(_ kind: SQLDialect) async throws {
        try await QuarantineTests.with(kind) { store, ids in
            let (one, two) = (try #require(ids["100"]), try #require(ids["200"]))
            try await QuarantineTests.send(store, QuarantineTests.image("1.1", accession: "A1"))
            _ = try await Self.keep(Self.record("study:1.2.3"), store)
            let ofOne = try await Self.numbers(store, of: one.value)
            #expect(try await Self.numbers(store, of: two.value) == [])
            func set(_ survivor: EntityID?) async throws {
                try await store.work { unit in
                    var retired = try #require(try unit.patient(one))
                    retired.mergedInto = survivor
                    try unit.save(retired)
                }
            }
            try await set(two)
            #expect(try await Self.numbers(store, of: two.value) == ofOne)
            let found = try await store.searchAuditEvents(
                try ResourceStoreTests.query("AuditEvent", "patient=\(two.value)&_total=accurate"), token: nil,
                access: ResourceStoreTests.access("system/AuditEvent.rs"))
            #expect(found.matches.map(\.sequence) == ofOne && found.total == ofOne.count)
            let number = try #require(ofOne.first)
            let access = AccessContext(
                principal: Principal(kind: .client, id: "app"),
                scopes: [Scope("patient/AuditEvent.r")].compactMap { $0 },
                patient: two.value, requestID: "t")
            #expect(try await store.auditEvent(number, access: access) != nil)
            try await set(nil)
            #expect(try await Self.numbers(store, of: two.value) == [])
            #expect(try await store.auditEvent(number, access: access) == nil)
        }
    }

    @Test(
        "A row of several is counted once, shows each of them themselves alone, and goes from all when it is cut",
        arguments: TestDatabases.all)
    func several(_ kind: SQLDialect) async throws {
        try await ResourceStoreTests.with(kind, now: SQLDatabaseConfiguration.systemTime) { store in
            var record = Self.record(nil)
            record.name(patients: ["p1", "p2", "p1", "p3"])
            #expect(record.patientID == "p1" && record.otherPatientIDs == ["p2", "p3"])
            #expect(AuditRecordText.decode(AuditRecordText.encode(record)) == record)
            try await store.record(record)
            try await store.record(Self.record(nil))
            for id in ["p1", "p2", "p3"] { #expect(try await Self.numbers(store, of: id) == [1], "\(id)") }
            #expect(try await Self.numbers(store, of: "p4") == [])
            let found = try await store.searchAuditEvents(
                try ResourceStoreTests.query("AuditEvent", "patient=p1,p2&_total=accurate"), token: nil,
                access: ResourceStoreTests.access("system/AuditEvent.rs"))
            #expect(found.total == 1 && found.matches.count == 1)
            let access = AccessContext(
                principal: Principal(kind: .client, id: "app"),
                scopes: [Scope("patient/AuditEvent.r")].compactMap { $0 },
                patient: "p2", requestID: "t")
            let own = try #require(try await store.auditEvent(1, access: access))
            let text = String(decoding: own.bytes, as: UTF8.self)
            #expect(text.contains("Patient/p2") && !text.contains("Patient/p1") && !text.contains("Patient/p3"))
            let removed = try await store.database.write { transaction in
                let link = try #require(try AuditChain.link(1, transaction.connection))
                try AuditChain.allowCut(at: link, checkpoint: "c", transaction.connection)
                return try AuditChain.removeCut(limit: 100, transaction.connection)
            }
            #expect(removed)
            for id in ["p1", "p2", "p3"] { #expect(try await Self.numbers(store, of: id) == [], "\(id)") }
        }
    }

    @Test("A row names sixteen at most")
    func bounded() {
        var record = Self.record(nil)
        record.name(patients: (0..<100).map { "p\($0)" })
        #expect(record.patientIDs.count == AuditRecord.otherPatientsMax + 1)
        record.name(patients: [])
        #expect(record.patientIDs == [])
    }
}
