import TestSupport
import Testing

@testable import HL7v2

/// HL7 v2.5.1 §2.5 to §2.7: what is read, what is tolerated, what is refused and where.
@Suite struct ParserTests {
    // MARK: Hostile and broken first

    @Test("No bytes, and only line ends, are no message", arguments: ["", "\r", "\r\n\r\n", "\u{FEFF}\r"])
    func empty(text: String) {
        #expect(throws: HL7Error.messageEmpty) { try Parser().parse(Array(text.utf8)) }
    }

    @Test(
        "§2.15.9: a text that does not begin with MSH is refused with 100 at MSH",
        arguments: [
            "PID|1||123\r", "msh|^~\\&|A\r", "XMSH|^~\\&|\r", "FHS|^~\\&|A\r",
        ])
    func headerMissing(text: String) throws {
        let error = #expect(throws: HL7Error.self) { try Parser().parse(Array(text.utf8)) }
        #expect(error == .headerMissing(offset: 0))
        #expect(error?.condition == .segmentSequenceError)
        #expect(error?.location == ErrorLocation(segment: "MSH"))
    }

    @Test("A text that ends inside MSH-2 is refused, at every length", arguments: 3..<8)
    func truncatedHeader(length: Int) {
        #expect(throws: HL7Error.headerTruncated(offset: length)) {
            try Parser().parse(Array("MSH|^~\\&|A".utf8.prefix(length)))
        }
    }

    @Test(
        "§2.5.4: equal, alphanumeric, blank, quote and control delimiters are refused",
        arguments: [
            "MSH|^^\\&|A|", "MSH||~\\&|A|", "MSH|^~\\||A|", "MSHA^~\\&A", "MSH|1~\\&|", "MSH|^z\\&|", "MSH|^ \\&|",
            "MSH|^\"\\&|",
            "MSH|^~\u{01}&|", "MSH|^~\\\u{7F}|", "MSH|^~\\é|", "MSH|^|A|B|C", "MSH|^~|A|B|C", "MSH|^~\\&#$|A|",
        ])
    func illegalDelimiters(text: String) {
        let error = #expect(throws: HL7Error.self) { try Parser().parse(Array((text + "\r").utf8)) }
        guard case .delimitersIllegal = error else {
            Issue.record("\(text.debugDescription) gave \(String(describing: error))")
            return
        }
        #expect(error?.condition == .dataTypeError)
    }

    @Test("A zero byte is refused with its offset, so UTF-16 never reads as text")
    func nulByte() {
        let utf16 = Array("MSH|^~\\&|A\r".utf16).flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
        #expect(throws: HL7Error.nulByte(offset: 1)) { try Parser().parse(utf16) }
        var bytes = Samples.adt
        bytes[50] = 0
        #expect(throws: HL7Error.nulByte(offset: 50)) { try Parser().parse(bytes) }
    }

    @Test(
        "§2.5.2: a line that is no segment is refused with its offset and position",
        arguments: [
            ("PI|1", 2), ("pid|1", 2), ("1ID|x", 2), ("P", 2), ("PIDX|1", 2), ("|", 2),
        ])
    func illegalSegmentName(line: String, position: Int) {
        let first = Samples.header() + "\r"
        #expect(throws: HL7Error.segmentNameIllegal(offset: first.utf8.count, position: position)) {
            try Parser().parse(Array((first + line + "\r").utf8))
        }
    }

    // MARK: Limits, at and past

    @Test("messageBytesMax holds at the limit and refuses one past it")
    func messageLimit() throws {
        let bytes = Samples.adt
        #expect(try Parser(limits: HL7Limits(messageBytesMax: bytes.count)).parse(bytes).segments.count == 5)
        #expect(throws: HL7Error.messageTooLarge(limit: bytes.count - 1)) {
            try Parser(limits: HL7Limits(messageBytesMax: bytes.count - 1)).parse(bytes)
        }
    }

    @Test("segmentsMax holds at the limit and refuses one past it")
    func segmentLimit() throws {
        func message(_ count: Int) -> [UInt8] {
            Array((Samples.header() + "\r" + String(repeating: "NTE|1\r", count: count - 1)).utf8)
        }
        #expect(try Parser().parse(message(1000)).segments.count == 1000)
        let error = #expect(throws: HL7Error.self) { try Parser().parse(message(1001)) }
        guard case .tooManySegments(_, 1000) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test("fieldsMax holds at the limit and refuses one past it, naming the segment")
    func fieldLimit() throws {
        func message(_ count: Int) -> [UInt8] {
            Array((Samples.header() + "\rZZZ|a\rZZZ" + String(repeating: "|x", count: count) + "\r").utf8)
        }
        #expect(try Parser().parse(message(1000)).segment("ZZZ", occurrence: 2)?.fieldCount == 1000)
        let error = #expect(throws: HL7Error.self) { try Parser().parse(message(1001)) }
        #expect(error?.location == ErrorLocation(segment: "ZZZ", occurrence: 2))
    }

    @Test("repetitionsMax holds at the limit and refuses one past it, naming the field")
    func repetitionLimit() throws {
        let parser = Parser(limits: HL7Limits(repetitionsMax: 100))
        func message(_ count: Int) -> [UInt8] {
            Array(
                (Samples.header() + "\rPID|||" + [String](repeating: "x", count: count).joined(separator: "~") + "|\r")
                    .utf8)
        }
        #expect(try Array(parser.parse(message(100))["PID"]![3].repetitions).count == 100)
        let error = #expect(throws: HL7Error.self) { try parser.parse(message(101)) }
        #expect(error?.location == ErrorLocation(segment: "PID", field: 3))
    }

    @Test(
        "A flood of separators, line feeds or escapes is read in linear time",
        arguments: ["^", "&", "\n", "\\", "\\.", "\r", "~"])
    func floods(unit: String) throws {
        let flood = String(repeating: unit, count: 200_000 / unit.utf8.count)
        let bytes = Array((Samples.header() + "\rPID|||" + flood + "\r").utf8)
        let clock = ContinuousClock()
        let elapsed = clock.measure {
            let message = try? Parser().parse(bytes)
            _ = message?["PID"]?[3][1][3][2].text
            _ = message?["PID"]?[3].wholeText
        }
        #expect(elapsed < .seconds(5))
    }

    // MARK: Reading

    @Test("§2.5: fields, repetitions, components and subcomponents are reached by their numbers")
    func structure() throws {
        let message = try Samples.parse(Samples.adt)
        #expect(message.segments.map { "\($0.id)" } == ["MSH", "EVN", "PID", "PV1", "ZZZ"])
        let pid = try #require(message["PID"])
        #expect(pid[3][1][1].text == "P-4711")
        #expect(pid[3][1][4][2].text == "2.999.1")
        #expect(pid[3][2][5].text == "SS")
        #expect(pid[3].repetitions.map { $0[1].text } == ["P-4711", "756.1234.5678.97"])
        #expect(pid[5].text == "Muster")
        #expect(pid[5][1][6].presence == .empty)
        #expect(pid[5][3].presence == .absent)
        #expect(pid[99].presence == .absent)
        #expect(message["ZDS"] == nil)
        #expect(message["ZZZ"]?[1].text == "local")
    }

    @Test("§2.15.9.1: MSH-1 is the separator, MSH-2 the encoding characters, neither is split")
    func headerFields() throws {
        let msh = try #require(Samples.parse(Samples.adt)["MSH"])
        #expect(msh[1].text == "|")
        #expect(msh[2].text == "^~\\&")
        #expect(Array(msh[2].repetitions).count == 1)
        #expect(msh[2][1][2].presence == .absent)
        #expect(msh[3].text == "REG")
        #expect(msh[9][1][3].text == "ADT_A01")
        #expect(msh[18].text == "UNICODE UTF-8")
    }

    @Test("§2.5.3: absent, empty, null and valued are told apart at every level")
    func presence() throws {
        let message = try Samples.parse(Samples.lines(Samples.header(), "PID|1||\"\"|a^^\"\"^&\"\"&x~\"\"||"))
        let pid = try #require(message["PID"])
        #expect(pid[2].presence == .empty)
        #expect(pid[3].presence == .null)
        #expect(pid[3].text == nil)
        #expect(pid[4].presence == .valued)
        #expect(pid[4][1][2].presence == .empty)
        #expect(pid[4][1][3].presence == .null)
        #expect(pid[4][1][4][1].presence == .empty)
        #expect(pid[4][1][4][2].presence == .null)
        #expect(pid[4][1][4][4].presence == .absent)
        #expect(pid[4][2].presence == .null)
        #expect(pid[5].presence == .empty)
        #expect(pid[7].presence == .absent)
    }

    @Test("Any legal delimiters are read")
    func customDelimiters() throws {
        let message = try Samples.parse(
            Samples.lines("MSH#!@%*#A#B#C#D#2026##ADT!A01#M7#P#2.5", "PID#1##1!!!MRN*X@2##DO%F%E!J|N^"))
        #expect(message.header.controlIDText == "M7")
        #expect(message["PID"]?[3][1][4][2].text == "X")
        #expect(message["PID"]?[3][2].text == "2")
        #expect(message["PID"]?[5].text == "DO#E")
        #expect(message["PID"]?[5][1][2].text == "J|N^")
        #expect(
            message.delimiters
                == Delimiters(field: 0x23, component: 0x21, repetition: 0x40, escape: 0x25, subcomponent: 0x2A))
    }

    @Test("HL7 v2.7 §2.5.5.2: a fifth encoding character is the truncation character")
    func truncationCharacter() throws {
        let message = try Samples.parse(Samples.lines("MSH|^~\\&#|A|B|C|D|2026||ADT^A01|M7|P|2.7", "NTE|1||x\\P\\y"))
        #expect(message.delimiters.truncation == 0x23)
        #expect(message["NTE"]?[3].text == "x#y")
    }

    @Test(
        "CR, LF, CR LF, a byte order mark, blank lines and a missing last end read alike",
        arguments: ["\r", "\n", "\r\n"])
    func lineEnds(end: String) throws {
        let lines = [Samples.header(), "PID|1||4711", "PV1", "NTE|1||x"]
        for prefix in ["", "\u{FEFF}", end, "\u{FEFF}" + end] {
            for suffix in ["", end, end + end] {
                let message = try Samples.parse(Array((prefix + lines.joined(separator: end) + suffix).utf8))
                #expect(message.segments.map { "\($0.id)" } == ["MSH", "PID", "PV1", "NTE"])
                #expect(message["PID"]?[3].text == "4711")
                #expect(message["NTE"]?[3].wholeText == "x")
            }
        }
    }

    @Test("A lone LF before text is text, before a segment an end, when segments end with CR")
    func mixedLineEnds() throws {
        let text = Samples.header() + "\rOBX|1|TX|||line one\nline two\nMRI of head\rOBX|2|TX|||x\nOBX|3|TX|||y\n\r"
        let message = try Samples.parse(Array(text.utf8))
        #expect(message.segments.count == 4)
        #expect(message["OBX"]?[5].wholeText == "line one\nline two\nMRI of head")
        #expect(message.segment("OBX", occurrence: 2)?[5].text == "x")
        #expect(message.segment("OBX", occurrence: 3)?[5].text == "y")
    }

    @Test("Occurrences count per name, positions over all")
    func occurrences() throws {
        let message = try Samples.parse(Samples.lines(Samples.header(), "OBR|1", "OBX|1", "OBR|2", "OBX|2"))
        #expect(message.segments.map(\.occurrence) == [1, 1, 1, 2, 2])
        #expect(message.segments.map(\.position) == [1, 2, 3, 4, 5])
        #expect(message.segment("OBR", occurrence: 0) == nil)
        #expect(message.segment("OBR", occurrence: 3) == nil)
    }

    @Test("Random damage never traps and every error has a condition")
    func fuzz() {
        var random = SeededGenerator(seed: UInt64.random(in: 0...UInt64.max))
        let corpus = [
            Samples.adt, Samples.lines("MSH#!@%*#A#B", "PID#1##1!2"),
            Samples.lines(Samples.header("|||||||8859/1"), "NTE|1||\\X41\\\\.sp3\\"),
        ]
        for _ in 0..<4000 {
            var bytes = corpus.randomElement(using: &random) ?? []
            for _ in 0..<Int.random(in: 1...6, using: &random) where !bytes.isEmpty {
                let at = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0...3, using: &random) {
                case 0: bytes[at] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.remove(at: at)
                case 2: bytes.insert(UInt8.random(in: 0...255, using: &random), at: at)
                default: bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random))
                }
            }
            do throws(HL7Error) {
                let message = try Parser().parse(bytes)
                for segment in message.segments {
                    for number in 1...max(segment.fieldCount, 1) {
                        for repetition in segment[number].repetitions {
                            _ = repetition[1][1].text; _ = repetition.wholeText
                        }
                    }
                }
                _ = message.header
            } catch {
                #expect(error.condition != .messageAccepted, "seed \(random.seed)")
                let header = MessageHeader.recovered(from: bytes)
                #expect(!header.controlID.contains { $0 < 0x20 }, "seed \(random.seed)")
            }
        }
    }
}

