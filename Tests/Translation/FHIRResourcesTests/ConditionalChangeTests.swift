import Access
import FHIRModel
import FHIRSearch
import SQLStore
import Testing
import Workflow

@testable import FHIRResources

/// Changes whose resource is found by a search, and changes that are none. FHIR R4 http.html#cond-update, #ccreate,
/// #3.1.0.7.1, #patch.
@Suite("Conditional changes, and changes that are none")
struct ConditionalChangeTests {
    typealias Base = ResourceChangeTests

    static func basic(_ id: String?, _ code: String) throws -> JSONDocument {
        let id = id.map { #""id":"\#($0)","# } ?? ""
        return try JSONDocument(
            parsing: #"{"resourceType":"Basic",\#(id)"code":{"coding":[{"system":"urn:c","code":"\#(code)"}]}}"#)
    }

    static func query(_ code: String) throws -> SearchQuery {
        try SearchQueryParser(baseURL: Base.base, now: 0).parse("Basic", [.init(name: "code", value: code)])
    }

    static func apply(
        _ change: ResourceChange, _ store: RelationalStore, _ access: AccessContext = Base.server
    ) async throws -> ChangeResult {
        try await store.write(access) { try change.apply(in: $0) }
    }

    static func refusal(_ change: ResourceChange, _ store: RelationalStore) async -> InteractionError.Code? {
        await Base.refusal { _ = try await apply(change, store) }
    }

    @Test("Conditional update: none makes one, one is updated, another id is 400, several are refused")
    func update() async throws {
        try await Base.with { (store, _) async throws in
            func change(_ id: String?, _ code: String, _ searched: String) throws -> ResourceChange {
                ResourceChange("Basic", .update(try Self.basic(id, code)), .matching(try Self.query(searched)))
            }
            let made = try await Self.apply(try change(nil, "a", "a"), store)
            #expect(made.outcome == .created)
            let id = try #require(made.resource?.id)
            let same = try await Self.apply(try change(nil, "a", "a"), store)
            #expect(same.outcome == .unchanged)
            #expect(same.resource?.id == id)
            #expect(same.resource?.version == 1)
            let next = try await Self.apply(try change(id, "b", "a"), store)
            #expect(next.outcome == .updated)
            #expect(next.resource?.id == id)
            #expect(next.resource?.version == 2)
            #expect(try await Self.refusal(change("other", "c", "b"), store) == .mismatch)
            let named = try await Self.apply(try change("named", "c", "c"), store)
            #expect(named.outcome == .created)
            #expect(named.resource?.id == "named")
            #expect(
                try await Self.refusal(change("named", "d", "d"), store) == .conflict,
                "the id is another resource's, which the condition does not match")
            _ = try await Self.apply(ResourceChange("Basic", .create(try Self.basic(nil, "c")), .new()), store)
            #expect(try await Self.refusal(change(nil, "c", "c"), store) == .preconditionFailed)
        }
    }

    @Test("Conditional delete: none is no error, one goes, several only where so many may")
    func delete() async throws {
        try await Base.with { (store, _) async throws in
            var change = ResourceChange("Basic", .delete, .matching(try Self.query("a")))
            #expect(try await Self.apply(change, store).outcome == .absent)
            for id in ["x", "y", "z"] {
                _ = try await Self.apply(ResourceChange("Basic", .update(try Self.basic(id, "a")), .id(id)), store)
            }
            #expect(await Self.refusal(change, store) == .preconditionFailed)
            change.matchesMax = 2
            #expect(await Self.refusal(change, store) == .preconditionFailed)
            change.matchesMax = 3
            let deleted = try await Self.apply(change, store)
            #expect(deleted.outcome == .deleted)
            #expect(deleted.resources.map(\.id).sorted() == ["x", "y", "z"])
            #expect(try await store.read("Basic", "y", access: Base.server)?.isDeleted == true)
        }
    }

    /// Puts one member; refuses with what it is given.
    struct SetMember: ResourcePatch {
        let name: String
        let value: JSONValue
        func patched(_ document: JSONDocument) throws -> JSONDocument {
            var content = JSONValue(document)
            content[name] = value
            return try JSONDocument(content)
        }
    }

    @Test("A patch changes what is there, makes no version when it changes nothing, and leaves type and id alone")
    func patch() async throws {
        try await Base.with { (store, _) async throws in
            func change(
                _ name: String, _ value: JSONValue, _ target: ResourceChange.Target = .id("x"),
                _ precondition: WritePrecondition = .none
            ) -> ResourceChange {
                ResourceChange("Basic", .patch(SetMember(name: name, value: value)), target, precondition)
            }
            #expect(await Self.refusal(change("language", "en"), store) == .notFound)
            _ = try await Self.apply(ResourceChange("Basic", .update(try Self.basic("x", "a")), .id("x")), store)
            let first = try await Self.apply(change("language", "en"), store)
            #expect(first.outcome == .updated)
            #expect(first.resource?.version == 2)
            #expect(first.resource?.method == .patch)
            #expect(try await Self.apply(change("language", "en"), store).outcome == .unchanged)
            #expect(await Self.refusal(change("id", "y"), store) == .invalid)
            #expect(await Self.refusal(change("resourceType", "Patient"), store) == .invalid)
            #expect(await Self.refusal(change("language", "de", .id("x"), Base.match(1)), store) == .preconditionFailed)
            let found = try await Self.apply(change("language", "de", .matching(try Self.query("a"))), store)
            #expect(found.resource?.id == "x")
            #expect(found.resource?.version == 3)
            #expect(
                try await Self.refusal(change("language", "de", .matching(Self.query("none"))), store) == .notFound)
            _ = try await Self.apply(ResourceChange("Basic", .delete, .id("x")), store)
            #expect(await Self.refusal(change("language", "en"), store) == .gone)
        }
    }

