import Basics
import Testing

@testable import Cryptography

/// FIPS 180-4, RFC 4231.
struct DigestTests {
    @Test("FIPS 180-4: SHA-256 of nothing and of abc")
    func vectors() {
        #expect(
            Hexadecimal.encode(SHA256.digest([]))
                == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        #expect(
            Hexadecimal.encode(SHA256.digest("abc".utf8))
                == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    }

    @Test("SHA-256 of parts is SHA-256 of the whole, however it is cut")
    func parts() {
        let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        for step in [1, 7, 63, 64, 65, 999, 1000] {
            var hash = SHA256()
            hash.update(UnsafeRawBufferPointer(start: nil, count: 0))
            for start in stride(from: 0, to: bytes.count, by: step) {
                bytes[start..<min(start + step, bytes.count)].withUnsafeBytes { hash.update($0) }
            }
            #expect(hash.finalize() == SHA256.digest(bytes), "\(step)")
        }
        #expect(SHA256.digest(bytes[10..<20]) == SHA256.digest(Array(bytes[10..<20])))
    }

    @Test("RFC 4231 §4.3: HMAC with SHA-256")
    func hmac() {
        let code = KeyDerivation.hmac(Array("Jefe".utf8), Array("what do ya want for nothing?".utf8))
        #expect(Hexadecimal.encode(code) == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
    }
}
