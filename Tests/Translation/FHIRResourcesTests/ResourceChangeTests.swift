import Access
import FHIRModel
import FHIRSearch
import Foundation
import SQLStore
import Synchronization
import TestSupport
import Testing
import Workflow

@testable import FHIRResources

/// Changes through the REST door, over a store in a temporary folder. FHIR R4 http.html#create, #update, #delete.
@Suite("Writes through the REST door")
struct ResourceChangeTests {
    static let server = AccessContext.server(requestID: "t")
    static let base = "https://hilum.example/fhir"

    static func with(_ body: (RelationalStore, Changes) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("hilum-changes-\(UUID().uuidString)")
            .path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let database = try await SQLDatabase(
            .unhurried(.sqlite(path: folder + "/db.sqlite")), migrations: Migrations.all)
        let entropy = SeededEntropy(seed: 3)
        let store = RelationalStore(database: database, entropy: entropy, observers: [FHIRProjector()], baseURL: base)
        do {
            try await body(store, Changes(store: store))
        } catch {
            await store.close()
            throw error
        }
        await store.close()
    }

    static func document(_ json: String) throws -> JSONDocument { try JSONDocument(parsing: json) }
    static let patient =
        #"{"resourceType":"Patient","id":"p1","identifier":[{"system":"urn:mrn","value":"100"}],"name":[{"family":"Doe"}],"extension":[{"url":"urn:x","valueString":"kept"}],"text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">x</div>"}}"#

    static func refusal(_ body: () async throws -> Void) async -> InteractionError.Code? {
        do {
            try await body()
            return nil
        } catch { return (error as? InteractionError)?.code }
    }

    @Test("Create gives a new id and version 1; what is answered is what is stored, after the projection")
    func create() async throws {
        try await Self.with { (store, changes) async throws in
            let result = try await changes.create("Patient", try Self.document(Self.patient), access: Self.server)
            #expect(result.outcome == .created)
            #expect(result.resource.version == 1)
            #expect(result.resource.id != "p1")
            let read = try #require(try await store.read("Patient", result.resource.id, access: Self.server))
            #expect(read.version == 1)
            #expect(read.bytes == result.resource.bytes)
            let value = JSONValue(try JSONDocument(parsing: read.bytes))
            #expect(value["extension"]?[0]?["valueString"]?.string == "kept")
            #expect(value["text"]?["status"]?.string == "generated")
        }
    }

