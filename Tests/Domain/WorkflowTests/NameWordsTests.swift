import TestSupport
import Testing

@testable import Workflow

/// Names by their words and their sound. PS3.4 §C.2.2.2.1.1.
@Suite("Fuzzy matching of names")
struct NameWordsTests {
    @Test(
        "Known codes; first letters that sound alike are one",
        arguments: [
            ("robert", "R163"), ("rupert", "R163"), ("ashcraft", "A261"), ("tymczak", "T522"), ("pfister", "P236"),
            ("honeyman", "H555"), ("meier", "M600"), ("mayer", "M600"), ("schmidt", "S530"), ("smith", "S530"),
            ("catherine", "K365"), ("kathrin", "K365"), ("philipp", "F410"), ("filip", "F410"), ("cecilia", "S240"),
            ("yang", "J520"), ("wagner", "V256"), ("lee", "L000"), ("xu", "S000"),
        ])
    func codes(_ word: String, _ code: String) { #expect(Soundex.code(word) == code) }

    @Test("No code of a letter alone, nor of other scripts", arguments: ["", "j", "山田", "ж", "smith2", "müller"])
    func none(_ word: String) { #expect(Soundex.code(word) == nil) }

    @Test(
        "Words in any order, by sight or by sound, whatever case, marks and punctuation",
        arguments: [
            ("Smith^John", "smith^john", true), ("Smith^John", "John Smith", true), ("Smith^John", "JON^SMYTH", true),
            ("Müller^Jürgen", "mueller^jurgen", true), ("Müller-Lüdenscheidt^Ä", "ludenscheidt", true),
            ("O'Brien^Séan", "obrien^sean", true), ("Yamada^Tarou=山田^太郎=やまだ^たろう", "太郎", true),
            ("Yamada^Tarou=山田^太郎", "yamada", true), ("Smith^John", "Smith^Mary", false), ("Smith^John", "J", false),
            ("Smith^John", "smi", false), ("Smith^John", "smi*", true), ("Smith^John", "*hn", true),
            ("Smith^John", "s*h", true), ("Smith^John", "sm?th", true), ("Smith^John", "smi*^mary", false),
            ("Smith^John", "smith^*", true), ("Smith^John", "*ohn *mit*", true), ("", "smith", false),
            // S530 is how Smith sounds, nothing that stands in it.
            ("Smith^John", "*530", false), ("Smith^John", "*5*", false), ("Smith^1530", "*530", true),
        ])
    func names(_ name: String, _ key: String, _ isFound: Bool) {
        #expect(KeyMatch.similarName(key).matches(name) == isFound, "\(name) by \(key)")
    }

    @Test("Whatever is found by its letters is found by words too", arguments: 0..<20)
    func literal(_ seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        let parts = [
            "smith", "Sm", "ß", "Müller", "o'b", "-", "山田", "^", "^", "=", " ", "*", "?", "th", "jo", ".", "é",
        ]
        var found = 0
        for _ in 0..<2_000 {
            let name = (0..<Int.random(in: 1...6, using: &random)).map { _ in
                parts.filter { $0 != "*" && $0 != "?" }.randomElement(using: &random) ?? ""
            }.joined()
            var key = name
            for _ in 0..<Int.random(in: 0...2, using: &random) {
                guard let place = key.indices.randomElement(using: &random) else { break }
                key.replaceSubrange(place...place, with: Bool.random(using: &random) ? "*" : "?")
            }
            guard KeyMatch.name(key).matches(name), !NameWords.words(ofKey: key).isEmpty else { continue }
            found += 1
            #expect(KeyMatch.similarName(key).matches(name), "\(name) by \(key)")
        }
        #expect(found > 500)
    }

    @Test("A name of a thousand words has rows for the first 64, and a key asks for as many")
    func many() {
        let name = (0..<1_000).map { "w\($0)" }.joined(separator: "^")
        #expect(NameWords.rows(name).count == 64)
        #expect(NameWords.words(ofKey: name).count == 64)
        #expect(NameWords.words(ofKey: "^ *^ - =").isEmpty)
    }
}
