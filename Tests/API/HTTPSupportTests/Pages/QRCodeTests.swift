import TestSupport
import Testing

@testable import HTTPSupport

/// ISO/IEC 18004:2015.
@Suite(.takingTurns) struct QRCodeTests {
    /// Of `HELLO` by mask 2, as the library qrcode 8 from PyPI draws it.
    private static let hello = [
        "111111100001001111111", "100000100010101000001", "101110101100001011101", "101110101010101011101",
        "101110101100101011101", "100000101111001000001", "111111101010101111111", "000000001100000000000",
        "101111100011001111100", "011011010111111001100", "001111101000101101110", "011010000111111001100",
        "010111111000100100101", "000000001010100101000", "111111100111010010110", "100000101010000111110",
        "101110101101010010110", "101110101101111101000", "101110101100101100100", "100000100111111011100",
        "111111101100100010110",
    ]

    private static func rows(_ symbol: QRCode) -> [String] {
        (0..<symbol.size).map { row in (0..<symbol.size).map { symbol[row, $0] ? "1" : "0" }.joined() }
    }

    @Test("A symbol is drawn as another implementation draws it")
    func known() throws {
        #expect(Self.rows(try #require(QRCode("HELLO", mask: 2))) == Self.hello)
    }

    @Test(
        "Each version holds as many bytes as table 7 says, and one more takes the next; above version 10 there is none")
    func capacities() throws {
        let capacities = [14, 26, 42, 62, 84, 106, 122, 152, 180, 213]
        for (index, capacity) in capacities.enumerated() {
            #expect(try #require(QRCode(String(repeating: "a", count: capacity))).size == 21 + 4 * index)
        }
        #expect(QRCode(String(repeating: "a", count: 214)) == nil)
    }

    @Test("The page's symbol says what it is and has its quiet zone")
    func markup() throws {
        let markup = try #require(QRCode("HELLO", mask: 2)).html(label: "a \"key\"").markup
        #expect(markup.hasPrefix("<svg "))
        #expect(markup.contains("viewBox=\"0 0 29 29\""))
        #expect(markup.contains("aria-label=\"a &quot;key&quot;\""))
        #expect(markup.contains("d=\"M4 4h7v1h-7z"))
        #expect(!markup.contains("style"))
    }
}
