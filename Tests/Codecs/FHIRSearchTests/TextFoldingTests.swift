import Basics
import FHIRSearch
import Testing

/// FHIR R4 search.html#string.
@Suite struct TextFoldingTests {
    @Test(
        "Case, accents and runs of space fold away",
        arguments: [
            ("Müller", "muller"), ("MU\u{308}LLER", "muller"), ("Ångström", "angstrom"), ("Nguyễn Thị", "nguyen thi"),
            ("Straße", "strasse"),
            ("Łódź", "lodz"), ("  a \t b\n", "a b"), ("Ωμέγα", "ωμεγα"), ("Ёлка", "елка"), ("山田^太郎", "山田^太郎"),
            ("İstanbul", "istanbul"),
            ("", ""), ("\u{301}", ""), ("Æsop", "aesop"), ("O’Connor", "oconnor"),
            ("D'Arcy-Smith, Jr.", "darcy smith jr"),
            ("a--b", "a b"), ("-", "-"), ("'", "'"), ("St. John", "st john"), ("50%", "50%"), ("«x»", "x"),
        ])
    func folds(text: String, folded: String) {
        #expect(TextFolding.folded(text) == folded)
        #expect(TextFolding.folded(folded) == folded)
    }

    @Test("Each character of ASCII is a gap, is left out or stays as its Unicode category says")
    func ascii() throws {
        let gaps: Set<Unicode.GeneralCategory> = [
            .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation, .otherPunctuation,
        ]
        for value in UInt8(0x21)..<0x7F {
            let scalar = Unicode.Scalar(value)
            let isGap = gaps.contains(scalar.properties.generalCategory) && !"%&@#*".unicodeScalars.contains(scalar)
            let expected =
                "'.`".unicodeScalars.contains(scalar) ? "ab" : isGap ? "a b" : "a\(scalar)b".lowercased()
            #expect(TextFolding.folded("a\(scalar)b") == expected)
        }
    }

    @Test("A cut text ends at a whole character")
    func cuts() {
        let text = String(repeating: "é", count: 300)
        #expect(IndexEntry.cut(text).utf8.count == 512)
        #expect(IndexEntry.cut("a" + text).utf8.count == 511)
        #expect(IndexEntry.cut("abc") == "abc")
    }

    @Test("F4: the key of a long text tells it from every other: its start and its SHA-256 (FIPS 180-4)")
    func keys() {
        for (count, digest) in [
            (513, "02425c0f5b0dabf3d2b9115f3f7723a02ad8bcfb1534a0d231614fd42b8188f6"),
            (567, "1f2fc496d8fff9907f06b7737bcdf1c25567bd00bcc09230de2a8ce31a68b40f"),
            (568, "cb5a2be11246a77ce6b2bd9462ac23e578e248aeda327d7f2e7f2c2915f90909"),
            (576, "e5ee1773a7144c84a21a3ce85d6366dab14fd19ff28292399d0133b391a77a8d"),
            (1000, "41edece42d63e8d9bf515a9ba6932e1c20cbc9f5a5d134645adb5db1b9737ea3"),
            (65536, "bf718b6f653bebc184e1479f1935b8da974d701b893afcf49e701f3e2f9f9c5a"),
        ] {
            let text = String(repeating: "a", count: count)
            let key = IndexEntry.key(text)
            #expect(key == String(repeating: "a", count: 432) + "\u{2026}" + digest)
            #expect(key.utf8.count <= 512)
            #expect(IndexEntry.keyStart(text).map { key.hasPrefix($0) } == true)
        }
        #expect(IndexEntry.key("abc") == "abc")
        #expect(IndexEntry.keyStart("abc") == nil)
        let full = String(repeating: "é", count: 256)
        #expect(IndexEntry.key(full) == full)
    }
}
