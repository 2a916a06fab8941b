import FHIRModel

/// The parameters that shape the answer rather than choose the matches. FHIR R4 search.html#results.
extension SearchQueryParser {
    /// Reads a result parameter into `query`; false when `name` is none.
    func readResultParameter(
        _ name: String, _ value: String, into query: inout SearchQuery
    ) throws(ParameterIssue) -> Bool {
        switch name {
        case "_count":
            query.count = try count(value)
        case "_sort":
            guard query.sort.isEmpty else { throw ParameterIssue(.invalid, "_sort is given twice.") }
            query.sort = try sortKeys(value, query.resourceType)
        case "_include", "_include:iterate", "_include:recurse", "_revinclude", "_revinclude:iterate",
            "_revinclude:recurse":
            guard query.includes.count < limits.includesMax else {
                throw ParameterIssue(.tooCostly, "More than \(limits.includesMax) _include and _revinclude.")
            }
            query.includes.append(try include(name, value, query.resourceType))
        case "_total":
            guard let mode = TotalMode(rawValue: value) else { throw invalidValue(name) }
            query.total = mode
        case "_summary":
            guard let mode = SummaryMode(rawValue: value) else { throw invalidValue(name) }
            query.summary = mode
        case "_elements":
            let names = value.split(separator: ",").map { String($0) }
            guard !names.isEmpty, names.count <= limits.valuesMax, names.allSatisfy(isElementName) else {
                throw invalidValue(name)
            }
            query.elements += names
        case "_format":
            query.format = value
        case "_pretty":
            guard value == "true" || value == "false" else { throw invalidValue(name) }
            query.isPretty = value == "true"
        default:
            return false
        }
        return true
    }

    func invalidValue(_ name: String) -> ParameterIssue {
        ParameterIssue(.invalid, "The value of \(quoted(name)) is not one that this parameter takes.")
    }

    /// A client's word for use in a message: letters, digits and a few marks, at most 64.
    package func quoted(_ name: String) -> String {
        let plain = name.unicodeScalars.prefix(64).map { scalar in
            scalar.isASCII && (scalar.properties.isAlphabetic || "0123456789-_.:*".unicodeScalars.contains(scalar))
                ? Character(scalar) : "?"
        }
        return "'" + String(plain) + "'"
    }

    private func isElementName(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.allSatisfy { PrimitiveFormat.isID(CollectionOfOne($0)) || $0 == 0x5F }
    }

    /// A whole number, lowered to the limit; any count of digits is understood. FHIR R4 search.html#count.
    private func count(_ value: String) throws(ParameterIssue) -> Int {
        guard !value.isEmpty, value.utf8.allSatisfy({ 0x30...0x39 ~= $0 }) else { throw invalidValue("_count") }
        // Too many digits for a 64-bit number is more than any limit.
        guard let number = Int(value) else { return limits.countMax }
        return min(number, limits.countMax)
    }

    private func sortKeys(_ value: String, _ resourceType: String) throws(ParameterIssue) -> [SortKey] {
        var keys: [SortKey] = []
        let names = value.split(separator: ",", omittingEmptySubsequences: false)
        guard names.count <= limits.sortKeysMax else {
            throw ParameterIssue(.tooCostly, "More than \(limits.sortKeysMax) keys in _sort.")
        }
        for name in names {
            let isDescending = name.hasPrefix("-")
            let code = String(isDescending ? name.dropFirst() : name)
            guard let parameter = definitions.searchParameter(code, for: resourceType) else {
                throw ParameterIssue(.unknown, "_sort names \(quoted(code)), which \(resourceType) does not have.")
            }
            guard parameter.isIndexed, parameter.type != .composite else {
                throw ParameterIssue(.notSupported, "Sorting by \(quoted(code)) is not supported.")
            }
            keys.append(SortKey(parameter: parameter, isDescending: isDescending))
        }
        return keys
    }

    private func include(
        _ name: String, _ value: String, _ resourceType: String
    ) throws(ParameterIssue) -> IncludeDirective {
        let isReverse = name.hasPrefix("_rev")
        let isIterative = name.contains(":")
        let parts = value.split(separator: ":", omittingEmptySubsequences: false).map { String($0) }
        if parts == ["*"], !isReverse {
            return IncludeDirective(
                isReverse: false, sourceType: resourceType, parameter: nil, isIterative: isIterative)
        }
        guard parts.count == 2 || parts.count == 3 else {
            throw ParameterIssue(.invalid, "\(quoted(name)) is not Type:parameter or Type:parameter:TargetType.")
        }
        let sourceType = parts[0]
        guard definitions.isResourceType(sourceType) else {
            throw ParameterIssue(.invalid, "\(quoted(name)) names \(quoted(sourceType)), which is no resource type.")
        }
        let targetType = parts.count == 3 ? parts[2] : isReverse && !isIterative ? resourceType : nil
        if let targetType, !definitions.isResourceType(targetType) {
            throw ParameterIssue(.invalid, "\(quoted(name)) names \(quoted(targetType)), which is no resource type.")
        }
        if !isReverse, !isIterative, sourceType != resourceType {
            throw ParameterIssue(.invalid, "_include of \(sourceType) in a search of \(resourceType) needs :iterate.")
        }
        if parts[1] == "*" {
            return IncludeDirective(
                isReverse: isReverse, sourceType: sourceType, parameter: nil, targetType: targetType,
                isIterative: isIterative)
        }
        guard let parameter = definitions.searchParameter(parts[1], for: sourceType) else {
            throw ParameterIssue(
                .unknown, "\(quoted(name)) names \(quoted(parts[1])), which \(sourceType) does not have.")
        }
        guard parameter.type == .reference else {
            throw ParameterIssue(.invalid, "\(quoted(name)) names \(quoted(parts[1])), which is no reference.")
        }
        return IncludeDirective(
            isReverse: isReverse, sourceType: sourceType, parameter: parameter, targetType: targetType,
            isIterative: isIterative)
    }
}

extension SearchParameterDefinition {
    /// Whether the indexer makes entries for it, or a column of the store holds it.
    package var isIndexed: Bool { type != .special && !expression.isEmpty }
}

extension SearchParameterDefinition {
    /// The types a reference can lead to: `targets`, narrowed where every path says `resolve() is T`. Empty for any.
    package var referenceTypes: [String] {
        guard type == .reference, expression.contains("resolve() is ") else { return targets }
        var types: [String] = []
        for path in expression.split(separator: "|") {
            guard let mark = path.firstRange(of: "resolve() is ") else { return targets }
            let name = String(path[mark.upperBound...].prefix { $0.isLetter })
            if !types.contains(name) { types.append(name) }
        }
        return types
    }
}
