import FHIRModel
import FHIRSearch

/// Conditions on one index entry, under the alias of its table.
extension SearchCompiler {
    /// At least one of the values matches. The values of one parameter are of one kind.
    func entry(_ values: [SearchValue], _ alias: String) -> SQLCondition {
        if let tokens = tokens(values, alias) { return tokens }
        return Self.anyOf(values.map { self.value($0, alias) })
    }

    // MARK: Tokens

    /// Codes with the same system become one list, so that a long OR is one lookup; nil when a value is no token.
    private func tokens(_ values: [SearchValue], _ alias: String) -> SQLCondition? {
        var systems: [TokenSystem] = []
        var codes: [TokenSystem: [String]] = [:]
        var parts: [SQLCondition] = []
        for value in values {
            let (system, code): (TokenSystem, String?)
            switch value {
            case .token(let s, let c), .referenceIdentifier(let s, let c): (system, code) = (s, c)
            default: return nil
            }
            guard let code else {
                if case .uri(let uri) = system {
                    parts.append(SQLCondition("\(alias).system = ?", [.text(IndexEntry.cut(uri))]))
                }
                continue
            }
            if codes[system] == nil { systems.append(system) }
            codes[system, default: []].append(IndexEntry.cut(code))
        }
        for system in systems {
            let list = codes[system] ?? []
            var part =
                list.count == 1
                ? SQLCondition("\(alias).code = ?", [.text(list[0])])
                : SQLCondition(dialect.isInTexts("\(alias).code"), [.texts(list)])
            switch system {
            case .any: break
            case .none: part.add("\(alias).system IN (?, ?)", .text(""), .text(IndexEntry.anySystem))
            case .uri(let uri):
                part.add("\(alias).system IN (?, ?)", .text(IndexEntry.cut(uri)), .text(IndexEntry.anySystem))
            }
            parts.append(part)
        }
        return Self.anyOf(parts)
    }

    // MARK: Other values

    private func value(_ value: SearchValue, _ alias: String) -> SQLCondition {
        switch value {
        case .token, .referenceIdentifier: return tokens([value], alias) ?? SQLCondition("1 = 0")
        case .identifierOfType(let system, let code, let number):
            return SQLCondition(
                "\(alias).code = ? AND \(alias).system = ?",
                [.text(IndexEntry.cut(number)), .text(IndexEntry.cut("\(system)|\(code)"))])
        case .tokenText(let text), .stringStart(let text): return start(IndexEntry.cut(text), "\(alias).folded")
        case .stringPart(let text):
            return SQLCondition(
                "\(alias).folded LIKE ? ESCAPE '!'", [.text("%\(Self.likeEscaped(IndexEntry.cut(text)))%")])
        case .stringExact(let text):
            return SQLCondition(
                "\(alias).folded = ? AND \(alias).exact = ?",
                [.text(IndexEntry.cut(TextFolding.folded(text))), .text(IndexEntry.cut(text))])
        case .date(let prefix, let range, _): return Self.date(prefix, range, alias)
        case .number(let prefix, let number): return Self.number(prefix, number, alias)
        case .quantity(let prefix, let number, let unit):
            var condition = Self.number(prefix, number, alias)
            if let unit {
                if let system = unit.system {
                    condition.add(
                        "\(alias).system = ? AND \(alias).code = ?", .text(IndexEntry.cut(system)),
                        .text(IndexEntry.cut(unit.code)))
                } else {
                    let code = SQLValue.text(IndexEntry.cut(unit.code))
                    condition.add("(\(alias).code = ? OR \(alias).unit = ?)", code, code)
                }
            }
            return SQLCondition.grouped(condition)
        case .reference(let types, let id):
            var condition = SQLCondition("\(alias).target_id = ?", [.text(id)])
            if types.count == 1 {
                condition.add("\(alias).target_type = ?", .text(types[0]))
            } else if types.isEmpty {
                condition.add("\(alias).target_type <> ''")
            } else {
                condition.add(dialect.isInTexts("\(alias).target_type"), .texts(types))
            }
            return condition
        case .referenceURL(let url):
            return SQLCondition(
                "\(alias).target_id = ? AND \(alias).target_type = ''", [.text(IndexEntry.cut(url))])
        case .uri(let uri): return SQLCondition("\(alias).uri = ?", [.text(IndexEntry.cut(uri))])
        case .uriBelow(let uri): return start(IndexEntry.cut(uri), "\(alias).uri")
        case .uriAbove(let uris):
            return SQLCondition(dialect.isInTexts("\(alias).uri"), [.texts(uris.map { IndexEntry.cut($0) })])
        case .composite: return SQLCondition("1 = 0")
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
