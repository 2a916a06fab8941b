import Access
import Testing

@testable import SQLStore

/// The patients that a person may choose from, on both databases. SMART 2.2 app-launch §Standalone; house decision 5.
@Suite("Patients to choose from on both databases")
struct LaunchSubjectTests {
    typealias Support = ResourceStoreTests

    private static func access(_ role: SignedInPerson.Role, _ user: String?, patients: [String] = []) -> AccessContext {
        SignedInPerson(
            accountID: "a", role: role, displayName: "A", fhirUser: user, patientIDs: patients, sessionID: "s",
            signedInAt: 0
        ).access(requestID: "t", sourceAddress: nil, at: 1)
    }

    private static func fill(_ store: RelationalStore) async throws {
        for json in [
            #"{"resourceType":"Practitioner","id":"d"}"#, #"{"resourceType":"Practitioner","id":"e"}"#,
            #"{"resourceType":"Patient","id":"own","name":[{"family":"Adams","given":["Ann"]}],"birthDate":"1970-05-01","generalPractitioner":[{"reference":"Practitioner/d"}]}"#,
            #"{"resourceType":"Patient","id":"ordered","name":[{"family":"Änders"}],"identifier":[{"value":"7"}]}"#,
            #"{"resourceType":"Patient","id":"foreign","name":[{"family":"Anders"}]}"#,
            #"{"resourceType":"Patient","id":"gone","name":[{"family":"Anders"}],"generalPractitioner":[{"reference":"Practitioner/d"}],"link":[{"other":{"reference":"Patient/own"},"type":"replaced-by"}]}"#,
            #"{"resourceType":"ServiceRequest","id":"s1","status":"active","intent":"order","subject":{"reference":"Patient/ordered"},"requester":{"reference":"Practitioner/d"}}"#,
            #"{"resourceType":"ServiceRequest","id":"s2","status":"active","intent":"order","subject":{"reference":"Patient/foreign"},"requester":{"reference":"Practitioner/e"}}"#,
        ] { try await Support.put(store, json) }
    }

    @Test(
        "A practitioner chooses from patients whose practitioner they are or whom they have sent, and from no stranger",
        arguments: TestDatabases.all)
    func practitioner(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { store in
            try await Self.fill(store)
            let doctor = Self.access(.referrer, "Practitioner/d")
            func ids(_ text: String?, limit: Int = 20) async throws -> [String] {
                try await store.patients(named: text, limit: limit, access: doctor).map(\.id).sorted()
            }
            #expect(try await ids(nil) == ["ordered", "own"])
            #expect(try await ids("") == ["ordered", "own"])
            #expect(try await ids("and") == ["ordered"])
            #expect(try await ids("ANN") == ["own"])
            #expect(try await ids("zz") == [])
            #expect(try await ids(nil, limit: 1).count == 1)
            // What a search takes for something else is a name here.
            for text in [",", "a|b", "$", "\\", "%", "*", String(repeating: "x", count: 100)] {
                #expect(try await ids(text) == [], "\(text)")
            }
            let all = try await store.patients(ids: ["own", "ordered", "foreign", "gone", "none"], access: doctor)
            #expect(all.map(\.id) == ["own", "ordered"])
            #expect(all.map(\.label) == ["Ann Adams, 1970-05-01", "Änders, 7"])
        }
    }

    @Test("A patient chooses from those they act for, an operator from nobody", arguments: TestDatabases.all)
    func others(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { store in
            try await Self.fill(store)
            let patient = Self.access(.patient, "Patient/own", patients: ["own", "none"])
            #expect(try await store.patients(ids: ["own", "none", "foreign"], access: patient).map(\.id) == ["own"])
            #expect(try await store.patients(named: nil, limit: 20, access: patient).map(\.id) == ["own"])
            let desk = Self.access(.operator, nil)
            #expect(try await store.patients(named: nil, limit: 20, access: desk) == [])
            #expect(try await store.patients(ids: ["own"], access: desk) == [])
            let unlinked = Self.access(.referrer, nil)
            #expect(try await store.patients(named: nil, limit: 20, access: unlinked) == [])
        }
    }

    @Test("What belongs to a patient is told from what belongs to nobody", arguments: TestDatabases.all)
    func belonging(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { store in
            try await Self.fill(store)
            #expect(store.canBelongToPatient("ServiceRequest"))
            #expect(!store.canBelongToPatient("Organization"))
            let own = AccessContext(
                principal: .anonymous, scopes: [Scope(level: .patient, resourceType: "*", permissions: .read)],
                patient: "ordered", requestID: "t")
            #expect(try await store.exists("ServiceRequest", "s1", access: own))
            #expect(try await !store.exists("ServiceRequest", "s2", access: own))
            #expect(try await !store.exists("ServiceRequest", "s3", access: .server(requestID: "t")))
        }
    }

