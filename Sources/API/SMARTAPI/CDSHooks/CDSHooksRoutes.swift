import Access
import Basics
import HTTPSupport
import HTTPTypes
import Hummingbird
import NIOCore

/// Whose hooks are answered, and what the cards open.
package struct CDSHooksConfiguration: Sendable {
    /// The registered client that a caller stands for, by the `iss` of its tokens.
    package var clients: [String: String]
    /// The registered application that a card opens.
    package var applicationID: String

    package init(clients: [String: String], applicationID: String) {
        self.clients = clients
        self.applicationID = applicationID
    }
}

/// An EHR that opens a patient is told of the patient's imaging, with a link that launches an application for them.
///
/// *Spec:* CDS Hooks 2.0 §Discovery, §Calling a CDS Service, §Trusting CDS Clients, §Feedback; hook `patient-view`.
///
/// The link is `absolute` and holds a launch handle of this server, as ``LaunchRoutes`` prepares them: the caller's own
/// authorization server knows nothing of this one's patients, so it could not launch by a link of type `smart`.
package struct CDSHooksRoutes: Sendable {
    static let serviceID = "imaging-studies"
    static let hook = "patient-view"
    static let bodyBytesMax = 512 * 1024
    static let feedbackBytesMax = 64 * 1024

    private let configuration: SMARTConfiguration
    private let hooks: CDSHooksConfiguration
    private let gate: ClientGate
    private let launches: LaunchPreparation
    private let subjects: any LaunchSubjects
    private let patients: any PatientIdentifiers
    private let studies: any StudySummaries
    private let randomBytes: @Sendable (Int) -> [UInt8]

    /// - Parameters:
    ///   - endpoint: whose clients the callers are; failures are counted with its.
    ///   - now: microseconds since the epoch.
    ///   - randomBytes: strong random bytes.
    package init(
        configuration: SMARTConfiguration, hooks: CDSHooksConfiguration, endpoint: TokenEndpoint,
        authorizations: any AuthorizationStore, subjects: any LaunchSubjects, patients: any PatientIdentifiers,
        studies: any StudySummaries, now: @escaping @Sendable () -> Int64,
        randomBytes: @escaping @Sendable (Int) -> [UInt8]
    ) {
        self.configuration = configuration
        self.hooks = hooks
        var gate = endpoint.gate
        gate.interaction = "cds-hook"
        self.gate = gate
        launches = LaunchPreparation(
            fhirBaseURL: configuration.fhirBaseURL, authorizations: authorizations, now: now, randomBytes: randomBytes)
        self.subjects = subjects
        self.patients = patients
        self.studies = studies
        self.randomBytes = randomBytes
    }

    /// The routes below `/cds-services`: discovery for anybody, the service and its feedback for callers.
    package var group: RouteGroup {
        RouteGroup(
            name: "cds-hooks", prefix: "/cds-services", errorBody: ProblemJSON(),
            routes: [
                Route(.get, "/cds-services", operationID: "discoverCDSServices", access: .open) { _ in
                    .bytes(
                        Self.discovery, contentType: "application/json",
                        headers: [.accessControlAllowOrigin: "*", .cacheControl: "public, max-age=300"])
                },
                Route(
                    .post, "/cds-services/" + Self.serviceID, operationID: "callImagingStudiesHook", access: .open,
                    deadline: .seconds(30)
                ) { try await answer($0) },
                Route(
                    .post, "/cds-services/" + Self.serviceID + "/feedback", operationID: "sendImagingStudiesFeedback",
                    access: .open, deadline: .seconds(30)
                ) { try await feedback($0) },
            ])
    }

    private var serviceURL: String { configuration.baseURL + "/cds-services/" + Self.serviceID }

    private static let discovery: [UInt8] = {
        var json = JSONText()
        json.object { json in
            json.array("services") { json in
                json.object { json in
                    json.member("hook", hook)
                    json.member("id", serviceID)
                    json.member("title", "Imaging of the patient")
                    json.member("description", "Tells of a patient's imaging studies, and opens them in a viewer")
                    json.member("usageRequirements", "Sends the prefetched Patient, or has this FHIR server as its own")
                    json.object("prefetch") { json in json.member("patient", "Patient/{{context.patientId}}") }
                }
            }
        }
        return json.bytes
    }()

    private func answer(_ request: APIRequest) async throws -> Response {
        let client = try await caller(request, at: serviceURL, gate)
        let access = AccessContext(
            principal: Principal(kind: .client, id: client.id, name: client.name), scopes: client.scopes,
            requestID: request.requestID, sourceAddress: request.sourceAddress)
        guard access.visibility(.read, of: "Patient").isWhole, access.visibility(.search, of: "ImagingStudy").isWhole
        else {
            throw HTTPFailure(
                .insufficientScope,
                "The client of this issuer must be registered with system/Patient.rs and system/ImagingStudy.rs")
        }
        guard try request.contentType()?.essence == "application/json" else {
            throw HTTPFailure(.unsupportedMediaType, "A hook is called with application/json")
        }
        let body = try await request.collectBody(limit: Self.bodyBytesMax)
        let call: CDSHookCall
        do { call = try CDSHookCall(Array(body.readableBytesView)) } catch {
            throw HTTPFailure(.malformed, error.text)
        }
        guard call.hook == Self.hook else {
            throw HTTPFailure(.malformed, "This service answers the hook \(Self.hook)")
        }
        guard let patient = try await patient(of: call, access),
            let summary = try await studies.studySummary(ofPatient: patient, access: access)
        else {
            try await gate.record(client, request, .success, category: .query, detail: "no-card")
            return cards { _ in }
        }
        let url = try await link(client, patient: patient, study: summary.latestID)
        // By which feedback names the card: the trail alone knows it.
        let card = CDSHookFeedback.cardID(randomBytes(16))
        try await gate.record(
            client, request, .success, category: .query, entity: "client:\(hooks.applicationID) card:\(card)",
            patientID: patient, detail: url == nil ? "card" : "card-with-launch")
        return cards { json in
            json.object { json in
                json.member("uuid", card)
                json.member("summary", Self.words(summary))
                json.member("indicator", "info")
                json.object("source") { json in json.member("label", "Hilum") }
                if let url {
                    json.array("links") { json in
                        json.object { json in
                            json.member("label", "Open the images")
                            json.member("url", url)
                            json.member("type", "absolute")
                        }
                    }
                }
            }
        }
    }

    /// The patient here whom the call means; nil where none does, or where the identifiers are of several.
    private func patient(of call: CDSHookCall, _ access: AccessContext) async throws -> String? {
        if call.fhirServer.map(Self.withoutSlash) == configuration.fhirBaseURL {
            guard LaunchReference.isID(call.patientID),
                try await subjects.exists("Patient", call.patientID, access: access)
            else { return nil }
            return call.patientID
        }
        guard !call.identifiers.isEmpty else {
            throw HTTPFailure(
                .preconditionFailed, "The prefetched Patient with its identifiers is needed: prefetch.patient")
        }
        var found: Set<String> = []
        for identifier in call.identifiers {
            if let id = try await patients.patientID(system: identifier.system, value: identifier.value) {
                found.insert(id)
            }
        }
        // Of two people it cannot be told which one the caller shows: no card is better than another's.
        guard found.count == 1, let id = found.first, try await subjects.exists("Patient", id, access: access) else {
            return nil
        }
        return id
    }

    /// Where the application opens for the patient and the study; nil where there is no such application.
    private func link(_ caller: Client, patient: String, study: String) async throws -> String? {
        guard let application = try await gate.authenticator.registered(hooks.applicationID),
            application.launchURL != nil, LaunchPreparation.mayLaunch(application)
        else { return nil }
        let context = LaunchContext(patient: patient, fhirContext: [.init(reference: "ImagingStudy/" + study)])
        return try await launches.prepare(application, context, by: caller.id).url
    }

    /// Takes down in the trail what became of cards, and does nothing else. CDS Hooks 2.0 §Feedback.
    private func feedback(_ request: APIRequest) async throws -> Response {
        var gate = gate
        gate.interaction = "cds-hook-feedback"
        let client = try await caller(request, at: serviceURL + "/feedback", gate)
        guard try request.contentType()?.essence == "application/json" else {
            throw HTTPFailure(.unsupportedMediaType, "Feedback is sent as application/json")
        }
        let body = try await request.collectBody(limit: Self.feedbackBytesMax)
        let feedback: CDSHookFeedback
        do { feedback = try CDSHookFeedback(Array(body.readableBytesView)) } catch {
            throw HTTPFailure(.malformed, error.text)
        }
        try await gate.record(
            client, request, .success, category: .query,
            entity: feedback.entries.map { "card:" + $0.card }.joined(separator: " "),
            detail: feedback.entries.map(\.outcome.rawValue).joined(separator: " "))
        return Response(status: .ok, headers: [.cacheControl: "no-store"])
    }

    /// The client that the caller's token proves, which is signed for a URL. CDS Hooks 2.0 §Trusting CDS Clients.
    private func caller(_ request: APIRequest, at url: String, _ gate: ClientGate) async throws -> Client {
        var id: String?
        do {
            let fields = request.headers[values: .authorization]
            guard fields.count == 1, let word = fields.first, word.utf8.count <= ClientAssertion.bytesMax + 7,
                word.lowercased().hasPrefix("bearer ")
            else { throw ClientAssertion.Refusal.malformed }
            let assertion = try ClientAssertion(hook: String(word.dropFirst(7)))
            guard let known = hooks.clients[assertion.clientID] else { throw ClientAssertion.Refusal.unknownClient }
            id = known
            try await gate.admit(known, request)
            let client = try await gate.authenticator.client(assertion, id: known, audience: url)
            gate.gate?.proved(known, from: request.sourceAddress)
            return client
        } catch let refusal as ClientAssertion.Refusal {
            _ = try await gate.refused(id, request, reason: refusal.rawValue, "")
            throw HTTPFailure(
                .unauthenticated, "A hook is called with a token that the caller signs for \(url)",
                headers: [.wwwAuthenticate: "Bearer"])
        }
    }

    private func cards(_ body: (inout JSONText) -> Void) -> Response {
        var json = JSONText()
        json.object { json in json.array("cards", body) }
        return .bytes(json.bytes, contentType: "application/json", headers: [.cacheControl: "no-store"])
    }

    /// Less than 140 characters. CDS Hooks 2.0 §Card Attributes.
    static func words(_ summary: StudySummary) -> String {
        let kinds = summary.modalities.prefix(4).map { String($0.prefix(16)) }.joined(separator: ", ")
        let latest = [kinds, summary.day ?? ""].filter { !$0.isEmpty }.joined(separator: " of ")
        let number = summary.count == 1 ? "1 imaging study" : "\(summary.count) imaging studies"
        return latest.isEmpty ? number : number + (summary.count == 1 ? ": " : ", the latest ") + latest
    }

    private static func withoutSlash(_ url: String) -> String { url.hasSuffix("/") ? String(url.dropLast()) : url }
}
