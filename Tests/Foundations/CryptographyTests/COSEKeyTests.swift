import Basics
import Testing

@testable import Cryptography

/// RFC 9052 §7, RFC 9053 §2 and §7, RFC 8812 §2, WebAuthn Level 2 §6.5.5. Keys and signatures were made by PyPI's
/// cryptography.
@Suite struct COSEKeyTests {
    private static let message = Array("authenticator data and the hash of client data".utf8)
    private static func bytes(_ hex: String) -> [UInt8] { Hexadecimal.decode(hex.utf8) ?? [] }

    private static func key(_ members: [(Int64, CBOR)]) -> CBOR { .map(members.map { (CBOR(integer: $0), $1) }) }
    private static func number(_ value: Int64) -> CBOR { CBOR(integer: value) }

    private static let x = bytes("1a7f5240b8504058511a1e7abf7d7cb4533fb7acf0eb4fd0ec17906abb56cef3")
    private static let y = bytes("74387f07235fe5395eeba26f0a0800c58988e8e3ffa2c4da12568e81b33a5680")
    private static let ecSignature = bytes(
        "3044022018b10c50ab56f32f012db07c43ae7d4444e44821e8a9d678f3ff97b943dbf0300220184a6fdac834e11bbdd89c431d38278991"
            + "b377cfed93f47ed99307462a3c3bf2")
    private static let ed = bytes("d47885a6f80c5762ce7eff3a9526a4470f515b815547c455dd9e3c0ae6dc8044")
    private static let edSignature = bytes(
        "76c35b202ec07320ac99069e9f3537fc41a64b44b011f3112eb90266075d6450f95f8bef79d2ce3d43b985d70f7fda8f8d056a7b22b27b"
            + "1232efd0a87f691e02")
    private static let modulus = bytes(
        "c3721f97548cdddfd02458994d174502cf3662951dae9ae90e75663c40440cb17dbff81d20caca7554cdc2d7e136d0e301665666dd205f"
            + "9edf85caa57de8d0d2046e11082fbc209d523b290443fd44136932cdce95b7a5f5ed242d5f5ad65290386b6ed5cb47196893bfb7"
            + "b737447227448f4835ee6b7c9bda8842ba617022c43d5500e332b5953ca4912d864d4be62378e2ac392e6afebbb99fc95fee616c"
            + "dfc558e1bc7ff624e8a51d570a38a6fef0552d70a013967d9e472e125edb7975e7d2ab458493d5b97a447e449418f87f7942c892"
            + "aa2d0f72c17f5959718e65c4c96f7137cc0ea3e29a2a6834b60b137901507864c2defd018ad05e56d9941741d3")
    private static let rsaSignature = bytes(
        "60f09ee4b7510e65e43673ff6043866d5b0e45c7ca0cd158b0a96f2fcbaeb5a44ee9ebb7977ba194f9ac5d1fde7d94c9c4f99de958ddee"
            + "3f00a1127f749b5c1147dd6ab65a26f78e23d46a1027137fdfa2bc0ee6e3e0c2d60c9636652758cbf8160c22e7f30f97b98446cf"
            + "6081e96cdc6169a3a4c8e1b0925add19554ab7af63ab4743fde093a52200095031e3921f75699bc45775b215d0edfc2413f8dbaa"
            + "4624b716d2f3e408759244ab20d192c138aba9cd2e6f3c4a7b85ef2e7e73b685ffceaf11a116fa96edfa0a276116f006899fee85"
            + "34b04f3a6ceee15e377506594ed9f627df6c96e19d5d1e3b10a7fb3805f36e8a51b002a9b4b827a262a92b9724")
    private static let exponent: [UInt8] = [1, 0, 1]

    private static let es256 = key([(1, number(2)), (3, number(-7)), (-1, number(1)), (-2, .bytes(x)), (-3, .bytes(y))])
    private static let edDSA = key([(1, number(1)), (3, number(-8)), (-1, number(6)), (-2, .bytes(ed))])
    private static let rs256 = key([(1, number(3)), (3, number(-257)), (-1, .bytes(modulus)), (-2, .bytes(exponent))])

