import Basics
import Cryptography
import FHIRModel
import Foundation
import HTTPSupport
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import Synchronization

/// The application of the demo: a web server in this process, on loopback, that an EHR launches for a patient and that lists
/// the patient's studies and reports. It is a SMART application like anybody's: it knows the server by its address alone.
/// SMART 2.2 app-launch.
final class DemoApp: Sendable {
    static let name = "Demo app"
    static let scope = "launch patient/Patient.r patient/ImagingStudy.rs patient/DiagnosticReport.rs"

    /// What the page shows.
    struct Listing: Sendable {
        struct Row: Sendable {
            let id: String
            let title: String
            let date: String
            let more: String
            /// Of a study its Study Instance UID.
            let studyInstanceUID: String?
        }
        let patient: String
        let studies: [Row]
        let reports: [Row]
    }

    /// What it is registered as, and how the demo's EHR launches it.
    struct Registration: Sendable {
        let clientID: String
        /// Makes a handle for the demo's patient.
        let handle: @Sendable () async throws -> String
    }

    private struct State {
        var registration: Registration?
        /// Verifiers of requests that are not answered, by their state.
        var pending: [String: String] = [:]
        var shown: Listing?
    }

    /// Requests that are not answered yet.
    private static let pendingMax = 100
    private let ports = AsyncStream.makeStream(of: Int.self)
    private let state = Mutex(State())
    private let http: DemoHTTPClient
    private let portOpened = Mutex(0)

    /// - Parameter http: to the server of the demo.
    init(_ http: DemoHTTPClient) { self.http = http }

    /// What was listed last; nil before it was launched.
    var shown: Listing? { state.withLock { $0.shown } }
    var origin: String { "http://127.0.0.1:\(portOpened.withLock { $0 })" }
    var launchURL: String { origin + "/launch" }
    var redirectURI: String { origin + "/callback" }
    /// Where the demo's EHR launches it anew.
    var ehrURL: String { origin + "/ehr" }
    private var issuer: String { http.base + "/fhir" }

    func register(_ registration: Registration) { state.withLock { $0.registration = registration } }

    /// Listens on loopback until its task is cancelled.
    func listen() async {
        defer { ports.continuation.finish() }
        var logger = Logger(label: "demo.app")
        logger.logLevel = .critical
        let app = Application(
            responder: CallbackResponder<BasicRequestContext> { [self] request, _ in await answer(request) },
            configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { [ports] in ports.continuation.yield($0.localAddress?.port ?? 0) }, logger: logger)
        // What keeps it from listening is that no port comes.
        try? await app.run()
    }

    /// Waits until it listens. Throws ``DemoFailure`` where it cannot.
    func open() async throws {
        let port = try DemoFailure.unwrap(
            await ports.stream.first { $0 > 0 }, "the port of the demo's application could not be opened")
        portOpened.withLock { $0 = port }
    }

    // MARK: Requests

    private func answer(_ request: Request) async -> Response {
        do {
            let query = try QueryParameters(request.uri.query ?? "")
            switch (request.method, request.uri.path) {
            case (.get, "/ehr"): return try await launchAnew()
            case (.get, "/launch"): return try await launch(query)
            case (.get, "/callback"): return try await callback(query)
            case (.get, Stylesheet.path):
                return .bytes(Stylesheet.bytes, contentType: "text/css; charset=utf-8")
            default: return page("There is no such page", [], status: .notFound)
            }
        } catch let failure as DemoFailure {
            return page("The launch failed", [.element("p", [], .text(failure.description))], status: .badRequest)
        } catch {
            return page("The launch failed", [.element("p", [], .text("\(error)"))], status: .badRequest)
        }
    }

    /// What an EHR does when somebody opens the application for a patient.
    private func launchAnew() async throws -> Response {
        let registration = try registered()
        let handle = try await registration.handle()
        return .seeOther(launchURL + "?" + DemoHTTPClient.form([("iss", issuer), ("launch", handle)]))
    }

    /// An EHR has opened the application: it asks for a code, with a state and a challenge of its own.
    private func launch(_ query: QueryParameters) async throws -> Response {
        let registration = try registered()
        guard query["iss"] == issuer, let handle = query["launch"] else {
            throw DemoFailure("This application is of another server.")
        }
        let endpoint = try await endpoint("authorization_endpoint")
        let (proof, verifier) = (Self.random(), Self.random())
        state.withLock { state in
            if state.pending.count >= Self.pendingMax { state.pending.removeAll() }
            state.pending[proof] = verifier
        }
        let fields = [
            ("response_type", "code"), ("client_id", registration.clientID), ("redirect_uri", redirectURI),
            ("scope", Self.scope), ("launch", handle), ("aud", issuer), ("state", proof),
            ("code_challenge", Base64URL.encode(SHA256.digest(verifier.utf8))), ("code_challenge_method", "S256"),
        ]
        return .seeOther(endpoint + "?" + DemoHTTPClient.form(fields))
    }

