import Testing
import Workflow

@testable import SQLStore

/// Whose patient a study tells of. PS3.18 Table 10.6.3-3; IHE RAD-8.
@Suite("A study tells of the patient that its certain series name")
struct StudyWitnessTests {
    private typealias Support = WorkflowSupport

    private static func store(
        _ sop: String, series: String, patient: String, name: String, _ store: RelationalStore
    ) async throws {
        try await store.work { unit in
            let received = Support.received(sop, study: "1.2", series: series) { study, series in
                (study.patientID, series.patientID) = (patient, patient)
                (study.patientName, study.patientBirthDate) = (name, "19700101")
            }
            _ = try StudyService().register(received, in: unit)
        }
    }

    private static func found(_ key: SearchKey, _ match: KeyMatch, _ store: RelationalStore) async throws -> Int {
        let query = StudyQuery(level: .study, keys: SearchKeys([key: match]))
        return try await store.studies(query, access: Support.server).matches.count
    }

    @Test(
        "S4: two unknown patients in one study, the second becomes known: the study is not shown under the first's name",
        arguments: TestDatabases.all)
    func laterKnown(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { store in
            try await Self.store("1.1", series: "1.2.1", patient: "100", name: "FIRST^A", store)
            try await Self.store("1.2", series: "1.2.2", patient: "200", name: "SECOND^B", store)
            #expect(try await store.look { try $0.study("1.2")?.attributes.patientName } == "FIRST^A")
            _ = try await store.work { try PatientService().apply(Support.patient("200"), in: $0) }
            let study = try #require(try await store.look { try $0.study("1.2") })
            let patientID = try await store.look { try $0.patients(identifiedBy: Support.mrn("200")).first?.id }
            #expect(study.reconciliation.patientID == patientID)
            #expect(patientID != nil)
            #expect(study.attributes.patientID == "200")
            #expect(study.attributes.patientName == nil)
            #expect(study.attributes.patientBirthDate == nil)
            #expect(try await Self.found(.patientID, .exact("200"), store) == 1)
        }
    }

    @Test("The same patient's further series change nothing of what a study tells", arguments: TestDatabases.all)
    func samePatient(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { store in
            try await Self.store("1.1", series: "1.2.1", patient: "100", name: "FIRST^A", store)
            _ = try await store.work { try PatientService().apply(Support.patient("100"), in: $0) }
            try await Self.store("1.2", series: "1.2.2", patient: "200", name: "SECOND^B", store)
            _ = try await store.work { try PatientService().apply(Support.patient("200"), in: $0) }
            let study = try #require(try await store.look { try $0.study("1.2") })
            #expect(study.attributes.patientID == "100")
            #expect(study.attributes.patientName == "FIRST^A")
            #expect(study.attributes.patientBirthDate == "19700101")
        }
    }
}
