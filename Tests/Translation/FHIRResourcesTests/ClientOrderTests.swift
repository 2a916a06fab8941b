import Access
import FHIRModel
import FHIRSearch
import Foundation
import SQLStore
import TestSupport
import Testing
import Workflow

@testable import FHIRResources

/// A ServiceRequest that an EHR posts becomes an order of the workflow. FHIR R4 servicerequest.html, PS3.4 §K.6.1.
@Suite("Orders that clients state")
struct ClientOrderTests {
    typealias Base = ResourceChangeTests

    static func with(_ numbering: AccessionNumbering?, _ body: (RelationalStore) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("hilum-orders-\(UUID().uuidString)")
            .path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let database = try await SQLDatabase(
            .unhurried(.sqlite(path: folder + "/db.sqlite")), migrations: Migrations.all)
        var rules = SiteRules()
        rules.accessionNumbering = numbering
        let store = RelationalStore(
            database: database, entropy: SeededEntropy(seed: 3), observers: [FHIRProjector()], baseURL: Base.base,
            rules: rules, stations: WorklistStations(["CT": ["CT1"]]))
        do {
            let patient = try JSONDocument(parsing: #"{"resourceType":"Patient","id":"p1","name":[{"family":"Doe"}]}"#)
            try await put("Patient", "p1", patient, store)
            try await body(store)
        } catch {
            await store.close()
            throw error
        }
        await store.close()
    }

    @discardableResult
    static func put(
        _ type: String, _ id: String, _ document: JSONDocument, _ store: RelationalStore
    ) async throws -> JSONValue {
        let change = ResourceChange(type, .update(document), .id(id))
        let result = try await store.write(Base.server) { try change.apply(in: $0) }
        return JSONValue(try JSONDocument(parsing: try #require(result.resource).bytes))
    }

    static func order(
        _ id: String = "o1", at start: String = "2026-12-01T09:00:00Z", status: String = "active", code: String = "CT"
    ) throws -> JSONDocument {
        try JSONDocument(
            parsing:
                #"{"resourceType":"ServiceRequest","id":"\#(id)","status":"\#(status)","intent":"order","category":[{"coding":[{"system":"http://snomed.info/sct","code":"363679005"}]}],"code":{"coding":[{"system":"http://dicom.nema.org/resources/ontology/DCM","code":"\#(code)"}],"text":"CT head"},"subject":{"reference":"Patient/p1"},"occurrenceDateTime":"\#(start)"}"#
        )
    }

    static func numbers(_ resource: JSONValue) -> [String] {
        (resource["identifier"]?.array ?? []).filter {
            $0["type"]?["coding"]?[0]?["code"]?.string == "ACSN"
        }.compactMap { $0["value"]?.string }
    }

    private static let numbering = AccessionNumbering(system: "urn:acc", prefix: "H", digits: 10)

    @Test("It gets an accession number by the site's rule, is answered with it, and is on the worklist")
    func numbered() async throws {
        try await Self.with(Self.numbering) { (store) async throws in
            let stored = try await Self.put("ServiceRequest", "o1", try Self.order(), store)
            let number = try #require(Self.numbers(stored).first)
            #expect(number.hasPrefix("H"))
            #expect(number.count == 11)
            let entry = try #require(try await store.worklist(WorklistQuery(), access: Base.server).first)
            #expect(entry.order.accession?.value == number)
            #expect(entry.order.accession?.system == "urn:acc")
            #expect(entry.step.modality == "CT")
            #expect(entry.stationAETitles == ["CT1"])
            // Stated again without the number, at another time: the number stays, the step moves.
            let moved = try await Self.put(
                "ServiceRequest", "o1", try Self.order(at: "2026-12-02T10:30:00Z"), store)
            #expect(Self.numbers(moved) == [number])
            let later = try await store.worklist(WorklistQuery(), access: Base.server)
            #expect(later.map(\.step.id) == [entry.step.id])
            #expect(later[0].step.scheduledStart != entry.step.scheduledStart)
            // Whatever its state, it keeps its number; taken back, it leaves the worklist.
            for status in ["on-hold", "active", "completed", "revoked"] {
                let stated = try await Self.put("ServiceRequest", "o1", try Self.order(status: status), store)
                #expect(Self.numbers(stated) == [number], "\(status)")
            }
            #expect(try await store.worklist(WorklistQuery(), access: Base.server).isEmpty)
            let second = try await Self.put("ServiceRequest", "o2", try Self.order("o2"), store)
            #expect(Self.numbers(second) != [number])
            #expect(Self.numbers(second).count == 1)
        }
    }

    @Test("Without a rule, and as long as it is a draft, it has none and is on no worklist")
    func unnumbered() async throws {
        try await Self.with(nil) { (store) async throws in
            #expect(try await Self.numbers(Self.put("ServiceRequest", "o1", Self.order(), store)) == [])
            #expect(try await store.worklist(WorklistQuery(), access: Base.server).isEmpty)
        }
        try await Self.with(Self.numbering) { (store) async throws in
            let draft = try await Self.put("ServiceRequest", "o1", try Self.order(status: "draft"), store)
            #expect(Self.numbers(draft) == [])
            let active = try await Self.put("ServiceRequest", "o1", try Self.order(), store)
            #expect(Self.numbers(active).count == 1)
            #expect(try await store.worklist(WorklistQuery(), access: Base.server).count == 1)
        }
    }

    @Test("A code that is no modality names none; a numbering that DICOM would not take is none")
    func bounds() async throws {
        try await Self.with(Self.numbering) { (store) async throws in
            try await Self.put("ServiceRequest", "o1", try Self.order(code: "113014"), store)
            #expect(try await store.worklist(WorklistQuery(), access: Base.server).isEmpty)
            #expect(try await store.waitingSteps(limit: 9, access: Base.server).count == 1)
        }
        #expect(AccessionNumbering(system: "s", prefix: "HOSPITAL", digits: 8) != nil)
        #expect(AccessionNumbering(system: "s", prefix: "HOSPITAL", digits: 9) == nil)
        #expect(AccessionNumbering(system: "s", prefix: "", digits: 5) == nil)
        #expect(AccessionNumbering(system: "s", prefix: "a", digits: 8) == nil)
        #expect(AccessionNumbering(system: "s", prefix: "A\\", digits: 8) == nil)
    }
}
