import Testing

@testable import HL7v2

/// HL7 v2.5.1 §2.10.3: batch files.
@Suite struct BatchFileTests {
    private func events(_ text: String, limits: HL7Limits = HL7Limits()) throws -> [BatchFileReader.Event] {
        var reader = BatchFileReader(limits: limits)
        let first = try reader.read(Array(text.utf8))
        return first + (try reader.finish())
    }

    @Test(
        "Envelope segments out of order and text outside of a message are refused",
        arguments: [
            "PID|1\r", "BTS|1\r", "BHS|^~\\&\rBHS|^~\\&\r", "FHS|^~\\&\rBHS|^~\\&\rFTS|1\r", "MSH|^~\\&|A\rFHS|^~\\&\r",
            "BHS|^~\\&\rMSH|^~\\&|A\r",
            "FHS|^~\\&\rFTS|0\rMSH|^~\\&|A\r", "FHS|^~\\&\rFTS|0\rFTS|0\r", "x",
        ])
    func sequence(text: String) {
        let error = #expect(throws: HL7Error.self) { try events(text) }
        guard case .batchSequence? = error else {
            Issue.record("\(text.debugDescription): \(String(describing: error))")
            return
        }
    }

    @Test("BTS-1 and FTS-1 must be what was found")
    func counts() {
        #expect(throws: HL7Error.batchCountMismatch(declared: 2, found: 1)) {
            try events("BHS|^~\\&\rMSH|^~\\&|A\rBTS|2\r")
        }
        #expect(throws: HL7Error.batchCountMismatch(declared: 0, found: 1)) {
            try events("FHS|^~\\&\rBHS|^~\\&\rBTS|0\rFTS|0\r")
        }
    }

    @Test("messageBytesMax holds for each message, not for the file")
    func limit() throws {
        let message = "MSH|^~\\&|A\rPID|1\r"
        #expect(
            try events(String(repeating: message, count: 100), limits: HL7Limits(messageBytesMax: message.utf8.count))
                .count == 100)
        #expect(throws: HL7Error.messageTooLarge(limit: 10)) {
            try events(message, limits: HL7Limits(messageBytesMax: 10))
        }
    }

    @Test("A file with two batches, and continuation segments inside of a message")
    func file() throws {
        let text =
            "FHS|^~\\&|X\rBHS|^~\\&\rMSH|^~\\&|A\rPID|1\rADD|more\rMSH|^~\\&|B\rDSC|77\rBTS|2\rBHS|^~\\&\rBTS|\rFTS|2\r"
        #expect(
            try events(text) == [
                .fileHeader(Array("FHS|^~\\&|X".utf8)), .batchHeader(Array("BHS|^~\\&".utf8)),
                .message(Array("MSH|^~\\&|A\rPID|1\rADD|more\r".utf8)),
                .message(Array("MSH|^~\\&|B\rDSC|77\r".utf8)), .batchTrailer(declared: 2, messages: 2),
                .batchHeader(Array("BHS|^~\\&".utf8)),
                .batchTrailer(declared: nil, messages: 0), .fileTrailer(declared: 2, batches: 2),
            ])
    }

    @Test(
        "A byte order mark, LF and CR LF ends, and no envelope at all read as messages",
        arguments: ["\r", "\n", "\r\n"])
    func plain(end: String) throws {
        let text = "\u{FEFF}" + ["MSH|^~\\&|A", "PID|1", "MSH|^~\\&|B"].joined(separator: end)
        #expect(
            try events(text) == [.message(Array("MSH|^~\\&|A\rPID|1\r".utf8)), .message(Array("MSH|^~\\&|B\r".utf8))])
    }

    @Test("Any split gives the same events, and what is written reads back")
    func anySplit() throws {
        var writer = BatchFileWriter(
            controlID: "B1", referenceID: "R1", created: Timestamp(utcEpochSeconds: 1_795_250_000))
        writer.append(Samples.adt)
        writer.append(Array("MSH|^~\\&|B".utf8))
        let file = writer.bytes()
        let whole = try events(String(decoding: file, as: UTF8.self))
        #expect(whole.contains(.message(Samples.adt)))
        #expect(whole.last == .fileTrailer(declared: 1, batches: 1))
        guard case .fileHeader(let line)? = whole.first else { return }
        #expect(String(decoding: line, as: UTF8.self) == "FHS|^~\\&|||||20261121083320+0000||||B1|R1")
        for size in 1..<20 {
            var reader = BatchFileReader()
            var split: [BatchFileReader.Event] = []
            for at in stride(from: 0, to: file.count, by: size) {
                split += try reader.read(file[at..<min(at + size, file.count)])
            }
            split += try reader.finish()
            #expect(split == whole)
        }
    }
}
