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

    @Test("A cut text ends at a whole character")
    func cuts() {
        let text = String(repeating: "é", count: 300)
        #expect(IndexEntry.cut(text).utf8.count == 512)
        #expect(IndexEntry.cut("a" + text).utf8.count == 511)
        #expect(IndexEntry.cut("abc") == "abc")
    }
}
