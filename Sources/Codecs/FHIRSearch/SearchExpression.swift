/// The part of FHIRPath that the R4 search parameters are written in, as alternatives of steps.
///
/// A `|` between paths, also one in parentheses with steps after it, gives one alternative each. FHIRPath N1 §3, FHIR R4
/// fhirpath.html.
package struct SearchExpression: Sendable, Hashable {
    package enum Step: Sendable, Hashable {
        /// A member, or at the start the name of the resource type.
        case element(String)
        /// `as T`, `.as(T)`, `.ofType(T)`.
        case ofType(String)
        /// `[n]`.
        case index(Int)
        /// `.where(…)`.
        case filter(Filter)
        /// `%resource`: the root of the resource. Only at the start.
        case resource
    }

    /// What `where` may ask.
    package enum Filter: Sendable, Hashable {
        /// `name = 'text'`.
        case equals(String, String)
        /// `resolve() is T`.
        case resolvesTo(String)
        /// `hasExtension('url')`, or of an extension itself its url.
        case hasExtension(String)
    }

    /// A path that gives a boolean: true when all terms hold.
    package struct Term: Sendable, Hashable {
        package enum Test: Sendable, Hashable {
            case exists
            /// `!= literal`; the literal as JSON text without quotes.
            case differs(String)
            /// `= literal`.
            case equals(String)
        }
        package let steps: [Step]
        package let test: Test
    }

    package enum Alternative: Sendable, Hashable {
        case steps([Step])
        case truth([Term])
    }

    package let alternatives: [Alternative]

    /// Reads an expression; throws for what is outside of the subset, with the byte offset.
    package init(parsing text: String) throws(SearchExpressionError) {
        var parser = SearchExpressionParser(text)
        alternatives = try parser.expression()
    }
}

/// Why an expression is not in the subset.
package struct SearchExpressionError: Error, Sendable, Hashable {
    package enum Reason: String, Sendable, Hashable {
        case unexpectedCharacter, unexpectedEnd, unknownFunction, tooLong, tooDeep, mixedBoolean
    }
    package let reason: Reason
    /// Byte offset in the expression.
    package let offset: Int
}
