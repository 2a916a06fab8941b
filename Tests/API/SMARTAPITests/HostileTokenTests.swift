import Access
import Basics
import HTTPSupport
import TestSupport
import Testing

@testable import SMARTAPI

/// Reliability rule R25: parsers never trap, whatever the bytes.
///
/// Each property prints its seed when it does not hold.
@Suite(.takingTurns) struct HostileTokenTests {
    /// Random numbers that a seed repeats.
    private struct Random {
        let seed = UInt64.random(in: .min ... .max)
        private lazy var state = seed

        mutating func callAsFunction(_ count: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(truncatingIfNeeded: (state >> 33) % UInt64(count))
        }

        mutating func mutated(_ text: String, alphabet: String = "{}[]\",:\\u0-.") -> [UInt8] {
            var bytes = Array(text.utf8)
            for _ in 0..<(self(4) + 1) where !bytes.isEmpty {
                let place = self(bytes.count)
                switch self(4) {
                case 0: bytes[place] = UInt8(self(256))
                case 1: bytes.remove(at: place)
                case 2: bytes.insert(Array(alphabet.utf8)[self(alphabet.utf8.count)], at: place)
                default: bytes.removeSubrange(place...)
                }
            }
            return bytes
        }
    }

    @Test("RFC 7523 §3: of a signed assertion nothing can be changed: what is accepted says the same, byte by byte")
    func signed() async throws {
        var random = Random()
        let fixture = try await SMARTFixture()
        /// The bytes of the three parts, however they are written.
        func parts(_ assertion: String) -> [[UInt8]?] {
            assertion.split(separator: ".", omittingEmptySubsequences: false).map { Base64URL.decode($0.utf8) }
        }
        var refused = 0
        for _ in 0..<400 {
            let assertion = try fixture.assertion()
            let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."
            let changed = String(decoding: random.mutated(assertion, alphabet: letters), as: UTF8.self)
            let answer = try await fixture.token(PercentCoding.encoded(changed))
            if answer.status == 200 {
                #expect(parts(changed) == parts(assertion), "seed \(random.seed)")
            } else {
                // One that is empty or no text is no request.
                #expect(
                    (answer.status, answer.error) == (401, "invalid_client")
                        || (answer.status, answer.error) == (400, "invalid_request"), "seed \(random.seed)")
                #expect(answer.json?["access_token"] == nil)
                refused += 1
            }
        }
        #expect(refused > 350, "seed \(random.seed)")
        #expect(try await fixture.token(try fixture.assertion()).status == 200)
    }

    @Test("Property: mutated JSON, key sets and URLs are read alike each time or refused, never trapped on")
    func mutations() async throws {
        var random = Random()
        let header = #"{"alg":"ES384","kid":"k1","typ":"JWT","x":[1,-2.5,{"a":"\u00e9\ud83d\ude00"}]}"#
        let claims = #"{"iss":"a","sub":"a","aud":["u"],"exp":1800000000,"jti":"1","nbf":1,"iat":1799999700}"#
        let keys =
            #"{"keys":[{"kty":"RSA","kid":"k","n":"AQAB","e":"AQAB"},{"kty":"EC","crv":"P-384","x":"AA","y":"AA","kid":"k"}]}"#
        let unsigned = Base64URL.encode(header.utf8) + "." + Base64URL.encode(claims.utf8) + ".AAAA"
        #expect(JOSEValue(object: Array(header.utf8)) != nil)
        try ClientAssertion(unsigned).check(tokenEndpoint: "u", now: 1_799_999_800)
        var refused = [0, 0, 0, 0]
        for _ in 0..<3000 {
            let json = random.mutated(header)
            let read = JOSEValue(object: json)
            if read == nil { refused[0] += 1 }
            #expect((JOSEValue(object: json) == nil) == (read == nil), "seed \(random.seed)")
            let assertion =
                Base64URL.encode(random.mutated(header)) + "." + Base64URL.encode(random.mutated(claims)) + ".AAAA"
            do { try ClientAssertion(assertion).check(tokenEndpoint: "u", now: 1_799_999_800) } catch {
                refused[1] += 1
            }
            _ = try? ClientAssertion(String(decoding: random.mutated(assertion), as: UTF8.self))
            if let set = try? KeySet(random.mutated(keys)) {
                // Neither of the two is a key, whatever becomes of their members.
                #expect(set.usableKeyCount() == 0, "seed \(random.seed)")
            } else {
                refused[2] += 1
            }
            let url = random.mutated("https://user@[::ffff:1.2.3.4]:443/a?b#c")
            if (try? OutboundURL(String(decoding: url, as: UTF8.self))) == nil { refused[3] += 1 }
        }
        // Most changes break what they meet; and not all of them do.
        for count in refused { #expect((1_000...3_000).contains(count), "\(refused), seed \(random.seed)") }
    }
}
