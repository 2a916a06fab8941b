import Access
import HTTPSupport
import HTTPTypes
import Hummingbird
import TestSupport
import Testing
import Workflow

@testable import DICOMwebAPI

/// What the services say of themselves. PS3.18 §8.9, Annex H; RFC 9110 §9.3.7.
@Suite("Capabilities by OPTIONS")
struct CapabilitiesTests {
    private static func options(_ path: String, accept: String? = nil) async throws
        -> (status: Int, allow: String?, type: String?, text: String)
    {
        let group = try ResultTests.routes().0.group
        let responder = APIResponder(
            table: try RouteTable([group]),
            authenticator: BearerAuthenticator(tokens: NoTokens(), audit: NoTrail(), realm: "r"),
            newRequestID: { "test" })
        var headers = HTTPFields()
        headers[.accept] = accept
        let answer = try await responder.answer(.options, path, headers: headers)
        return (answer.status, answer[.allow], answer[.contentType], answer.text)
    }

    @Test("The base tells all resources, with nobody's token; a resource tells itself and what lies below it")
    func documents() async throws {
        let whole = try await Self.options("/dicomweb")
        #expect(whole.status == 200 && whole.type == "application/vnd.sun.wadl+xml" && whole.allow == "OPTIONS")
        #expect(whole.text.contains("<resources base=\"https://h/dicomweb\">"))
        for id in ["searchStudies", "retrieveFrames", "retrievePixelData", "storeInstances", "retrieveByURI"] {
            #expect(whole.text.contains("id=\"\(id)\""), "\(id)")
        }
        #expect(whole.text.contains("<param name=\"PatientID\" style=\"query\" type=\"xs:string\"/>"))
        #expect(try await Self.options("/dicomweb/").text == whole.text)
        let study = try await Self.options("/dicomweb/studies/1.2.3")
        let allowed = Set((study.allow ?? "").split(separator: ", "))
        #expect(study.status == 200 && allowed.isSuperset(of: ["GET", "HEAD", "OPTIONS", "POST"]))
        #expect(
            study.text.contains("<resource path=\"studies/{study}\">") && study.text.contains("id=\"retrieveSeries\""))
        #expect(!study.text.contains("id=\"searchStudies\""))
        // The path's own text is not in it.
        #expect(!study.text.contains("1.2.3"))
        #expect(!(try await Self.options("/dicomweb/studies/%22%3Cx%3E/series")).text.contains("<x>"))
    }

    @Test("Elements are closed in order, and each is known")
    func wellFormed() async throws {
        let text = try await Self.options("/dicomweb").text
        var open: [Substring] = []
        for piece in text.split(separator: "<").dropFirst() {
            let name = piece.prefix { $0 != " " && $0 != ">" && $0 != "/" }
            if piece.hasPrefix("/") {
                #expect(open.popLast() == piece.dropFirst().prefix { $0 != ">" })
            } else if !piece.contains("/>") {
                open.append(name)
            }
        }
        #expect(open.isEmpty)
    }

    @Test("JSON for who prefers it, 406 for what neither is, 404 where nothing is; HEAD and POST stay what they were")
    func forms() async throws {
        let json = try await Self.options("/dicomweb/studies", accept: "application/json")
        #expect(json.type == "application/json" && json.text.hasPrefix(#"{"application":{"resources":{"base":"https:"#))
        let best = "application/json;q=0.5, application/vnd.sun.wadl+xml"
        #expect(try await Self.options("/dicomweb/studies", accept: best).type == "application/vnd.sun.wadl+xml")
        #expect(try await Self.options("/dicomweb/studies", accept: "text/csv").status == 406)
        // Each path and form has its own, also from then on.
        let capabilities = Capabilities(
            baseURL: "https://h", prefix: "/dicomweb", routes: try ResultTests.routes().0.group.routes)
        for _ in 0..<2 {
            var bodies: Set<[UInt8]> = []
            for (path, accept) in [("", nil), ("", "application/json"), ("studies", nil), ("studies/1", nil)]
                as [(String, String?)]
            {
                bodies.insert(
                    try await SinglePartTests.body(
                        try capabilities.response(at: path.split(separator: "/"), accept: accept)))
            }
            #expect(bodies.count == 4)
        }
        #expect(try await Self.options("/dicomweb/nothing").status == 404)
    }
}
