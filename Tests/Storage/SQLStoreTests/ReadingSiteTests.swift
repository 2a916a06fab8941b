import Access
import FHIRResources
import TestSupport
import Testing

@testable import SQLStore
@testable import Workflow

/// Desks of readers by Location and Organization. FHIR R4 device.html; decision 0034.
@Suite("Sites of readers on both databases")
struct ReadingSiteTests {
    private typealias Support = ResourceStoreTests

    private static func device(
        _ id: String, _ title: String, at location: String, of owner: String = "Organization/o",
        status: String = "active", _ rest: String = ""
    ) -> String {
        """
        {"resourceType":"Device","id":"\(id)","status":"\(status)","identifier":[{"system":"urn:hilum:ae-title",\
        "value":"\(title)"\(rest)}],"location":{"reference":"\(location)"},"owner":{"reference":"\(owner)"}}
        """
    }

    /// Images of patient a that MODALITY sent, and an order of patient b for MR at MR1.
    private static func fill(_ store: RelationalStore) async throws {
        var order = WorkflowUnitTests.order
        order.patientID = EntityID("b")
        order.visitID = nil
        order.status = .active
        order.steps = [
            ScheduledProcedureStep(
                id: EntityID("w"), stepID: "SPS", modality: "MR", stationAETitle: "MR1",
                scheduledStart: PartialDateTime("2026-11-22T08:00:00"), status: .scheduled)
        ]
        try await store.work { [order] unit in
            for id in ["a", "b"] {
                try unit.save(Patient(id: EntityID(id), identifiers: [WorkflowSupport.mrn(id)]))
            }
            let link = Reconciliation.unscheduled(patientID: EntityID("a"))
            let received = WorkflowSupport.received("1.1.1", study: "1", series: "1.1", modality: "CT")
            try unit.save(
                Study(
                    id: EntityID("sta"), studyInstanceUID: "1", reconciliation: link, attributes: received.study,
                    updatedAt: WorkflowSupport.at(1)))
            try unit.save(
                Series(
                    studyInstanceUID: "1", seriesInstanceUID: "1.1", reconciliation: link,
                    attributes: received.series, updatedAt: WorkflowSupport.at(1)))
            try unit.insert(received)
            try unit.save(order)
        }
        _ = try await store.add(Account(id: "doc", name: "doc", displayName: "D", role: .reader, createdAt: 1))
        for id in ["a", "b"] { try await Support.put(store, #"{"resourceType":"Patient","id":"\#(id)"}"#) }
    }

    /// Which patients a reader sees, by search and read, and by images and the worklist, which must agree.
    private static func seen(_ store: RelationalStore) async throws -> [String] {
        let reader = PracticeTests.access(.reader, nil)
        let found = try await Support.ids(store, "Patient", "_sort=_id", reader)
        for id in ["a", "b"] {
            #expect(try await (store.read("Patient", id, access: reader) != nil) == found.contains(id))
        }
        let studies = try await store.studies(StudyQuery(level: .study), access: reader).matches
        #expect(studies.count == (found.contains("a") ? 1 : 0))
        let instances = try await store.instances(
            studyInstanceUID: "1", seriesInstanceUID: nil, sopInstanceUID: nil, after: nil, limit: 9, access: reader)
        #expect(instances.count == studies.count)
        #expect(try await store.worklist(WorklistQuery(), access: reader).count == (found.contains("b") ? 1 : 0))
        return found
    }

    @Test(
        "A reader's desk is bound by Location and Organization: the stations whose Device is there or theirs, as it stands",
        arguments: TestDatabases.all)
    func sites(_ kind: SQLDialect) async throws {
        try await WorkflowSupport.with(kind) { store in
            try await Self.fill(store)
            for json in [
                Self.device("d1", "MODALITY", at: "Location/l1"), Self.device("d2", "MR1", at: "Location/l2"),
            ] { try await Support.put(store, json) }
            for (modalities, stations, sites, seen) in [
                (["*"], [], ["Location/l1"], ["a"]), (["CT"], [], ["Location/l1"], ["a"]),
                (["MR"], [], ["Location/l1"], []), (["MR"], [], ["Location/l2"], ["b"]),
                (["CT"], [], ["Location/l2"], []), (["*"], [], ["Organization/o"], ["a", "b"]),
                (["*"], [], ["Location/l1", "Location/l2"], ["a", "b"]), (["*"], [], ["Location/x"], []),
                ([], [], ["Location/l1"], []), (["*"], ["MR1"], ["Location/l1"], ["a", "b"]),
                (["*"], [], [], []),
            ] as [([String], [String], [String], [String])] {
                let desk = ReadingDesk(modalities: modalities, stations: stations, sites: sites)
                #expect(try await store.save(desk, ofAccount: "doc"))
                #expect(try await store.desk(ofAccount: "doc") == desk)
                #expect(try await Self.seen(store) == seen, "\(desk)")
            }
            // As the Devices stand now.
            #expect(
                try await store.save(ReadingDesk(modalities: ["*"], sites: ["Location/l1"]), ofAccount: "doc"))
            for (json, seen) in [
                (Self.device("d1", "MODALITY", at: "Location/l3"), []),
                (Self.device("d1", "MODALITY", at: "Location/l1"), ["a"]),
                (Self.device("d1", "MODALITY", at: "Location/l1", status: "inactive"), []),
                (Self.device("d1", "MODALITY", at: "https://hilum.example/fhir/Location/l1"), ["a"]),
                (Self.device("d1", "MODALITY", at: "https://other.example/fhir/Location/l1"), []),
                (Self.device("d1", "MODALITY", at: "Organization/l1"), []),
                (Self.device("d1", "MODALITY", at: "Location/l1", #","use":"old""#), []),
                (Self.device("d1", "MODALITY", at: "Location/l1", #","period":{"end":"2020"}"#), []),
                (Self.device("d1", "*", at: "Location/l1"), []),
                (Self.device("d1", "MODALITY", at: "Location/l1").replacing("urn:hilum:", with: "urn:other:"), []),
                (Self.device("d1", "MODALITY", at: "Location/l1"), ["a"]),
            ] as [(String, [String])] {
                try await Support.put(store, json)
                #expect(try await Self.seen(store) == seen, "\(json)")
            }
            try await store.write(Support.server) { _ = try $0.deleteResource("Device", "d1") }
            #expect(try await Self.seen(store) == [])
        }
    }
}
