import Access
import FHIRResources
import Testing

@testable import SQLStore

/// Records of one person. HL7 v2.5.1 §3.3.40; decision 0034.
extension PracticeTests {
    @Test(
        "What was refused or labelled of one record counts for all of its person's records",
        arguments: TestDatabases.all)
    func mergedRecords(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { store in
            try await Self.fill(store)
            for patient in ["a", "b"] { #expect(try await Self.grant(store, patient)) }
            let administrator = Self.access(.administrator, nil, account: "admin")
            func expect(_ seen: [String], _ note: String) async throws {
                for access in [Self.access(.referrer), administrator] {
                    #expect(try await Self.seen(store, access) == seen, "\(note)")
                }
            }
            // Of records that were merged: a into b, b into a, both into a third one.
            let merges: [[(id: String, survivor: String?)]] = [
                [("a", "b"), ("b", nil)], [("a", nil), ("b", "a")], [("a", "c"), ("b", "c"), ("c", nil)],
            ]
            for cut in ["consent", "label"] {
                try await Self.setRecords(store, [("a", nil), ("b", nil)])
                try await Support.put(
                    store,
                    cut == "consent"
                        ? Self.consent(#"{"type":"deny"}"#) : Self.labelled("Patient", "a", "R", #""active":true"#))
                try await expect(["b"], cut)
                for records in merges {
                    try await Self.setRecords(store, records)
                    try await expect([], "\(cut) \(records)")
                }
                if cut == "consent" {
                    try await store.write(Support.server) { _ = try $0.deleteResource("Consent", "c") }
                }
            }
        }
    }

    @Test(
        "A40: what was granted of one record opens all of its person's, and after the undo its own again",
        arguments: TestDatabases.all)
    func mergedGrants(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { store in
            try await Self.fill(store)
            let referrer = Self.access(.referrer)
            let apart: [(id: String, survivor: String?)] = [("a", nil), ("b", nil)]
            for grant in PatientGrant.Kind.allCases {
                for records in [
                    [("a", "b"), ("b", nil)], [("a", nil), ("b", "a")], [("a", "c"), ("b", "c"), ("c", nil)],
                ]
                    as [[(id: String, survivor: String?)]]
                {
                    try await Self.setRecords(store, apart)
                    #expect(try await Self.grant(store, "a", grant))
                    #expect(try await Self.seen(store, referrer) == ["a"])
                    try await Self.setRecords(store, records)
                    #expect(try await Self.seen(store, referrer) == ["a", "b"], "\(records)")
                    #expect(try await Self.seen(store, Self.access(.referrer, account: "other")) == [])
                    #expect(try await Self.seen(store, Self.access(.referrer, at: Self.now + 1)) == [])
                    try await Self.setRecords(store, apart)
                    #expect(try await Self.seen(store, referrer) == ["a"], "\(records)")
                    // An end of the one is an end of all, and takes nothing of others.
                    #expect(try await store.revokeGrants(ofAccount: "doc", patientID: "b", at: Self.now) == 0)
                    try await Self.setRecords(store, records)
                    #expect(try await store.revokeGrants(ofAccount: "doc", patientID: "b", at: Self.now) == 1)
                    #expect(try await Self.seen(store, referrer) == [])
                    try await store.database.write { transaction in
                        _ = try transaction.connection.run("DELETE FROM patient_grants")
                    }
                }
            }
        }
    }

    private static func setRecords(_ store: RelationalStore, _ records: [(id: String, survivor: String?)]) async throws
    {
        try await store.database.write { transaction in
            try transaction.connection.run("DELETE FROM patients")
            for record in records {
                try transaction.connection.run(
                    "INSERT INTO patients (id, merged_into, detail) VALUES (?, ?, ?)",
                    [.text(record.id), SQLValue(record.survivor), .bytes([0x7B, 0x7D])])
            }
        }
    }
}
