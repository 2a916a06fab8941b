import TestSupport
import Testing
import Workflow

@testable import SQLStore

/// Whose the instances are that the index gives out, after updates, merges and decisions. PS3.18 §10.4.
@Suite("Instances are told whose they are")
struct ObjectSubjectTests {
    private typealias Support = WorkflowSupport

    private static let authorities = AssigningAuthorities(
        authorities: [.init(system: "urn:mrn", namespace: "HOSP")], defaultPatientSystem: "urn:mrn",
        defaultAccessionSystem: "urn:acc")

    private static func with(_ kind: SQLDialect, _ body: (RelationalStore) async throws -> Void) async throws {
        try await TestDatabases.with(kind) { database in
            try await body(Support.store(database, authorities: authorities))
        }
    }

    private static func put(
        _ sop: String, series: String = "1.2.1", number: String = "100", name: String = "DOE^JANE",
        keepsWords: Bool = true, _ store: RelationalStore
    ) async throws {
        try await store.work { unit in
            let received = Support.received(sop, study: "1.2", series: series) { study, series in
                (study.patientID, series.patientID) = (number, number)
                study.patientName = name
                if keepsWords { series.patientWords = PatientWords(name: name) }
            }
            _ = try StudyService().register(received, in: unit)
        }
    }

    /// By the rows alone, with their headers, and from memory.
    private static func subject(_ sop: String, series: String = "1.2.1", _ store: RelationalStore) async throws
        -> ObjectSubject?
    {
        let rows = try await store.instances(
            studyInstanceUID: "1.2", seriesInstanceUID: series, sopInstanceUID: sop, after: nil, limit: 10,
            access: Support.server)
        let instance = try #require(rows.first)
        let headers = try await store.headers(
            studyInstanceUID: "1.2", seriesInstanceUID: nil, sopInstanceUID: nil, after: nil, limit: 10,
            access: Support.server)
        #expect(headers.first { $0.instance.sopInstanceUID == sop }?.instance == instance)
        let remembered = store.remembered(
            studyInstanceUID: "1.2", seriesInstanceUID: series, sopInstanceUID: sop, access: Support.server)
        #expect(remembered == instance)
        return instance.subject
    }

    private static func isRemembered(_ sop: String, _ store: RelationalStore) -> Bool {
        store.remembered(
            studyInstanceUID: "1.2", seriesInstanceUID: "1.2.1", sopInstanceUID: sop, access: Support.server) != nil
    }

    @Test(
        "A08: another name is told of what came before, and nothing is remembered past it",
        arguments: TestDatabases.all)
    func updated(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { store in
            _ = try await store.work { try PatientService().apply(Support.patient("100"), in: $0) }
            try await Self.put("1.1", store)
            #expect(try await Self.subject("1.1", store) == nil)
            // The same again changes nothing.
            _ = try await store.work { try PatientService().apply(Support.patient("100"), in: $0) }
            #expect(Self.isRemembered("1.1", store))
            _ = try await store.work { try PatientService().apply(Support.patient("100", family: "Smith"), in: $0) }
            #expect(!Self.isRemembered("1.1", store))
            let subject = try #require(try await Self.subject("1.1", store))
            #expect(subject.name == "Smith^Jane" && subject.number == nil && !subject.isOfAnother)
        }
    }

    @Test("A40: what named the retired number is told of the survivor", arguments: TestDatabases.all)
    func merged(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { store in
            _ = try await store.work { try PatientService().apply(Support.patient("100"), in: $0) }
            try await Self.put("1.1", store)
            #expect(try await Self.subject("1.1", store) == nil)
            _ = try await store.work {
                try PatientService().merge(prior: [Support.mrn("100")], into: Support.patient("200"), in: $0)
            }
            let subject = try #require(try await Self.subject("1.1", store))
            #expect(subject.number?.value == "200" && subject.number?.issuer?.namespace == "HOSP")
            #expect(!subject.isOfAnother)
        }
    }

    @Test("What nobody is linked to goes as its sender wrote it", arguments: TestDatabases.all)
    func unlinked(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { store in
            try await Self.put("1.1", name: "OTHER^NAME", store)
            #expect(try await Self.subject("1.1", store) == nil)
            _ = try await store.work { try PatientService().apply(Support.patient("100"), in: $0) }
            #expect(try await Self.subject("1.1", store)?.name == "Doe^Jane")
        }
    }

