import DICOMData
import TestSupport
import Testing

/// Text and the bytes that stand for it.
struct CharacterSetVector: Sendable, CustomTestStringConvertible {
    let name: String
    let terms: [String]
    let bytes: [UInt8]
    let text: String
    var testDescription: String { name }

    init(_ name: String, _ terms: [String], _ bytes: String, _ text: String) {
        self.name = name
        self.terms = terms
        self.bytes = hex(bytes)
        self.text = text
    }
}

/// PS3.3 §C.12.1.1.2, PS3.5 §6.1 and Annexes H to K, whose names are the vectors here.
@Suite struct SpecificCharacterSetTests {
    static let vectors = [
        CharacterSetVector("ISO_IR 100", ["ISO_IR 100"], "42 75 63 5E 4A E9 72 F4 6D 65", "Buc^Jérôme"),
        CharacterSetVector("ISO_IR 101", ["ISO_IR 101"], "57 61 B3 EA 73 61", "Wałęsa"),
        CharacterSetVector("ISO_IR 109", ["ISO_IR 109"], "A6 B6", "Ĥĥ"),
        CharacterSetVector("ISO_IR 110", ["ISO_IR 110"], "C7 E7", "Įį"),
        CharacterSetVector(
            "ISO_IR 144", ["ISO_IR 144"], "BB EE DA 63 65 DC D1 79 70 D3",
            "\u{41B}\u{44E}\u{43A}ce\u{43C}\u{431}yp\u{433}"),
        CharacterSetVector("ISO_IR 127", ["ISO_IR 127"], "E2 C8 C7 E6 EA 5E E4 E6 D2 C7 D1", "قباني^لنزار"),
        CharacterSetVector("ISO_IR 126", ["ISO_IR 126"], "C4 E9 EF ED F5 F3 E9 EF F2", "Διονυσιος"),
        CharacterSetVector("ISO_IR 138", ["ISO_IR 138"], "F9 F8 E5 EF 5E E3 E1 E5 F8 E4", "שרון^דבורה"),
        CharacterSetVector("ISO_IR 148", ["ISO_IR 148"], "C7 61 76 75 FE 6F F0 6C 75", "Çavuşoğlu"),
        CharacterSetVector("ISO_IR 203", ["ISO_IR 203"], "A4 BD", "€œ"),
        CharacterSetVector("ISO_IR 166", ["ISO_IR 166"], "B9 D2 C1 CA A1 D8 C5", "นามสกุล"),
        CharacterSetVector("ISO_IR 13", ["ISO_IR 13"], "D4 CF C0 DE 5E C0 DB B3", "ﾔﾏﾀﾞ^ﾀﾛｳ"),
        CharacterSetVector(
            "ISO_IR 192", ["ISO_IR 192"], "57 61 6E 67 5E 58 69 61 6F 44 6F 6E 67 3D E7 8E 8B 5E E5 B0 8F E6 9D B1",
            "Wang^XiaoDong=王^小東"),
        CharacterSetVector("GB18030", ["GB18030"], "57 61 6E 67 3D CD F5 5E D0 A1 B6 AB", "Wang=王^小东"),
        CharacterSetVector("GB18030, four bytes", ["GB18030"], "81 30 81 30 94 39 DA 33", "\u{80}\u{1F4A9}"),
        CharacterSetVector("GBK, 5C in a character", ["GBK"], "81 5C 5E 41", "乗^A"),
        CharacterSetVector(
            "Annex H.3.1, ISO 2022 IR 87", ["", "ISO 2022 IR 87"],
            "59 61 6D 61 64 61 5E 54 61 72 6F 75 3D 1B 24 42 3B 33 45 44 1B 28 42 5E 1B 24 42 42 40 4F 3A 1B 28 42 3D "
                + "1B 24 42 24 64 24 5E 24 40 1B 28 42 5E 1B 24 42 24 3F 24 6D 24 26 1B 28 42",
            "Yamada^Tarou=山田^太郎=やまだ^たろう"),
        CharacterSetVector(
            "Annex H.3.2, ISO 2022 IR 13 and 87", ["ISO 2022 IR 13", "ISO 2022 IR 87"],
            "D4 CF C0 DE 5E C0 DB B3 3D 1B 24 42 3B 33 45 44 1B 28 4A 5E 1B 24 42 42 40 4F 3A 1B 28 4A 3D "
                + "1B 24 42 24 64 24 5E 24 40 1B 28 4A 5E 1B 24 42 24 3F 24 6D 24 26 1B 28 4A",
            "ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう"),
        CharacterSetVector(
            "Annex I.2, ISO 2022 IR 149", ["", "ISO 2022 IR 149"],
            "48 6F 6E 67 5E 47 69 6C 64 6F 6E 67 3D 1B 24 29 43 FB F3 5E 1B 24 29 43 D1 CE D4 D7 3D "
                + "1B 24 29 43 C8 AB 5E 1B 24 29 43 B1 E6 B5 BF",
            "Hong^Gildong=洪^吉洞=홍^길동"),
        CharacterSetVector(
            "Annex K.2, ISO 2022 IR 58", ["", "ISO 2022 IR 58"],
            "5A 68 61 6E 67 5E 58 69 61 6F 44 6F 6E 67 3D 1B 24 29 41 D5 C5 5E 1B 24 29 41 D0 A1 B6 AB",
            "Zhang^XiaoDong=张^小东"),
        CharacterSetVector("ISO 2022 IR 159", ["", "ISO 2022 IR 159"], "1B 24 28 44 30 21 1B 28 42", "丂"),
        CharacterSetVector(
            "ISO 2022 IR 100 and 144", ["ISO 2022 IR 100", "ISO 2022 IR 144"], "E9 1B 2D 4C BB 1B 2D 41", "éЛ"),
    ]

