import Access
import FHIRModel
import FHIRResources
import Foundation
import HTTPSupport
import HTTPTypes
import SQLStore
import TestSupport
import Testing

/// Routes over a store that holds what is patient a's, and what is patient b's or not.
struct PatientWorld {
    /// A resource, and in whose compartments it is. CompartmentDefinition/patient.
    struct Item {
        let type: String
        let id: String
        let owners: Set<String>
        let json: String
    }

    /// What only patient b's resources and images hold, as it is and in base 64.
    static let canaries = ["CANARYB", encoded("CANARYB")]
    static let base = "https://localhost:8443"

    /// In base 64.
    static func encoded(_ text: String) -> String { Data(text.utf8).base64EncodedString() }
    private static let fhirJSON = "application/fhir+json"

    let responder: APIResponder
    let store: RelationalStore

    // MARK: Callers

    /// Ways in which somebody has a right to patient a alone.
    static let callers: [String: AccessContext] = [
        "app": AccessContext(
            principal: Principal(kind: .client, id: "app"), scopes: ["patient/*.rs"].compactMap { Scope($0) },
            patient: "a", requestID: "t"),
        "all-letters": AccessContext(
            principal: .person("a", client: "app", name: "a"), scopes: ["patient/*.cruds"].compactMap { Scope($0) },
            patient: "a", requestID: "t"),
        "person": AccessContext(
            principal: .person("a", client: "other", name: "a"), scopes: ["user/*.rs"].compactMap { Scope($0) },
            reach: [.patient("a")], requestID: "t"),
    ]

    private struct Tokens: TokenVerifying {
        func accessContext(bearerToken: String, requestID: String, sourceAddress: String?) async throws
            -> AccessContext?
        {
            if let known = PatientWorld.callers[bearerToken] { return known }
            guard bearerToken == "server" else { return nil }
            return AccessContext(
                principal: Principal(kind: .client, id: "server"),
                scopes: ["system/*.cruds"].compactMap { Scope($0) }, requestID: "t")
        }
    }

    /// - Parameter isWhole: whether what is not patient a's is there too.
    static func with(
        _ kind: SQLDialect, _ items: [Item], isWhole: Bool,
        configure: (inout SQLDatabaseConfiguration) -> Void = { _ in }, _ body: (PatientWorld) async throws -> Void
    ) async throws {
        try await ServedRoutes.with(kind, configure: configure) { groups, store in
            let responder = APIResponder(
                table: try RouteTable(groups),
                authenticator: BearerAuthenticator(tokens: Tokens(), audit: store, realm: "r"),
                newRequestID: { "test" })
            let world = PatientWorld(responder: responder, store: store)
            // The images first, so that what is made of patient a's has the same ids beside patient b's.
            for patient in isWhole ? ["a", "b"] : ["a"] {
                let item = try #require(items.first { $0.type == "Patient" && $0.id == patient })
                try await world.put(item)
                try await world.storeImage(patient)
            }
            for item in items where item.type != "Patient" && (isWhole || item.owners.contains("a")) {
                try await world.put(item)
            }
            try await body(world)
        }
    }

    private func put(_ item: Item) async throws {
        let answer = try await responder.answer(
            .put, "/fhir/\(item.type)/\(item.id)",
            headers: [.contentType: Self.fhirJSON, .authorization: "Bearer server"], body: Array(item.json.utf8))
        #expect([200, 201].contains(answer.status), "\(item.json): \(answer.status) \(answer.text)")
    }

    private func storeImage(_ patient: String) async throws {
        let image = SmallImage.bytes(
            study: "1.2.826.0.\(RouteAccessTests.number(patient))", name: "CANARY" + patient.uppercased(),
            number: "N" + patient, modality: patient == "a" ? "CT" : "MR")
        let head = "--cut\r\nContent-Type: application/dicom\r\n\r\n"
        let body = Array(head.utf8) + image + Array("\r\n--cut--\r\n".utf8)
        let stored = try await responder.answer(
            .post, "/dicomweb/studies",
            headers: [
                .contentType: "multipart/related; type=\"application/dicom\"; boundary=cut",
                .authorization: "Bearer server", .accept: "application/dicom+json",
            ], body: body)
        #expect(stored.status == 200, "\(stored.text)")
    }

    func send(_ ask: AccessAsk, as caller: String, at target: String? = nil) async throws -> CollectedResponse {
        var headers = ask.headers
        headers[.authorization] = "Bearer " + caller
        return try await responder.answer(
            ask.method, target ?? ask.target, headers: headers, body: Array(ask.body.utf8))
    }

    // MARK: Items

    /// Both patients, and what refers to them and to each other as it likes.
    static func items(_ random: inout SeededGenerator) -> [Item] {
        var maker = ItemMaker(random: random)
        for patient in ["a", "b"] { maker.addPatient(patient) }
        for number in 0..<45 { maker.add(number) }
        random = maker.random
        return maker.items
    }
}

/// One request of a client.
struct AccessAsk: CustomStringConvertible {
    var method = HTTPRequest.Method.get
    var target: String
    var headers: HTTPFields = [:]
    var body = ""
    var description: String { "\(method.rawValue) \(target) \(body)" }
}

private struct ItemMaker {
    var random: SeededGenerator
    private(set) var items: [PatientWorld.Item] = []

    init(random: SeededGenerator) { self.random = random }

    mutating func addPatient(_ id: String) {
        let family = "CANARY" + id.uppercased()
        add(
            "Patient", id,
            [
                #""gender":"\#(id == "a" ? "female" : "male")","name":[{"family":"\#(family)"}]"#,
                #""identifier":[{"type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"MR"}]},"system":"urn:example:patient","value":"N\#(id)"}]"#,
            ], [id])
    }

