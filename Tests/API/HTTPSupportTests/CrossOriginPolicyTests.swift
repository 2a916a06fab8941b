import HTTPTypes
import Hummingbird
import TestSupport
import Testing

@testable import HTTPSupport

/// Case D19: web pages of other origins. Fetch Standard §3.2; RFC 6454 §6.2.
@Suite(.takingTurns) struct CrossOriginPolicyTests {
    private static func responder(_ origins: [String]) throws -> APIResponder {
        let routes = [
            Route(.get, "/fhir/{type}", operationID: "search", access: .bearer(.anyToken)) { _ in
                .bytes([], contentType: "text/plain", headers: [.vary: "Accept"])
            },
            Route(.post, "/fhir/{type}", operationID: "create", access: .bearer(.anyToken)) { _ in .empty(.created) },
            Route(.get, "/published", operationID: "published", access: .open) { _ in
                .bytes([], contentType: "text/plain", headers: [.accessControlAllowOrigin: "*"])
            },
        ]
        return APIResponder(
            table: try RouteTable([RouteGroup(name: "test", prefix: "/", errorBody: ProblemJSON(), routes: routes)]),
            authenticator: BearerAuthenticator(
                tokens: APIResponderTests.Tokens(), audit: APIResponderTests.Trail(), realm: "h"),
            cors: CrossOriginPolicy(origins: origins), newRequestID: { "id" })
    }

    private static let viewer = "https://viewer.example"

    private static func preflight(_ origin: String, _ method: String = "POST") -> HTTPFields {
        [
            .origin: origin, .accessControlRequestMethod: method,
            .accessControlRequestHeaders: "authorization, content-type",
        ]
    }

    @Test("D19: a listed origin is told what it may send, without a token; no credentials, no star")
    func preflight() async throws {
        let responder = try Self.responder([Self.viewer])
        let answer = try await responder.answer(.options, "/fhir/Patient", headers: Self.preflight(Self.viewer))
        #expect(answer.status == 204)
        #expect(answer[.accessControlAllowOrigin] == Self.viewer)
        #expect(answer[.accessControlAllowMethods] == "POST")
        #expect(answer[.accessControlAllowHeaders]?.contains("Authorization") == true)
        #expect(answer[.accessControlAllowCredentials] == nil)
        #expect(answer[.vary] == "Origin")
        // A method that the path does not take is answered with those that it does.
        let other = try await responder.answer(
            .options, "/fhir/Patient", headers: Self.preflight(Self.viewer, "DELETE"))
        #expect(other[.accessControlAllowMethods] == "GET, HEAD, POST")
        #expect(
            try await responder.answer(.options, "/nowhere", headers: Self.preflight(Self.viewer)).status == 404)
    }

    @Test(
        "D19: an origin is another one when a letter differs",
        arguments: [
            "https://viewer.example.evil", "http://viewer.example", "https://viewer.example:8443",
            "https://VIEWER.example",
            "https://viewer.example/", "null", "*", "https://xviewer.example",
        ])
    func others(_ origin: String) async throws {
        let responder = try Self.responder([Self.viewer])
        let preflight = try await responder.answer(.options, "/fhir/Patient", headers: Self.preflight(origin))
        #expect(preflight.status == 403)
        #expect(preflight[.accessControlAllowOrigin] == nil)
        let get = try await responder.answer(
            .get, "/fhir/Patient", headers: [.origin: origin, .authorization: "Bearer reader"])
        #expect(get.status == 200)
        #expect(get[.accessControlAllowOrigin] == nil)
        // A cache must not give this answer to the page that may read it.
        #expect(get[.vary] == "Accept, Origin")
    }

    @Test("D19: answers and refusals alike can be read by a page of a listed origin, with the fields that it needs")
    func answers() async throws {
        let responder = try Self.responder([Self.viewer])
        for (token, status) in [("reader", 200), ("nonsense", 401)] {
            let answer = try await responder.answer(
                .get, "/fhir/Patient", headers: [.origin: Self.viewer, .authorization: "Bearer \(token)"])
            #expect(answer.status == status)
            #expect(answer[.accessControlAllowOrigin] == Self.viewer)
            #expect(answer[.accessControlExposeHeaders]?.contains("ETag") == true)
            #expect(answer[.accessControlAllowCredentials] == nil)
        }
        let published = try await responder.answer(.get, "/published", headers: [.origin: "https://any.example"])
        #expect(published[.accessControlAllowOrigin] == "*")
    }

    @Test("D19: without configured origins there is no preflight and no field")
    func off() async throws {
        let responder = try Self.responder([])
        #expect(
            try await responder.answer(.options, "/fhir/Patient", headers: Self.preflight(Self.viewer)).status == 405)
        let get = try await responder.answer(
            .get, "/fhir/Patient", headers: [.origin: Self.viewer, .authorization: "Bearer reader"])
        #expect(get[.accessControlAllowOrigin] == nil)
        #expect(get[.vary] == "Accept")
    }

    @Test("RFC 6454 §6.2: what may be configured is an origin as a browser writes it")
    func spelling() {
        for good in ["https://a.example", "http://localhost:3000", "http://[::1]:8080", "https://a.example:80"] {
            #expect(CrossOriginPolicy.isOrigin(good), "\(good)")
        }
        for bad in [
            "*", "null", "", "https://", "a.example", "https://A.example", "https://a.example/",
            "https://a.example:443",
            "http://a.example:80", "https://a.example/x", "https://u@a.example", "ftp://a.example", "https://*.example",
        ] {
            #expect(!CrossOriginPolicy.isOrigin(bad), "\(bad)")
        }
    }
}
