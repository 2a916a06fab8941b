import Testing

@testable import Cryptography

@Suite("Keys (RFC 5869)")
struct KeyDerivationTests {
    static func bytes(_ hex: String) -> [UInt8] {
        let digits = hex.compactMap(\.hexDigitValue)
        return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }

    @Test("RFC 5869 §A.1: basic test case with SHA-256")
    func basic() {
        let okm = KeyDerivation.hkdf(
            [UInt8](repeating: 0x0b, count: 22), salt: Self.bytes("000102030405060708090a0b0c"),
            info: Self.bytes("f0f1f2f3f4f5f6f7f8f9"), count: 42)
        #expect(
            okm == Self.bytes("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"))
    }

    @Test("RFC 5869 §A.3: no salt, no info")
    func withoutSalt() {
        let okm = KeyDerivation.hkdf([UInt8](repeating: 0x0b, count: 22), info: [], count: 42)
        #expect(
            okm == Self.bytes("8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"))
    }
}
