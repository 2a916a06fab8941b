import Basics
import FHIRModel
import FHIRSearch

/// Looks at the entries of one table, under its alias.
extension SearchCompiler {
    /// One look at an index for some of a parameter's values.
    struct Look {
        let condition: SQLCondition
        /// Whether an index can be read by it. What is true of nearly every entry is no way to find any.
        var leads = true
        /// Whether it names one value, so that its entries come in the order of their versions.
        var isOne = false
    }

    /// The values as looks, of which at least one has to find an entry under `alias`. The values of one parameter are of
    /// one kind. Codes of one system, ids of one type and URIs are one list each, so that a long OR is one look.
    func looks(_ values: [SearchValue], _ alias: String) -> [Look] {
        tokens(values, alias) ?? references(values, alias) ?? uris(values, alias)
            ?? values.map { look($0, alias) }
    }

    /// A condition: the column is one of the texts.
    private func isOneOf(_ texts: [String], _ column: String) -> SQLCondition {
        texts.count == 1
            ? SQLCondition("\(column) = ?", [.text(texts[0])])
            : SQLCondition(dialect.isInTexts(column), [.texts(texts)])
    }

    // MARK: Lists

    /// Nil when a value is no token.
    private func tokens(_ values: [SearchValue], _ alias: String) -> [Look]? {
        var systems: [TokenSystem] = []
        var codes: [TokenSystem: [String]] = [:]
        var looks: [Look] = []
        for value in values {
            let (system, code): (TokenSystem, String?)
            switch value {
            case .token(let s, let c), .referenceIdentifier(let s, let c): (system, code) = (s, c)
            default: return nil
            }
            guard let code else {
                if case .uri(let uri) = system {
                    let condition = SQLCondition("\(alias).system = ?", [.text(IndexEntry.key(uri))])
                    looks.append(Look(condition: condition, leads: false))
                }
                continue
            }
            if codes[system] == nil { systems.append(system) }
            codes[system, default: []].append(IndexEntry.key(code))
        }
        for system in systems {
            let list = codes[system] ?? []
            var condition = isOneOf(list, "\(alias).code")
            switch system {
            case .any: break
            case .none: condition.add("\(alias).system IN (?, ?)", .text(""), .text(IndexEntry.anySystem))
            case .uri(let uri):
                condition.add("\(alias).system IN (?, ?)", .text(IndexEntry.key(uri)), .text(IndexEntry.anySystem))
            }
            looks.append(Look(condition: condition, isOne: list.count == 1))
        }
        return looks
    }

    /// Nil when a value is no reference to a resource of this server.
    private func references(_ values: [SearchValue], _ alias: String) -> [Look]? {
        var kinds: [[String]] = []
        var ids: [[String]: [String]] = [:]
        for value in values {
            guard case .reference(let types, let id) = value else { return nil }
            if ids[types] == nil { kinds.append(types) }
            ids[types, default: []].append(id)
        }
        return kinds.map { types in
            let list = ids[types] ?? []
            var condition = isOneOf(list, "\(alias).target_id")
            if types.isEmpty {
                condition.add("\(alias).target_type <> ''")
            } else {
                condition.add(isOneOf(types, "\(alias).target_type"))
            }
            return Look(condition: condition, isOne: list.count == 1)
        }
    }

    /// Nil when a value is no whole URI.
    private func uris(_ values: [SearchValue], _ alias: String) -> [Look]? {
        var texts: [String] = []
        for value in values {
            switch value {
            case .uri(let uri): texts.append(IndexEntry.key(uri))
            case .uriAbove(let uris): texts += uris.map { IndexEntry.key($0) }
            default: return nil
            }
        }
        let list = texts.withoutRepetition
        return [Look(condition: isOneOf(list, "\(alias).uri"), isOne: list.count == 1)]
    }

    // MARK: Other values

