import Access
import Basics
import HTTPSupport
import HTTPTypes
import Hummingbird
import NIOCore

/// `POST /ops/launches`: an EHR prepares a launch and gets the opaque handle to open the application with. SMART 2.2
/// app-launch §Launch app: EHR launch.
///
/// The handle is for one application and one use. Whoever prepares one may see every patient already: it takes a token of the
/// system level that reads the whole type of what it names.
package struct LaunchRoutes: Sendable {
    static let bodyBytesMax = 64 * 1024
    static let contextItemsMax = 50

    private let launches: LaunchPreparation
    private let clients: any ClientDirectory
    private let subjects: any LaunchSubjects
    private let patients: any PatientIdentifiers
    private let audit: any AuditTrail

    /// - Parameters:
    ///   - now: microseconds since the epoch.
    ///   - randomBytes: strong random bytes.
    package init(
        configuration: SMARTConfiguration, clients: any ClientDirectory, authorizations: any AuthorizationStore,
        subjects: any LaunchSubjects, patients: any PatientIdentifiers, audit: any AuditTrail,
        now: @escaping @Sendable () -> Int64,
        randomBytes: @escaping @Sendable (Int) -> [UInt8]
    ) {
        launches = LaunchPreparation(
            fhirBaseURL: configuration.fhirBaseURL, authorizations: authorizations, now: now, randomBytes: randomBytes)
        self.clients = clients
        self.subjects = subjects
        self.patients = patients
        self.audit = audit
    }

    package var group: RouteGroup {
        RouteGroup(
            name: "launches", prefix: "/ops/launches", errorBody: ProblemJSON(),
            routes: [
                Route(
                    .post, "/ops/launches", operationID: "prepareLaunch",
                    access: .bearer(.permission(.read, on: Self.patient)), deadline: .seconds(30)
                ) { try await prepare($0) }
            ])
    }

    private static let patient = "Patient"
    private static let encounter = "Encounter"

    private func prepare(_ request: APIRequest) async throws -> Response {
        guard request.access.visibility(.read, of: Self.patient).isWhole else {
            throw HTTPFailure(.insufficientScope, "A launch is prepared with a token that reads every Patient")
        }
        guard try request.contentType()?.essence == "application/json" else {
            throw HTTPFailure(.unsupportedMediaType, "A launch is sent as application/json")
        }
        let body = try await request.collectBody(limit: Self.bodyBytesMax)
        guard let json = JOSEValue(object: Array(body.readableBytesView)) else {
            throw HTTPFailure(.malformed, "The body is no JSON object, or names a member twice")
        }
        var order = try LaunchOrder(json)
        guard let client = try await clients.client(id: order.clientID), LaunchPreparation.mayLaunch(client)
        else { throw HTTPFailure(.unprocessable, "client_id names no application that may be launched by an EHR") }
        if let identifier = order.patientIdentifier {
            guard let id = try await patients.patientID(system: identifier.system, value: identifier.value) else {
                throw HTTPFailure(.unprocessable, "patientIdentifier is of no patient here, or of several")
            }
            order.context.patient = id
        }
        try await check(order.context, request.access)

        let (handle, url) = try await launches.prepare(
            client, for: order.fhirUser, order.context, by: request.access.principal.id)
        try await audit.require(
            AuditRecord(
                category: .security, interaction: "prepare-launch", action: .create, outcome: .success,
                access: request.access, entity: "client:" + client.id, patientID: order.context.patient))
        var answer = JSONText()
        answer.object { json in
            json.member("launch", handle)
            json.member("expires_in", Int(LaunchPreparation.lifetime))
            if let url { json.member("url", url) }
        }
        return .bytes(answer.bytes, contentType: "application/json", status: .created)
    }

    /// Everything that is named is there, and belongs to the patient where it can.
    private func check(_ context: LaunchContext, _ access: AccessContext) async throws {
        func mustExist(_ type: String, _ id: String, _ member: String) async throws {
            var access = access
            if let patient = context.patient, type != Self.patient, subjects.canBelongToPatient(type) {
                access = AccessContext(
                    principal: access.principal,
                    scopes: [Scope(level: .patient, resourceType: type, permissions: .read)], patient: patient,
                    requestID: access.requestID, sourceAddress: access.sourceAddress)
            }
            guard try await subjects.exists(type, id, access: access) else {
                throw HTTPFailure(.unprocessable, "\(member) names nothing that is there, or another patient's")
            }
        }
        if let patient = context.patient { try await mustExist(Self.patient, patient, "patient") }
        if let encounter = context.encounter { try await mustExist(Self.encounter, encounter, "encounter") }
        for item in context.fhirContext {
            guard let reference = item.reference, let parts = LaunchReference.parts(reference) else { continue }
            guard access.allows(.read, on: parts.type) else {
                throw HTTPFailure(.insufficientScope, "The token does not read what fhirContext names")
            }
            try await mustExist(parts.type, parts.id, "fhirContext")
        }
    }
}

/// The body of an order to prepare a launch.
struct LaunchOrder: Sendable {
    let clientID: String
    let fhirUser: String?
    /// The patient as HL7 v2 messages name them (PID-3): who prepares a launch from one knows no logical id.
    let patientIdentifier: LaunchContext.Item.Identifier?
    var context: LaunchContext

