import FHIRModel

/// Reads the parameters of a search. FHIR R4 search.html.
///
/// Names and values come percent-decoded and in the order of the request; for a POST the pairs of the URL come before
/// those of the form. Pure: the time that `ap` needs is given.
package struct SearchQueryParser: Sendable {
    /// What happens to parameters that are unknown or not supported; a modifier that is not supported is always refused.
    /// FHIR R4 search.html#errors, search.html#modifiers.
    package enum Handling: Sendable, Hashable {
        /// The search is refused.
        case strict
        /// The parameter is ignored, and `SearchQuery.notices` says so.
        case lenient
    }

    let definitions: FHIRDefinitions
    /// The server's own address, so that a reference written in full is known as local.
    package let baseURL: String
    let limits: SearchLimits
    /// Microseconds since 1970 UTC.
    let now: Int64
    /// The site's clock, on which a time without a zone is read. FHIR R4 search.html#date.
    let zone: LocalZone

    /// - Parameter now: microseconds since 1970 UTC; the margin of an approximate date grows with the distance to it.
    package init(
        definitions: FHIRDefinitions = .r4, baseURL: String, now: Int64 = 0, zone: LocalZone = .utc,
        limits: SearchLimits = .standard
    ) {
        self.zone = zone
        self.definitions = definitions
        self.baseURL = baseURL
        self.now = now
        self.limits = limits
    }

    /// Reads all parameters of a search on `resourceType`, which must be a resource type.
    ///
    /// Throws every issue at once: `invalid` and `too-costly` always, `not-supported` only when handling is strict.
    package func parse(
        _ resourceType: String, _ parameters: [SearchQuery.Parameter], handling: Handling = .strict
    ) throws(SearchQueryError) -> SearchQuery {
        var query = SearchQuery(resourceType)
        var issues: [OperationOutcome.Issue] = []
        if parameters.count > limits.parametersMax {
            throw SearchQueryError([
                .init(.error, .tooCostly, diagnostics: "More than \(limits.parametersMax) parameters.")
            ])
        }
        for parameter in parameters {
            do throws(ParameterIssue) {
                guard try read(parameter, into: &query) else { continue }
                if parameter.name != "_format", parameter.name != "_pretty" { query.parameters.append(parameter) }
            } catch {
                switch (error.kind, handling) {
                case (.unknown, .lenient), (.notSupported, .lenient):
                    query.notices.append(.init(.warning, .notSupported, diagnostics: error.text + " It was ignored."))
                case (.unknown, .strict), (.notSupported, .strict):
                    issues.append(.init(.error, .notSupported, diagnostics: error.text))
                case (.modifier, _): issues.append(.init(.error, .notSupported, diagnostics: error.text))
                case (.invalid, _): issues.append(.init(.error, .invalid, diagnostics: error.text))
                case (.tooCostly, _): issues.append(.init(.error, .tooCostly, diagnostics: error.text))
                }
            }
        }
        guard issues.isEmpty else { throw SearchQueryError(issues) }
        query.filters = query.filters.withoutRepetition
        let cost = query.filters.reduce(0) { $0 + $1.cost }
        if cost > limits.conditionsMax {
            throw SearchQueryError([
                .init(
                    .error, .tooCostly,
                    diagnostics:
                        "The search asks for \(cost) conditions; at most \(limits.conditionsMax) are looked at together."
                )
            ])
        }
        return query
    }

    /// Reads one condition, such as the constraint of a granular scope; nil when it is not understood in full.
    package func filter(_ resourceType: String, _ parameter: SearchQuery.Parameter) -> SearchFilter? {
        try? self.filter(resourceType, parameter.name, parameter.value, chained: 0, reversed: 0)
    }

    /// - Returns: false for a parameter without a value, which is no condition and no error. FHIR R4 search.html#errors.
    private func read(
        _ parameter: SearchQuery.Parameter, into query: inout SearchQuery
    ) throws(ParameterIssue) -> Bool {
        let (name, value) = (parameter.name, parameter.value)
        guard name.utf8.count <= limits.textBytesMax, value.utf8.count <= limits.textBytesMax else {
            throw ParameterIssue(.tooCostly, "A parameter is longer than \(limits.textBytesMax) bytes.")
        }
        guard !name.isEmpty else { throw ParameterIssue(.invalid, "A parameter has no name.") }
        guard !value.utf8.contains(0), !name.utf8.contains(0) else {
            throw ParameterIssue(.invalid, "A parameter has a NUL character.")
        }
        // A list of nothing says no more than nothing.
        if value.utf8.allSatisfy({ $0 == UInt8(ascii: ",") }) { return false }
        if let colon = name.firstIndex(of: ":"), Self.withoutModifiers.contains(String(name[..<colon])) {
            throw ParameterIssue(.modifier, "\(quoted(String(name[..<colon]))) has no modifiers.")
        }
        if try readResultParameter(name, value, into: &query) { return true }
        query.filters.append(try filter(query.resourceType, name, value, chained: 0, reversed: 0))
        return true
    }
}

extension SearchQueryParser {
    /// Parameters about the result that have no modifiers: one that is not understood is never ignored.
    /// FHIR R4 search.html#modifiers.
    private static let withoutModifiers: Set<String> = [
        "_sort", "_count", "_summary", "_elements", "_total", "_contained", "_containedType", "_format", "_pretty",
    ]

    /// The definition of a parameter.
    package func parameter(_ code: String, for type: String) -> SearchParameterDefinition? {
        definitions.searchParameter(code, for: type)
    }
}

extension SearchQueryParser {
    /// The reference parameters of a type.
    package func references(of type: String) -> [SearchParameterDefinition] {
        definitions.searchParameters(for: type).filter { $0.type == .reference }
    }
}