    private func look(_ value: SearchValue, _ alias: String) -> Look {
        switch value {
        case .composite: return Look(condition: SQLCondition("1 = 0"), leads: false)
        case .token, .referenceIdentifier, .reference, .uri, .uriAbove:
            // Values of several kinds never come together, so these are lists of their own.
            return looks([value], alias).first ?? Look(condition: SQLCondition("1 = 0"))
        case .identifierOfType(let system, let code, let number):
            return Look(
                condition: SQLCondition(
                    "\(alias).code = ? AND \(alias).system = ?",
                    [.text(IndexEntry.key(number)), .text(IndexEntry.key("\(system)|\(code)"))]), isOne: true)
        case .tokenText(let text), .stringStart(let text):
            return Look(condition: start(IndexEntry.cut(text), "\(alias).folded"))
        case .stringPart(let text):
            return Look(
                condition: SQLCondition(
                    "\(alias).folded LIKE ? ESCAPE '!'", [.text("%\(Self.likeEscaped(IndexEntry.cut(text)))%")]))
        case .stringExact(let text):
            return Look(
                condition: SQLCondition(
                    "\(alias).folded = ? AND \(alias).exact = ?",
                    [.text(IndexEntry.cut(TextFolding.folded(text))), .text(IndexEntry.key(text))]), isOne: true)
        case .date(let prefix, let range, _):
            return Look(condition: Self.date(prefix, range, alias), leads: prefix != .notEqual)
        case .number(let prefix, let number):
            return Look(condition: Self.number(prefix, number, alias), leads: prefix != .notEqual)
        case .quantity(let prefix, let number, let unit):
            var condition = Self.number(prefix, number, alias)
            if let unit {
                let code = SQLValue.text(IndexEntry.key(unit.code))
                if let system = unit.system {
                    condition.add(
                        "\(alias).system = ? AND \(alias).code = ?", .text(IndexEntry.key(system)), code)
                } else {
                    condition.add("(\(alias).code = ? OR \(alias).unit = ?)", code, code)
                }
            }
            return Look(condition: condition, leads: prefix != .notEqual)
        case .referenceURL(let url):
            return Look(
                condition: SQLCondition(
                    "\(alias).target_id = ? AND \(alias).target_type = ''", [.text(IndexEntry.key(url))]),
                isOne: true)
        case .uriBelow(let uri):
            let found = start(IndexEntry.cut(uri), "\(alias).uri")
            guard let long = IndexEntry.keyStart(uri) else { return Look(condition: found) }
            return Look(condition: .anyOf([found, start(long, "\(alias).uri")]))
        }
    }

    /// Text that starts with `text`, as a range that an index can be read by: both databases compare by bytes, and no
    /// character is above U+10FFFF.
    private func start(_ text: String, _ column: String) -> SQLCondition {
        SQLCondition("\(column) >= ? AND \(column) < ?", [.text(text), .text(text + "\u{10FFFF}")])
    }

    private static func likeEscaped(_ text: String) -> String {
        var out = ""
        for character in text.unicodeScalars {
            if character == "%" || character == "_" || character == "!" { out += "!" }
            out.unicodeScalars.append(character)
        }
        return out
    }

    /// The entry's time against the searched range. FHIR R4 search.html#prefix.
    private static func date(_ prefix: SearchPrefix, _ range: DateTimeRange, _ alias: String) -> SQLCondition {
        let (low, high) = (SQLValue.int(range.lower), SQLValue.int(range.upper))
        switch prefix {
        case .equal:
            return SQLCondition("\(alias).low >= ? AND \(alias).low < ? AND \(alias).high <= ?", [low, high, high])
        case .notEqual: return SQLCondition("(\(alias).low < ? OR \(alias).high > ?)", [low, high])
        case .greater: return SQLCondition("\(alias).high > ?", [high])
        case .less: return SQLCondition("\(alias).low < ?", [low])
        // Above, or within: within means a high end above the searched low one, by which the index can be read.
        case .greaterOrEqual:
            return SQLCondition("\(alias).high > ? AND (\(alias).high > ? OR \(alias).low >= ?)", [low, high, low])
        case .lessOrEqual:
            return SQLCondition("\(alias).low < ? AND (\(alias).low < ? OR \(alias).high <= ?)", [high, low, high])
        case .startsAfter: return SQLCondition("\(alias).low >= ?", [high])
        case .endsBefore: return SQLCondition("\(alias).high <= ?", [low])
        case .approximately: return SQLCondition("\(alias).low < ? AND \(alias).high > ?", [high, low])
        }
    }

    /// The entry's range, mostly one number, against the searched number. FHIR R4 search.html#number: equality goes by
    /// the written precision, order by the exact value.
    private static func number(_ prefix: SearchPrefix, _ number: SearchNumber, _ alias: String) -> SQLCondition {
        let exact = SQLValue.double(number.value)
        let (low, high) = (SQLValue.double(number.lower), SQLValue.double(number.upper))
        switch prefix {
        case .equal:
            return SQLCondition("\(alias).low >= ? AND \(alias).low < ? AND \(alias).high < ?", [low, high, high])
        case .notEqual: return SQLCondition("(\(alias).low < ? OR \(alias).high >= ?)", [low, high])
        case .greater: return SQLCondition("\(alias).high > ?", [exact])
        case .less: return SQLCondition("\(alias).low < ?", [exact])
        case .greaterOrEqual: return SQLCondition("\(alias).high >= ?", [exact])
        case .lessOrEqual: return SQLCondition("\(alias).low <= ?", [exact])
        case .startsAfter: return SQLCondition("\(alias).low > ?", [exact])
        case .endsBefore: return SQLCondition("\(alias).high < ?", [exact])
        case .approximately:
            let range = number.approximateRange
            return SQLCondition(
                "\(alias).low <= ? AND \(alias).high >= ?", [.double(range.upper), .double(range.lower)])
        }
    }
}
