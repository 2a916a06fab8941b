import Testing

@testable import HL7v2

/// HL7 v2.5.1 §2.15.9.18 and table 0211.
@Suite struct CharacterSetTests {
    private func message(_ charset: String, name: [UInt8]) -> [UInt8] {
        Array(Samples.header("||||||" + charset).utf8) + Array("\rPID|1||1||".utf8) + name + Array("^X\r".utf8)
    }

    @Test(
        "UTF-16 and UTF-32 are refused, and unknown names too",
        arguments: ["UNICODE UTF-16", "UNICODE UTF-32", "KLINGON"])
    func unsupported(name: String) {
        let error = #expect(throws: HL7Error.self) { try Parser().parse(message(name, name: [0xE9])) }
        #expect(error == .characterSetUnsupported)
        #expect(error?.location == ErrorLocation(segment: "MSH", field: 18))
    }

    @Test("Bytes outside of the declared set are refused with their offset")
    func undecodable() {
        let bytes = message("UNICODE UTF-8", name: [0x4D, 0xE9, 0x4D])
        #expect(throws: HL7Error.undecodableText(offset: bytes.firstIndex(of: 0xE9)!)) { try Parser().parse(bytes) }
    }

    @Test(
        "Each set reads its own bytes",
        arguments: [
            ("8859/1", [0xE9], "é"), ("8859/2", [0xB1], "ą"), ("8859/5", [0xB6], "Ж"), ("8859/7", [0xE1], "α"),
            ("8859/8", [0xE0], "א"), ("8859/9", [0xFE], "ş"), ("8859/15", [0xA4], "€"),
            ("UNICODE UTF-8", [0xC3, 0xA9], "é"),
            ("UNICODE", [0xC3, 0xA9], "é"), ("GB 18030-2000", [0xCD, 0xF5], "王"), ("KS X 1001", [0xB1, 0xE8], "김"),
            ("BIG-5", [0xA4, 0xFD], "王"),
            ("ISO IR14", [0xD4], "ﾔ"), ("ISO IR87", [0x1B, 0x24, 0x42, 0x3B, 0x33, 0x1B, 0x28, 0x42], "山"),
            ("~ISO IR87", [0x1B, 0x24, 0x42, 0x3B, 0x33, 0x1B, 0x28, 0x42], "山"), ("iso-8859-1", [0xE9], "é"),
            ("utf8", [0xC3, 0xA9], "é"),
        ] as [(String, [UInt8], String)])
    func sets(name: String, bytes: [UInt8], text: String) throws {
        let parsed = try Parser().parse(message(name, name: bytes))
        #expect(parsed["PID"]?[5].text == text)
        #expect(parsed["PID"]?[5][1][2].text == "X")
    }

    @Test("A second byte that looks like a delimiter does not split (GB 18030, BIG-5)")
    func delimiterBytes() throws {
        // BIG-5 A5 5C is 功, whose second byte is the escape character; 8140-range second bytes include 7C.
        #expect(try Parser().parse(message("BIG-5", name: [0xA5, 0x5C]))["PID"]?[5].text == "功")
        let gb = try Parser().parse(message("GB 18030-2000", name: [0x81, 0x7C]))
        #expect(gb["PID"]?[5].text == "亅" || gb["PID"]?[5].text?.unicodeScalars.count == 1)
        #expect(gb["PID"]?[5][1][2].text == "X")
    }

    @Test("UTF-8 under a declared 8859/1 follows the policy")
    func contradicted() throws {
        let bytes = message("8859/1", name: [0xC3, 0xA9])
        var parser = Parser()
        let preferred = try parser.parse(bytes)
        #expect(preferred["PID"]?[5].text == "é")
        #expect(preferred.isCharacterSetAssumed)
        parser.characterSetPolicy.contradicted = .asDeclared
        let believed = try parser.parse(bytes)
        #expect(believed["PID"]?[5].text == "Ã©")
        #expect(!believed.isCharacterSetAssumed)
        parser.characterSetPolicy.contradicted = .refuse
        #expect(throws: HL7Error.characterSetContradicted(offset: bytes.firstIndex(of: 0xC3)!)) {
            try parser.parse(bytes)
        }
    }

    @Test("Without a declaration: UTF-8 when it is, else the site's default")
    func undeclared() throws {
        #expect(try Parser().parse(message("", name: [0xC3, 0xA9]))["PID"]?[5].text == "é")
        let latin = try Parser().parse(message("", name: [0xE9]))
        #expect(latin["PID"]?[5].text == "é")
        #expect(latin.characterSet == .latin1)
        #expect(latin.isCharacterSetAssumed)
        let greek = try Parser(characterSetPolicy: CharacterSetPolicy(defaultSet: .greek)).parse(
            message("ASCII", name: [0xE1]))
        #expect(greek["PID"]?[5].text == "α")
    }

    @Test(
        "RFC 3629 §4: overlong, surrogate, cut-off and too-high sequences are faults",
        arguments: [
            [0xC0, 0x80], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xC3], [0xE2, 0x82],
            [0x80], [0xFF], [0xF0, 0x9F, 0x98],
        ] as [[UInt8]])
    func utf8Faults(bytes: [UInt8]) { #expect(UTF8Check.firstFault(([0x41] + bytes).span) == 1) }

    @Test("Text goes out in the set of the partner, and what it lacks is an error")
    func encoding() throws {
        #expect(try CharacterSet.latin1.encoded(Array("é".utf8)) == [0xE9])
        #expect(try CharacterSet.ascii.encoded(Array("e".utf8)) == [0x65])
        #expect(throws: HL7Error.unencodableText(offset: 1)) { try CharacterSet.latin1.encoded(Array("x山".utf8)) }
        #expect(throws: HL7Error.self) { try CharacterSet.ascii.encoded(Array("é".utf8)) }
    }

    @Test("Every set of table 0211 is known to the C library")
    func known() throws {
        for set in CharacterSet.allCases where set != .isoIR14 {
            #expect(throws: Never.self) { try Iconv.convert([0x41], from: set.iconvName, to: "UTF-8") }
        }
    }
}
