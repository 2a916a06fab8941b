import Testing

@testable import HL7v2

/// HL7 v2.5.1 §2.6: writing messages.
@Suite struct SerializerTests {
    @Test("A message with CR ends is written byte for byte")
    func identity() throws {
        #expect(try Serializer.bytes(of: Samples.parse(Samples.adt)) == Samples.adt)
    }

    @Test("LF ends become CR, raw line feeds in text become \\.br\\")
    func normalised() throws {
        let message = try Samples.parse(Array("\(Samples.header())\rNTE|1||a\nb\r".utf8))
        #expect(try Serializer.bytes(of: message) == Array("\(Samples.header())\rNTE|1||a\\.br\\b\r".utf8))
    }

    @Test("Other delimiters: structure is rewritten, data is escaped, every value stays")
    func translated() throws {
        let target = try #require(
            Delimiters(field: 0x23, component: 0x21, repetition: 0x40, escape: 0x25, subcomponent: 0x2A))
        let lines = [
            Samples.header(), "PID|1||a#b^c!d&e%f~g@h*i||x\\F\\y\\S\\z\\E\\\\T\\|\\.br\\\\X41\\|\"\"|a\\b",
            "NTE|1||no\\",
        ]
        let message = try Samples.parse(Array((lines.joined(separator: "\r") + "\r").utf8))
        let other = try Samples.parse(Serializer.bytes(of: message, delimiters: target))
        #expect(other.delimiters == target)
        for segment in message.segments where segment.id != "MSH" {
            let same = try #require(other.segment(segment.id, occurrence: segment.occurrence))
            for number in 1...segment.fieldCount {
                for (index, repetition) in segment[number].repetitions.enumerated() {
                    for component in 1...3 {
                        for subcomponent in 1...3 {
                            let a = repetition[component][subcomponent],
                                b = same[number][index + 1][component][subcomponent]
                            #expect(
                                a.text == b.text, "\(segment.id)-\(number)[\(index + 1)].\(component).\(subcomponent)")
                            #expect(a.presence == b.presence)
                        }
                    }
                }
            }
        }
        let back = try Serializer.bytes(of: other, delimiters: .standard)
        #expect(try Samples.parse(back)["PID"]?[5].text == "x|y^z\\&")
    }

    @Test("The builder escapes text, keeps raw fields, and writes no trailing separators")
    func builder() throws {
        var builder = MessageBuilder()
        builder.segment("MSH")
        builder.field("A|B")
        builder.skip(5)
        builder.field(components: ["ORU", "R01", nil])
        builder.segment("OBX")
        builder.field("1")
        builder.field()
        builder.null()
        builder.field(raw: [0x61, 0x5E, 0x62])
        builder.field(components: [nil, nil, "x\ny"])
        builder.skip(3)
        builder.segment("NTE")
        #expect(
            String(decoding: builder.finished(), as: UTF8.self)
                == "MSH|^~\\&|A\\F\\B||||||ORU^R01\rOBX|1||\"\"|a^b|^^x\\.br\\y\rNTE\r")
        #expect(try Samples.parse(builder.finished())["OBX"]?[5][1][3].text == "x\ny")
        #expect(MessageBuilder().finished().isEmpty)
    }

    @Test("Text from outside can not add a segment, field or frame")
    func injection() throws {
        var builder = MessageBuilder()
        builder.segment("MSH")
        builder.field("A\r\nPID|1||evil\u{1C}\r\u{0B}MSH|^~\\&")
        let message = try Samples.parse(builder.finished())
        #expect(message.segments.count == 1)
        #expect(message["MSH"]?.fieldCount == 3)
        #expect(throws: Never.self) { try MLLPEncoder.frame(builder.finished()) }
    }
}
