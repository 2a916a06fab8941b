/// A conjunction under construction: its text, with `?` for each value, and the values in order.
struct SQLCondition {
    private(set) var text: String
    private(set) var values: [SQLValue]

    init(_ text: String, _ values: [SQLValue] = []) {
        self.text = text
        self.values = values
    }

    mutating func add(_ text: String, _ values: SQLValue...) {
        self.text += " AND " + text
        self.values += values
    }

    mutating func add(_ text: String, values: [SQLValue]) {
        self.text += " AND " + text
        self.values += values
    }

    mutating func add(_ condition: SQLCondition) { add(condition.text, values: condition.values) }

    /// At least one of the conditions; with none, never.
    static func anyOf(_ parts: [SQLCondition]) -> SQLCondition { joined(parts, "OR", empty: "1 = 0") }

    /// All conditions; with none, always.
    static func allOf(_ parts: [SQLCondition]) -> SQLCondition { joined(parts, "AND", empty: "1 = 1") }

    /// A long list in halves rather than one behind the other, so that the depth of the expression, which SQLite bounds,
    /// stays small. No more parentheses than it takes: SQLite bounds their depth as well, to some thirty.
    private static func joined(_ parts: [SQLCondition], _ word: String, empty: String) -> SQLCondition {
        switch parts.count {
        case 0: return SQLCondition(empty)
        case 1: return parts[0]
        case ...flatMax:
            let text = parts.map(\.asOneTerm).joined(separator: " \(word) ")
            return SQLCondition("(\(text))", parts.flatMap(\.values))
        default:
            let (left, right) = (parts[..<(parts.count / 2)], parts[(parts.count / 2)...])
            let (a, b) = (joined(Array(left), word, empty: empty), joined(Array(right), word, empty: empty))
            return SQLCondition("(\(a.text) \(word) \(b.text))", a.values + b.values)
        }
    }

    private static let flatMax = 8

    /// The text as an operand of AND, OR and NOT.
    var asOneTerm: String { isOneTerm ? text : "(\(text))" }

    /// Whether AND and OR stand within parentheses alone.
    private var isOneTerm: Bool {
        var depth = 0
        var isQuoted = false
        var word: [UInt8] = []
        for byte in text.utf8 + [UInt8(ascii: " ")] {
            if byte == UInt8(ascii: "'") { isQuoted.toggle() }
            if isQuoted { continue }
            if byte == UInt8(ascii: "(") { depth += 1 }
            if byte == UInt8(ascii: ")") { depth -= 1 }
            guard depth == 0 else { continue }
            if byte >= UInt8(ascii: "A") {
                word.append(byte)
            } else {
                if word.elementsEqual("OR".utf8) || word.elementsEqual("AND".utf8) { return false }
                word = []
            }
        }
        return true
    }
}

extension SQLDialect {
    /// A condition: the column matches one bound pattern made by `pattern`, with regard to case.
    package func matchesPattern(_ column: String) -> String {
        switch self {
        case .sqlite: "\(column) GLOB ?"
        case .postgreSQL: "\(column) LIKE ?"
        }
    }

    /// A DICOM wildcard text (`*`, `?`) as this database's pattern, everything else taken literally.
    package func pattern(_ text: String) -> String {
        var out = ""
        for character in text {
            switch (self, character) {
            case (.sqlite, "["): out += "[[]"
            case (.sqlite, _): out.append(character)
            case (.postgreSQL, "*"): out += "%"
            case (.postgreSQL, "?"): out += "_"
            case (.postgreSQL, "%"), (.postgreSQL, "_"), (.postgreSQL, "\\"): out += "\\" + String(character)
            case (.postgreSQL, _): out.append(character)
            }
        }
        return out
    }
}
