import Basics
import Testing

@testable import Cryptography

/// RFC 8017 §8.1, RFC 7518 §3.5; RFC 8032 §5.1, RFC 8037 Appendix A. The signatures by PSS were made by PyPI's cryptography.
struct PSSAndEd25519Tests {
    private static let message = Array("what is signed".utf8)
    private static func bytes(_ text: String) -> [UInt8] { Base64URL.decode(text.utf8) ?? [] }

    private static let pss = bytes(
        "q-Yvn5LcOUcG97yg382gG8KU_UCInSXEG3xJVxqC65_S-w_vXmbF-oDsWZEX7CdopTyGdyeyQww96OG-"
            + "yCHTV3geIsI7set6GwhpdBdWsVF4lqyqsvMskKhFOo3Tr-Jvn8PbZyVDj6SDvbgZbCUqG47st7JTy9eNo_1qp9zjtCUg0DumV8al"
            + "F_2mmQl81Vi1UW8DOakwkYhvRiS1oi31FysdgCC__g88jnO48fHGCHnXkH3t1AKZvDLsdk71RRt0fs2bV4PmQni80mQ9DBiZUKEc"
            + "vr_O4EOmR3MgpGFuF_yHcYl52l9XkSuZRsf_uzCfzeJRW14SmjrVMTUYxEpOcA")
    private static let shorterSalt = bytes(
        "bqqCYY7PBfgVX8EDzrdomhrW8tBh5bGgx47o0xjO4PuBmaKj0iAGP9IhhXSM1b_dFVKfEIw-kAFPNhWtk_ytdahbhCfcADl-"
            + "iaGx8xQJeK-eVjhgfEqs8Nw_O9tCnXkFk2CBClct_Qoi3hSpc--p7lM6LG27CoN_Y278-"
            + "p7UkWmvCWfRVaO2AngHd9JAsYm3HWceYbunEogxW48IecC5JeMBrp00QPWvquRu5pOCOslzcV14gaVSdoNAhsYz7OaeFsdOzc1wC"
            + "V5ijT-krAxQ4piIpOZpBhCh8FdGe_Kh3Nv_PGtufKA13S0qmwb4bhxM0RErvyBTReZ6OnixLaMNAg")
    private static let otherMask = bytes(
        "g7NviopFtDmrXdq6ulkAzcloS-9lnhuPSac6_2Kyws61b3zSOyUbW8LpF3RBM_c03_xThY5zTrSaZlnijrmmu0mnA7ISc-"
            + "n950JFX9XXH632A3Cs6EXYCYc4ngW-"
            + "Di70mAa-G2uiISJobloeNOUxOZAUA2JhK9kBDh0YMIdUOxsznYy21ZEiLYmxgU6d6MFm2Mw5VAW748wO-SLPZ75BPguL-"
            + "YDMEfmUb-B2RxJVHCbm-ZPnVzhu5-W-bgaJpNEohWMqmmDv8_Ba6pI37m-"
            + "wQbTO5mq_tXIxpUpdbzp_TGNzury4aMXBX2Pwtqz6nuisMOrE95QX06-ggZzzzDVbOQ")

    @Test("RFC 7518 §3.5: PS256 takes the salt of 32 bytes and MGF1 over SHA-256 alone, and nothing of PKCS #1 v1.5")
    func pss() throws {
        let known = try PrivateKey(pem: PEMSamples.rsa, rsaHash: .sha256, rsaPadding: .pss)
        let (modulus, exponent) = try known.publicKey.modulusAndExponent
        let key = try PublicKey(modulus: modulus, exponent: exponent, hash: .sha256, padding: .pss)
        #expect(key.verifies(Self.pss, of: Self.message))
        #expect(key.prepared().verifies(Self.pss, of: Self.message))
        #expect(!key.verifies(Self.shorterSalt, of: Self.message))
        #expect(!key.verifies(Self.otherMask, of: Self.message))
        #expect(!key.verifies(Self.pss, of: Self.message + [0]))
        #expect(!key.verifies([0] + Self.pss, of: Self.message))
        #expect(!key.verifies(Self.pss.dropLast(), of: Self.message))
        #expect(!key.verifies([], of: Self.message))
        for at in stride(from: 0, to: Self.pss.count, by: 17) {
            var changed = Self.pss
            changed[at] ^= 0x10
            #expect(!key.verifies(changed, of: Self.message), "\(at)")
        }
        let own = try known.sign(Self.message)
        #expect(own != (try known.sign(Self.message)))
        #expect(key.verifies(own, of: Self.message) && known.publicKey.verifies(own, of: Self.message))

        let plain = try PrivateKey(pem: PEMSamples.rsa, rsaHash: .sha256)
        #expect(!plain.publicKey.verifies(own, of: Self.message))
        #expect(!key.verifies(try plain.sign(Self.message), of: Self.message))
        let wider = try PublicKey(modulus: modulus, exponent: exponent, hash: .sha384, padding: .pss)
        #expect(!wider.verifies(own, of: Self.message))
    }

