import Access
import Basics
import HTTPSupport
import HTTPTypes
import TestSupport
import Testing

@testable import SMARTAPI

/// Attack class A of the security rules; RFC 7523 §3; RFC 8725 §3; SMART 2.2 client-confidential-asymmetric.
@Suite(.takingTurns) struct TokenEndpointTests {
    @Test(
        "RFC 8725 §3.1, §3.10: a header that names another algorithm or brings its own key is refused",
        arguments: [
            ("alg", "\"none\""), ("alg", "\"HS256\""), ("alg", "\"HS384\""), ("alg", "\"RS256\""), ("alg", "\"ES256\""),
            ("alg", "\"PS384\""), ("alg", "\"RS384\""), ("alg", "\"es384\""), ("alg", "384"), ("jwk", "{}"),
            ("x5u", "\"https://e\""),
            ("x5c", "[]"), ("crit", "[\"exp\"]"), ("b64", "false"), ("zip", "\"DEF\""), ("enc", "\"A256GCM\""),
            ("cty", "\"JWT\""),
            ("typ", "\"at+jwt\""), ("kid", "\"\""), ("kid", "7"), ("kid", "\"../../etc/passwd\""),
            ("kid", "\"k1' OR '1'='1\""),
            ("kid", "\"K1\""), ("jku", "\"https://evil.test/jwks\""), ("jku", "1"),
        ])
    func hostileHeader(member: String, value: String) async throws {
        let fixture = try await SMARTFixture()
        let answer = try await fixture.token(try fixture.assertion(header: [member: value]))
        #expect(answer.status == 401)
        #expect(answer.error == "invalid_client")
    }

    @Test("alg and kid must be there; typ may be left out")
    func headerMembers() async throws {
        let fixture = try await SMARTFixture()
        for member in ["alg", "kid"] {
            #expect(try await fixture.token(try fixture.assertion(header: [member: nil])).error == "invalid_client")
        }
        #expect(try await fixture.token(try fixture.assertion(header: ["typ": nil])).status == 200)
    }

    @Test(
        "RFC 7523 §3: claims that are missing, foreign or of the wrong kind are refused",
        arguments: [
            ("iss", nil), ("sub", nil), ("aud", nil), ("exp", nil), ("jti", nil), ("iss", "\"other\""),
            ("sub", "\"other\""),
            ("iss", "1"), ("jti", "\"\""), ("jti", "5"), ("exp", "\"soon\""), ("exp", "1e400"),
            ("exp", "99999999999999999999"),
            ("exp", "-1"), ("nbf", "\"x\""), ("aud", "\"https://hilum.test/oauth/token/\""),
            ("aud", "\"https://hilum.test/oauth\""),
            ("aud", "\"https://hilum.test/fhir\""), ("aud", "\"HTTPS://hilum.test/oauth/token\""), ("aud", "[]"),
            ("aud", "{}"),
            ("aud", "[\"https://hilum.test/oauth/token\",\"https://evil.test\"]"), ("aud", "[1]"),
        ] as [(String, String?)])
    func hostileClaims(member: String, value: String?) async throws {
        let fixture = try await SMARTFixture()
        let answer = try await fixture.token(try fixture.assertion(claims: [member: value]))
        #expect(answer.status == 401)
        #expect(answer.error == "invalid_client")
    }

    @Test("SMART 2.2: exp may be five minutes and the skew ahead, no more; past and future dates count with the skew")
    func dates() async throws {
        let fixture = try await SMARTFixture()
        let now = fixture.clock.seconds
        func status(_ claims: [String: String?]) async throws -> Int {
            try await fixture.token(try fixture.assertion(claims: claims)).status
        }
        #expect(try await status(["exp": "\(now + 330)"]) == 200)
        #expect(try await status(["exp": "\(now + 331)"]) == 401)
        #expect(try await status(["exp": "\(now - 29)"]) == 200)
        #expect(try await status(["exp": "\(now - 30)"]) == 401)
        #expect(try await status(["nbf": "\(now + 30)"]) == 200)
        #expect(try await status(["nbf": "\(now + 31)"]) == 401)
        #expect(try await status(["iat": "\(now + 30)"]) == 200)
        #expect(try await status(["iat": "\(now + 31)"]) == 401)
        #expect(try await status(["exp": "\(now + 100).75"]) == 200)
        #expect(try await status(["aud": "[\"https://hilum.test/oauth/token\"]"]) == 200)
    }

