import Basics
import FHIRModel

/// The values of each parameter type. FHIR R4 search.html#ptypes.
extension SearchQueryParser {
    /// Reads one value; `text` still has its escapes.
    func value(
        _ parameter: SearchParameterDefinition, _ modifier: String?, _ text: String
    ) throws(ParameterIssue) -> SearchValue {
        switch parameter.type {
        case .token: return try token(parameter.code, modifier, text)
        case .string: return try string(parameter.code, modifier, text)
        case .reference: return try reference(parameter, modifier, text)
        case .uri: return try uri(parameter.code, modifier, text)
        case .date, .number, .quantity, .composite:
            if let modifier { throw unsupported(parameter.code, modifier) }
            switch parameter.type {
            case .date: return try date(parameter.code, text)
            case .number: return try number(parameter.code, text)
            case .quantity: return try quantity(parameter.code, text)
            default: return try composite(parameter, text)
            }
        case .special: throw ParameterIssue(.notSupported, "The parameter \(quoted(parameter.code)) is not supported.")
        }
    }

    private static let modifiers: Set<String> = [
        "exact", "contains", "text", "not", "in", "not-in", "below", "above", "of-type", "ofType", "identifier", "type",
        "missing",
        "iterate", "recurse",
    ]

    private func unsupported(_ code: String, _ modifier: String) -> ParameterIssue {
        if Self.modifiers.contains(modifier) || definitions.isResourceType(modifier) {
            return ParameterIssue(
                .modifier, "The modifier \(quoted(modifier)) is not supported on \(quoted(code)).")
        }
        return ParameterIssue(.invalid, "\(quoted(modifier)) on \(quoted(code)) is no modifier.")
    }

    // MARK: Text

    /// FHIR R4 search.html#token.
    private func token(_ code: String, _ modifier: String?, _ text: String) throws(ParameterIssue) -> SearchValue {
        switch modifier {
        case nil, "not": break
        case "text": return .tokenText(try folded(code, text))
        case "of-type", "ofType":
            let parts = SearchText.split(text, at: SearchText.bar).map { SearchText.unescaped($0) }
            guard parts.count == 3, parts.allSatisfy({ !$0.isEmpty }) else { throw invalidValue(code) }
            return .identifierOfType(system: parts[0], code: parts[1], value: parts[2])
        case let modifier?: throw unsupported(code, modifier)
        }
        let (system, value) = try systemAndCode(code, text)
        return .token(system: system, code: value)
    }

    private func systemAndCode(_ code: String, _ text: String) throws(ParameterIssue) -> (TokenSystem, String?) {
        let parts = SearchText.split(text, at: SearchText.bar).map { SearchText.unescaped($0) }
        switch parts.count {
        case 1: return (.any, parts[0])
        case 2:
            guard !parts[0].isEmpty || !parts[1].isEmpty else { throw invalidValue(code) }
            return (parts[0].isEmpty ? .none : .uri(parts[0]), parts[1].isEmpty ? nil : parts[1])
        default: throw invalidValue(code)
        }
    }

    private func folded(_ code: String, _ text: String) throws(ParameterIssue) -> String {
        let folded = TextFolding.folded(SearchText.unescaped(text))
        guard !folded.isEmpty else { throw invalidValue(code) }
        return folded
    }

    /// FHIR R4 search.html#string.
    private func string(_ code: String, _ modifier: String?, _ text: String) throws(ParameterIssue) -> SearchValue {
        switch modifier {
        case nil: return .stringStart(try folded(code, text))
        case "contains": return .stringPart(try folded(code, text))
        case "exact": return .stringExact(SearchText.unescaped(text))
        case let modifier?: throw unsupported(code, modifier)
        }
    }

    /// FHIR R4 search.html#uri.
    private func uri(_ code: String, _ modifier: String?, _ text: String) throws(ParameterIssue) -> SearchValue {
        let uri = SearchText.unescaped(text)
        switch modifier {
        case nil: return .uri(uri)
        case "below": return .uriBelow(uri)
        case "above":
            var starts = [uri]
            var rest = uri[...]
            while let slash = rest.lastIndex(of: "/"), slash > rest.startIndex, starts.count < Self.uriPartsMax {
                rest = rest[..<slash]
                starts += [String(rest), rest + "/"]
            }
            return .uriAbove(starts)
        case let modifier?: throw unsupported(code, modifier)
        }
    }

    /// Starts of a URI that `:above` compares with.
    private static let uriPartsMax = 64

