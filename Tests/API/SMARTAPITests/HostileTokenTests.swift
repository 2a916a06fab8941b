import Access
import Testing

@testable import SMARTAPI

/// Reliability rule R25: parsers never trap, whatever the bytes.
struct HostileTokenTests {
    @Test("Property: mutated JSON, assertions, key sets and URLs are read or refused, never trapped on")
    func mutations() async throws {
        let seed = UInt64.random(in: .min ... .max)
        var state = seed
        func random(_ count: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(truncatingIfNeeded: (state >> 33) % UInt64(count))
        }
        let header = #"{"alg":"ES384","kid":"k1","typ":"JWT","x":[1,-2.5,{"a":"\u00e9\ud83d\ude00"}]}"#
        let claims = #"{"iss":"a","sub":"a","aud":["u"],"exp":1800000000,"jti":"1","nbf":1,"iat":999999999999999}"#
        let keys =
            #"{"keys":[{"kty":"RSA","kid":"k","n":"AQAB","e":"AQAB"},{"kty":"EC","crv":"P-384","x":"AA","y":"AA","kid":"k"}]}"#
        func mutated(_ text: String) -> [UInt8] {
            var bytes = Array(text.utf8)
            for _ in 0..<(random(4) + 1) where !bytes.isEmpty {
                let place = random(bytes.count)
                switch random(4) {
                case 0: bytes[place] = UInt8(random(256))
                case 1: bytes.remove(at: place)
                case 2: bytes.insert(Array("{}[]\",:\\u0-.".utf8)[random(12)], at: place)
                default: bytes.removeSubrange(place...)
                }
            }
            return bytes
        }
        for _ in 0..<3000 {
            _ = JOSEValue(object: mutated(header))
            let assertion = Base64URL.encode(mutated(header)) + "." + Base64URL.encode(mutated(claims)) + ".AAAA"
            if let read = try? ClientAssertion(assertion) { try? read.check(tokenEndpoint: "u", now: 1_800_000_000) }
            _ = try? ClientAssertion(String(decoding: mutated(assertion), as: UTF8.self))
            if let set = try? KeySet(mutated(keys)) { _ = await set.usableKeyCount() }
            _ = try? OutboundURL(String(decoding: mutated("https://user@[::ffff:1.2.3.4]:443/a?b#c"), as: UTF8.self))
        }
    }
}
