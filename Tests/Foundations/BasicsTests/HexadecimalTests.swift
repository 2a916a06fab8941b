import Testing

@testable import Basics

/// RFC 4648 §8.
struct HexadecimalTests {
    @Test("Bytes are two digits each in lower case, and read back")
    func roundTrip() {
        #expect(Hexadecimal.encode([]) == "")
        #expect(Hexadecimal.encode([0x00, 0x0F, 0xA0, 0xFF]) == "000fa0ff")
        let all = (0...255).map { UInt8($0) }
        #expect(Hexadecimal.decode(Hexadecimal.encode(all).utf8) == all)
    }

    @Test(
        "An odd number of digits, upper case and other characters are refused",
        arguments: ["0", "000", "0A", "0g", " 0", "0x", "é"])
    func refused(text: String) { #expect(Hexadecimal.decode(text.utf8) == nil) }
}
