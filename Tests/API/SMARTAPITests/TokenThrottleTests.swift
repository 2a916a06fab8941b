import Access
import HTTPSupport
import HTTPTypes
import TestSupport
import Testing

@testable import SMARTAPI

/// Case X3: failed token requests. OWASP API2, API4; RFC 6585 §4.
@Suite(.takingTurns) struct TokenThrottleTests {
    private static func limits(_ burst: Int) -> StrangerLimits {
        var limits = StrangerLimits()
        limits.burst = burst
        limits.perMinute = 60
        return limits
    }

    private static let attacker = "192.0.2.66"
    private static let hospital = "192.0.2.1"

    /// A bad assertion in a client's name.
    private static func bad(_ fixture: SMARTFixture, as client: String, _ key: ClientKey) throws -> String {
        try fixture.assertion(claims: ["iss": "\"\(client)\"", "sub": "\"\(client)\""], key: key)
    }

    @Test("X3: failures in a row from one address are 401, then 429 with Retry-After, until time has passed")
    func address() async throws {
        let fixture = try await SMARTFixture(strangers: Self.limits(5))
        let key = try ClientKey.es384()
        for number in 0..<5 {
            let answer = try await fixture.token(
                try Self.bad(fixture, as: "guess\(number)", key), from: Self.attacker)
            #expect(answer.status == 401)
        }
        for _ in 0..<3 {
            let answer = try await fixture.token(try Self.bad(fixture, as: "guess", key), from: Self.attacker)
            #expect(answer.status == 429)
            #expect(answer[.retryAfter] == "1")
            #expect(answer.error == "temporarily_unavailable")
        }
        // Forms that are none count as well.
        #expect(try await fixture.post("grant_type=password", from: Self.attacker).status == 429)
        fixture.clock.advance(seconds: 1)
        #expect(try await fixture.token(try Self.bad(fixture, as: "guess", key), from: Self.attacker).status == 401)
    }

    @Test("X3: a client whose id a stranger has guessed is served, from its own address and from the stranger's")
    func impersonated() async throws {
        let fixture = try await SMARTFixture(strangers: Self.limits(5))
        let key = try ClientKey.es384()
        // From the stranger's address the client has been seen before.
        #expect(try await fixture.token(try fixture.assertion(), from: Self.attacker).status == 200)
        for _ in 0..<20 { _ = try await fixture.token(try Self.bad(fixture, as: "app", key), from: Self.attacker) }
        for _ in 0..<20 { _ = try await fixture.token(try Self.bad(fixture, as: "nobody", key), from: Self.attacker) }
        #expect(try await fixture.token(try Self.bad(fixture, as: "app", key), from: Self.attacker).status == 429)
        #expect(try await fixture.token(try fixture.assertion(), from: Self.hospital).status == 200)
        #expect(try await fixture.token(try fixture.assertion(), from: Self.attacker).status == 200)
    }

    @Test("X3: a registered client that comes for the first time is not shut out by strangers at its address")
    func neighbours() async throws {
        let fixture = try await SMARTFixture(strangers: Self.limits(5))
        let key = try ClientKey.es384()
        for number in 0..<20 {
            _ = try await fixture.token(try Self.bad(fixture, as: "n\(number)", key), from: Self.attacker)
        }
        #expect(try await fixture.token(try Self.bad(fixture, as: "n", key), from: Self.attacker).status == 429)
        #expect(try await fixture.token(try fixture.assertion(), from: Self.attacker).status == 200)
    }
}
