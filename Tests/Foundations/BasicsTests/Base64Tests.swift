import Testing

@testable import Basics

/// RFC 4648 §4.
struct Base64Tests {
    @Test(
        "Base 64 gives the RFC's test vectors (RFC 4648 §10)",
        arguments: [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ])
    func vectors(_ plain: String, _ coded: String) {
        #expect(Base64.encode(Array(plain.utf8)) == coded)
        #expect(Base64.decode(coded.utf8) == Array(plain.utf8))
    }

    @Test(
        "Base 64 with wrong padding, foreign characters or stray bits is refused (RFC 4648 §3.3, §3.5)",
        arguments: [
            "=", "==", "Z", "Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "Zm8", "Zm9v=", "Z-8=", "Zm 8=", "Zg==Zg==", "=Zg=",
            "Zm8\n=",
        ])
    func refused(_ text: String) { #expect(Base64.decode(text.utf8) == nil) }

    @Test("White space in base 64 is skipped only when asked")
    func whiteSpace() {
        #expect(Base64.decode("Zm\r\n9v Yg =\t=".utf8, ignoringWhiteSpace: true) == Array("foob".utf8))
        #expect(Base64.decode("Zm9v\n".utf8) == nil)
    }

    @Test("Bytes of every length survive base 64", arguments: 0..<64)
    func roundTrip(_ length: Int) {
        let bytes = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 131 &+ length) }
        #expect(Base64.decode(Base64.encode(bytes).utf8) == bytes, "\(length)")
    }

    @Test("A lenient reader takes missing padding and stray bits, and nothing else")
    func lenient() {
        for text in ["Zg", "Zg=", "Zg==", "Zh==", "Zh"] {
            #expect(Base64.decode(text.utf8, isLenient: true) == Array("f".utf8), "\(text)")
        }
        for text in ["Z", "Zg===", "Z-8=", "Zg==Zg==", "Zm9vY", "Zm 8"] {
            #expect(Base64.decode(text.utf8, isLenient: true) == nil, "\(text)")
        }
    }

    @Test("Digits are written behind what is there, with padding of their own")
    func append() {
        var text = Array("data:".utf8)
        Base64.append([102], to: &text)
        Base64.append([102, 111, 111], to: &text)
        #expect(String(decoding: text, as: UTF8.self) == "data:Zg==Zm9v")
    }

    @Test("Bytes that do not lie in one piece are read like others")
    func pieces() {
        let bytes = (0..<100).map { UInt8($0) }
        #expect(Base64.encode(bytes.lazy.map { $0 }) == Base64.encode(bytes))
        #expect(Base64.decode(Base64.encode(bytes).utf8.lazy.map { $0 }) == bytes)
        #expect(Base64URL.decode(Base64URL.encode(bytes).utf8.lazy.map { $0 }) == bytes)
    }
}