    /// A resource of either or both, or, as these are later versions of earlier ones now and then, the same again.
    mutating func add(_ number: Int) {
        if number > 10, Int.random(in: 0..<6, using: &random) == 0 {
            let again = items[Int.random(in: 2..<items.count, using: &random)]
            // Another content, the same owners: a tag more.
            let tag = #"{"meta":{"tag":[{"system":"urn:t","code":"v\#(number)"}]},"#
            let bare = again.json.contains(#""meta""#) ? again.json : tag + String(again.json.dropFirst())
            items.append(.init(type: again.type, id: again.id, owners: again.owners, json: bare))
            return
        }
        let patient = pick(["a", "b"])
        let other = pick(["a", "b"])
        let id = "x\(number)"
        switch Int.random(in: 0..<12, using: &random) {
        case 0...3: addObservation(id, patient, other)
        case 4, 5: addProcedure(id, patient)
        case 6: addDocument(id, patient)
        case 7:
            add(
                "List", id,
                [
                    #""status":"current","mode":"working","title":"\#(text([patient]))""#, to("subject", patient),
                    #""entry":[{"item":{"reference":"\#(reference("Observation", "Procedure"))"}}]"#,
                ], [patient])
        case 8:
            // It is the patient's by what it is about, if that is the patient itself.
            let target = reference("Patient", "Observation")
            let owners: Set<String> = target.hasPrefix("Patient/") ? [String(target.dropFirst(8))] : []
            add(
                "Provenance", id,
                [
                    #""recorded":"2024-01-01T00:00:00Z","agent":[{"who":{"display":"\#(text(owners))"}}]"#,
                    #""target":[{"reference":"\#(target)"}]"#,
                ], owners)
        case 9:
            let owners: Set<String> = [patient, other]
            add(
                "Group", id,
                [
                    #""type":"person","actual":true,"name":"\#(text(owners))""#,
                    #""member":[{"entity":{"reference":"Patient/\#(patient)"}},{"entity":{"reference":"Patient/\#(other)"}}]"#,
                ], owners)
        case 10:
            // Nobody reaches it by a patient's token, not even the owner of the document that refers to it.
            add(
                "Binary", id,
                [
                    #""contentType":"text/plain","securityContext":{"reference":"Patient/\#(patient)"}"#,
                    #""data":"\#(PatientWorld.encoded("CANARYB"))""#,
                ], [])
        default:
            add(
                "Media", id,
                [
                    #""status":"completed","content":{"title":"\#(text([patient]))","data":"\#(PatientWorld.encoded(text([patient])))"}"#,
                    to("subject", patient),
                ], [patient])
        }
    }

    private mutating func addObservation(_ id: String, _ patient: String, _ other: String) {
        // What an observation is about beside its subject puts it in no compartment; who made it does.
        var owners: Set<String> = [patient]
        if Bool.random(using: &random) { owners.insert(other) }
        var members = [
            #""status":"\#(pick(["final", "preliminary"]))","code":{"text":"\#(text(owners))"}"#,
            to("subject", patient),
            #""focus":[{"reference":"Patient/\#(other)"}],"effectiveDateTime":"2024-01-0\#(Int.random(in: 1...9, using: &random))""#,
            #""valueQuantity":{"value":\#(Int.random(in: 1...9, using: &random)),"unit":"u"}"#,
        ]
        if owners.count == 2 { members.append(#""performer":[{"reference":"Patient/\#(other)"}]"#) }
        if Bool.random(using: &random) {
            members.append(#""hasMember":[{"reference":"\#(reference("Observation"))"}]"#)
        }
        add("Observation", id, members, owners)
    }

    private mutating func addProcedure(_ id: String, _ patient: String) {
        add(
            "Procedure", id,
            [
                #""status":"\#(pick(["completed", "in-progress"]))","code":{"text":"\#(text([patient]))"}"#,
                to("subject", patient),
                #""contained":[{"resourceType":"Observation","id":"c","status":"final","code":{"text":"\#(text([patient]))"}}]"#,
                ##""reasonReference":[{"reference":"#c"},{"reference":"\##(reference("Observation"))"}]"##,
                #""partOf":[{"reference":"\#(reference("Procedure"))"}]"#,
            ], [patient])
    }

    private mutating func addDocument(_ id: String, _ patient: String) {
        let data = PatientWorld.encoded(text([patient]))
        add(
            "DocumentReference", id,
            [
                #""status":"current","description":"\#(text([patient]))""#, to("subject", patient),
                #""content":[{"attachment":{"contentType":"text/plain","data":"\#(data)"}},{"attachment":{"contentType":"text/plain","url":"\#(reference("Binary"))"}}]"#,
                #""context":{"related":[{"reference":"\#(reference("Observation", "Procedure"))"}]}"#,
            ], [patient])
    }

    // MARK: Parts

    private mutating func pick(_ choices: [String]) -> String {
        choices[Int.random(in: 0..<choices.count, using: &random)]
    }
    private func to(_ member: String, _ patient: String) -> String {
        #""\#(member)":{"reference":"Patient/\#(patient)"}"#
    }
    /// What a resource of these patients says.
    private func text(_ owners: Set<String>) -> String { owners.contains("a") ? "plain" : "CANARYB" }

    private mutating func reference(_ types: String...) -> String {
        let found = items.filter { types.contains($0.type) }.map { "\($0.type)/\($0.id)" }
        return found.isEmpty ? "\(types[0])/none" : pick(found)
    }

    private mutating func add(_ type: String, _ id: String, _ members: [String], _ owners: Set<String>) {
        let json = ([#""resourceType":"\#(type)""#, #""id":"\#(id)""#] + members).joined(separator: ",")
        items.append(.init(type: type, id: id, owners: owners, json: "{\(json)}"))
    }
}
