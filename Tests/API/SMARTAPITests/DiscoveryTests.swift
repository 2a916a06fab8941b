import Basics
import HTTPSupport
import HTTPTypes
import TestSupport
import Testing

@testable import SMARTAPI

/// SMART App Launch 2.2 conformance; RFC 7517.
@Suite(.takingTurns) struct DiscoveryTests {
    @Test("SMART 2.2: discovery is JSON for any Accept and origin, with the required members and absolute URLs")
    func discovery() async throws {
        let fixture = try await SMARTFixture()
        let answer = try await fixture.responder.answer(
            .get, "/fhir/.well-known/smart-configuration", headers: [.accept: "application/fhir+xml"])
        #expect(answer.status == 200)
        #expect(answer[.contentType] == "application/json")
        #expect(answer[.accessControlAllowOrigin] == "*")
        let json = try #require(answer.json)
        #expect(json["token_endpoint"]?.text == "https://hilum.test/oauth/token")
        #expect(json["jwks_uri"]?.text == "https://hilum.test/oauth/jwks")
        #expect(json["grant_types_supported"]?.elements == [.string("client_credentials")])
        #expect(json["code_challenge_methods_supported"]?.elements == [.string("S256")])
        #expect(
            json["token_endpoint_auth_signing_alg_values_supported"]?.elements == [.string("RS384"), .string("ES384")])
        #expect(json["capabilities"]?.elements?.contains(.string("client-confidential-asymmetric")) == true)
        #expect(json["authorization_endpoint"] == nil && json["management_endpoint"] == nil)
    }

    @Test("SMART 2.2, OpenID Discovery §3: where applications are launched, both documents say so, with all that works")
    func launches() async throws {
        let fixture = try await LaunchFixture()
        func document(_ path: String) async throws -> JOSEValue {
            let answer = try await fixture.responder.answer(.get, path)
            #expect(answer.status == 200)
            #expect(answer[.accessControlAllowOrigin] == "*")
            return try #require(answer.json)
        }
        let smart = try await document("/fhir/.well-known/smart-configuration")
        let openID = try await document("/.well-known/openid-configuration")
        for json in [smart, openID] {
            #expect(json["issuer"]?.text == "https://hilum.test")
            #expect(json["authorization_endpoint"]?.text == "https://hilum.test/auth/authorize")
            #expect(json["revocation_endpoint"]?.text == "https://hilum.test/oauth/revoke")
            #expect(json["introspection_endpoint"]?.text == "https://hilum.test/oauth/introspect")
            #expect(json["authorization_response_iss_parameter_supported"] == .boolean(true))
            #expect(json["response_types_supported"]?.elements == [.string("code")])
            #expect(json["code_challenge_methods_supported"]?.elements == [.string("S256")])
        }
        #expect(smart["management_endpoint"]?.text == "https://hilum.test/account/access")
        let words = smart["capabilities"]?.elements?.compactMap(\.text) ?? []
        for word in [
            "launch-ehr", "launch-standalone", "authorize-post", "client-public", "client-confidential-symmetric",
            "client-confidential-asymmetric", "sso-openid-connect", "context-banner", "context-style",
            "context-ehr-patient", "context-ehr-encounter", "context-standalone-patient",
            "context-standalone-encounter", "permission-offline", "permission-online", "permission-patient",
            "permission-user", "permission-v1", "permission-v2",
        ] { #expect(words.contains(word), "\(word)") }
        let scopes = smart["scopes_supported"]?.elements?.compactMap(\.text) ?? []
        for word in ["launch/patient", "launch/encounter", "launch/imagingstudy"] { #expect(scopes.contains(word)) }
        #expect(openID["id_token_signing_alg_values_supported"]?.elements == [.string("RS256"), .string("ES256")])
        #expect(openID["subject_types_supported"]?.elements == [.string("public")])
    }

    @Test("RFC 7517: the key set holds public members only")
    func keySet() async throws {
        let fixture = try await SMARTFixture()
        let answer = try await fixture.responder.answer(.get, "/oauth/jwks")
        let keys = try #require(answer.json?["keys"]?.elements)
        #expect(keys.count == 1)
        #expect(keys[0]["alg"]?.text == "ES256")
        #expect(keys[0]["kid"]?.text == fixture.serverKey.id)
        #expect(keys[0]["d"] == nil)
        #expect(keys[0]["x"]?.text.flatMap { Base64URL.decode($0.utf8) }?.count == 32)
        _ = try KeySet(answer.body)
    }

    @Test("SMART Imaging Access: the base says so itself, and other bases that tokens are for are associated endpoints")
    func imaging() throws {
        let configuration = SMARTConfiguration(baseURL: "https://hilum.test")
        let documents = DiscoveryDocuments(
            configuration, launches: false, onlineAccess: false, systemScopes: [],
            associated: [
                AssociatedEndpoint(url: "https://images.test/fhir", capabilities: ["smart-imaging-access"])
            ])
        let json = try #require(JOSEValue(object: documents.smart))
        #expect(json["capabilities"]?.elements?.contains(.string("smart-imaging-access")) == true)
        let endpoint = try #require(json["associated_endpoints"]?.elements?.first)
        #expect(endpoint["url"]?.text == "https://images.test/fhir")
        #expect(endpoint["capabilities"]?.elements == [.string("smart-imaging-access")])
        let alone = DiscoveryDocuments(configuration, launches: false, onlineAccess: false, systemScopes: [])
        #expect(JOSEValue(object: alone.smart)?["associated_endpoints"] == nil)
    }

    @Test("RFC 7517, OpenID Connect Discovery §3: both keys are published, and RSA's public members alone")
    func identityKey() async throws {
        let fixture = try await LaunchFixture()
        let answer = try await fixture.responder.answer(.get, "/oauth/jwks")
        let keys = try #require(answer.json?["keys"]?.elements)
        #expect(keys.map { $0["alg"]?.text } == ["ES256", "RS256"])
        #expect(keys[1]["kid"]?.text == fixture.identityKey.id)
        #expect(keys[1]["n"]?.text.flatMap { Base64URL.decode($0.utf8) }?.count == 256)
        guard case .object(let members) = keys[1] else { return }
        #expect(Set(members.keys) == ["kty", "n", "e", "use", "alg", "kid"])
        let set = try KeySet(answer.body)
        #expect(set.key(ofIssuer: fixture.identityKey.id, for: .rs256, among: SignatureAlgorithm.allCases) != nil)
        #expect(set.key(ofIssuer: fixture.identityKey.id, for: .es256, among: SignatureAlgorithm.allCases) == nil)
        #expect(set.key(ofIssuer: fixture.identityKey.id, for: .rs384, among: SignatureAlgorithm.allCases) == nil)
    }

    @Test("RFC 6749 §5.2: errors of the API are OAuth errors, also for unknown paths and methods")
    func errors() async throws {
        let fixture = try await SMARTFixture()
        let unknown = try await fixture.responder.answer(.get, "/oauth/nothing")
        #expect(unknown.status == 404)
        #expect(unknown.error == "invalid_request")
        let method = try await fixture.responder.answer(.get, "/oauth/token")
        #expect(method.status == 405)
        #expect(method[.allow] == "POST")
    }

    @Test(
        "JOSE JSON: text that is not strictly one object is refused",
        arguments: [
            "", " ", "1", "[]", "{", "{}}", "{\"a\":1,}", "{\"a\"}", "{a:1}", "{\"a\":01}", "{\"a\":1e2}", "{\"a\":.5}",
            "{\"a\":1.}",
            "{\"a\":+1}", "{\"a\":NaN}", "{\"a\":1 \"b\":2}", "{\"a\":\"\u{1}\"}", "{\"a\":\"\\u0000\"}",
            "{\"a\":\"\\ud800\"}",
            "{\"a\":\"\\x\"}", "{\"a\":1,\"a\":1}", "{\"a\":1,\"\\u0061\":2}", "\u{FEFF}{}",
            "{\"a\":[[[[[[[[1]]]]]]]]}", "{\"a\":tru}",
            "{\"a\":1234567890123456}", "//\n{}", "{\"\\u0000\":1}", "{\"a\":-1234567890123456.5}", "{\"a\":1E2}",
            "{\"a\":[1.5e3]}", "{\"a\":-}", "{\"a\":{\"b\":[\"\\u0000\"]}}",
        ])
    func malformedJSON(text: String) { #expect(JOSEValue(object: Array(text.utf8)) == nil) }

    @Test("JOSE JSON: legal objects are read; bytes that are not UTF-8 are not")
    func json() {
        let value = JOSEValue(
            object: Array(#" {"a":"x\u00e9\ud83d\ude00\n","b":[1,-2,3.9,true,null],"c":{"d":{}}} "#.utf8))
        #expect(value?["a"]?.text == "xé😀\n")
        #expect(value?["b"]?.elements == [.number(1), .number(-2), .number(3), .boolean(true), .null])
        #expect(JOSEValue(object: Array("{\"a\":\"".utf8) + [0xFF] + Array("\"}".utf8)) == nil)
    }
}
