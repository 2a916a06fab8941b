/// A conjunction under construction: its text, with `?` for each value, and the values in order. An OR stands within
/// parentheses alone, so that texts go together as they are.
struct SQLCondition {
    private(set) var text: String
    private(set) var values: [SQLValue]
    /// Whether NOT takes the text as it is.
    private var isOperand = false

    init(_ text: String, _ values: [SQLValue] = []) {
        self.text = text
        self.values = values
    }

    mutating func add(_ text: String, _ values: SQLValue...) {
        add(text, values: values)
    }

    mutating func add(_ text: String, values: [SQLValue]) {
        self.text += " AND " + text
        self.values += values
        isOperand = false
    }

    mutating func add(_ condition: SQLCondition) { add(condition.text, values: condition.values) }

    /// At least one of the conditions; with none, never.
    static func anyOf(_ parts: [SQLCondition]) -> SQLCondition {
        switch parts.count {
        case 0: SQLCondition("1 = 0")
        case 1: parts[0]
        default: operand("(\(listed(parts[...], "OR")))", parts.flatMap(\.values))
        }
    }

    /// All conditions; with none, always.
    static func allOf(_ parts: [SQLCondition]) -> SQLCondition {
        switch parts.count {
        case 0: SQLCondition("1 = 1")
        case 1: parts[0]
        default: SQLCondition(listed(parts[...], "AND"), parts.flatMap(\.values))
        }
    }

    static func not(_ condition: SQLCondition) -> SQLCondition {
        operand("NOT " + (condition.isOperand ? condition.text : "(\(condition.text))"), condition.values)
    }

    /// There is a row.
    /// - Parameter rows: what follows FROM.
    static func exists(_ rows: String, _ values: [SQLValue]) -> SQLCondition {
        operand("EXISTS (SELECT 1 FROM \(rows))", values)
    }

    private static func operand(_ text: String, _ values: [SQLValue]) -> SQLCondition {
        var condition = SQLCondition(text, values)
        condition.isOperand = true
        return condition
    }

    /// A very long list in halves rather than one behind the other, so that the height of the expression, which SQLite
    /// bounds, stays small. No more parentheses than it takes: AND binds closer than OR, and SQLite's parser has room for a
    /// hundred open words, of which a subquery takes nine.
    private static func listed(_ parts: ArraySlice<SQLCondition>, _ word: String) -> String {
        guard parts.count > flatMax else { return parts.map(\.text).joined(separator: " \(word) ") }
        let middle = parts.startIndex + parts.count / 2
        return "(\(listed(parts[..<middle], word))) \(word) (\(listed(parts[middle...], word)))"
    }

    private static let flatMax = 100
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
