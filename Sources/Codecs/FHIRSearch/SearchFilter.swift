import FHIRModel

/// One condition on a resource. FHIR R4 search.html#combining.
package indirect enum SearchFilter: Sendable, Hashable {
    /// One of the resource's own parameters.
    case parameter(SearchCondition)
    /// A reference to a resource of a type for which another condition holds; with several types, any of them.
    /// FHIR R4 search.html#chaining.
    case chain(reference: SearchParameterDefinition, targets: [Target])
    /// A resource of another type points here by a reference, and a condition holds for it. FHIR R4 search.html#has.
    case reverseChain(type: String, reference: SearchParameterDefinition, SearchFilter)
    /// At least one of the conditions holds. An empty list never holds.
    case anyOf([SearchFilter])
    /// All conditions hold. An empty list always holds.
    case allOf([SearchFilter])

    /// One type that a chain may pass through, with the condition as that type reads it.
    package struct Target: Sendable, Hashable {
        package let type: String
        package let filter: SearchFilter
        package init(type: String, filter: SearchFilter) {
            self.type = type
            self.filter = filter
        }
    }
}

/// A parameter with its modifier and values. FHIR R4 search.html#modifiers.
package struct SearchCondition: Sendable, Hashable {
    package enum Test: Sendable, Hashable {
        /// At least one of the values matches; at least one value.
        case matches([SearchValue])
        /// `:not`: none of the values matches, or there is nothing to match.
        case matchesNone([SearchValue])
        /// `:missing=true` (true) or `:missing=false`.
        case isMissing(Bool)
    }

    package let parameter: SearchParameterDefinition
    package let test: Test
    package init(_ parameter: SearchParameterDefinition, _ test: Test) {
        self.parameter = parameter
        self.test = test
    }
}

/// One value to compare with, read by the parameter's type. FHIR R4 search.html#ptypes.
package enum SearchValue: Sendable, Hashable {
    /// `code`, `system|code`, `|code` or `system|`. FHIR R4 search.html#token.
    case token(system: TokenSystem, code: String?)
    /// `:text`: the folded start of a display or text.
    case tokenText(String)
    /// `:of-type`: an identifier of a coded type.
    case identifierOfType(system: String, code: String, value: String)
    /// `:identifier`: the identifier inside a reference. FHIR R4 search.html#reference.
    case referenceIdentifier(system: TokenSystem, code: String?)
    /// Folded text at the start. FHIR R4 search.html#string.
    case stringStart(String)
    /// `:contains`: folded text anywhere.
    case stringPart(String)
    /// `:exact`: the whole text as written.
    case stringExact(String)
    /// Time as microseconds since 1970 UTC; `isDay` for a day, month or year, which has no zone. FHIR R4 search.html#date.
    case date(SearchPrefix, DateTimeRange, isDay: Bool)
    /// FHIR R4 search.html#number.
    case number(SearchPrefix, SearchNumber)
    /// With no unit at all, any unit. FHIR R4 search.html#quantity.
    case quantity(SearchPrefix, SearchNumber, unit: QuantityUnit?)
    /// A resource of this server; with no types, of any. FHIR R4 search.html#reference.
    case reference(types: [String], id: String)
    /// A reference by URL: elsewhere, or a canonical with or without `|version`.
    case referenceURL(String)
    /// The whole URI. FHIR R4 search.html#uri.
    case uri(String)
    /// `:below`: the URI and all that start with it.
    case uriBelow(String)
    /// `:above`: the URI and all that it starts with.
    case uriAbove([String])
    /// One value for each component, in order. FHIR R4 search.html#composite.
    case composite([SearchValue])
}

/// The part of a token before `|`.
package enum TokenSystem: Sendable, Hashable {
    /// No `|`: any system or none.
    case any
    /// Nothing before `|`: no system.
    case none
    case uri(String)
}

/// The unit of a searched quantity: `|system|code`, or `||code` for a code or a unit's name.
package struct QuantityUnit: Sendable, Hashable {
    /// nil for `||code`.
    package let system: String?
    package let code: String
    package init(system: String?, code: String) {
        self.system = system
        self.code = code
    }
}

/// How an ordered value compares. FHIR R4 search.html#prefix.
package enum SearchPrefix: String, Sendable, Hashable, CaseIterable {
    case equal = "eq", notEqual = "ne", greater = "gt", less = "lt", greaterOrEqual = "ge", lessOrEqual = "le"
    case startsAfter = "sa", endsBefore = "eb", approximately = "ap"
}