    @Test("ES256 in DER, EdDSA and RS256 verify what others signed, and nothing that differs in a bit")
    func verifies() throws {
        for (cbor, algorithm, signature) in [
            (Self.es256, COSEKey.Algorithm.es256, Self.ecSignature), (Self.edDSA, .edDSA, Self.edSignature),
            (Self.rs256, .rs256, Self.rsaSignature),
        ] {
            let key = try COSEKey(cbor)
            #expect(key.algorithm == algorithm)
            #expect(key.verifies(signature, of: Self.message))
            #expect(!key.verifies(signature, of: Self.message + [0]))
            #expect(!key.verifies([], of: Self.message))
            #expect(!key.verifies(signature + [0], of: Self.message))
            #expect(!key.verifies(Array(signature.dropLast()), of: Self.message))
            for at in [0, signature.count / 2, signature.count - 1] {
                var changed = signature
                changed[at] ^= 1
                #expect(!key.verifies(changed, of: Self.message))
            }
        }
    }

    @Test("A signature of a key pair of ours verifies in the DER that authenticators write")
    func own() throws {
        let pair = try PrivateKey(.p256)
        let point = try pair.publicKey.coordinates(on: .p256)
        let key = try COSEKey(
            Self.key([
                (1, Self.number(2)), (3, Self.number(-7)), (-1, Self.number(1)), (-2, .bytes(point.x)),
                (-3, .bytes(point.y)),
            ]))
        let plain = try pair.sign(Self.message)
        let der = try #require(ECDSASignature.der(plain, .p256))
        #expect(key.verifies(der, of: Self.message))
        // JOSE's form of the same signature is another one.
        #expect(!key.verifies(plain, of: Self.message))
    }

    @Test("Keys whose algorithm is not their type's, of another curve, length or size, or off the curve, are refused")
    func refused() {
        var off = Self.y
        off[31] ^= 1
        let small = Array(Self.modulus.prefix(128))
        let huge = [UInt8](repeating: 0xFF, count: 1025)
        let refused: [CBOR] = [
            .null, .map([]), Self.key([(1, Self.number(2))]),
            Self.key([
                (1, Self.number(2)), (3, Self.number(-8)), (-1, Self.number(1)), (-2, .bytes(Self.x)),
                (-3, .bytes(Self.y)),
            ]),
            Self.key([
                (1, Self.number(2)), (3, Self.number(-7)), (-1, Self.number(2)), (-2, .bytes(Self.x)),
                (-3, .bytes(Self.y)),
            ]),
            Self.key([
                (1, Self.number(2)), (3, Self.number(-7)), (-1, Self.number(1)), (-2, .bytes(Self.x)),
                (-3, .bytes(off)),
            ]),
            Self.key([
                (1, Self.number(2)), (3, Self.number(-7)), (-1, Self.number(1)), (-2, .bytes(Self.x)),
                (-3, .boolean(true)),
            ]),
            Self.key([
                (1, Self.number(2)), (3, Self.number(-35)), (-1, Self.number(2)), (-2, .bytes(Self.x)),
                (-3, .bytes(Self.y)),
            ]),
            Self.key([(1, Self.number(1)), (3, Self.number(-7)), (-1, Self.number(6)), (-2, .bytes(Self.ed))]),
            Self.key([(1, Self.number(1)), (3, Self.number(-8)), (-1, Self.number(4)), (-2, .bytes(Self.ed))]),
            Self.key([(1, Self.number(1)), (3, Self.number(-8)), (-1, Self.number(6)), (-2, .bytes(Self.ed + [0]))]),
            Self.key([(1, Self.number(3)), (3, Self.number(-257)), (-1, .bytes(small)), (-2, .bytes(Self.exponent))]),
            Self.key([(1, Self.number(3)), (3, Self.number(-257)), (-1, .bytes(huge)), (-2, .bytes(Self.exponent))]),
            Self.key([(1, Self.number(3)), (3, Self.number(-257)), (-1, .bytes(Self.modulus)), (-2, .bytes([3]))]),
            Self.key([
                (1, Self.number(3)), (3, Self.number(-37)), (-1, .bytes(Self.modulus)), (-2, .bytes(Self.exponent)),
            ]),
        ]
        for (number, key) in refused.enumerated() {
            #expect(throws: CryptographyError.self, "\(number)") { try COSEKey(key) }
        }
    }
}