    @Test("Where objects of one series say it otherwise, all are told", arguments: TestDatabases.all)
    func varied(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { store in
            _ = try await store.work { try PatientService().apply(Support.patient("100"), in: $0) }
            try await Self.put("1.1", store)
            try await Self.put("1.2", store)
            #expect(try await Self.subject("1.2", store) == nil)
            try await Self.put("1.3", name: "DOE^JANET", store)
            #expect(try await Self.subject("1.3", store)?.name == "Doe^Jane")
            #expect(try await Self.subject("1.1", store)?.name == "Doe^Jane")
            // Another series of the study is no matter of it.
            try await Self.put("1.4", series: "1.2.2", store)
            #expect(try await Self.subject("1.4", series: "1.2.2", store) == nil)
        }
    }

    @Test("A series from before its words were kept is judged by its study's", arguments: TestDatabases.all)
    func earlier(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { store in
            _ = try await store.work { try PatientService().apply(Support.patient("100"), in: $0) }
            try await Self.put("1.1", keepsWords: false, store)
            #expect(try await Self.subject("1.1", store) == nil)
            _ = try await store.work { try PatientService().apply(Support.patient("100", family: "Smith"), in: $0) }
            #expect(try await Self.subject("1.1", store)?.name == "Smith^Jane")
        }
    }

    @Test(
        "What another process makes of whose an instance is, is told at once: nothing remembered is taken for it",
        arguments: TestDatabases.all)
    func beside(_ kind: SQLDialect) async throws {
        try await TestDatabases.withLocation(kind) { location in
            func open() async throws -> RelationalStore {
                var configuration = SQLDatabaseConfiguration.unhurried(location)
                configuration.isServer = false
                if SealedRun.isOn { configuration.bodies = TestDatabases.sealing() }
                return Support.store(
                    try await SQLDatabase(configuration, migrations: Migrations.all), authorities: Self.authorities)
            }
            let store = try await open()
            let other = try await open()
            _ = try await store.work { try PatientService().apply(Support.patient("100"), in: $0) }
            try await Self.put("1.1", store)
            for _ in 0..<2 { #expect(try await Self.subject("1.1", store) == nil) }
            _ = try await other.work { try PatientService().apply(Support.patient("100", family: "Smith"), in: $0) }
            let rows = try await store.instances(
                studyInstanceUID: "1.2", seriesInstanceUID: "1.2.1", sopInstanceUID: "1.1", after: nil, limit: 1,
                access: Support.server)
            #expect(rows.first?.subject?.name == "Smith^Jane")
            _ = try await store.work { try PatientService().apply(Support.patient("200"), in: $0) }
            for _ in 0..<2 { #expect(try await Self.subject("1.1", store)?.name == "Smith^Jane") }
            await store.database.close()
            await other.database.close()
        }
    }

    @Test("A row that is another now is not taken for the one that is remembered")
    func changedRow() {
        let cache = InstanceCache()
        let instance = Support.received("1.1", study: "1", series: "1.0").instance
        cache.keep([instance], readAt: 0, subjects: 0)
        #expect(cache.find(instance, strangers: 0) == instance)
        #expect(cache.find(instance, strangers: 1) == nil)
        cache.keep([instance], readAt: 1, subjects: 0)
        var other = instance
        other.blobID = BlobID("another")
        #expect(cache.find(other, strangers: 1) == nil)
    }

    @Test("Rows read before a change of whose they are, are not kept after it")
    func race() {
        let cache = InstanceCache()
        let instance = Support.received("1.1", study: "1", series: "1.0").instance
        let before = cache.subjects
        cache.changeSubjects()
        cache.keep([instance], readAt: 0, subjects: before)
        #expect(cache.find("1.1", strangers: 0) == nil)
        cache.keep([instance], readAt: 0, subjects: cache.subjects)
        #expect(cache.find("1.1", strangers: 0) != nil)
    }

    @Test("Whose an instance is to say that it is, is kept in no row")
    func coding() throws {
        var instance = Support.received("1.1", study: "1", series: "1.0").instance
        let plain = instance
        instance.subject = ObjectSubject(
            InstanceIdentity(patientID: "1", patientIDSystem: "urn:mrn"), PatientWords(),
            patient: Patient(id: EntityID("p"), identifiers: [Support.mrn("2")]), order: nil,
            authorities: Self.authorities, since: Support.at(1))
        #expect(instance.subject != nil)
        #expect(try DetailColumn.decode(Instance.self, Self.bytes(instance)) == plain)
    }

    private static func bytes(_ instance: Instance) throws -> [UInt8] {
        guard case .bytes(let bytes) = try DetailColumn.encode(instance) else { throw StoreError(.misuse, "test") }
        return bytes
    }
}