    @Test("A conditional create finds its one match, and is refused when there are more (http.html#ccreate)")
    func conditionalCreate() async throws {
        try await Self.with { (store, changes) async throws in
            let query = try SearchQueryParser(baseURL: Self.base, now: 0).parse(
                "Patient", [.init(name: "family", value: "doe")])
            let first = try await changes.create(
                "Patient", try Self.document(Self.patient), ifNoneExist: query, access: Self.server)
            let second = try await changes.create(
                "Patient", try Self.document(Self.patient), ifNoneExist: query, access: Self.server)
            #expect(first.outcome == .created)
            #expect(second.outcome == .found)
            #expect(first.resource.id == second.resource.id)
            _ = try await changes.create(
                "Patient", try Self.document(#"{"resourceType":"Patient","name":[{"family":"Doe"}]}"#),
                access: Self.server)
            let refused = await Self.refusal {
                _ = try await changes.create(
                    "Patient", try Self.document(Self.patient), ifNoneExist: query, access: Self.server)
            }
            #expect(refused == .preconditionFailed)
        }
    }

    static func match(_ version: Int64) -> WritePrecondition {
        WritePrecondition(ifMatch: .listed([String(version)]))
    }

    @Test("Update creates under the client's id, makes versions, keeps to If-Match, and an equal one makes none")
    func update() async throws {
        try await Self.with { (store, changes) async throws in
            let document = try Self.document(Self.patient)
            let stale = await Self.refusal {
                _ = try await changes.update("Patient", "p1", document, Self.match(1), access: Self.server)
            }
            #expect(stale == .preconditionFailed)
            let made = try await changes.update("Patient", "p1", document, access: Self.server)
            #expect(made.outcome == .created)
            #expect(made.resource.version == 1)
            let same = try await changes.update("Patient", "p1", document, Self.match(1), access: Self.server)
            #expect(same.outcome == .unchanged)
            let changed = try Self.document(Self.patient.replacing("Doe", with: "Roe"))
            let before = same.resource.version
            let next = try await changes.update("Patient", "p1", changed, Self.match(before), access: Self.server)
            #expect(next.resource.version == before + 1)
            let read = try #require(try await store.read("Patient", "p1", access: Self.server))
            #expect(read.version == next.resource.version)
            #expect(read.bytes == next.resource.bytes)
            let lost = await Self.refusal {
                _ = try await changes.update("Patient", "p1", document, Self.match(before), access: Self.server)
            }
            #expect(lost == .preconditionFailed)
            let domain = try await (store as any WorkflowStore).read(Self.server) { try $0.patient(EntityID("p1")) }
            #expect(domain?.names.first?.family == "Roe")
        }
    }

    @Test("Delete leaves a marker; deleting nothing is no error; If-Match counts")
    func delete() async throws {
        try await Self.with { (store, changes) async throws in
            _ = try await changes.update(
                "Patient", "p1", try Self.document(Self.patient), access: Self.server)
            let lost = await Self.refusal {
                _ = try await changes.delete("Patient", "p1", Self.match(9), access: Self.server)
            }
            #expect(lost == .preconditionFailed)
            let deleted = try await changes.delete("Patient", "p1", Self.match(1), access: Self.server)
            #expect(deleted?.isDeleted == true)
            #expect(deleted?.version == 2)
            #expect(try await changes.delete("Patient", "p1", access: Self.server) == nil)
            #expect(try await changes.delete("Patient", "none", access: Self.server) == nil)
            #expect(try await store.read("Patient", "p1", access: Self.server)?.isDeleted == true)
            #expect(try await (store as any WorkflowStore).read(Self.server) { try $0.patient(EntityID("p1")) } == nil)
            let again = try await changes.update(
                "Patient", "p1", try Self.document(Self.patient), access: Self.server)
            #expect(again.outcome == .created)
            #expect(again.resource.version == 3)
        }
    }

    @Test("What another resource holds or depends on is a conflict, and nothing is changed")
    func conflicts() async throws {
        try await Self.with { (store, changes) async throws in
            _ = try await changes.update(
                "Patient", "p1", try Self.document(Self.patient), access: Self.server)
            let claim = await Self.refusal {
                let other = Self.patient.replacing("\"p1\"", with: "\"p2\"")
                _ = try await changes.update(
                    "Patient", "p2", try Self.document(other), access: Self.server)
            }
            #expect(claim == .conflict)
            #expect(try await store.read("Patient", "p2", access: Self.server) == nil)
            let order =
                #"{"resourceType":"ServiceRequest","id":"o1","status":"active","intent":"order","subject":{"reference":"Patient/p1"},"identifier":[{"type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"ACSN"}]},"system":"urn:ac","value":"A1"}]}"#
            let made = try await changes.update(
                "ServiceRequest", "o1", try Self.document(order), access: Self.server)
            let stored = try #require(try await store.read("ServiceRequest", "o1", access: Self.server))
            #expect(stored.bytes == made.resource.bytes, "the answer to a write must be what a read gives")
            #expect(
                await Self.refusal { _ = try await changes.delete("Patient", "p1", access: Self.server) } == .conflict)
            let long = await Self.refusal {
                let text = order.replacing("\"A1\"", with: "\"12345678901234567\"").replacing("o1", with: "o2")
                _ = try await changes.update(
                    "ServiceRequest", "o2", try Self.document(text), access: Self.server)
            }
            #expect(long == .invalid)
            // It names neither modality nor station nor start.
            let waiting = try await store.waitingSteps(limit: 9, access: Self.server)
            #expect(waiting.map(\.step.stepID) == ["A1"])
        }
    }

