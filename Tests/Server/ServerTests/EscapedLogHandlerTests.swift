import Logging
import Synchronization
import TestSupport
import Testing

@testable import hilum

/// Case X10: what comes from outside stays inside its field. OWASP ASVS V16; CWE-117.
@Suite(.takingTurns) struct EscapedLogHandlerTests {
    /// Keeps what is written.
    private final class Lines: TextOutputStream, Sendable {
        private let text = Mutex("")
        func write(_ string: String) { text.withLock { $0 += string } }
        var all: String { text.withLock { $0 } }
    }

    private static func line(_ body: (Logger) -> Void) -> String {
        let lines = Lines()
        body(Logger(label: "hilum") { EscapedLogHandler(label: $0, stream: lines) })
        return lines.all
    }

    @Test(
        "X10: line feeds, escapes, separators and directions in a value or a message never reach the line as they are",
        arguments: [
            "CT1\n2026-01-01T00:00:00 error hilum: forged=yes", "CT1\r\nforged", "\u{1B}[2J\u{1B}]0;title\u{7}",
            "a\u{0}b",
            "a\u{85}b", "a\u{2028}b\u{2029}c", "\u{202E}txt.exe", "\u{2066}a\u{2069}", "a\u{200B}b\u{FEFF}c",
            "a\u{9B}31m",
            "a\u{7F}b", "tab\tand \u{B}", "\u{E0041}", "a\u{A0}b\u{3000}c",
        ])
    func escaped(_ text: String) {
        let line = Self.line { $0.warning("refused \(text)", metadata: ["peer": "\(text)", "list": ["\(text)"]]) }
        #expect(line.hasSuffix("\n"))
        let content = line.dropLast()
        #expect(
            content.unicodeScalars.allSatisfy { scalar in
                switch scalar.properties.generalCategory {
                case .control, .format, .lineSeparator, .paragraphSeparator: false
                case .spaceSeparator: scalar == " "
                default: true
                }
            }, "\(line)")
        // Other text stays readable.
        #expect(Self.line { $0.info("ø 漢 é") }.hasSuffix("ø 漢 é\n"))
    }

    @Test("X10: a value that could be read as more fields stands in quotation marks, which it cannot leave")
    func quoted() {
        let line = Self.line { $0.info("m", metadata: ["ae": "CT1 request=forged", "q": "a\" b=\"c", "plain": "CT1"]) }
        #expect(line.contains(#"ae="CT1 request=forged""#))
        #expect(line.contains(#"q="a\" b=\"c""#))
        #expect(line.contains("plain=CT1 "))
        // What looks like an escape of ours was one of theirs.
        #expect(Self.line { $0.info("m", metadata: ["a": #"x\n"#]) }.contains(#"a=x\\n"#))
    }

    @Test("X10: the logger's own fields, a field's name and an error are escaped too, and a long value is cut")
    func everyPart() {
        struct Failure: Error, CustomStringConvertible { var description: String { "a\nb" } }
        let lines = Lines()
        var logger = Logger(label: "hi\nlum") { EscapedLogHandler(label: $0, stream: lines) }
        logger[metadataKey: "peer\n"] = "CT1\n"
        logger.error("m", error: Failure(), metadata: ["long": "\(String(repeating: "x", count: 100_000))"])
        #expect(lines.all.split(separator: "\n").count == 1)
        #expect(lines.all.utf8.count < 2 * LogText.bytesMax)
        #expect(lines.all.contains(#"error.message=a\nb"#))
    }
}
