import Basics
import Synchronization
import Testing

@testable import Cryptography

/// RFC 7468, RFC 5958, RFC 5915, RFC 8017; RFC 7518 §3.3, §3.4.
struct KeyTests {
    private static let message = Array("what is signed".utf8)

    @Test("A key survives PEM, signs, and its public half verifies", arguments: EllipticCurve.allCases)
    func curves(_ curve: EllipticCurve) throws {
        let key = try PrivateKey(curve)
        let again = try PrivateKey(pem: key.pem)
        #expect(try key.pem.hasPrefix("-----BEGIN PRIVATE KEY-----\n"))
        #expect(try key.publicKey.pem.hasPrefix("-----BEGIN PUBLIC KEY-----\n"))
        let (x, y) = try again.publicKey.coordinates(on: curve)
        #expect(try again.publicKey.point == [0x04] + x + y)
        let known = try PublicKey(curve, x: x, y: y)
        let signature = try again.sign(Self.message)
        #expect(signature.count == 2 * curve.coordinateBytes)
        for verifier in [key.publicKey, known, known.prepared(), key.publicKey.prepared().prepared()] {
            #expect(verifier.verifies(signature, of: Self.message))
            #expect(!verifier.verifies(signature, of: Self.message.dropLast()))
            #expect(!verifier.verifies(signature.dropLast(), of: Self.message))
            #expect(!verifier.verifies(signature + [0], of: Self.message))
            #expect(!verifier.verifies([], of: Self.message))
        }
        let stranger = try PrivateKey(curve).publicKey
        #expect(!stranger.verifies(signature, of: Self.message))
        #expect(!stranger.prepared().verifies(signature, of: Self.message))
    }

    @Test("A key that many threads read from its coordinates at once is the same key each time")
    func many() async throws {
        for curve in EllipticCurve.allCases {
            let key = try PrivateKey(curve).publicKey
            let (x, y) = try key.coordinates(on: curve)
            let point = try key.point
            let count = await withTaskGroup(of: Int.self) { group in
                for _ in 0..<16 {
                    group.addTask {
                        (0..<200).filter { _ in (try? PublicKey(curve, x: x, y: y).point) == point }.count
                    }
                }
                return await group.reduce(0, +)
            }
            #expect(count == 3_200)
        }
    }

