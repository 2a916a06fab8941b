import Access
import Testing

@testable import SQLStore

/// To whom a patient is granted, on both databases. Decision 0034.
@Suite("Grants of patients on both databases")
struct PatientGrantTests {
    private typealias Support = ResourceStoreTests

    private static func save(
        _ store: RelationalStore, _ kind: PatientGrant.Kind, in session: String? = nil, _ patient: String = "a"
    ) async throws -> Bool {
        let grant = PatientGrant(
            id: "\(kind.rawValue) \(session ?? "")", accountID: "doc", patientID: patient, kind: kind, reason: "r",
            givenBy: "op", givenAt: 1, expires: .max)
        let isSaved = try await store.save(grant, inSession: session)
        #expect(try await store.grants(nil, ofAccount: "doc", limit: 9).count == (isSaved ? 1 : 0))
        try await store.database.write { _ = try $0.connection.run("DELETE FROM patient_grants") }
        return isSaved
    }

    private static func begin(_ store: RelationalStore, _ id: String, changedAt time: Int64) async throws {
        let session = BrowserSession(
            id: id, accountID: "doc", stage: .whole, createdAt: 1, seenAt: 1, expiresAt: .max, address: nil, agent: nil)
        #expect(try await store.begin(session, replacing: nil, ofAccountChangedAt: time))
    }

    @Test(
        "A grant is kept for who may have it then, an emergency in a session that lives then",
        arguments: TestDatabases.all)
    func held(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { store in
            try await Support.put(store, #"{"resourceType":"Patient","id":"a","active":true}"#)
            for kind in PatientGrant.Kind.allCases { #expect(try await !Self.save(store, kind), "no account") }
            _ = try await store.add(
                Account(id: "doc", name: "doc", displayName: "Doc", role: .referrer, createdAt: 1))
            try await Self.begin(store, "s1", changedAt: 1)
            #expect(try await Self.save(store, .emergency, in: "s1"))
            #expect(try await !Self.save(store, .emergency, in: "s2"))
            #expect(try await !Self.save(store, .emergency, in: "s1", "unknown"))
            #expect(try await Self.save(store, .grant))
            // Each change ends the sessions, and says who may.
            for (time, role) in SignedInPerson.Role.allCases.enumerated() {
                #expect(try await store.change(accountID: "doc", .role(role), at: Int64(time + 2)))
                #expect(try await !Self.save(store, .emergency, in: "s1"), "\(role)")
                let isFor = PatientGrant.Kind.allCases.map { $0.isFor(role) }
                for (kind, isFor) in zip(PatientGrant.Kind.allCases, isFor) {
                    #expect(try await Self.save(store, kind) == isFor, "\(role) \(kind)")
                }
            }
            #expect(try await store.change(accountID: "doc", .role(.reader), at: 20))
            let account = try #require(try await store.account(id: "doc"))
            try await Self.begin(store, "s3", changedAt: account.changedAt)
            #expect(try await Self.save(store, .emergency, in: "s3"))
            #expect(try await store.change(accountID: "doc", .state(.locked), at: 21))
            for kind in PatientGrant.Kind.allCases { #expect(try await !Self.save(store, kind), "locked") }
            #expect(try await !Self.save(store, .emergency, in: "s3"))
        }
    }

    @Test("A grant is for who works here, an emergency for who reads or refers")
    func roles() {
        for role in SignedInPerson.Role.allCases {
            #expect(PatientGrant.Kind.grant.isFor(role) == (role != .patient && role != .operator))
            #expect(PatientGrant.Kind.emergency.isFor(role) == (role == .referrer || role == .reader))
        }
    }
}