    @Test("PS3.5 §6.1.2: bytes decode to text and encode back", arguments: vectors)
    func bothWays(_ vector: CharacterSetVector) {
        let set = SpecificCharacterSet(terms: vector.terms)
        #expect(set.isKnown)
        #expect(set.decode(vector.bytes, .personName) == vector.text)
        #expect(set.encode(vector.text, .personName) == vector.bytes)
    }

    @Test("PS3.5 §6.1.2.3: a byte 5C inside a character parts no values") func backslashInsideCharacter() {
        var gbk = DataSet()
        gbk.set(.specificCharacterSet, .CS, bytes: Array("GBK ".utf8))
        gbk.set(.institutionName, .LO, bytes: hex("81 5C 5C 41"))
        #expect(gbk.strings(.institutionName) == ["乗", "A"])
        var japanese = DataSet()
        japanese.set(.specificCharacterSet, .CS, bytes: Array("\\ISO 2022 IR 87 ".utf8))
        // 245C is a hiragana letter of JIS X 0208.
        japanese.set(.institutionName, .LO, bytes: hex("1B 24 42 24 5C 1B 28 42 5C 41"))
        #expect(japanese.strings(.institutionName) == ["ぼ", "A"])
    }

    @Test("PS3.5 §6.1.2.5.3: at a delimiter the initial sets hold again") func resetAtDelimiter() {
        let set = SpecificCharacterSet(terms: ["", "ISO 2022 IR 149"])
        #expect(set.decode(hex("1B 24 29 43 B1 E6 5E B1 E6"), .personName) == "길^\u{FFFD}\u{FFFD}")
        #expect(set.decode(hex("1B 24 29 43 B1 E6 5E B1 E6"), .values) == "길^길")
    }

    @Test(
        "Malformed text decodes to replacement characters and never fails",
        arguments: [
            "1B", "1B 24", "1B 24 42", "1B 24 42 24", "1B 24 42 24 1B 28 42", "FF", "1B 24 29 43 B1",
            "80 81 FE FF 1B 1B",
        ])
    func malformed(_ bytes: String) {
        for terms in [
            ["ISO_IR 6"], ["", "ISO 2022 IR 87"], ["GB18030"], ["GBK"], ["ISO_IR 192"], ["ISO_IR 13"], ["nonsense"],
        ] {
            let text = SpecificCharacterSet(terms: terms).decode(hex(bytes), .personName)
            #expect(text.unicodeScalars.count <= hex(bytes).count)
        }
    }

    @Test("A character that the set lacks is not encoded") func lacking() {
        #expect(SpecificCharacterSet.latin1.encode("山") == nil)
        #expect(SpecificCharacterSet.defaultRepertoire.encode("é") == nil)
        #expect(SpecificCharacterSet(terms: ["GBK"]).encode("\u{1F4A9}") == nil)
        #expect(SpecificCharacterSet.utf8.encode("山") == Array("山".utf8))
    }

    @Test(
        "Misspelt terms of the field mean what they say",
        arguments: ["ISO-IR 100", "ISO_IR_100", "ISO IR 100", "iso_ir 100"])
    func misspelt(_ term: String) {
        #expect(SpecificCharacterSet(terms: [term]).decode([0xE9]) == "é")
    }

    @Test("Every text of a set's own characters survives a round trip; seed 20240607") func roundTrip() {
        var random = SeededGenerator(seed: 20_240_607)
        let alphabets: [([String], [ClosedRange<UInt32>])] = [
            (["GB18030"], [0x20...0x5B, 0x4E00...0x9FA5, 0x1_0000...0x1_FFFF, 0xC0...0xFF]),
            (["", "ISO 2022 IR 87"], [0x3041...0x3093, 0x30A1...0x30F6, 0x20...0x5B]),
            (["", "ISO 2022 IR 149"], [0xAC00...0xAC01, 0x20...0x5B]),
            (["ISO_IR 144"], [0x410...0x44F, 0x20...0x5B]),
            (["ISO_IR 126"], [0x3B1...0x3C9, 0x20...0x5B]),
        ]
        for (terms, ranges) in alphabets {
            let set = SpecificCharacterSet(terms: terms)
            for _ in 0..<200 {
                var text = String.UnicodeScalarView()
                for _ in 0..<Int.random(in: 0..<20, using: &random) {
                    let range = ranges[Int.random(in: 0..<ranges.count, using: &random)]
                    if let scalar = Unicode.Scalar(UInt32.random(in: range, using: &random)) { text.append(scalar) }
                }
                let bytes = set.encode(String(text), .personName)
                #expect(bytes.map { set.decode($0, .personName) } == String(text), "\(terms)")
            }
        }
    }
}
