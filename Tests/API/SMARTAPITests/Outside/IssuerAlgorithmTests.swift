import Basics
import Cryptography
import TestSupport
import Testing

@testable import SMARTAPI

/// By which algorithm and which key an outside issuer's tokens are believed. RFC 8725 §3.1, §3.2; RFC 7518 §3; RFC 8037 §3.1.
@Suite(.takingTurns) struct IssuerAlgorithmTests {
    private static let place = "https://issuer.test/keys"

    /// What comes of a token by an issuer of these algorithms that publishes these keys; nil where it is believed.
    private func refusal(
        _ token: String, _ algorithms: [SignatureAlgorithm], _ keys: String...
    ) async throws -> IssuedToken.Refusal? {
        let server = OutsideServerDouble()
        server.document(Self.place, "{\"keys\":[\(keys.joined(separator: ","))]}")
        let clock = ManualClock()
        let cache = KeySetCache(outbound: server, now: { clock.now })
        do throws(IssuedToken.Refusal) {
            try await IssuedToken(token, algorithms: algorithms).verify(cache, at: Self.place)
            return nil
        } catch {
            return error
        }
    }

    private func with(_ member: String, _ jwk: String) -> String { jwk.replacing("{", with: "{" + member + ",") }

    @Test(
        "Each algorithm is believed by its own kind of key alone, and only where the issuer is configured with it",
        arguments: SignatureAlgorithm.allCases.filter { $0 != .es384 })
    func each(algorithm: SignatureAlgorithm) async throws {
        let key = try IssuerKey(algorithm.rawValue)
        let token = try key.token(claims: ["iss": "\"i\""])
        #expect(try await refusal(token, [algorithm], try key.jwk) == nil)
        #expect(try await refusal(token, [algorithm], with("\"alg\":\"\(algorithm.rawValue)\"", try key.jwk)) == nil)
        let others = SignatureAlgorithm.allCases.filter { $0 != algorithm }
        #expect(try await refusal(token, others, try key.jwk) == .algorithm)
        #expect(try await refusal(token, [], try key.jwk) == .algorithm)
        for other in others {
            let named = with("\"alg\":\"\(other.rawValue)\"", try key.jwk)
            #expect(try await refusal(token, SignatureAlgorithm.allCases, named) == .noKey, "\(other)")
        }
        for kind in ["ES256", "RS256", "EdDSA"] {
            let other = try IssuerKey(kind)
            guard try kind != algorithm.rawValue && !(other.jwk.contains("RSA") && key.jwk.contains("RSA")) else {
                continue
            }
            #expect(try await refusal(token, SignatureAlgorithm.allCases, try other.jwk) == .noKey, "\(kind)")
        }
    }

    @Test("A key that names no algorithm is for the first that the issuer may sign by, and for no other of its kind")
    func unnamed() async throws {
        let jwk = try IssuerKey("RS256").jwk
        for (one, other) in [(SignatureAlgorithm.rs256, SignatureAlgorithm.ps256), (.ps256, .rs256), (.ps256, .rs384)] {
            let first = try IssuerKey(one.rawValue).token(claims: [:])
            let second = try IssuerKey(other.rawValue).token(claims: [:])
            #expect(try await refusal(first, [.es256, one, other], jwk) == nil)
            #expect(try await refusal(second, [.es256, one, other], jwk) == .noKey)
            // Named, it is for the other.
            let named = with("\"alg\":\"\(other.rawValue)\"", jwk)
            #expect(try await refusal(second, [.es256, one, other], named) == nil)
            #expect(try await refusal(first, [.es256, one, other], named) == .noKey)
        }
    }

    @Test("RFC 7518 §3.5: a signature of PKCS #1 v1.5 under the name of PS256 is none, and the other way round")
    func paddings() async throws {
        for (signing, named) in [("RS256", "PS256"), ("PS256", "RS256"), ("RS384", "PS256")] {
            let key = try IssuerKey(signing)
            let token = try key.token(header: ["alg": "\"\(named)\""], claims: [:])
            let jwk = with("\"alg\":\"\(named)\"", try key.jwk)
            #expect(try await refusal(token, SignatureAlgorithm.allCases, jwk) == .signature, "\(signing) as \(named)")
        }
    }

    @Test("RFC 8037 §2: another curve, another type, a point that is none, and a secret published with it are no keys")
    func edwards() async throws {
        let key = try IssuerKey("EdDSA")
        let token = try key.token(claims: [:])
        let jwk = try key.jwk
        #expect(try await refusal(token, [.edDSA], jwk) == nil)
        #expect(try await refusal(try IssuerKey("EdDSA").token(claims: [:]), [.edDSA], jwk) == .signature)
        for changed in [
            jwk.replacing("Ed25519", with: "X25519"), jwk.replacing("Ed25519", with: "Ed448"),
            jwk.replacing("OKP", with: "EC"), jwk.replacing("OKP", with: "oct"), with("\"use\":\"enc\"", jwk),
            with("\"d\":\"AA\"", jwk), #"{"kty":"OKP","crv":"Ed25519","kid":"o1"}"#,
            #"{"kty":"OKP","crv":"Ed25519","kid":"o1","x":"AQ"}"#,
            #"{"kty":"OKP","crv":"Ed25519","kid":"o1","x":"\#(Base64URL.encode([1] + [UInt8](repeating: 0, count: 31)))"}"#,
        ] {
            #expect(try await refusal(token, [.edDSA], changed) == .noKey, "\(changed)")
        }
        // Names that are not the one of RFC 8037.
        for name in ["Ed25519", "eddsa", "EDDSA", "Ed448"] {
            let renamed = try key.token(header: ["alg": "\"\(name)\""], claims: [:])
            #expect(try await refusal(renamed, SignatureAlgorithm.allCases, jwk) == .algorithm, "\(name)")
        }
    }

    @Test("SMART 2.2 client-confidential-asymmetric: clients sign by RS384 and ES384 as before, and by nothing else")
    func clients() throws {
        #expect(SignatureAlgorithm.ofClients == [.rs384, .es384])
        for algorithm in ["PS256", "EdDSA"] {
            let set = try KeySet(Array("{\"keys\":[\(try IssuerKey(algorithm).jwk)]}".utf8))
            #expect(set.usableKeyCount() == (algorithm == "PS256" ? 1 : 0))
            for name in SignatureAlgorithm.allCases where name != .rs384 {
                #expect(set.key(id: "o1", for: name) == nil, "\(name)")
            }
        }
    }
}
