import Testing

@testable import Basics

/// RFC 4648 §5.
struct Base64URLTests {
    @Test("RFC 4648 §5: every byte string has one spelling, without padding")
    func oneSpelling() {
        #expect(Base64URL.encode([0xFB, 0xFF]) == "-_8")
        for count in 0..<40 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ count) }
            #expect(Base64URL.decode(Base64URL.encode(bytes).utf8) == bytes)
        }
        for bad in ["A", "AAAAA", "AA=", "A+", "A/", "AB", "AAB", "A A", "é"] {
            #expect(Base64URL.decode(bad.utf8) == nil, "\(bad)")
        }
    }
}