    @Test("RFC 7518 §3.3: RS256 and RS384 are two algorithms: what is signed over one hash is nothing over the other")
    func rsaHashes() throws {
        let made = try PrivateKey(rsaBits: 2048, hash: .sha256)
        let (modulus, exponent) = try made.publicKey.modulusAndExponent
        #expect(modulus.count == 256)
        #expect(exponent == [1, 0, 1])
        let pem = try made.pem
        for (one, other) in [(SignatureHash.sha256, SignatureHash.sha384), (.sha384, .sha256)] {
            let key = try PrivateKey(pem: pem, rsaHash: one)
            let signature = try key.sign(Self.message)
            #expect(key.publicKey.verifies(signature, of: Self.message))
            let same = try PublicKey(modulus: modulus, exponent: exponent, hash: one)
            #expect(same.verifies(signature, of: Self.message))
            #expect(same.prepared().verifies(signature, of: Self.message))
            #expect(
                !(try PublicKey(modulus: modulus, exponent: exponent, hash: other)).verifies(
                    signature, of: Self.message))
        }
        #expect(throws: CryptographyError.self) { _ = try PrivateKey(rsaBits: 1024, hash: .sha256) }
        #expect(SignatureHash.sha384.digest(Self.message).count == 48)
        #expect(SignatureHash.sha256.digest(Self.message) == SHA256.digest(Self.message))
    }

    @Test("RFC 7518 §3.1: a JWT names the algorithm that its key signs by, and the key where it has a name")
    func tokens() throws {
        let keys = [
            ("ES256", try PrivateKey(.p256)), ("ES384", try PrivateKey(.p384)),
            ("RS256", try PrivateKey(pem: PEMSamples.rsa, rsaHash: .sha256)),
            ("RS384", try PrivateKey(pem: PEMSamples.rsa)),
        ]
        for (algorithm, key) in keys {
            for (keyID, member) in [(nil, ""), ("k\"1", #","kid":"k\"1""#)] as [(String?, String)] {
                let token = try key.compactJWT(claims: "{}".utf8, keyID: keyID)
                let parts = token.utf8.split(separator: UInt8(ascii: "."))
                let header = try #require(Base64URL.decode(parts[0]))
                #expect(String(decoding: header, as: UTF8.self) == #"{"alg":"\#(algorithm)","typ":"JWT"\#(member)}"#)
                let signature = try #require(Base64URL.decode(parts[2]))
                #expect(key.publicKey.verifies(signature, of: token.utf8[..<parts[1].endIndex]))
            }
        }
    }

    @Test("RFC 8017 §8.2: an RSA key signs as long as its modulus, and nothing shorter verifies")
    func rsa() throws {
        let key = try PrivateKey(pem: PEMSamples.rsa)
        let (modulus, exponent) = try key.publicKey.modulusAndExponent
        #expect(modulus.count == 256)
        #expect(exponent == [1, 0, 1])
        let known = try PublicKey(modulus: modulus, exponent: exponent)
        let signature = try key.sign(Self.message)
        #expect(known.kind == .rsa(modulusBytes: 256))
        #expect(known.verifies(signature, of: Self.message))
        #expect(known.prepared().verifies(signature, of: Self.message))
        for at in stride(from: 0, to: signature.count, by: 17) {
            var changed = signature
            changed[at] ^= 0x10
            #expect(!known.verifies(changed, of: Self.message), "\(at)")
        }
        #expect(!known.verifies([0] + signature, of: Self.message))
        #expect(!known.verifies(signature.dropLast(), of: Self.message))
        #expect(!known.verifies([UInt8](repeating: 0xFF, count: 256), of: Self.message))
        #expect(throws: CryptographyError(.key, "")) { try key.publicKey.point }
        #expect(throws: CryptographyError(.key, "")) { try PrivateKey(.p256).publicKey.modulusAndExponent }
    }

    @Test("RFC 5915: a key in SEC 1 is read, also behind its parameters")
    func sec1() throws {
        for pem in [PEMSamples.sec1, PEMSamples.parameters + PEMSamples.sec1] {
            #expect(try PrivateKey(pem: pem).publicKey.kind == .ec(.p256))
        }
    }

    @Test("What is no key of ours is refused, and nobody is asked for a password")
    func refused() throws {
        let good = try PrivateKey(.p256)
        let texts = try [
            "", "x", good.publicKey.pem, String(good.pem.dropFirst()), String(good.pem.prefix(80)),
            good.pem.replacing("PRIVATE KEY", with: "CERTIFICATE"), PEMSamples.encrypted, PEMSamples.secp256k1,
            PEMSamples.ed25519, String(repeating: "A", count: 100_000),
        ]
        for text in texts {
            #expect(throws: CryptographyError(.key, ""), "\(text.prefix(60))") { try PrivateKey(pem: text) }
        }
    }

    @Test(
        "A point that is not on its curve, or is written in another length, is no key",
        arguments: EllipticCurve.allCases)
    func points(_ curve: EllipticCurve) throws {
        let (x, y) = try PrivateKey(curve).publicKey.coordinates(on: curve)
        let zero = [UInt8](repeating: 0, count: curve.coordinateBytes)
        let most = [UInt8](repeating: 0xFF, count: curve.coordinateBytes)
        var off = y
        off[off.count - 1] ^= 1
        for (x, y) in [(zero, zero), (most, most), (x, off), (x, zero), ([0] + x, y), (x, y.dropLast()), ([], [])] {
            #expect(throws: CryptographyError(.key, "")) { try PublicKey(curve, x: x, y: y) }
        }
        let other: EllipticCurve = curve == .p256 ? .p384 : .p256
        #expect(throws: CryptographyError(.key, "")) { try PublicKey(other, x: x, y: y) }
        #expect(throws: CryptographyError(.key, "")) { try PrivateKey(curve).publicKey.coordinates(on: other) }
    }

    @Test("RSA numbers that are empty, even or beyond libcrypto are no key")
    func rsaNumbers() {
        let modulus = [UInt8](repeating: 0xFF, count: 256)
        let even = Array(modulus.dropLast()) + [0xFE]
        let long = [UInt8](repeating: 0xFF, count: PublicKey.modulusBytesMax + 1)
        for (n, e) in [
            ([], [1, 0, 1]), (modulus, []), (even, [1, 0, 1]), (modulus, [2]), (long, [1, 0, 1]), (modulus, long),
        ] {
            #expect(throws: CryptographyError(.key, "")) { try PublicKey(modulus: n, exponent: e) }
        }
    }

    @Test("Many threads sign and verify with the same keys")
    func threads() async throws {
        let key = try PrivateKey(.p384)
        let prepared = key.publicKey.prepared()
        let all = try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 0..<32 {
                group.addTask {
                    let message = Array("message \(number)".utf8)
                    let signature = try key.sign(message)
                    return prepared.verifies(signature, of: message) && key.publicKey.verifies(signature, of: message)
                        && !prepared.verifies(signature, of: [0] + message)
                }
            }
            return try await group.reduce(true) { $0 && $1 }
        }
        #expect(all)
    }

    @Test("RFC 7515 §7.1: a compact JWS has three parts, of which the first two are what is signed")
    func compactJWS() throws {
        let key = try PrivateKey(.p256)
        let token = try key.compactJWS(header: #"{"alg":"ES256"}"#.utf8, claims: #"{"iss":"a"}"#.utf8)
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        try #require(parts.count == 3)
        #expect(parts[0] == "eyJhbGciOiJFUzI1NiJ9")
        #expect(parts[1] == "eyJpc3MiOiJhIn0")
        #expect(parts[2].utf8.count == 86)
    }

    @Test("An object of libcrypto is freed once, after the last who holds its owner")
    func freedOnce() throws {
        let freed = Mutex<[UInt]>([])
        let address = try #require(OpaquePointer(bitPattern: 0x1000))
        var one: LibcryptoObject? = LibcryptoObject(address) { pointer in
            let bits = UInt(bitPattern: pointer)
            freed.withLock { $0.append(bits) }
        }
        var other = one
        #expect(one?.address == address)
        one = nil
        #expect(freed.withLock { $0 } == [])
        #expect(other?.address == address)
        other = nil
        #expect(freed.withLock { $0 } == [0x1000])
    }
}
