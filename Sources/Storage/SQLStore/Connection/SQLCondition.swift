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
