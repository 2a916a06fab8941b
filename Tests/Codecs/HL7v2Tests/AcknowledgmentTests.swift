import Testing

@testable import HL7v2

/// HL7 v2.5.1 §2.9.2, §2.15.5, §2.15.8: what the sender gets back.
@Suite struct AcknowledgmentTests {
    private let now = Timestamp(utcEpochSeconds: 1_795_250_000)

    private func text(_ acknowledgment: Acknowledgment) -> String {
        String(decoding: acknowledgment.bytes(controlID: "H1", now: now), as: UTF8.self)
    }
    private func header(
        _ version: String, _ line: String = "MSH|^~\\&|APP^1.2^ISO|FAC|HIL|RAD|2026||ADT^A08^ADT_A01|C1|P|"
    ) throws -> MessageHeader {
        try Samples.parse(Array((line + version + "\r").utf8)).header
    }

    @Test("The whole acknowledgment of an accepted message")
    func accept() throws {
        #expect(
            try text(Acknowledgment(.accept, to: Samples.parse(Samples.adt).header))
                == "MSH|^~\\&|HILUM|NORTH|REG|NORTH|20261121083320+0000||ACK^A04^ACK|H1|P|2.5.1||||||UNICODE UTF-8\rMSA|AA|REG-0001\r"
        )
    }

    @Test("From 2.5 each error is an ERR with ERR-2, 3, 4 and 8")
    func errors() throws {
        let entries = [
            Acknowledgment.Entry(
                .requiredFieldMissing, at: ErrorLocation(segment: "PID", field: 3), userMessage: "No identifier"),
            Acknowledgment.Entry(
                .tableValueNotFound,
                at: ErrorLocation(segment: "OBX", occurrence: 2, field: 3, repetition: 2, component: 1),
                severity: .warning),
        ]
        let lines = try text(Acknowledgment(.error, to: header("2.5.1"), entries: entries)).split(separator: "\r")
        #expect(lines[1] == "MSA|AE|C1|No identifier")
        #expect(lines[2] == "ERR||PID^1^3^1|101^Required field missing^HL70357|E||||No identifier")
        #expect(lines[3] == "ERR||OBX^2^3^2^1|103^Table value not found^HL70357|W")
    }

    @Test("Before 2.5 the errors are repetitions of ERR-1")
    func legacyErrors() throws {
        let entries = [
            Acknowledgment.Entry(.requiredFieldMissing, at: ErrorLocation(segment: "PID", field: 3)),
            Acknowledgment.Entry(.applicationInternalError),
        ]
        let lines = try text(Acknowledgment(.reject, to: header("2.3.1"), entries: entries)).split(separator: "\r")
        #expect(lines[1] == "MSA|AR|C1|Required field missing")
        #expect(lines[2] == "ERR|PID^1^3^101&Required field missing&HL70357~^^^207&Application internal error&HL70357")
    }

    @Test(
        "§2.15.9.9: MSH-9 is what the sender's version knows",
        arguments: [
            ("2.1", "ACK"), ("2.2", "ACK^A08"), ("2.3", "ACK^A08"), ("2.3.1", "ACK^A08^ACK"), ("2.4", "ACK^A08^ACK"),
            ("2.8", "ACK^A08^ACK"),
        ])
    func messageType(version: String, type: String) throws {
        let fields = try text(Acknowledgment(.accept, to: header(version))).split(separator: "\r")[0].split(
            separator: "|", omittingEmptySubsequences: false)
        #expect(fields[8] == type)
        #expect(fields[11] == version)
        #expect(fields[2] == "HIL")
        #expect(fields[4] == "APP^1.2^ISO")
    }

    @Test("The sender's delimiters and character set are used")
    func senderForm() throws {
        let bytes = Array("MSH#!@%*#é#B#C#D#2026##ADT!A01#M7#P#2.5######8859/1\r".utf8).flatMap {
            $0 == 0xC3 ? [] : [$0 == 0xA9 ? 0xE9 : $0]
        }
        let acknowledgment = Acknowledgment(.accept, to: try Samples.parse(bytes).header).bytes(
            controlID: "H#1", now: now)
        #expect(acknowledgment.starts(with: Array("MSH#!@%*#C#D#".utf8) + [0xE9, 0x23]))
        let back = try Samples.parse(acknowledgment)
        #expect(back["MSA"]?[2].text == "M7")
        #expect(back["MSH"]?[10].text == "H#1")
    }

    @Test("Control bytes of the sender are never echoed, and long values are cut")
    func hostileHeader() throws {
        let long = String(repeating: "x", count: 5000)
        let bytes = Array("MSH|^~\\&|A\u{0B}\u{1C}B|F\u{01}\u{7F}|C|D|2026||ADT^A\u{1C}01|M\u{08}1\(long)|P|2.5\r".utf8)
        let acknowledgment = Acknowledgment(.accept, to: try Samples.parse(bytes).header).bytes(
            controlID: "H1", now: now)
        #expect(!acknowledgment.contains { $0 < 0x20 && $0 != 0x0D || $0 == 0x7F })
        #expect(throws: Never.self) { try MLLPEncoder.frame(acknowledgment) }
        #expect(acknowledgment.count < 600)
    }

    @Test("At most twenty entries are written")
    func entryLimit() throws {
        let entries = [Acknowledgment.Entry](repeating: Acknowledgment.Entry(.dataTypeError), count: 50)
        #expect(
            try text(Acknowledgment(.error, to: header("2.5"), entries: entries)).split(separator: "\r").count {
                $0.hasPrefix("ERR")
            } == 20)
    }

    // MARK: Broken messages

    @Test(
        "The header of a message broken further down is saved",
        arguments: [
            "MSH|^~\\&|A|B|C|D|2026||ADT^A08|M42|P|2.4\rnonsense here",
            "MSH|^~\\&|A|B|C|D|2026||ADT^A08|M42|P|2.4\rPID|\u{0}",
            "\u{1}\u{2}junk MSH|^~\\&|A|B|C|D|2026||ADT^A08|M42|P|2.4\r", "MSH|^^^^|A|B|C|D|2026||ADT^A08|M42|P|2.4\r",
            "MSH|^~\\&|A|B|C|D|2026||ADT^A08|M42|P|2.4||||||UNICODE UTF-16\rPID|é",
        ])
    func recovered(text: String) {
        let header = MessageHeader.recovered(from: Array(text.utf8))
        #expect(header.controlIDText == "M42")
        #expect(header.sendingApplication == [0x41])
        #expect(header.messageCode == "ADT")
        #expect(header.version == "2.4")
    }

    @Test("The header saved from a whole message is the message's own, accents included")
    func sameHeader() throws {
        let bytes = Array("MSH|^~\\&|Zürich|Nord|C|D|2026||ADT^A08|M42|P|2.4\rPID|1\r".utf8)
        #expect(try MessageHeader.recovered(from: bytes) == Samples.parse(bytes).header)
        #expect(try MessageHeader.recovered(from: Samples.adt) == Samples.parse(Samples.adt).header)
    }

    @Test(
        "Nothing is made up where nothing can be saved",
        arguments: ["", "MSH", "MSH\rPID|||||||||", "no header at all", "MSHA^~\\&A", "MSH|^^"])
    func unrecoverable(text: String) {
        let header = MessageHeader.recovered(from: Array(text.utf8))
        #expect(header.controlID.isEmpty)
        #expect(
            String(decoding: Acknowledgment(.reject, to: header).bytes(controlID: "H1", now: now), as: UTF8.self)
                == "MSH|^~\\&|||||20261121083320+0000||ACK|H1|P|2.5.1\rMSA|AR\r")
    }
}