    /// The answer: a code that is exchanged, and the patient's studies and reports that are read with what comes for it.
    private func callback(_ query: QueryParameters) async throws -> Response {
        let registration = try registered()
        guard let proof = query["state"], let verifier = state.withLock({ $0.pending.removeValue(forKey: proof) })
        else { throw DemoFailure("Nobody has asked for this answer. Launch the application again.") }
        guard query["iss"] == http.base else { throw DemoFailure("The answer is of another server.") }
        guard let code = query["code"] else {
            throw DemoFailure("The server says: \(query["error_description"] ?? query["error"] ?? "nothing")")
        }
        let fields = [
            ("grant_type", "authorization_code"), ("code", code), ("redirect_uri", redirectURI),
            ("code_verifier", verifier), ("client_id", registration.clientID),
        ]
        let answer = try await http.send(
            .POST, endpoint("token_endpoint"), headers: [("Content-Type", "application/x-www-form-urlencoded")],
            body: Array(DemoHTTPClient.form(fields).utf8)
        ).expect(200).json()
        guard let token = answer["access_token"]?.string, let patient = answer["patient"]?.string else {
            throw DemoFailure("The server gave no token for a patient.")
        }
        let listing = try await listing(of: patient, token)
        state.withLock { $0.shown = listing }
        return page("Studies and reports", DemoAppPage.content(listing, server: http.base))
    }

    private func registered() throws -> Registration {
        try DemoFailure.unwrap(state.withLock { $0.registration }, "The application is not registered yet.")
    }

    /// From discovery. SMART 2.2 app-launch §Retrieve .well-known/smart-configuration.
    private func endpoint(_ name: String) async throws -> String {
        let found = try await http.send(.GET, issuer + "/.well-known/smart-configuration").expect(200).json()
        return try DemoFailure.unwrap(found[name]?.string, "discovery names no \(name)")
    }

    // MARK: FHIR

    private func listing(of patient: String, _ token: String) async throws -> Listing {
        func read(_ path: String) async throws -> JSONDocument {
            try await http.send(
                .GET, issuer + "/" + path, token: token, headers: [("Accept", "application/fhir+json")]
            ).expect(200).json()
        }
        func found(_ type: String) async throws -> [JSONNode] {
            let query = DemoHTTPClient.form([("patient", patient), ("_count", "100")])
            return try await read("\(type)?\(query)").resources.filter { $0["resourceType"]?.isString(type) == true }
        }
        let person = try await read("Patient/" + patient)
        let name = person["name"]?[0]
        let shown = [name?["family"]?.string, name?["given"]?[0]?.string].compactMap { $0 }.joined(separator: ", ")
        let prefix = "urn:oid:"
        let studies = try await found("ImagingStudy").map { study in
            let identifier = study["identifier"]?.elements.first { $0["system"]?.isString("urn:dicom:uid") == true }
            let uid = identifier?["value"]?.string.flatMap { value in
                value.hasPrefix(prefix) ? String(value.dropFirst(prefix.count)) : nil
            }
            return Listing.Row(
                id: study.text("id") ?? "", title: study.text("description") ?? "Study",
                date: String((study.text("started") ?? "").prefix(10)),
                more: "\(study.text("numberOfInstances") ?? "?") images", studyInstanceUID: uid)
        }
        let reports = try await found("DiagnosticReport").map { report in
            Listing.Row(
                id: report.text("id") ?? "",
                title: report.text("code.text") ?? report.text("code.coding.0.display") ?? "Report",
                date: String((report.text("issued") ?? report.text("effectiveDateTime") ?? "").prefix(10)),
                more: "\(report.text("status") ?? ""): \(report.text("conclusion") ?? "")", studyInstanceUID: nil)
        }
        return Listing(patient: shown, studies: studies, reports: reports)
    }

    // MARK: Pieces

    private static func random() -> String { Base64URL.encode(SecureRandom.bytes(32)) }

    private func page(_ title: String, _ content: [HTML], status: HTTPResponse.Status = .ok) -> Response {
        var page = Page(title, .english, content)
        page.hasForms = false
        return page.response(status: status)
    }
}

/// The page of the demo's application.
enum DemoAppPage {
    /// - Parameter server: where the viewer is.
    static func content(_ listing: DemoApp.Listing, server: String) -> [HTML] {
        [
            .element("p", [], "For ", .element("strong", [], .text(listing.patient)), ", as the token allows."),
            section("Studies", listing.studies, server), section("Reports", listing.reports, server),
        ]
    }

    private static func section(_ title: String, _ rows: [DemoApp.Listing.Row], _ server: String) -> HTML {
        let items = rows.map { row -> HTML in
            let name: HTML =
                row.studyInstanceUID.map {
                    .element("a", [.init("href", server + "/viewer#study=" + $0)], .text(row.title))
                } ?? .text(row.title)
            return .element(
                "li", [], name, " \(row.date) ", .element("span", [.init("class", "quiet")], .text(row.more)))
        }
        return .element(
            "section", [], .element("h2", [], .text(title)),
            items.isEmpty ? .element("p", [], "There are none.") : .element("ul", [], items))
    }
}
