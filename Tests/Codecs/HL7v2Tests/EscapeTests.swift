import TestSupport
import Testing

@testable import HL7v2

/// HL7 v2.5.1 §2.7 and HL7 v2.7 §2.7: escape sequences.
@Suite struct EscapeTests {
    private func removed(_ text: String, in set: CharacterSet = .utf8) -> String {
        String(
            decoding: Escape.removed(from: Array(text.utf8)[...], delimiters: .standard, characterSet: set),
            as: UTF8.self)
    }

    @Test(
        "Every sequence of the standard is removed",
        arguments: [
            ("a\\F\\b", "a|b"), ("\\S\\\\T\\\\R\\\\E\\", "^&~\\"), ("\\P\\", "#"), ("\\H\\bold\\N\\", "bold"),
            ("a\\.br\\b", "a\nb"), ("a\\.sp\\b", "a\nb"), ("a\\.sp3\\b", "a\n\n\nb"), ("a\\.sp 2\\b", "a\n\nb"),
            ("\\.fi\\a\\.nf\\", "a"),
            ("\\.in+3\\a", "   a"), ("\\.in-3\\a", "a"), ("\\.ti2\\a", "  a"), ("\\.sk4\\a", "    a"),
            ("a\\.ce\\b", "a\nb"),
            ("\\X41\\", "A"), ("\\X0D0A\\", "\r\n"), ("\\XC3A9\\", "é"), ("\\.BR\\", "\n"),
        ])
    func known(text: String, result: String) { #expect(removed(text) == result) }

    @Test(
        "Unknown, broken and local sequences are kept as they stand",
        arguments: [
            "\\Zlocal\\", "\\Q\\", "a\\b", "\\", "C:\\temp\\new", "\\X4\\", "\\XZZ\\", "\\X\\", "\\.xx\\", "\\.\\",
            "\\.sp99999\\",
            "\\.sp81\\", "\\Xff\\", "\\C28\\", "\\M24\\",
        ])
    func kept(text: String) { #expect(removed(text) == text) }

    @Test("formattingRepeatMax: 80 is obeyed, 81 is kept as text")
    func repeatLimit() {
        #expect(removed("\\.sp80\\") == String(repeating: "\n", count: 80))
        #expect(removed("\\.sp81\\") == "\\.sp81\\")
    }

    @Test("Output stops growing at unescapedBytesMax")
    func growth() {
        let text = String(repeating: "\\.sp80\\", count: 120_000)
        let bytes = Escape.removed(from: Array(text.utf8)[...], delimiters: .standard, characterSet: .utf8)
        #expect(bytes.count <= HL7Limits.unescapedBytesMax + 80 + text.utf8.count)
    }

    @Test("A kept sequence does not swallow the next one")
    func neighbours() {
        #expect(removed("a \\ b \\T\\ c") == "a \\ b & c")
        #expect(removed("\\Zq\\\\T\\") == "\\Zq\\&")
    }

    @Test("§2.7.4: \\X bytes are in the character set of the message")
    func hexadecimalCharacterSet() {
        #expect(removed("\\XE9\\", in: .latin1) == "é")
        #expect(removed("\\XA4\\", in: .latin9) == "€")
        #expect(removed("\\X00\\", in: .latin1) == "\\X00\\")
    }

    @Test("§2.7.3: \\M2442\\ switches to JIS X 0208 and \\C2842\\ back")
    func characterSetSwitch() {
        #expect(removed("\\M2442\\;3ED\\C2842\\ x", in: .ascii) == "山田 x")
    }

    @Test("Added escapes leave nothing that is structure or control")
    func added() {
        let text = "a|b^c&d~e\\f\r\ng\nh\ri\u{0B}\u{1C}\u{00}\tj"
        let bytes = Escape.added(to: text.utf8, delimiters: .standard)
        #expect(
            String(decoding: bytes, as: UTF8.self)
                == "a\\F\\b\\S\\c\\T\\d\\R\\e\\E\\f\\.br\\g\\.br\\h\\.br\\i\\X0B\\\\X1C\\\\X00\\\tj")
    }

    @Test("Removing what was added gives the text back, for random text and delimiters")
    func roundTrip() throws {
        var random = SeededGenerator(seed: UInt64.random(in: 0...UInt64.max))
        let sets = [
            Delimiters.standard,
            try #require(
                Delimiters(
                    field: 0x23, component: 0x21, repetition: 0x40, escape: 0x25, subcomponent: 0x2A, truncation: 0x24)),
        ]
        let alphabet = Array("aZ9 |^~\\&#!@%*$\"é山\t\n".unicodeScalars)
        for _ in 0..<2000 {
            var text = ""
            for _ in 0..<Int.random(in: 0...20, using: &random) {
                text.unicodeScalars.append(alphabet.randomElement(using: &random) ?? "x")
            }
            let delimiters = sets.randomElement(using: &random) ?? .standard
            let wire = Escape.added(to: text.utf8, delimiters: delimiters)
            let back = Escape.removed(from: wire[...], delimiters: delimiters, characterSet: .utf8)
            #expect(String(decoding: back, as: UTF8.self) == text, "seed \(random.seed)")
        }
    }
}