    // RFC 8037 A.1, A.2, A.4.
    private static let secret = bytes("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A")
    private static let point = bytes("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")
    private static let signed = Array("eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc".utf8)
    private static let signature = bytes(
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg")

    @Test("RFC 8037 A.4: the signature of the example is made and verified, and nothing that differs in a bit")
    func example() throws {
        let pair = try PrivateKey(ed25519: Self.secret)
        #expect(try pair.sign(Self.signed) == Self.signature)
        let token = try pair.compactJWS(header: #"{"alg":"EdDSA"}"#.utf8, claims: "Example of Ed25519 signing".utf8)
        #expect(Array(token.utf8) == Self.signed + Array(".".utf8) + Array(Base64URL.encode(Self.signature).utf8))
        let key = try PublicKey(ed25519: Self.point)
        #expect(key.kind == .ed25519 && pair.publicKey.kind == .ed25519)
        #expect(try pair.publicKey.pem == key.pem)
        for verifier in [key, key.prepared(), pair.publicKey] {
            #expect(verifier.verifies(Self.signature, of: Self.signed))
            #expect(!verifier.verifies(Self.signature, of: Self.signed.dropLast()))
            #expect(!verifier.verifies(Self.signature.dropLast(), of: Self.signed))
            #expect(!verifier.verifies(Self.signature + [0], of: Self.signed))
            #expect(!verifier.verifies([], of: Self.signed))
        }
        for bit in 0..<(8 * Self.signature.count) {
            var changed = Self.signature
            changed[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(!key.verifies(changed, of: Self.signed), "\(bit)")
        }
        #expect(throws: CryptographyError(.key, "")) { try key.point }
        #expect(throws: CryptographyError(.key, "")) { try key.modulusAndExponent }
        #expect(try pair.compactJWT(claims: "{}".utf8, keyID: nil).hasPrefix(Base64URL.encode(#"{"alg":"EdDSA""#.utf8)))
    }

    @Test("RFC 8032 §5.1.7: S plus the order of the group is no second spelling of a signature")
    func malleable() throws {
        // 2^252 + 27742317777372353535851937790883648493, little-endian.
        let order: [UInt8] = [
            0xED, 0xD3, 0xF5, 0x5C, 0x1A, 0x63, 0x12, 0x58, 0xD6, 0x9C, 0xF7, 0xA2, 0xDE, 0xF9, 0xDE, 0x14,
            0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
        ]
        var twin = Self.signature
        var carry = 0
        for (at, byte) in order.enumerated() {
            let sum = Int(twin[32 + at]) + Int(byte) + carry
            twin[32 + at] = UInt8(sum & 0xFF)
            carry = sum >> 8
        }
        #expect(carry == 0)
        #expect(!(try PublicKey(ed25519: Self.point)).verifies(twin, of: Self.signed))
    }

    @Test("RFC 8725 §3.4: points of small order, by which everybody can sign, and other lengths are no keys")
    func noKeys() throws {
        let one: [UInt8] = [1] + [UInt8](repeating: 0, count: 31)
        let last: [UInt8] = [0xEC] + [UInt8](repeating: 0xFF, count: 30) + [0x7F]
        let order8: [UInt8] = [
            0xC7, 0x17, 0x6A, 0x70, 0x3D, 0x4D, 0xD8, 0x4F, 0xBA, 0x3C, 0x0B, 0x76, 0x0D, 0x10, 0x67, 0x0F,
            0x2A, 0x20, 0x53, 0xFA, 0x2C, 0x39, 0xCC, 0xC6, 0x4E, 0xC7, 0xFD, 0x77, 0x92, 0xAC, 0x03, 0x7A,
        ]
        for point in [one, last, order8, [UInt8](repeating: 0, count: 32)] {
            for sign: UInt8 in [0, 0x80] {
                var point = point
                point[31] |= sign
                #expect(throws: CryptographyError(.key, "")) { try PublicKey(ed25519: point) }
            }
        }
        for count in [0, 31, 33, 57] {
            #expect(throws: CryptographyError(.key, "")) {
                try PublicKey(ed25519: [UInt8](repeating: 7, count: count))
            }
            #expect(throws: CryptographyError(.key, "")) {
                try PrivateKey(ed25519: [UInt8](repeating: 7, count: count))
            }
        }
    }
}