    @Test("A condition needs the right to search, and a write the whole letter")
    func rights() async throws {
        try await Base.with { (store, _) async throws in
            let access = AccessContext(
                principal: Principal(kind: .client, id: "a"), scopes: [Scope("system/Basic.cud")].compactMap { $0 },
                requestID: "t")
            for action in [
                ResourceChange.Action.create(try Self.basic(nil, "a")), .update(try Self.basic(nil, "a")), .delete,
            ] {
                let change = ResourceChange("Basic", action, .matching(try Self.query("a")))
                let code = await Base.refusal { _ = try await Self.apply(change, store, access) }
                #expect(code == .forbidden, "\(change.interaction)")
            }
        }
    }

    @Test("What the workflow told of a patient stays the workflow's; a change of nothing but that makes no version")
    func statements() async throws {
        try await Base.with { (store, _) async throws in
            let id = try await store.write(Base.server) { unit -> String in
                var person = PatientUpdate(identifiers: [Identifier(system: "urn:mrn", value: "7")])
                var allergy = StatementUpdate(kind: .allergy, key: "k")
                allergy.code = CodedConcept(text: "Latex")
                person.statements = [allergy]
                let patientID = try #require(try PatientService().apply(person, in: unit).patientID)
                return try #require(try unit.patient(patientID)?.statements?.first?.id.value)
            }
            let stored = try #require(try await store.read("AllergyIntolerance", id, access: Base.server))
            var value = JSONValue(try JSONDocument(parsing: stored.bytes))
            #expect(value["code"]?["text"]?.string == "Latex")
            value["code"] = ["text": "none known"]
            let overruled = ResourceChange("AllergyIntolerance", .update(try JSONDocument(value)), .id(id))
            let result = try await Self.apply(overruled, store)
            #expect(result.outcome == .unchanged)
            #expect(result.resource?.version == stored.version)
            #expect(result.resource?.bytes == stored.bytes)
            let read = try await store.read("AllergyIntolerance", id, access: Base.server)
            #expect(read?.bytes == stored.bytes)
            let parser = SearchQueryParser(baseURL: Base.base, now: 0)
            let page = try await store.search(
                parser.parse("AllergyIntolerance", [.init(name: "_id", value: id)]), token: nil, access: Base.server)
            #expect(page.matches.map(\.version) == [stored.version], "it is found as before")
            value["language"] = "en"
            let added = ResourceChange("AllergyIntolerance", .update(try JSONDocument(value)), .id(id))
            let content = JSONValue(
                try JSONDocument(parsing: try #require(try await Self.apply(added, store).resource).bytes))
            #expect(content["language"]?.string == "en")
            #expect(content["code"]?["text"]?.string == "Latex")
            #expect(await Self.refusal(ResourceChange("AllergyIntolerance", .delete, .id(id)), store) == .conflict)
        }
    }

    @Test("The server's own Endpoint is nobody else's to change")
    func endpoint() async throws {
        try await Base.with { (store, _) async throws in
            let document = try JSONDocument(
                parsing: #"{"resourceType":"Endpoint","id":"hilum-dicomweb","status":"active"}"#)
            let change = ResourceChange("Endpoint", .update(document), .id("hilum-dicomweb"))
            #expect(await Self.refusal(change, store) == .conflict)
            try await store.write(Base.server) {
                try FHIRProjector().projectEndpoint(address: "https://hilum.example/dicomweb", in: $0)
            }
            #expect(await Self.refusal(change, store) == .conflict)
            #expect(await Self.refusal(ResourceChange("Endpoint", .delete, .id("hilum-dicomweb")), store) == .conflict)
        }
    }

    @Test("Every fed type has one conformer, and what others refer to comes first")
    func fedTypes() {
        let names = FedTypes.all.map { $0.type }
        #expect(Set(names).count == names.count)
        #expect(FedTypes.place("Patient") < FedTypes.place("Encounter"))
        #expect(FedTypes.place("Encounter") < FedTypes.place("ServiceRequest"))
        #expect(FedTypes.place("ServiceRequest") < FedTypes.place("DiagnosticReport"))
        #expect(FedTypes.place("Basic") > FedTypes.place("DiagnosticReport"))
        for fed in FedTypes.all { #expect(!fed.owned.isEmpty, "\(fed.type)") }
    }
}
