import Access
import HTTPTypes
import Hummingbird
import TestSupport
import Testing

@testable import HTTPSupport

/// RFC 9110 §9.1, §15.5.6; RFC 3986 §2.1, §3.3.
@Suite(.takingTurns) struct RouteTableTests {
    static func table(_ routes: [Route]) throws -> RouteTable {
        try RouteTable([RouteGroup(name: "test", prefix: "/", errorBody: ProblemJSON(), routes: routes)])
    }
    static func route(_ method: HTTPRequest.Method, _ template: String) -> Route {
        Route(method, template, operationID: "\(method.rawValue) \(template)", access: .open) { request in
            .bytes(Array(request.parameters["id"].utf8), contentType: "text/plain")
        }
    }
    static let fhirLike = [
        route(.get, "/fhir/metadata"), route(.get, "/fhir/{type}"), route(.post, "/fhir/{type}"),
        route(.get, "/fhir/{type}/{id}"), route(.put, "/fhir/{type}/{id}"), route(.post, "/fhir/{type}/_search"),
        route(.get, "/fhir/{type}/{id}/_history/{vid}"), route(.get, "/fhir/$export"),
    ]

    private func matched(_ method: HTTPRequest.Method, _ path: String) throws -> String {
        switch try RouteTableTests.table(RouteTableTests.fhirLike).match(method: method, path: path) {
        case .found(let route, _, let parameters):
            "\(route.template) \(parameters["type"]) \(parameters["id"]) \(parameters["vid"])"
        case .wrongMethod(let allowed, _): "405 " + allowed.map(\.rawValue).sorted().joined(separator: ",")
        case .notFound: "404"
        case .malformed: "400"
        }
    }

    @Test(
        "A bad escape, an encoded slash, a dot segment or a control character in the path is refused",
        arguments: [
            "/fhir/Patient/%2", "/fhir/Patient/%zz", "/fhir/Patient/a%2Fb", "/fhir/Patient/..", "/fhir/Patient/%2e%2e",
            "/fhir/Patient/.", "/fhir/Patient/a%00b", "/fhir/Patient/%FF", "/fhir/Patient/a%5Cb", "fhir/Patient", "",
            "http://evil/fhir/Patient", "*",
        ])
    func hostilePaths(path: String) throws { #expect(try matched(.get, path) == "400") }

    @Test("A path of more segments than any template has is not found, whatever its length")
    func longPath() throws {
        #expect(try matched(.get, String(repeating: "/a", count: 8000)) == "404")
        #expect(try matched(.get, "/fhir//x") == "404")
        #expect(try matched(.get, "/FHIR/Patient") == "404")
    }

    @Test("A literal segment wins over a parameter; both kinds of path are found")
    func literals() throws {
        #expect(try matched(.get, "/fhir/metadata") == "/fhir/metadata   ")
        #expect(try matched(.get, "/fhir/Patient") == "/fhir/{type} Patient  ")
        #expect(try matched(.get, "/fhir/Patient/") == "/fhir/{type} Patient  ")
        #expect(try matched(.get, "/fhir/$export") == "/fhir/$export   ")
        #expect(try matched(.get, "/fhir/%24export") == "/fhir/$export   ")
        #expect(try matched(.get, "/fhir/metadata/7") == "/fhir/{type}/{id} metadata 7 ")
        #expect(try matched(.get, "/fhir/Patient/1/_history/2") == "/fhir/{type}/{id}/_history/{vid} Patient 1 2")
    }

    @Test("RFC 9110 §15.5.6: a known path with another method is 405 with the methods it has")
    func wrongMethod() throws {
        #expect(try matched(.delete, "/fhir/Patient/1") == "405 GET,HEAD,PUT")
        #expect(try matched(.get, "/fhir/Patient/_search") == "405 POST")
        #expect(try matched(.head, "/fhir/Patient/1") == "/fhir/{type}/{id} Patient 1 ")
    }

    @Test("Two routes of one method and shape, or of one operation id, cannot be registered")
    func conflicts() {
        #expect(throws: RouteTable.Conflict.duplicateRoute(method: "GET", template: "/a/{y}")) {
            _ = try RouteTableTests.table([
                RouteTableTests.route(.get, "/a/{x}"), RouteTableTests.route(.get, "/a/{y}"),
            ])
        }
        #expect(throws: RouteTable.Conflict.duplicateOperationID("GET /a")) {
            _ = try RouteTableTests.table([RouteTableTests.route(.get, "/a"), RouteTableTests.route(.get, "/a")])
        }
        #expect(throws: RouteTable.Conflict.malformedTemplate("a/b")) {
            _ = try RouteTableTests.table([RouteTableTests.route(.get, "a/b")])
        }
    }

    @Test("The table lists each operation once, sorted, for the comparison with OpenAPI")
    func listing() throws {
        let operations = try RouteTableTests.table(RouteTableTests.fhirLike).operations
        #expect(operations.count == RouteTableTests.fhirLike.count)
        #expect(operations.first?.template == "/fhir/$export")
        #expect(operations.allSatisfy { !$0.requiresToken })
    }
}
