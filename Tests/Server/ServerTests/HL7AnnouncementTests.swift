import Access
import FHIRModel
import FHIRResources
import Foundation
import HL7Translation
import HL7v2
import Logging
import SQLStore
import TestSupport
import Testing
import Workflow

@testable import hilum

/// What changes is put into the outbox for the destinations of the site, in the unit that changes it.
@Suite(.takingTurns) struct HL7AnnouncementTests {
    private static let yaml = """
        destinations:
          RIS:
            peer: RIS|SOUTH
            send: [{ event: patient }, { event: order, as: ORM^O01 }]
        """

    private static func with(
        _ observers: [any CommitObserver], _ body: (RelationalStore) async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "hilum-hl7-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let store = RelationalStore(
            database: try await SQLDatabase(
                .unhurried(.sqlite(path: folder + "/hilum.sqlite")), migrations: Migrations.all),
            entropy: SystemEntropy(), observers: observers)
        try await body(store)
        await store.close()
    }

    private static func entries(_ store: RelationalStore) async throws -> [OutboxEntry] {
        try await store.outboxEntries(OutboxQuery(limit: 100), access: .server(requestID: "t")).reversed()
    }

    private static func update() -> OrderUpdate {
        let number = Identifier(system: "urn:hilum:patient", value: "P-1", kind: .medicalRecord)
        var update = OrderUpdate(control: .new, patient: PatientUpdate(identifiers: [number]))
        update.placer = Identifier(system: "urn:hilum:placer", value: "PL-1", kind: .placer)
        update.accession = Identifier(system: "urn:hilum:accession", value: "ACC-1", kind: .accession)
        update.code = CodedConcept(text: "CT head")
        return update
    }

    @Test("An order is told with its patient before it, once; a unit that fails tells nothing")
    func announced() async throws {
        let profile = try SiteProfile(yaml: Self.yaml)
        try await Self.with([FHIRProjector(), HL7Announcement(profile)]) { store in
            await #expect(throws: StoreError.self) {
                try await (store as any WorkflowStore).write(.server(requestID: "t")) { unit in
                    _ = try OrderService().apply(Self.update(), in: unit)
                    throw StoreError(.conflict, "undone")
                }
            }
            #expect(try await Self.entries(store).isEmpty)
            for _ in 0..<2 {
                try await (store as any WorkflowStore).write(.server(requestID: "t")) { unit in
                    _ = try OrderService().apply(Self.update(), in: unit)
                }
            }
            let entries = try await Self.entries(store)
            let messages = try entries.map { try Parser().parse($0.payload) }
            #expect(messages.map { $0.header.messageCode + "^" + $0.header.triggerEvent } == ["ADT^A31", "ORM^O01"])
            #expect(entries.map(\.eventID.value) == messages.map(\.header.controlIDText))
            #expect(Set(entries.map(\.orderingKey)).count == 1)
            #expect(entries.allSatisfy { $0.kind == "hl7/RIS" && $0.destination == "hl7/RIS" })
            let found = try await store.outboxEntries(
                {
                    var query = OutboxQuery(limit: 10)
                    query.accession = "ACC-1"
                    return query
                }(), access: .server(requestID: "t"))
            #expect(found.map(\.number) == entries.suffix(1).map(\.number))
        }
    }

    private static func put(_ type: String, _ id: String, _ json: String, _ store: RelationalStore) async throws {
        let document = try JSONDocument(parsing: #"{"resourceType":"\#(type)","id":"\#(id)",\#(json)}"#)
        let change = ResourceChange(type, .update(document), .id(id))
        _ = try await store.write(.server(requestID: "t")) { try change.apply(in: $0) }
    }

    private static let imaging =
        #""category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0074","code":"RAD"}]}]"#

    /// A report of `p1` with a finding of it and one of another patient.
    private static func report(_ status: String, _ category: String = imaging, more: String = "") -> String {
        #""status":"\#(status)",\#(category),"code":{"text":"CT head"},"subject":{"reference":"Patient/p1"},"#
            + #""issued":"2026-11-21T15:00:00Z","conclusion":"clear","#
            + #""result":[{"reference":"Observation/mine"},{"reference":"Observation/other"}]\#(more)"#
    }

    private static func reported(_ body: (RelationalStore) async throws -> Void) async throws {
        let yaml = "destinations: { EHR: { peer: \"EHR|SOUTH\", send: [{ event: result }] } }"
        try await Self.with([FHIRProjector(), HL7Announcement(try SiteProfile(yaml: yaml))]) { store in
            for (patient, finding) in [("p1", "mine"), ("p2", "other")] {
                try await Self.put(
                    "Patient", patient, #""identifier":[{"system":"urn:hilum:patient","value":"\#(patient)"}]"#, store)
                try await Self.put(
                    "Observation", finding,
                    #""status":"final","code":{"text":"Size"},"subject":{"reference":"Patient/\#(patient)"},"#
                        + #""valueQuantity":{"value":4.20,"unit":"mm"}"#, store)
            }
            try await body(store)
        }
    }

    @Test(
        "HL7 v2.5.1 §7.3.1: a report that a client writes is told through its states, with findings of its patient alone"
    )
    func clientReport() async throws {
        try await Self.reported { store in
            for status in ["preliminary", "final", "final", "corrected", "entered-in-error"] {
                try await Self.put("DiagnosticReport", "r1", Self.report(status), store)
            }
            let messages = try await Self.entries(store).map { try Parser().parse($0.payload) }
            func text(_ message: Message, _ path: String) throws -> String? { message.text(at: try FieldPath(path)) }
            #expect(try messages.map { try text($0, "OBR-25") } == ["P", "F", "C", "C"])
            #expect(try messages.map { try text($0, "OBX-11") } == ["P", "F", "C", "W"])
            #expect(try messages.map { try text($0, "OBX-5") } == Array(repeating: "clear", count: 4))
            #expect(messages.allSatisfy { message in message.segments.count { $0.id == "OBX" } == 2 })
            #expect(try text(messages[1], "OBX[2]-5") == "4.20")
            #expect(try text(messages[1], "OBR-22")?.hasPrefix("20261121150000") == true)
        }
    }

    @Test("A report that is not of imaging, or of no known state, is told to nobody; one that a client deletes no more")
    func otherReports() async throws {
        try await Self.reported { store in
            let laboratory = Self.imaging.replacing("RAD", with: "LAB")
            try await Self.put("DiagnosticReport", "lab", Self.report("final", laboratory), store)
            try await Self.put("DiagnosticReport", "odd", Self.report("unknown"), store)
            try await Self.put("DiagnosticReport", "err", Self.report("entered-in-error"), store)
            #expect(try await Self.entries(store).isEmpty)
            try await Self.put("DiagnosticReport", "r1", Self.report("final"), store)
            let deletion = ResourceChange("DiagnosticReport", .delete, .id("r1"))
            _ = try await store.write(.server(requestID: "t")) { try deletion.apply(in: $0) }
            #expect(try await Self.entries(store).count == 1)
        }
    }

    @Test("A client's report past what the outbox holds is made when it is sent")
    func largeClientReport() async throws {
        try await Self.reported { store in
            let pdf = String(repeating: "AAAA", count: 1 << 19)
            let form = #","presentedForm":[{"contentType":"application/pdf","data":"\#(pdf)"}]"#
            try await Self.put("DiagnosticReport", "r1", Self.report("final", more: form), store)
            let entry = try #require(try await Self.entries(store).first)
            guard case .report(let id, let controlID)? = OutboundPayload(entry.payload) else {
                Issue.record("not a reference")
                return
            }
            let yaml = "destinations: { EHR: { peer: \"EHR|SOUTH\", send: [{ event: result }] } }"
            let profile = try SiteProfile(yaml: yaml)
            let bytes = try await (store as any WorkflowStore).read(.server(requestID: "t")) { unit in
                try OutboundAnnouncer.report(
                    id, for: profile.destinations[0], profile: profile, controlID: controlID,
                    reports: ClientReport.find, in: unit)
            }
            let message = try Parser().parse(try #require(bytes))
            #expect(message.value(at: try FieldPath("OBX[3]-5.5")).wholeBytes == Array(pdf.utf8))
        }
    }

    @Test("Each destination has a courier of its own, with its places")
    func couriers() async throws {
        let profile = try SiteProfile(yaml: Self.yaml + "\n    connections: 3")
        try await Self.with([]) { store in
            let outbound = try HL7Outbound(
                profile, tls: CallingTLS(ServerConfiguration(), ServerFolder("unused")), store: store,
                logger: Logger(label: "test"))
            #expect(Array(outbound.couriers.keys) == ["hl7/RIS"])
            #expect(outbound.couriers["hl7/RIS"]?.policy.placesPerDestination == 3)
            await outbound.close()
        }
    }
}