    @Test(
        "A patient's imaging in one line: number, and the latest by its time; nothing of another's",
        arguments: TestDatabases.all)
    func studySummary(_ kind: SQLDialect) async throws {
        try await ResourceStoreTests.with(kind) { store in
            try await ResourceStoreTests.put(store, ResourceStoreTests.patients[0])
            try await ResourceStoreTests.put(store, ResourceStoreTests.patients[1])
            for (id, day, modality) in [
                ("i1", "2025-03-01", "MR"), ("i2", "2026-11-01", "CT"), ("i3", "2024-01-01", "CR"),
            ] {
                try await ResourceStoreTests.put(
                    store,
                    """
                    {"resourceType":"ImagingStudy","id":"\(id)","status":"available",\
                    "subject":{"reference":"Patient/p1"},\
                    "started":"\(day)T10:00:00Z","modality":[{"system":"http://dicom.nema.org/resources/ontology/DCM",\
                    "code":"\(modality)"}]}
                    """)
            }
            let server = ResourceStoreTests.server
            try await ResourceStoreTests.put(
                store,
                """
                {"resourceType":"ImagingStudy","id":"i4","status":"entered-in-error",\
                "subject":{"reference":"Patient/p1"},"started":"2026-11-02T10:00:00Z"}
                """)
            // Nor is one that the page of a launch would not offer.
            try await ResourceStoreTests.put(
                store,
                """
                {"resourceType":"ImagingStudy","id":"i5","status":"cancelled",\
                "subject":{"reference":"Patient/p1"},"started":"2026-11-03T10:00:00Z"}
                """)
            let summary = try await store.studySummary(ofPatient: "p1", access: server)
            #expect(summary == StudySummary(count: 3, latestID: "i2", modalities: ["CT"], day: "2026-11-01"))
            let offered = try await store.choices(
                of: .imagingStudy, patient: "p1", until: nil, limit: 9, access: server)
            #expect(offered.map(\.id) == ["i2", "i1", "i3"])
            #expect(try await store.studySummary(ofPatient: "p2", access: server) == nil)
            #expect(try await store.studySummary(ofPatient: "none", access: server) == nil)
        }
    }

    @Test(
        "SMART 2.2: studies and encounters to choose from are the patient's, seen, the latest first",
        arguments: TestDatabases.all)
    func ofPatient(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { store in
            try await Self.fill(store)
            for json in [
                #"{"resourceType":"ImagingStudy","id":"old","status":"available","subject":{"reference":"Patient/own"},"started":"2020-02-01"}"#,
                #"{"resourceType":"ImagingStudy","id":"new","status":"available","subject":{"reference":"Patient/own"},"started":"2024-05-06T07:08:09Z","modality":[{"system":"http://dicom.nema.org/resources/ontology/DCM","code":"CT"},{"system":"http://dicom.nema.org/resources/ontology/DCM","code":"SR"}],"description":"Abdomen"}"#,
                #"{"resourceType":"ImagingStudy","id":"wrong","status":"entered-in-error","subject":{"reference":"Patient/own"},"started":"2024-05-07"}"#,
                #"{"resourceType":"ImagingStudy","id":"other","status":"available","subject":{"reference":"Patient/foreign"},"started":"2024-05-08"}"#,
                #"{"resourceType":"Encounter","id":"visit","status":"finished","class":{"code":"AMB"},"type":[{"text":"Control"}],"subject":{"reference":"Patient/own"},"period":{"start":"2023-01-02","end":"2023-01-03"}}"#,
                #"{"resourceType":"Encounter","id":"off","status":"cancelled","class":{"code":"AMB"},"subject":{"reference":"Patient/own"}}"#,
            ] { try await Support.put(store, json) }
            let doctor = Self.access(.referrer, "Practitioner/d")
            let patient = Self.access(.patient, "Patient/own", patients: ["own"])
            for access in [doctor, patient] {
                func ids(_ type: ContextType, _ patient: String = "own", until: String? = nil, limit: Int = 20)
                    async throws -> [String]
                {
                    try await store.choices(of: type, patient: patient, until: until, limit: limit, access: access)
                        .map(\.id)
                }
                #expect(try await ids(.imagingStudy) == ["new", "old"])
                #expect(try await ids(.imagingStudy, limit: 1) == ["new"])
                #expect(try await ids(.imagingStudy, until: "2024-05-06") == ["new", "old"])
                #expect(try await ids(.imagingStudy, until: "2024-05-05") == ["old"])
                #expect(try await ids(.encounter) == ["visit"])
                #expect(try await ids(.encounter, until: "2022-12-31") == [])
                // Whom they do not see has nothing for them, nor has who is not there.
                for stranger in ["foreign", "none"] { #expect(try await ids(.imagingStudy, stranger) == []) }
                for (id, type, patient, isOne) in [
                    ("new", .imagingStudy, "own", true), ("wrong", .imagingStudy, "own", false),
                    ("other", .imagingStudy, "own", false), ("other", .imagingStudy, "foreign", false),
                    ("new", .imagingStudy, "foreign", false), ("new", .encounter, "own", false),
                    ("visit", .encounter, "own", true), ("off", .encounter, "own", false),
                    ("none", .encounter, "own", false),
                ] as [(String, ContextType, String, Bool)] {
                    let found = try await store.isChoice(id, of: type, patient: patient, access: access)
                    #expect(found == isOne, "\(id) of \(patient)")
                }
            }
            let studies = try await store.choices(
                of: .imagingStudy, patient: "own", until: nil, limit: 20, access: doctor)
            #expect(studies.map(\.label) == ["2024-05-06 07:08, CT SR, Abdomen", "2020-02-01"])
            let visits = try await store.choices(of: .encounter, patient: "own", until: nil, limit: 20, access: doctor)
            #expect(visits.map(\.label) == ["2023-01-02, Control"])
            let desk = Self.access(.operator, nil)
            #expect(
                try await store.choices(of: .imagingStudy, patient: "own", until: nil, limit: 20, access: desk) == [])
        }
    }
}