/// The grammar of field paths.
@Suite struct FieldPathTests {
    @Test(
        "Paths are read and written alike",
        arguments: [
            "PID-3", "PID-3.1", "OBR[2]-4.1", "PID-3[2].4.2", "ZDS-1", "OBX[12]-5[3].1.1",
        ])
    func roundTrip(text: String) throws { #expect(try FieldPath(text).description == text) }

    @Test(
        "Broken paths are refused with the character",
        arguments: [
            ("", 0), ("PI-3", 0), ("PID", 3), ("PID-", 4), ("PID-0", 4), ("PID-x", 4), ("PID[0]-1", 4), ("PID[1-1", 5),
            ("PID-3.", 6), ("PID-3.1.1.1", 9), ("PID-12345", 8), ("pid-3", 0), ("PID-3 ", 5),
        ])
    func illegal(text: String, offset: Int) {
        #expect(throws: HL7Error.pathIllegal(offset: offset)) { try FieldPath(text) }
    }

    @Test("A path reaches the value, and past the end is absent")
    func values() throws {
        let message = try Samples.parse(Samples.adt)
        #expect(message.text(at: try FieldPath("PID-3.1")) == "P-4711")
        #expect(message.text(at: try FieldPath("PID-3[2].5")) == "SS")
        #expect(message.text(at: try FieldPath("PID-3.4.2")) == "2.999.1")
        #expect(message.value(at: try FieldPath("PID[2]-3")).presence == .absent)
        #expect(message.value(at: try FieldPath("PID-99.9.9")).presence == .absent)
    }
}