    /// FHIR R4 search.html#reference.
    private func reference(
        _ parameter: SearchParameterDefinition, _ modifier: String?, _ text: String
    ) throws(ParameterIssue) -> SearchValue {
        var types = parameter.referenceTypes
        if modifier == "identifier" {
            let (system, value) = try systemAndCode(parameter.code, text)
            return .referenceIdentifier(system: system, code: value)
        }
        if let modifier {
            guard definitions.isResourceType(modifier) else { throw unsupported(parameter.code, modifier) }
            guard types.isEmpty || types.contains(modifier) else {
                throw ParameterIssue(.invalid, "\(quoted(parameter.code)) never refers to \(modifier).")
            }
            types = [modifier]
        }
        let text = SearchText.unescaped(text)
        if PrimitiveFormat.isID(text.utf8) { return .reference(types: types, id: text) }
        let reference = Reference(text).relative(to: baseURL)
        // What is of another type than the modifier says matches nothing: no reference has an id with a slash.
        if modifier != nil, let type = reference.type, !types.contains(type) {
            return .reference(types: types, id: "\(type)/")
        }
        switch reference {
        case .relative(let type, let id, _):
            // A type that the parameter cannot refer to matches nothing.
            return .reference(types: [type], id: id)
        case .absolute, .urn, .uri: return .referenceURL(text)
        case .fragment, .invalid:
            // A canonical may carry `|version`, which is no part of a URI.
            if let bar = text.firstIndex(of: "|"), case .uri = Reference(String(text[..<bar])) {
                return .referenceURL(text)
            }
            if let bar = text.firstIndex(of: "|"), case .absolute = Reference(String(text[..<bar])) {
                return .referenceURL(text)
            }
            throw invalidValue(parameter.code)
        }
    }

    // MARK: Ordered values

    private func splitPrefix(_ text: String) -> (SearchPrefix, Substring) {
        if let prefix = SearchPrefix(rawValue: String(text.prefix(2))) { return (prefix, text.dropFirst(2)) }
        return (.equal, text[...])
    }

    /// FHIR R4 search.html#date. A time without zone is one of the site's clock.
    private func date(_ code: String, _ text: String) throws(ParameterIssue) -> SearchValue {
        let (prefix, rest) = splitPrefix(text)
        guard let date = FHIRDateTime(utf8: rest.utf8, as: .search) else {
            throw ParameterIssue(.invalid, "The value of \(quoted(code)) is no date of FHIR.")
        }
        var range = date.range(zone: zone)
        if prefix == .approximately {
            // A tenth of the distance between now and the date on both sides.
            let margin = Int64(abs(Double(now) - Double(range.lower)) * 0.1)
            range = DateTimeRange(lower: range.lower &- margin, upper: range.upper &+ margin)
        }
        return .date(prefix, range, isDay: date.precision <= .day)
    }

    private func number(_ code: String, _ text: String) throws(ParameterIssue) -> SearchValue {
        let (prefix, rest) = splitPrefix(text)
        guard let number = SearchNumber(String(rest)) else { throw invalidValue(code) }
        return .number(prefix, number)
    }

    /// `number`, `number|system|code` or `number||code`. FHIR R4 search.html#quantity.
    private func quantity(_ code: String, _ text: String) throws(ParameterIssue) -> SearchValue {
        let parts = SearchText.split(text, at: SearchText.bar).map { SearchText.unescaped($0) }
        let (prefix, rest) = splitPrefix(parts[0])
        guard let number = SearchNumber(String(rest)) else { throw invalidValue(code) }
        switch parts.count {
        case 1: return .quantity(prefix, number, unit: nil)
        case 3:
            guard !parts[2].isEmpty else { throw invalidValue(code) }
            return .quantity(
                prefix, number, unit: QuantityUnit(system: parts[1].isEmpty ? nil : parts[1], code: parts[2]))
        default: throw invalidValue(code)
        }
    }

    /// Component values joined by `$`. FHIR R4 search.html#composite.
    private func composite(_ parameter: SearchParameterDefinition, _ text: String) throws(ParameterIssue) -> SearchValue
    {
        let parts = SearchText.split(text, at: SearchText.dollar)
        guard parts.count == parameter.components.count, parts.allSatisfy({ !$0.isEmpty }) else {
            throw invalidValue(parameter.code)
        }
        var values: [SearchValue] = []
        for (component, part) in zip(parameter.components, parts) {
            guard let definition = definitions.searchParameter(component.code, for: parameter.base),
                definition.type != .composite
            else { throw ParameterIssue(.notSupported, "The parameter \(quoted(parameter.code)) is not supported.") }
            values.append(try value(definition, nil, part))
        }
        return .composite(values)
    }
}
