import Testing

@testable import Basics

/// RFC 4648 §10.
struct Base32Tests {
    @Test(
        "RFC 4648 §10: the test vectors, without padding",
        arguments: [
            ("", ""), ("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foob", "MZXW6YQ"), ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI"),
        ])
    func vectors(_ plain: String, _ coded: String) {
        #expect(Base32.encode(plain.utf8) == coded)
    }
}
