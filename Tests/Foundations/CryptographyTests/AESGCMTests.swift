import Basics
import Testing

@testable import Cryptography

/// NIST SP 800-38D, and the test cases 13, 14 and 16 of the GCM specification for 256-bit keys.
struct AESGCMTests {
    private static func bytes(_ hex: String) throws -> [UInt8] { try #require(Hexadecimal.decode(hex.utf8)) }
    private static let key = [UInt8](repeating: 0, count: 32)
    private static let nonce = [UInt8](repeating: 0, count: 12)

    @Test("GCM test cases 13 and 14: no text, and one block of zeros")
    func vectors() throws {
        #expect(
            AESGCM.seal([], key: Self.key, nonce: Self.nonce, associated: [])
                == (try Self.bytes("530f8afbc74536b9a963b4f1c4cb738b")))
        #expect(
            AESGCM.seal([UInt8](repeating: 0, count: 16), key: Self.key, nonce: Self.nonce, associated: [])
                == (try Self.bytes("cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919")))
    }

    @Test("What was sealed opens, and does not when a bit, the key, the nonce or what goes with it is another")
    func tampering() {
        for count in [0, 1, 15, 16, 17, 300] {
            let plain = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
            let sealed = AESGCM.seal(plain, key: Self.key, nonce: Self.nonce, associated: [1, 2])
            #expect(sealed.count == count + AESGCM.tagBytes)
            #expect(AESGCM.open(sealed, key: Self.key, nonce: Self.nonce, associated: [1, 2]) == plain)
            for at in [0, sealed.count - 1] {
                var changed = sealed
                changed[at] ^= 1
                #expect(AESGCM.open(changed, key: Self.key, nonce: Self.nonce, associated: [1, 2]) == nil)
            }
            #expect(AESGCM.open(sealed, key: Self.key, nonce: Self.nonce, associated: [1]) == nil)
            let other = [UInt8](repeating: 1, count: 32)
            #expect(AESGCM.open(sealed, key: other, nonce: Self.nonce, associated: [1, 2]) == nil)
            #expect(AESGCM.open(sealed, key: Self.key, nonce: Array(other.prefix(12)), associated: [1, 2]) == nil)
            #expect(AESGCM.open(Array(sealed.dropLast()), key: Self.key, nonce: Self.nonce, associated: [1, 2]) == nil)
        }
        for count in 0..<AESGCM.tagBytes {
            let short = [UInt8](repeating: 0, count: count)
            #expect(AESGCM.open(short, key: Self.key, nonce: Self.nonce, associated: []) == nil)
        }
    }

    @Test("GMAC of parts is the tag of the whole as associated data")
    func gmac() {
        let bytes = (0..<500).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        let code = GMAC(key: Self.key, nonce: Self.nonce)
        for start in stride(from: 0, to: bytes.count, by: 33) {
            bytes[start..<min(start + 33, bytes.count)].withUnsafeBytes { code.update($0) }
        }
        #expect(code.finish() == AESGCM.seal([], key: Self.key, nonce: Self.nonce, associated: bytes))
    }
}
