import Basics
import TestSupport
import Testing

@testable import SMARTAPI

/// RFC 7518 §3.4; SMART 2.2 client-confidential-asymmetric §Signature verification.
@Suite(.takingTurns) struct RecentKeysTests {
    private func jwk(_ key: ClientKey) throws -> JOSEValue { try #require(JOSEValue(object: Array(key.jwk.utf8))) }

    /// The encoded header and claims of a token, and its signature.
    private func signed(_ key: ClientKey, _ claims: String) throws -> (input: [UInt8], signature: [UInt8]) {
        let token = try key.sign(header: "{}", claims: claims)
        let end = try #require(token.lastIndex(of: "."))
        let signature = try #require(Base64URL.decode(token[token.index(after: end)...].utf8))
        return (Array(token[..<end].utf8), signature)
    }

    @Test("A key judges alike before and after it is made ready", arguments: [true, false])
    func often(isRSA: Bool) throws {
        let key = isRSA ? try ClientKey.rs384() : try ClientKey.es384()
        let stranger = try ClientKey.es384()
        var recent = RecentKeys()
        for use in 1...(2 * RecentKeys.usesBeforePreparing) {
            let read = try recent.key(jwk(key))
            let found = try #require(read)
            let (input, signature) = try signed(key, "{\"jti\":\"\(use)\"}")
            #expect(found.verifies(signature, over: input), "use \(use)")
            #expect(!found.verifies(signature, over: input.dropLast()), "use \(use)")
            #expect(!found.verifies(signature.dropLast(), over: input), "use \(use)")
            let forged = try signed(stranger, "{\"jti\":\"\(use)\"}").signature
            #expect(!found.verifies(forged, over: input), "use \(use)")
        }
        #expect(recent.entries.count == 1)
    }

    @Test("Another key under the same id is another key, and a key that is not allowed is not kept")
    func changed() throws {
        var recent = RecentKeys()
        let (first, second) = (try ClientKey.es384(), try ClientKey.es384())
        let (input, signature) = try signed(first, "{}")
        for _ in 0..<(2 * RecentKeys.usesBeforePreparing) {
            let (one, other) = (try recent.key(jwk(first)), try recent.key(jwk(second)))
            #expect(one?.verifies(signature, over: input) == true)
            #expect(other?.verifies(signature, over: input) == false)
        }
        let bad = try #require(JOSEValue(object: Array(first.jwk.replacing("P-384", with: "P-256").utf8)))
        let none = recent.key(bad)
        #expect(none == nil)
        #expect(recent.entries.count == 2)
    }

    @Test("No more keys are kept than the limit, and the one used longest ago gives way")
    func limit() throws {
        var recent = RecentKeys()
        let keys = try (0...RecentKeys.keysMax).map { try jwk(ClientKey.es384(kid: "k\($0)")) }
        for key in keys.dropLast() {
            _ = recent.key(key)
            _ = recent.key(keys[0])
        }
        _ = recent.key(keys[RecentKeys.keysMax])
        #expect(recent.entries.count == RecentKeys.keysMax)
        #expect(recent.entries[keys[0]] != nil)
        #expect(recent.entries[keys[1]] == nil)
    }
}
