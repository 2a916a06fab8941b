import Testing

@testable import HL7v2

/// HL7 v2.5.1 §2.6 and §2.7: messages as values, written for one destination.
@Suite struct MessageWriterTests {
    private static func draft(_ fill: (inout SegmentDraft) -> Void) -> MessageDraft {
        var msh = SegmentDraft("MSH")
        msh[9] = FieldDraft(components: [.key("ADT"), .key("A31"), .key("ADT_A05")])
        msh[10] = FieldDraft(.key("M1"))
        var pid = SegmentDraft("PID")
        fill(&pid)
        return MessageDraft([msh, pid])
    }

    private static func text(_ written: MessageWriter.Written) -> String {
        String(decoding: written.bytes, as: UTF8.self)
    }

    @Test("Version and character set are the destination's; trailing empty parts are not written")
    func written() throws {
        let message = Self.draft { pid in
            pid[3] = FieldDraft([
                RepetitionDraft([
                    ComponentDraft([.key("P|1")]), ComponentDraft(), ComponentDraft(),
                    ComponentDraft([.key("NORTH"), .key("2.999"), .key("ISO"), .empty]), ComponentDraft(),
                ]), RepetitionDraft(components: [.null]), RepetitionDraft(),
            ])
            pid[5] = FieldDraft(components: [.text("Ö\r\nX"), .empty])
            pid[9] = FieldDraft()
        }
        var format = WireFormat(version: "2.3.1", characterSet: .latin1)
        #expect(
            try MessageWriter(format).write(message).bytes
                == Array(
                    "MSH|^~\\&|||||||ADT^A31^ADT_A05|M1||2.3.1||||||8859/1\rPID|||P\\F\\1^^^NORTH&2.999&ISO~\"\"||".utf8
                )
                + [0xD6] + Array("\\X0D\\\\X0A\\X\r".utf8))
        format = WireFormat(
            delimiters: try #require(
                Delimiters(
                    field: 0x23, component: 0x2E, repetition: 0x40, escape: 0x25, subcomponent: 0x2A)))
        let point = Self.draft { $0[5] = FieldDraft(.formatted("a.b\nc")) }
        #expect(Self.text(try MessageWriter(format).write(point)).hasSuffix("PID#####a%S%b%X0A%c\r"))
    }

    @Test("ASCII is declared by an empty MSH-18")
    func ascii() throws {
        let written = try MessageWriter(WireFormat(characterSet: .ascii)).write(
            Self.draft { $0[5] = FieldDraft(.text("A")) })
        #expect(Self.text(written) == "MSH|^~\\&|||||||ADT^A31^ADT_A05|M1||2.5.1\rPID|||||A\r")
    }

    @Test("A character that the set does not have is refused or replaced in words, and always refused in a key")
    func unencodable() throws {
        let words = Self.draft { $0[5] = FieldDraft(components: [.text("Łukasz\u{0}"), .key("x")]) }
        let key = Self.draft { $0[3] = FieldDraft(.key("Ł-1")) }
        var format = WireFormat(characterSet: .latin1)
        let place = ErrorLocation(segment: "PID", field: 5, component: 1)
        #expect(throws: HL7Error.valueUnencodable(at: place)) { try MessageWriter(format).write(words) }
        format.unencodable = .replace
        let written = try MessageWriter(format).write(words)
        #expect(Self.text(written).hasSuffix("PID|||||?ukasz?^x\r"))
        #expect(written.losses.map(\.description) == ["PID-5.1 has characters that the character set does not have"])
        #expect(throws: HL7Error.valueUnencodable(at: ErrorLocation(segment: "PID", field: 3, component: 1))) {
            try MessageWriter(format).write(key)
        }
    }

    @Test("Words past a field's length are cut with a mark or refused; a key is never cut; 2.7 has no lengths")
    func lengths() throws {
        let long = String(repeating: "ä", count: 60)
        let message = Self.draft { $0[5] = FieldDraft(components: [.text(long), .key("KEY")]) }
        var format = WireFormat(version: "2.3.1")
        let cut = try MessageWriter(format).write(message)
        #expect(Self.text(cut).hasSuffix("|" + String(repeating: "ä", count: 43) + "…^KEY\r"))
        #expect(cut.losses.map(\.description) == ["PID-5 was cut to its length"])
        format.characterSet = .latin1
        #expect(try MessageWriter(format).write(message).bytes.suffix(9) == [0xE4] + Array("...^KEY\r".utf8))
        format.overlong = .refuse
        let place = ErrorLocation(segment: "PID", field: 5)
        #expect(throws: HL7Error.valueTooLong(at: place, limit: 48)) { try MessageWriter(format).write(message) }
        let own = WireFormat(lengths: [FieldLengths.Place("PID", 5): 2])
        #expect(throws: HL7Error.valueTooLong(at: place, limit: 2)) {
            try MessageWriter(own).write(Self.draft { $0[5] = FieldDraft(.key("LONG")) })
        }
        #expect(try MessageWriter(WireFormat(version: "2.7")).write(message).losses.isEmpty)
        #expect(FieldLengths.Place("PID-5") == .init("PID", 5))
        #expect(FieldLengths.Place("PID-5.1") == nil)
    }

    @Test("What is written is read again as it was, whatever is in the values", arguments: 0..<200 as Range<UInt64>)
    func identity(seed: UInt64) throws {
        var random = Seeded(seed)
        let sets: [(CharacterSet, [Character])] = [
            (.utf8, ["ä", "Ł", "患", "é", "\u{1F4A9}"]), (.latin1, ["ä", "Ã", "¤"]), (.ascii, ["#"]),
            (.cyrillic, ["Ж"]),
        ]
        let (set, letters) = sets[Int(random.next() % 4)]
        let delimiters = try #require(
            [
                Delimiters.standard,
                Delimiters(
                    field: 0x23, component: 0x2E, repetition: 0x40, escape: 0x25, subcomponent: 0x2A),
                Delimiters(
                    field: 0x7C, component: 0x5E, repetition: 0x7E, escape: 0x5C, subcomponent: 0x26, truncation: 0x23),
            ].randomElement(using: &random) ?? nil)
        let signs: [Character] = [
            "a", "B", "7", " ", "|", "^", "~", "\\", "&", "#", "\"", ".", "\r", "\n", "\r\n", "\u{0B}", "\u{1C}", "\t",
            "\u{7F}", "\u{1}", "\u{1B}", "%", "@", "*",
        ]
        func value() -> Leaf {
            switch random.next() % 8 {
            case 0: return .empty
            case 1: return .null
            case let kind:
                let count = Int(random.next() % 12) + 1
                let text = String((0..<count).map { _ in (signs + letters).randomElement(using: &random) ?? "a" })
                return kind == 2 ? .formatted(text) : kind == 3 ? .key(text) : .text(text)
            }
        }
        func several<Part>(_ make: () -> Part) -> [Part] { (0...Int(random.next() % 3)).map { _ in make() } }
        var segments = [SegmentDraft("MSH")]
        for _ in 0..<4 {
            var segment = SegmentDraft("OBX")
            for number in 1...Int(random.next() % 6) + 1 {
                segment[number] = FieldDraft(several { RepetitionDraft(several { ComponentDraft(several(value)) }) })
            }
            segments.append(segment)
        }
        let format = WireFormat(version: "2.7", delimiters: delimiters, characterSet: set)
        let bytes = try MessageWriter(format).write(MessageDraft(segments)).bytes
        #expect(throws: Never.self) { try MLLPEncoder.frame(bytes) }
        let parser = Parser(characterSetPolicy: CharacterSetPolicy(contradicted: .asDeclared))
        let read = try parser.parse(bytes)
        #expect(read.segments.count == segments.count)
        for (index, segment) in segments.enumerated().dropFirst() {
            for (number, field) in segment.fields.enumerated() {
                for (repetition, parts) in field.repetitions.enumerated() {
                    for (component, leaves) in parts.components.enumerated() {
                        for (subcomponent, leaf) in leaves.subcomponents.enumerated() {
                            let found = read.segments[index][number + 1][repetition + 1][component + 1][
                                subcomponent + 1]
                            switch leaf {
                            case .empty: #expect([.absent, .empty].contains(found.presence))
                            case .null: #expect(found.presence == .null)
                            case .key(let text), .text(let text), .formatted(let text):
                                #expect(found.text.map { Array($0.utf8) } == Array(text.utf8))
                            case .data: break
                            }
                        }
                    }
                }
            }
        }
    }

    @Test("Data is written as it is; what is not ASCII is refused")
    func data() throws {
        let message = Self.draft { $0[5] = FieldDraft(components: [.key("A"), .data(Array("QUJD+/==".utf8))]) }
        #expect(Self.text(try MessageWriter(WireFormat()).write(message)).hasSuffix("A^QUJD+/==\r"))
        #expect(throws: HL7Error.self) {
            try MessageWriter(WireFormat()).write(Self.draft { $0[5] = FieldDraft(.data([0xFF])) })
        }
    }
}
