import FHIRModel

/// One search on one resource type, read and checked. FHIR R4 search.html.
package struct SearchQuery: Sendable, Hashable {
    /// A name and value of the request that was understood, for the self link.
    package struct Parameter: Sendable, Hashable {
        package let name: String
        package let value: String
        package init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    /// The type of the matches.
    package var resourceType: String
    /// Conditions that all must hold.
    package var filters: [SearchFilter]
    /// Order of the matches, the most significant key first. Empty: the store's own order.
    package var sort: [SortKey]
    /// Matches on a page; nil when the request does not say. 0 asks for the total only. Never above the limit.
    package var count: Int?
    package var includes: [IncludeDirective]
    package var total: TotalMode?
    package var summary: SummaryMode?
    /// Names of `_elements`; empty when the request does not say. FHIR R4 search.html#elements.
    package var elements: [String]
    /// `_format` as written.
    package var format: String?
    /// `_pretty=true`.
    package var isPretty: Bool
    /// What was understood, in the order of the request, without `_format` and `_pretty`.
    package var parameters: [Parameter]
    /// What was ignored, when handling is lenient.
    package var notices: [OperationOutcome.Issue]

    /// Every resource of a type.
    package init(_ resourceType: String, filters: [SearchFilter] = []) {
        self.resourceType = resourceType
        self.filters = filters
        sort = []
        includes = []
        elements = []
        isPretty = false
        parameters = []
        notices = []
    }

    /// Whether only the number of matches is asked for. FHIR R4 search.html#summary.
    package var isTotalOnly: Bool { count == 0 || summary == .count }
}

/// One key of `_sort`. FHIR R4 search.html#sort.
package struct SortKey: Sendable, Hashable {
    package let parameter: SearchParameterDefinition
    package let isDescending: Bool
    package init(parameter: SearchParameterDefinition, isDescending: Bool) {
        self.parameter = parameter
        self.isDescending = isDescending
    }
}

/// One `_include` or `_revinclude`. FHIR R4 search.html#include.
package struct IncludeDirective: Sendable, Hashable {
    /// `_revinclude`: resources that point at a match, instead of those a match points at.
    package let isReverse: Bool
    /// The type on which the reference stands.
    package let sourceType: String
    /// The reference; nil for `*`, every reference of the type.
    package let parameter: SearchParameterDefinition?
    /// Only targets of this type; nil for any.
    package let targetType: String?
    /// `:iterate`: also from resources that were themselves included.
    package let isIterative: Bool
    package init(
        isReverse: Bool, sourceType: String, parameter: SearchParameterDefinition?, targetType: String? = nil,
        isIterative: Bool = false
    ) {
        self.isReverse = isReverse
        self.sourceType = sourceType
        self.parameter = parameter
        self.targetType = targetType
        self.isIterative = isIterative
    }
}

/// FHIR R4 search.html#total.
package enum TotalMode: String, Sendable, Hashable, CaseIterable { case none, estimate, accurate }

/// FHIR R4 search.html#summary.
package enum SummaryMode: String, Sendable, Hashable, CaseIterable { case `true`, text, data, count, `false` }

/// Why a search cannot be done: everything found wrong, not just the first.
package struct SearchQueryError: Error, Sendable, Hashable {
    /// At least one.
    package let issues: [OperationOutcome.Issue]
    package init(_ issues: [OperationOutcome.Issue]) { self.issues = issues }
    package var outcome: OperationOutcome { OperationOutcome(issues) }
}