    private static let members: Set<String> = [
        "client_id", "fhirUser", "patient", "patientIdentifier", "encounter", "fhirContext", "need_patient_banner",
        "intent",
        "smart_style_url",
    ]

    /// Throws `.unprocessable`, with the member that is wrong.
    init(_ json: JOSEValue) throws(HTTPFailure) {
        func wrong(_ text: String) -> HTTPFailure { HTTPFailure(.unprocessable, text) }
        guard case .object(let members) = json, Set(members.keys).isSubset(of: Self.members) else {
            throw wrong("Members are " + Self.members.sorted().joined(separator: ", "))
        }
        func text(_ name: String, max: Int) throws(HTTPFailure) -> String? {
            guard let value = members[name] else { return nil }
            guard let text = value.text, (1...max).contains(text.utf8.count) else {
                throw wrong("\(name) must be text of at most \(max) bytes")
            }
            return text
        }
        func id(_ name: String) throws(HTTPFailure) -> String? {
            guard let id = try text(name, max: 64) else { return nil }
            guard LaunchReference.isID(id) else { throw wrong("\(name) must be a logical id") }
            return id
        }
        guard let clientID = try text("client_id", max: 255) else { throw wrong("client_id is missing") }
        self.clientID = clientID
        fhirUser = try text("fhirUser", max: 130)
        guard fhirUser.map({ LaunchReference.parts($0) != nil }) ?? true else {
            throw wrong("fhirUser must be a relative reference: Practitioner/1")
        }
        let style = try text("smart_style_url", max: 2000)
        guard style.map({ $0.hasPrefix("https://") && $0.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F } }) ?? true else {
            throw wrong("smart_style_url must be an https URL")
        }
        var banner: Bool?
        if let value = members["need_patient_banner"] {
            guard case .boolean(let flag) = value else { throw wrong("need_patient_banner must be true or false") }
            banner = flag
        }
        var items: [LaunchContext.Item] = []
        if let value = members["fhirContext"] {
            guard let elements = value.elements, elements.count <= LaunchRoutes.contextItemsMax else {
                throw wrong("fhirContext must be an array of at most \(LaunchRoutes.contextItemsMax)")
            }
            for element in elements { items.append(try Self.item(element)) }
        }
        let patient = try id("patient")
        let encounter = try id("encounter")
        patientIdentifier = try members["patientIdentifier"].map { value throws(HTTPFailure) in
            try Self.identifier(value, "patientIdentifier")
        }
        guard patient == nil || patientIdentifier == nil else {
            throw wrong("patient or patientIdentifier, not both")
        }
        guard encounter == nil || patient != nil || patientIdentifier != nil else {
            throw wrong("encounter needs its patient")
        }
        context = LaunchContext(
            patient: patient, encounter: encounter, fhirContext: items, needPatientBanner: banner,
            intent: try text("intent", max: 255), smartStyleURL: style)
    }

    private static func identifier(
        _ json: JOSEValue, _ name: String
    ) throws(HTTPFailure) -> LaunchContext.Item.Identifier {
        guard case .object(let parts) = json, Set(parts.keys) == ["system", "value"],
            let system = parts["system"]?.text, let value = parts["value"]?.text, system.utf8.count <= 1000,
            value.utf8.count <= 1000
        else { throw HTTPFailure(.unprocessable, "\(name) has a system and a value") }
        return .init(system: system, value: value)
    }

    /// SMART 2.2 §fhirContext.
    private static func item(_ json: JOSEValue) throws(HTTPFailure) -> LaunchContext.Item {
        func wrong(_ text: String) -> HTTPFailure { HTTPFailure(.unprocessable, text) }
        guard case .object(let members) = json,
            Set(members.keys).isSubset(of: ["reference", "canonical", "identifier", "type", "role"])
        else { throw wrong("An element of fhirContext has reference, canonical, identifier, type and role") }
        func text(_ name: String) throws(HTTPFailure) -> String? {
            guard let value = members[name] else { return nil }
            guard let text = value.text, (1...1000).contains(text.utf8.count) else {
                throw wrong("\(name) of fhirContext must be text of at most 1000 bytes")
            }
            return text
        }
        var item = LaunchContext.Item(
            reference: try text("reference"), canonical: try text("canonical"), type: try text("type"),
            role: try text("role"))
        if let identifier = members["identifier"] {
            item.identifier = try Self.identifier(identifier, "identifier of fhirContext")
        }
        guard item.reference != nil || item.canonical != nil || item.identifier != nil else {
            throw wrong("An element of fhirContext needs a reference, a canonical or an identifier")
        }
        if let reference = item.reference {
            guard let named = Compartment(reference: reference) else {
                throw wrong("reference of fhirContext must be relative: ImagingStudy/1")
            }
            // They have members of their own.
            let isOwn = named == .patient(named.id) || named == Compartment(type: "Encounter", id: named.id)
            guard !isOwn || (item.role != nil && item.role != "launch") else {
                throw wrong("The patient and the encounter of the launch are not part of fhirContext")
            }
        }
        guard item.role.map({ $0 == "launch" || $0.contains(":") }) ?? true else {
            throw wrong("role of fhirContext must be launch or an absolute URI")
        }
        return item
    }
}
