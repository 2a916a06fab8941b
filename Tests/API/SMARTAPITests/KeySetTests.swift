import Access
import Basics
import HTTPSupport
import NIOCore
import TestSupport
import Testing

@testable import SMARTAPI

/// RFC 7517; RFC 7518 §3; SMART 2.2 client-confidential-asymmetric §Registering; SSRF class S.
@Suite(.takingTurns) struct KeySetTests {
    private func key(_ jwk: String, id: String = "k1", for algorithm: SignatureAlgorithm = .es384) throws
        -> VerificationKey?
    {
        try KeySet(Array("{\"keys\":[\(jwk)]}".utf8)).key(id: id, for: algorithm)
    }

    @Test("A set that is no set, holds too many keys, or holds private material is refused")
    func refused() async throws {
        for text in ["", "{}", "[]", "{\"keys\":{}}", "{\"keys\":[1]}", "{\"keys\":[]} x", "{\"keys\":[],\"keys\":[]}"]
        {
            #expect(throws: KeySet.Refusal.malformed, "\(text)") { _ = try KeySet(Array(text.utf8)) }
        }
        for member in ["d", "p", "k", "oth"] {
            #expect(throws: KeySet.Refusal.privateKey) {
                _ = try KeySet(Array("{\"keys\":[{\"kty\":\"RSA\",\"\(member)\":\"AA\"}]}".utf8))
            }
        }
        func set(_ count: Int) -> [UInt8] {
            Array("{\"keys\":[\(Array(repeating: "{}", count: count).joined(separator: ","))]}".utf8)
        }
        _ = try KeySet(set(KeySet.keysMax))
        #expect(throws: KeySet.Refusal.tooManyKeys) { _ = try KeySet(set(KeySet.keysMax + 1)) }
    }

    @Test("RFC 7518 §3.3: RSA below 2048 bits, a small or even exponent, and another curve are not used")
    func weakKeys() async throws {
        func rsa(bits: Int, exponent: [UInt8] = [1, 0, 1]) -> String {
            var n = [UInt8](repeating: 0xFF, count: bits / 8)
            if bits % 8 != 0 { n.insert(1, at: 0) }
            return #"{"kty":"RSA","kid":"k1","n":"\#(Base64URL.encode(n))","e":"\#(Base64URL.encode(exponent))"}"#
        }
        #expect(try key(rsa(bits: 2048), for: .rs384) != nil)
        #expect(try key(rsa(bits: 2040), for: .rs384) == nil)
        #expect(try key(rsa(bits: 1024), for: .rs384) == nil)
        #expect(try key(rsa(bits: 16_384), for: .rs384) == nil)
        for exponent: [UInt8] in [[], [1], [3], [0, 3], [1, 0, 0], [255, 255, 255, 255, 255]] {
            #expect(try key(rsa(bits: 2048, exponent: exponent), for: .rs384) == nil, "\(exponent)")
        }
        let good = try ClientKey.es384().jwk
        #expect(try key(good) != nil)
        #expect(try key(good.replacing("P-384", with: "P-256")) == nil)
        #expect(try key(good.replacing("\"EC\"", with: "\"oct\"")) == nil)
        let zero = Base64URL.encode([UInt8](repeating: 0, count: 48))
        #expect(try key(#"{"kty":"EC","crv":"P-384","kid":"k1","x":"\#(zero)","y":"\#(zero)"}"#) == nil)
    }

    @Test("SMART 2.2: kid and kind must leave exactly one key, whose use, key_ops and alg allow verifying")
    func choice() async throws {
        let good = try ClientKey.es384().jwk
        let other = try ClientKey.es384().jwk
        #expect(try key(good + "," + other) == nil)
        #expect(try key(good + "," + other.replacing("k1", with: "k2")) != nil)
        #expect(try key(good, id: "k9") == nil)
        #expect(try key(good, for: .rs384) == nil)
        func with(_ member: String) -> String { good.replacing("{", with: "{" + member + ",") }
        #expect(try key(with(#""use":"enc""#)) == nil)
        #expect(try key(with(#""use":"sig""#)) != nil)
        #expect(try key(with(#""alg":"ES256""#)) == nil)
        #expect(try key(with(#""alg":"ES384""#)) != nil)
        #expect(try key(with(#""key_ops":["sign"]"#)) == nil)
        #expect(try key(with(#""key_ops":["verify"]"#)) != nil)
        // An RSA key of the same id does not stand in the way.
        let rsa = try ClientKey.rs384().jwk
        #expect(try key(good + "," + rsa) != nil)
        #expect(try key(good + "," + rsa, for: .rs384) != nil)
    }

    @Test(
        "A set by URL is fetched once for many, kept as Cache-Control says, and fetched anew for an unknown kid once a minute"
    )
    func cache() async throws {
        let url = "https://client.test/jwks"
        let fixture = try await SMARTFixture(jwksURL: url)
        fixture.outbound.serve("{\"keys\":[\(fixture.key.jwk)]}", cacheControl: "max-age=600")
        let first = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<8 { group.addTask { try await fixture.token(try fixture.assertion()).status } }
            var all: Set<Int> = []
            for try await status in group { all.insert(status) }
            return all
        }
        #expect(first == [200])
        #expect(fixture.outbound.count == 1)
        #expect(try await fixture.token(try fixture.assertion(header: ["jku": "\"\(url)\""])).status == 200)
        // The client rotates: the old set is kept, so the new kid is unknown and makes one fetch a minute.
        let rotated = try ClientKey.es384(kid: "k2")
        let header: [String: String?] = ["kid": "\"k2\""]
        for _ in 0..<5 {
            #expect(try await fixture.token(try fixture.assertion(header: header, key: rotated)).status == 401)
        }
        #expect(fixture.outbound.count == 1)
        fixture.outbound.serve("{\"keys\":[\(rotated.jwk)]}", cacheControl: "max-age=600")
        fixture.clock.advance(seconds: 59)
        #expect(try await fixture.token(try fixture.assertion(header: header, key: rotated)).status == 401)
        fixture.clock.advance(seconds: 1)
        #expect(try await fixture.token(try fixture.assertion(header: header, key: rotated)).status == 200)
        #expect(fixture.outbound.count == 2)
        // The withdrawn key no longer works.
        #expect(try await fixture.token(try fixture.assertion()).status == 401)
        fixture.clock.advance(seconds: 601)
        #expect(try await fixture.token(try fixture.assertion(header: header, key: rotated)).status == 200)
        #expect(fixture.outbound.count == 3)
    }

    @Test("A key server that fails is not asked again within a minute, and an old set is not used past its time")
    func failingServer() async throws {
        let fixture = try await SMARTFixture(jwksURL: "https://client.test/jwks")
        fixture.outbound.serve("", fails: true)
        for _ in 0..<5 { #expect(try await fixture.token(try fixture.assertion()).status == 401) }
        #expect(fixture.outbound.count == 1)
        fixture.outbound.serve("{\"keys\":[\(fixture.key.jwk)]}", cacheControl: "no-store")
        fixture.clock.advance(seconds: 60)
        #expect(try await fixture.token(try fixture.assertion()).status == 200)
        fixture.outbound.serve("", fails: true)
        fixture.clock.advance(seconds: KeySetCache.lifetimeMin)
        #expect(try await fixture.token(try fixture.assertion()).status == 401)
    }

    @Test("A fetch that fails takes away no key whose time is not over: an id that nobody has shuts out no client")
    func failingRefetch() async throws {
        let fixture = try await SMARTFixture(jwksURL: "https://client.test/jwks")
        fixture.outbound.serve("{\"keys\":[\(fixture.key.jwk)]}", cacheControl: "max-age=600")
        #expect(try await fixture.token(try fixture.assertion()).status == 200)
        fixture.outbound.serve("", fails: true)
        fixture.clock.advance(seconds: 60)
        let stranger = try ClientKey.es384(kid: "k2")
        for _ in 0..<3 {
            let assertion = try fixture.assertion(header: ["kid": "\"k2\""], key: stranger)
            #expect(try await fixture.token(assertion).status == 401)
            #expect(try await fixture.token(try fixture.assertion()).status == 200)
        }
        // It counts as a fetch, and makes the set live no longer.
        #expect(fixture.outbound.count == 2)
        fixture.clock.advance(seconds: 540)
        #expect(try await fixture.token(try fixture.assertion()).status == 401)
        #expect(fixture.outbound.count == 3)
    }

    @Test("RFC 9111 §5.2.2: max-age, no-store and no-cache bound the life of a set, within our own bounds")
    func lifetimes() {
        #expect(KeySetCache.lifetime("") == 300)
        #expect(KeySetCache.lifetime("public, max-age=1200") == 1200)
        #expect(KeySetCache.lifetime("max-age=0") == 10)
        #expect(KeySetCache.lifetime("NO-STORE, max-age=900") == 10)
        #expect(KeySetCache.lifetime("no-cache") == 10)
        #expect(KeySetCache.lifetime("max-age=99999999999999999999") == 86_400)
        #expect(KeySetCache.lifetime("max-age=-5") == 10)
        #expect(KeySetCache.lifetime("max-age=\"60\"") == 60)
    }
}
