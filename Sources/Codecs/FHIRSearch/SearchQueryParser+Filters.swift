import FHIRModel

/// The parameters that choose the matches: names, modifiers, chains.
extension SearchQueryParser {
    /// - Parameters:
    ///   - chained: references already followed.
    ///   - reversed: `_has` already entered.
    func filter(
        _ type: String, _ name: String, _ value: String, chained: Int, reversed: Int
    ) throws(ParameterIssue) -> SearchFilter {
        if name.hasPrefix("_has:") {
            return try reverseChain(type, name, value, chained: chained, reversed: reversed)
        }
        if let dot = name.firstIndex(of: ".") {
            return try chain(
                type, String(name[..<dot]), String(name[name.index(after: dot)...]), value, chained: chained,
                reversed: reversed)
        }
        let (code, modifier) = Self.splitModifier(name)
        let parameter = try parameter(code, type)
        guard parameter.isIndexed else {
            throw ParameterIssue(.notSupported, "The parameter \(quoted(code)) is not supported.")
        }
        if parameter.type == .uri, modifier == nil, let filter = try canonical(parameter, type, value) { return filter }
        return .parameter(SearchCondition(parameter, try test(parameter, modifier, value)))
    }

    /// Values of which one at least is `url|version`: the resource of this url and version, or an element that says
    /// just this. Nil when there is none. FHIR R4 search.html#uri.
    private func canonical(
        _ parameter: SearchParameterDefinition, _ type: String, _ value: String
    ) throws(ParameterIssue) -> SearchFilter? {
        guard value.utf8.contains(SearchText.bar), case .matches(let values) = try test(parameter, nil, value) else {
            return nil
        }
        var alternatives: [SearchFilter] = [.parameter(SearchCondition(parameter, .matches(values)))]
        if parameter.code == "url", let version = definitions.searchParameter("version", for: type),
            version.type == .token
        {
            for case .uri(let text) in values {
                guard let bar = text.lastIndex(of: "|") else { continue }
                let (url, wanted) = (String(text[..<bar]), String(text[text.index(after: bar)...]))
                guard !url.isEmpty, !wanted.isEmpty else { continue }
                alternatives.append(
                    .allOf([
                        .parameter(SearchCondition(parameter, .matches([.uri(url)]))),
                        .parameter(SearchCondition(version, .matches([.token(system: .any, code: wanted)]))),
                    ]))
            }
        }
        return alternatives.count == 1 ? nil : .anyOf(alternatives)
    }

    static func splitModifier(_ name: String) -> (code: String, modifier: String?) {
        guard let colon = name.firstIndex(of: ":") else { return (name, nil) }
        return (String(name[..<colon]), String(name[name.index(after: colon)...]))
    }

    private func parameter(_ code: String, _ type: String) throws(ParameterIssue) -> SearchParameterDefinition {
        guard let found = definitions.searchParameter(code, for: type) else {
            throw ParameterIssue(.unknown, "\(type) has no search parameter \(quoted(code)).")
        }
        return found
    }

    private func test(
        _ parameter: SearchParameterDefinition, _ modifier: String?, _ value: String
    ) throws(ParameterIssue) -> SearchCondition.Test {
        if modifier == "missing" {
            guard value == "true" || value == "false" else { throw invalidValue(parameter.code + ":missing") }
            return .isMissing(value == "true")
        }
        let parts = SearchText.split(value, at: SearchText.comma, partsMax: limits.valuesMax)
        guard parts.count <= limits.valuesMax else {
            throw ParameterIssue(.tooCostly, "More than \(limits.valuesMax) values of \(quoted(parameter.code)).")
        }
        var values: [SearchValue] = []
        for part in parts {
            guard !part.isEmpty else {
                throw ParameterIssue(.invalid, "\(quoted(parameter.code)) has an empty value.")
            }
            values.append(try self.value(parameter, modifier, part))
        }
        values = values.withoutRepetition
        return parameter.type == .token && modifier == "not" ? .matchesNone(values) : .matches(values)
    }

    /// `reference.rest` or `reference:Type.rest`. FHIR R4 search.html#chaining.
    private func chain(
        _ type: String, _ head: String, _ rest: String, _ value: String, chained: Int, reversed: Int
    ) throws(ParameterIssue) -> SearchFilter {
        guard chained < limits.chainDepthMax else {
            throw ParameterIssue(.tooCostly, "A chain follows more than \(limits.chainDepthMax) references.")
        }
        let (code, wanted) = Self.splitModifier(head)
        let reference = try parameter(code, type)
        guard reference.type == .reference else {
            throw ParameterIssue(.invalid, "A chain passes through \(quoted(code)), which is no reference.")
        }
        var types = reference.referenceTypes.isEmpty ? definitions.resourceTypes : reference.referenceTypes
        if let wanted {
            guard types.contains(wanted) else {
                throw ParameterIssue(.invalid, "\(quoted(code)) never refers to \(quoted(wanted)).")
            }
            types = [wanted]
        } else if types.count > Self.chainTargetsMax {
            throw ParameterIssue(.invalid, "The chain through \(quoted(code)) must name a type, as in \(code):Patient.")
        }
        var targets: [SearchFilter.Target] = []
        var issue: ParameterIssue?
        for target in types {
            do throws(ParameterIssue) {
                let filter = try filter(target, rest, value, chained: chained + 1, reversed: reversed)
                targets.append(SearchFilter.Target(type: target, filter: filter))
            } catch {
                // Of several possible types only those count that know the parameter.
                guard error.kind == .unknown else { throw error }
                issue = issue ?? error
            }
        }
        if targets.isEmpty, let issue { throw issue }
        return .chain(reference: reference, targets: targets)
    }

    /// Types that an untyped chain may fan out to. The widest closed list of R4 has 15.
    private static let chainTargetsMax = 24

    /// `_has:Type:reference:rest`. FHIR R4 search.html#has.
    private func reverseChain(
        _ type: String, _ name: String, _ value: String, chained: Int, reversed: Int
    ) throws(ParameterIssue) -> SearchFilter {
        guard reversed < limits.reverseChainDepthMax else {
            throw ParameterIssue(.tooCostly, "More than \(limits.reverseChainDepthMax) nested _has.")
        }
        let parts = name.split(separator: ":", maxSplits: 3, omittingEmptySubsequences: false).map { String($0) }
        guard parts.count == 4 else { throw ParameterIssue(.invalid, "_has is not _has:Type:reference:parameter.") }
        guard definitions.isResourceType(parts[1]) else {
            throw ParameterIssue(.invalid, "_has names \(quoted(parts[1])), which is no resource type.")
        }
        let reference = try parameter(parts[2], parts[1])
        guard reference.type == .reference, reference.referenceTypes.isEmpty || reference.referenceTypes.contains(type)
        else {
            throw ParameterIssue(.invalid, "\(quoted(parts[2])) of \(parts[1]) never refers to \(type).")
        }
        let inner = try filter(parts[1], parts[3], value, chained: chained, reversed: reversed + 1)
        return .reverseChain(type: parts[1], reference: reference, inner)
    }
}
