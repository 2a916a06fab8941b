import Access
import HTTPSupport
import HTTPTypes
import TestSupport
import Testing

@testable import SMARTAPI

/// RFC 9068 §4; RFC 8725 §3.
@Suite(.takingTurns) struct TokenVerifierTests {
    private func issued(_ fixture: SMARTFixture) async throws -> String {
        try #require(try await fixture.token(try fixture.assertion()).json?["access_token"]?.text)
    }
    private func isAccepted(_ token: String, _ fixture: SMARTFixture) async -> Bool {
        (try? await fixture.verifier.accessContext(bearerToken: token, requestID: "r", sourceAddress: nil)) != nil
    }

    @Test("Any change of any character of a token makes it invalid")
    func tampering() async throws {
        let fixture = try await SMARTFixture()
        let token = Array(try await issued(fixture).utf8)
        #expect(await isAccepted(String(decoding: token, as: UTF8.self), fixture))
        for index in stride(from: 0, to: token.count, by: 7) {
            var changed = token
            changed[index] = changed[index] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
            #expect(await !isAccepted(String(decoding: changed, as: UTF8.self), fixture), "at \(index)")
        }
        for bad in [
            "", ".", "..", "a.b.c", String(decoding: token, as: UTF8.self) + "=",
            String(decoding: token.dropLast(), as: UTF8.self),
        ] {
            #expect(await !isAccepted(bad, fixture))
        }
    }

    @Test("A client's own assertion, another server's token, and one for another audience are not access tokens")
    func foreignTokens() async throws {
        let fixture = try await SMARTFixture()
        #expect(await !isAccepted(try fixture.assertion(), fixture))
        let other = try await SMARTFixture()
        #expect(await !isAccepted(try await issued(other), fixture))
        let claims = AccessToken(
            clientID: "app", scopes: GrantedScopes(""), identifier: "x", issuedAt: fixture.clock.seconds,
            expires: fixture.clock.seconds + 60)
        let key = fixture.serverKey
        let fhir = SMARTFixture.base + "/fhir"
        #expect(await isAccepted(try claims.signed(by: key, issuer: SMARTFixture.base, audience: fhir), fixture))
        #expect(
            await !isAccepted(
                try claims.signed(by: key, issuer: SMARTFixture.base, audience: "https://other/fhir"), fixture))
        #expect(await !isAccepted(try claims.signed(by: key, issuer: "https://other", audience: fhir), fixture))
    }

    @Test("A token ends at its exp, to the microsecond, and stays ended when the clock goes back")
    func expiry() async throws {
        let fixture = try await SMARTFixture()
        let token = try await issued(fixture)
        fixture.clock.advance(seconds: 299)
        #expect(await isAccepted(token, fixture))
        fixture.clock.advance(seconds: 1)
        #expect(await !isAccepted(token, fixture))
        fixture.clock.advance(seconds: -200)
        #expect(await !isAccepted(token, fixture))
    }

    @Test("A remembered token costs no look-up for a minute; a revoked client's token ends within a minute")
    func revocation() async throws {
        let fixture = try await SMARTFixture()
        let token = try await issued(fixture)
        #expect(await isAccepted(token, fixture))
        let lookups = fixture.store.lookups
        _ = try await fixture.store.revoke(clientID: "app", at: fixture.clock.now)
        fixture.clock.advance(seconds: 60)
        #expect(await isAccepted(token, fixture))
        #expect(fixture.store.lookups == lookups)
        fixture.clock.advance(seconds: 1)
        #expect(await !isAccepted(token, fixture))
    }

    @Test("Only what was verified less than a minute ago, and has not expired, is remembered")
    func remembered() async throws {
        let fixture = try await SMARTFixture()
        let token = try await issued(fixture)
        func remembers() -> AccessContext? {
            fixture.verifier.rememberedContext(bearerToken: token, requestID: "r", sourceAddress: "10.0.0.1")
        }
        #expect(remembers() == nil)
        #expect(await isAccepted(token, fixture))
        let full = try await fixture.verifier.accessContext(
            bearerToken: token, requestID: "r", sourceAddress: "10.0.0.1")
        #expect(remembers() != nil)
        #expect(remembers() == full)
        fixture.clock.advance(seconds: 60)
        #expect(remembers() != nil)
        fixture.clock.advance(seconds: 1)
        #expect(remembers() == nil)
        #expect(await isAccepted(token, fixture))
        #expect(remembers() != nil)
        for _ in 0..<4 {
            fixture.clock.advance(seconds: 59)
            _ = await isAccepted(token, fixture)
        }
        fixture.clock.advance(seconds: 3)
        #expect(remembers() == nil, "expired at its 300th second")
    }

    @Test("S9: a directory that cannot be read neither lets in nor calls a token wrong")
    func outage() async throws {
        let fixture = try await SMARTFixture()
        let token = try await issued(fixture)
        fixture.store.set(down: true)
        await #expect(throws: MemoryStore.Down.self) {
            _ = try await fixture.verifier.accessContext(bearerToken: token, requestID: "r", sourceAddress: nil)
        }
        fixture.store.set(down: false)
        #expect(await isAccepted(token, fixture))
    }
}
