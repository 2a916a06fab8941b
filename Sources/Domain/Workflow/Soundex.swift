/// The code of a word by its sound in Latin letters, so that spellings that sound alike have one code: the American
/// Soundex (a letter and three digits), with first letters that sound alike written as one.
///
/// `ph` begins as `f`, `c` before `e`, `i` and `y`, `x` and `z` as `s`, any other `c` and `q` as `k`, `w` as `v`, `y` as
/// `j`. So `Meier` and `Mayer` are M600, `Catherine` and `Kathrin` K365, `Philipp` and `Filip` F410.
enum Soundex {
    private static let digits = 3

    /// - Parameter word: in lower case, without marks.
    /// - Returns: nil for a single letter, and for a word with anything but the letters `a` to `z`.
    static func code(_ word: some StringProtocol) -> String? {
        let letters = Array(word.utf8)
        guard letters.count > 1, letters.allSatisfy({ (0x61...0x7A).contains($0) }) else { return nil }
        var code = [initial(letters[0], letters[1])]
        var last = group(letters[0])
        for letter in letters.dropFirst() {
            // These part no letters of one group.
            if letter == UInt8(ascii: "h") || letter == UInt8(ascii: "w") { continue }
            let group = group(letter)
            if let group, group != last { code.append(group) }
            last = group
            if code.count > digits { break }
        }
        code += Array(repeating: UInt8(ascii: "0"), count: digits + 1 - code.count)
        return String(decoding: code, as: UTF8.self)
    }

    private static func initial(_ letter: UInt8, _ next: UInt8) -> UInt8 {
        switch letter {
        case UInt8(ascii: "p") where next == UInt8(ascii: "h"): UInt8(ascii: "F")
        case UInt8(ascii: "c"):
            [UInt8(ascii: "e"), UInt8(ascii: "i"), UInt8(ascii: "y")].contains(next)
                ? UInt8(ascii: "S") : UInt8(ascii: "K")
        case UInt8(ascii: "x"), UInt8(ascii: "z"): UInt8(ascii: "S")
        case UInt8(ascii: "q"): UInt8(ascii: "K")
        case UInt8(ascii: "w"): UInt8(ascii: "V")
        case UInt8(ascii: "y"): UInt8(ascii: "J")
        default: letter - 0x20
        }
    }

    /// The digit of a consonant; nil for vowels, `y`, `h` and `w`.
    private static func group(_ letter: UInt8) -> UInt8? {
        switch letter {
        case UInt8(ascii: "b"), UInt8(ascii: "f"), UInt8(ascii: "p"), UInt8(ascii: "v"): UInt8(ascii: "1")
        case UInt8(ascii: "c"), UInt8(ascii: "g"), UInt8(ascii: "j"), UInt8(ascii: "k"), UInt8(ascii: "q"),
            UInt8(ascii: "s"), UInt8(ascii: "x"), UInt8(ascii: "z"):
            UInt8(ascii: "2")
        case UInt8(ascii: "d"), UInt8(ascii: "t"): UInt8(ascii: "3")
        case UInt8(ascii: "l"): UInt8(ascii: "4")
        case UInt8(ascii: "m"), UInt8(ascii: "n"): UInt8(ascii: "5")
        case UInt8(ascii: "r"): UInt8(ascii: "6")
        default: nil
        }
    }
}
