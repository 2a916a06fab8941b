import Basics
import Testing

@testable import Cryptography

/// RFC 7914; OWASP ASVS 5.0 V11.4.2.
struct PasswordVerifierTests {
    private static let cheap = PasswordVerifier.Cost(logarithm: 10, blockSize: 8, parallelism: 1)

    @Test("RFC 7914 §12: the test vector of N 1024, r 8, p 16")
    func vector() throws {
        let cost = PasswordVerifier.Cost(logarithm: 10, blockSize: 8, parallelism: 16)
        let verifier = try PasswordVerifier(password: "password", cost: cost, salt: Array("NaCl".utf8))
        let hash = try #require(verifier.text.split(separator: "$").last)
        #expect(
            Hexadecimal.encode(Base64URL.decode(hash.utf8) ?? [])
                == "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162")
    }

    @Test("A verifier knows its password after it was kept as text, and no other")
    func kept() throws {
        let made = try PasswordVerifier(password: "blue kettle 47 ☂", cost: Self.cheap)
        #expect(made.text.hasPrefix("$scrypt$ln=10,r=8,p=1$"))
        let kept = try #require(PasswordVerifier(made.text))
        #expect(kept == made)
        #expect(try kept.matches("blue kettle 47 ☂"))
        for other in ["", "blue kettle 47", "blue kettle 47 ☂ ", "Blue kettle 47 ☂"] {
            #expect(try !kept.matches(other))
        }
        #expect(try PasswordVerifier(password: "blue kettle 47 ☂", cost: Self.cheap).text != made.text, "a new salt")
    }

    @Test("The cost of now is at least 32 MiB, three times")
    func cost() throws {
        let cost = PasswordVerifier.Cost.current
        #expect(128 * cost.blockSize << cost.logarithm >= 32 << 20)
        #expect(cost.parallelism >= 3)
        #expect(try PasswordVerifier(password: "blue kettle", cost: cost).matches("blue kettle"))
    }

    @Test("A decoy costs what a verifier does and is of no password")
    func decoy() throws {
        let decoy = PasswordVerifier.decoy(Self.cheap)
        #expect(decoy.cost == Self.cheap)
        #expect(try !decoy.matches(""))
        #expect(PasswordVerifier(decoy.text) == decoy)
    }

    @Test(
        "What is no verifier, or would take more than 128 MiB, is none",
        arguments: [
            "", "$", "$$$$", "$scrypt$ln=10,r=8,p=1$AAAAAAAAAAAAAAAAAAAAAA$", "$argon2id$ln=10,r=8,p=1$AAAAAAAAAAA$AA",
            "$scrypt$ln=40,r=8,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "$scrypt$ln=18,r=8,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "$scrypt$ln=10,r=9,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "$scrypt$ln=10,r=8,p=17$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "$scrypt$ln=-1,r=8,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "$scrypt$ln=10,r=8,p=1,x=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        ])
    func hostile(_ text: String) {
        #expect(PasswordVerifier(text) == nil)
    }

    @Test("The shape that the others are cut from is a verifier")
    func shape() {
        #expect(
            PasswordVerifier(
                "$scrypt$ln=10,r=8,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA") != nil)
    }
}