    @Test(
        "A step's Task and a report's Observation stay the domain's: a client adds to them, it does not change or delete them"
    )
    func ownedParts() async throws {
        try await Self.with { (store, changes) async throws in
            let ids = try await store.write(Self.server) { unit -> (task: String, observation: String) in
                let person = PatientUpdate(identifiers: [Identifier(system: "urn:mrn", value: "7")])
                var order = OrderUpdate(control: .new, patient: person)
                order.accession = Identifier(system: "urn:acc", value: "A7")
                let orderID = try OrderService().apply(order, in: unit).orderID
                var report = ReportUpdate(patient: person, status: .preliminary, code: CodedConcept(text: "CT"))
                report.accession = order.accession
                report.observations = [
                    .init(key: "k", code: CodedConcept(text: "size"), status: .final, value: .text("14 mm"))
                ]
                let reportID = try ReportService().apply(report, in: unit).reportID
                let task = try #require(try unit.order(orderID)?.steps.first?.id.value)
                let observation = try #require(try unit.report(reportID)?.observations.first?.id.value)
                return (task, observation)
            }
            for (type, id, field, wanted) in [
                ("Task", ids.task, "status", "ready"), ("Observation", ids.observation, "valueString", "14 mm"),
            ] {
                var value = JSONValue(
                    try JSONDocument(parsing: try #require(try await store.read(type, id, access: Self.server)).bytes))
                #expect(value[field]?.string == wanted)
                value[field] = .string("rejected")
                value["language"] = "en"
                let written = try await changes.update(
                    type, id, try JSONDocument(value), access: Self.server)
                let stored = JSONValue(try JSONDocument(parsing: written.resource.bytes))
                #expect(stored[field]?.string == wanted, "\(type)")
                #expect(stored["language"]?.string == "en", "\(type)")
                #expect(
                    await Self.refusal { _ = try await changes.delete(type, id, access: Self.server) } == .conflict)
            }
        }
    }

    @Test("A scope without the letter, or with a condition, may not write")
    func scopes() async throws {
        try await Self.with { (store, changes) async throws in
            let document = try Self.document(Self.patient)
            func access(_ scope: String) -> AccessContext {
                AccessContext(
                    principal: Principal(kind: .client, id: "a"), scopes: [Scope(scope)].compactMap { $0 },
                    requestID: "t")
            }
            for scope in ["system/Patient.rs", "system/Observation.cruds", "system/Patient.c?gender=female"] {
                #expect(
                    await Self.refusal { _ = try await changes.create("Patient", document, access: access(scope)) }
                        == .forbidden)
            }
            // Update without create may not make a resource.
            #expect(
                await Self.refusal {
                    _ = try await changes.update(
                        "Patient", "p1", document, access: access("system/Patient.u"))
                }
                    == .forbidden)
            #expect(
                try await changes.create("Patient", document, access: access("system/Patient.c")).outcome == .created)
        }
    }
}

/// Changes, each in a unit of its own.
struct Changes {
    struct Result {
        let outcome: ChangeResult.Outcome
        let resource: StoredResource
    }

    let store: RelationalStore

    private func apply(_ change: ResourceChange, _ access: AccessContext) async throws -> ChangeResult {
        try await store.write(access) { try change.apply(in: $0) }
    }

    func create(
        _ type: String, _ document: JSONDocument, ifNoneExist: SearchQuery? = nil, access: AccessContext
    ) async throws -> Result {
        let target = ifNoneExist.map { ResourceChange.Target.matching($0) } ?? .new()
        let result = try await apply(ResourceChange(type, .create(document), target), access)
        return Result(outcome: result.outcome, resource: try #require(result.resource))
    }

    func update(
        _ type: String, _ id: String, _ document: JSONDocument, _ precondition: WritePrecondition = .none,
        access: AccessContext
    ) async throws -> Result {
        let result = try await apply(ResourceChange(type, .update(document), .id(id), precondition), access)
        return Result(outcome: result.outcome, resource: try #require(result.resource))
    }

    func delete(
        _ type: String, _ id: String, _ precondition: WritePrecondition = .none, access: AccessContext
    ) async throws -> StoredResource? {
        try await apply(ResourceChange(type, .delete, .id(id), precondition), access).resource
    }
}

extension String {
    func replacing(_ old: String, with new: String) -> String { replacingOccurrences(of: old, with: new) }
}