    @Test("RFC 8725 §2.6: a duplicate member in header or claims is refused, whichever of the two would have passed")
    func duplicates() async throws {
        let fixture = try await SMARTFixture()
        let header = #"{"alg":"ES384","kid":"k1","typ":"JWT"}"#
        let claims =
            #"{"iss":"app","sub":"app","aud":"\#(SMARTFixture.tokenURL)","exp":\#(fixture.clock.seconds + 60),"jti":"1"}"#
        #expect(try await fixture.token(try fixture.key.sign(header: header, claims: claims)).status == 200)
        let twice = claims.replacing("\"jti\":\"1\"", with: "\"jti\":\"2\",\"iss\":\"app\"")
        #expect(try await fixture.token(try fixture.key.sign(header: header, claims: twice)).error == "invalid_client")
        let twoAlgorithms = header.replacing("{", with: #"{"alg":"none","#)
        let other = claims.replacing("\"jti\":\"1\"", with: "\"jti\":\"3\"")
        #expect(
            try await fixture.token(try fixture.key.sign(header: twoAlgorithms, claims: other)).error
                == "invalid_client")
    }

    @Test("Text that is no JWS, a JWE, padding, a nested signature and an assertion past the size limit are refused")
    func malformed() async throws {
        let fixture = try await SMARTFixture()
        let good = try fixture.assertion()
        let parts = good.split(separator: ".").map(String.init)
        let bad = [
            "", ".", "..", "a.b.c", good + ".x.y", parts[0] + "." + parts[1], parts[0] + "." + parts[1] + ".",
            good + "=",
            parts[0] + "." + parts[1] + "." + Base64URL.encode([UInt8](repeating: 0, count: 96)), good + "A",
            Base64URL.encode("[]".utf8) + "." + parts[1] + "." + parts[2], String(repeating: "a", count: 20_000),
            Base64URL.encode(Array("\u{FEFF}{\"alg\":\"ES384\"}".utf8)) + "." + parts[1] + "." + parts[2],
        ]
        for assertion in bad {
            let answer = try await fixture.token(PercentCoding.encoded(assertion))
            #expect(answer.status == 401, "\(assertion.prefix(40))")
            #expect(answer.error == "invalid_client")
        }
        #expect(throws: ClientAssertion.Refusal.malformed) {
            _ = try ClientAssertion(String(repeating: "a", count: ClientAssertion.bytesMax))
        }
        #expect(throws: ClientAssertion.Refusal.tooLarge) {
            _ = try ClientAssertion(String(repeating: "a", count: ClientAssertion.bytesMax + 1))
        }
        #expect(try await fixture.token(good).status == 200)
    }

    @Test("A jti is good once: a replay is refused, and of parallel replays exactly one wins")
    func replay() async throws {
        let fixture = try await SMARTFixture()
        let assertion = try fixture.assertion()
        let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<16 { group.addTask { try await fixture.token(assertion).status } }
            var all: [Int] = []
            for try await status in group { all.append(status) }
            return all
        }
        #expect(statuses.filter { $0 == 200 }.count == 1)
        #expect(statuses.filter { $0 == 401 }.count == 15)
        #expect(
            fixture.store.records.last?.detail == "jti-replayed"
                || fixture.store.records.contains { $0.detail == "jti-replayed" })
    }

    @Test("A forged assertion does not use up its jti")
    func forgedReplay() async throws {
        let fixture = try await SMARTFixture()
        let stranger = try ClientKey.es384()
        let claims: [String: String?] = ["jti": "\"shared\""]
        #expect(try await fixture.token(try fixture.assertion(claims: claims, key: stranger)).status == 401)
        #expect(try await fixture.token(try fixture.assertion(claims: claims)).status == 200)
    }

    @Test("RS384 and ES384 both work; a key is used only for its own algorithm")
    func algorithms() async throws {
        let rsa = try ClientKey.rs384()
        let fixture = try await SMARTFixture(key: rsa)
        #expect(try await fixture.token(try fixture.assertion()).status == 200)
        #expect(try await fixture.token(try fixture.assertion(header: ["alg": "\"ES384\""])).status == 401)
        let curve = try await SMARTFixture()
        #expect(try await curve.token(try curve.assertion()).status == 200)
        #expect(try await curve.token(try curve.assertion(key: rsa)).status == 401)
    }

    @Test("Unknown and revoked clients are refused with the same words as a bad signature")
    func unknownClients() async throws {
        let fixture = try await SMARTFixture()
        let stranger = try ClientKey.es384()
        let badSignature = try await fixture.token(try fixture.assertion(key: stranger))
        let unknown = try await fixture.token(try fixture.assertion(claims: ["iss": "\"who\"", "sub": "\"who\""]))
        _ = try await fixture.store.revoke(clientID: "app", at: 1)
        let revoked = try await fixture.token(try fixture.assertion())
        #expect(badSignature.status == 401)
        #expect(badSignature.body == unknown.body)
        #expect(badSignature.body == revoked.body)
        #expect(fixture.store.records.map(\.detail) == ["bad-signature", "unknown-client", "revoked-client"])
        #expect(fixture.store.records.allSatisfy { $0.principal == .anonymous && $0.outcome == .minorFailure })
    }

    @Test("RFC 6749 §5.2: another grant type is exactly 400 unsupported_grant_type; a bad form is invalid_request")
    func forms() async throws {
        let fixture = try await SMARTFixture()
        let password = try await fixture.post("grant_type=password&username=a&password=b")
        #expect(password.status == 400)
        #expect(password.error == "unsupported_grant_type")
        #expect(try await fixture.post("").error == "invalid_request")
        #expect(
            try await fixture.post("grant_type=client_credentials&grant_type=client_credentials").error
                == "invalid_request")
        #expect(try await fixture.post("grant_type=%zz").error == "invalid_request")
        #expect(try await fixture.post("{}", type: "application/json").error == "invalid_request")
        #expect(try await fixture.post("grant_type=client_credentials").error == "invalid_client")
        let rows = fixture.store.records.count
        let large = try await fixture.post("grant_type=" + String(repeating: "x", count: TokenEndpoint.formBytesMax))
        #expect(large.status == 413)
        #expect(large.error == "invalid_request")
        let row = try requiredValue(fixture.store.records.last)
        #expect(fixture.store.records.count == rows + 1)
        #expect(row.interaction == "token" && row.detail == "body-too-large" && row.outcome == .minorFailure)
        #expect(try await fixture.token(try fixture.assertion(), more: "&client_secret=x").error == "invalid_client")
        #expect(try await fixture.token(try fixture.assertion(), more: "&client_id=other").error == "invalid_client")
        #expect(try await fixture.token(try fixture.assertion(), more: "&client_id=app").status == 200)
        #expect(
            try await fixture.token(try fixture.assertion(), headers: [.authorization: "Basic YQ=="]).error
                == "invalid_client")
        #expect(
            try await fixture.token(try fixture.assertion(), type: "application/x-www-form-urlencoded; charset=UTF-8")
                .status == 200)
    }

    @Test("SMART 2.2 backend-services: the granted part of the scopes is named; nothing granted is invalid_scope 400")
    func scopes() async throws {
        let fixture = try await SMARTFixture(scopes: "system/Patient.rs system/Observation.rs?category=laboratory")
        func scope(_ asked: String?) async throws -> (Int, String?) {
            let answer = try await fixture.token(try fixture.assertion(), scope: asked)
            return (answer.status, answer.json?["scope"]?.text ?? answer.error)
        }
        #expect(try await scope("system/Patient.cruds system/Device.rs launch openid") == (200, "system/Patient.rs"))
        #expect(try await scope("system/Patient.read") == (200, "system/Patient.read"))
        #expect(try await scope("system/*.rs") == (200, "system/Patient.rs system/Observation.rs?category=laboratory"))
        for none in [
            nil, "", " ", "system/Device.rs", "patient/Patient.rs", "user/*.cruds", "nonsense", "system/Patient.c",
        ] {
            #expect(try await scope(none) == (400, "invalid_scope"), "\(none ?? "nil")")
        }
        let many = Array(repeating: "system/Patient.rs", count: TokenEndpoint.scopesMax + 1).joined(separator: " ")
        #expect(try await scope(many) == (400, "invalid_scope"))
        // 100 KB are read, and refused by the protocol's own error with one row that holds nothing of them.
        let word = "system/Patient.rs "
        for count in [TokenEndpoint.scopeBytesMax - word.utf8.count, TokenEndpoint.scopeBytesMax, 100_000] {
            let rows = fixture.store.records.count
            let isFitting = word.utf8.count + count <= TokenEndpoint.scopeBytesMax
            let long = try await scope(word + String(repeating: "x", count: count))
            #expect(long == (isFitting ? (200, "system/Patient.rs") : (400, "invalid_scope")), "\(count)")
            #expect(fixture.store.records.count == rows + 1)
            #expect(fixture.store.records.last?.detail == (isFitting ? nil : "invalid_scope"))
            #expect(fixture.store.records.last?.principal.id == "app")
        }
    }

    @Test("S9: clients that cannot be looked up are answered 503 with Retry-After, and their assertion works later")
    func outage() async throws {
        let fixture = try await SMARTFixture()
        let assertion = try fixture.assertion()
        fixture.store.set(down: true)
        let answer = try await fixture.token(assertion)
        #expect(answer.status == 503)
        #expect(answer[.retryAfter] != nil)
        #expect(answer.json?["error"]?.text == "temporarily_unavailable")
        fixture.store.set(down: false)
        #expect(try await fixture.token(assertion).status == 200)
    }

    @Test("RFC 6749 §5.1: the answer names type, life and scope, is not cached, and its token opens a door")
    func success() async throws {
        let fixture = try await SMARTFixture()
        let answer = try await fixture.token(try fixture.assertion())
        #expect(answer.status == 200)
        #expect(answer.json?["token_type"]?.text == "bearer")
        #expect(answer.json?["expires_in"]?.integer == 300)
        #expect(answer[.cacheControl] == "no-store")
        #expect(answer[.pragma] == "no-cache")
        #expect(answer.json?["refresh_token"] == nil)
        let token = try #require(answer.json?["access_token"]?.text)
        let access = try #require(
            try await fixture.verifier.accessContext(bearerToken: token, requestID: "r", sourceAddress: "10.0.0.1"))
        #expect(access.principal == Principal(kind: .client, id: "app", name: "App"))
        #expect(access.scopes.map(\.text) == ["system/Patient.rs"])
        #expect(access.sourceAddress == "10.0.0.1")
        let row = try #require(fixture.store.records.last)
        #expect(row.outcome == .success)
        #expect(row.interaction == "token")
        #expect(row.tokenID == access.tokenID)
        #expect(row.tokenID.map { !token.contains($0) || $0.count < 32 } == true)
    }

    @Test("No token leaves when the audit trail or the store is down")
    func failClosed() async throws {
        let fixture = try await SMARTFixture()
        fixture.store.set(auditFull: true)
        let answer = try await fixture.token(try fixture.assertion())
        #expect(answer.status == 503)
        #expect(answer.error == "temporarily_unavailable")
        fixture.store.set(auditFull: false)
        fixture.store.set(down: true)
        let down = try await fixture.token(try fixture.assertion())
        #expect(down.status == 503)
        #expect(down.json?["access_token"] == nil)
    }
}
