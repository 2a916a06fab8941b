/// The bounds of one search, so that no query a client can write costs more than a known amount.
package struct SearchLimits: Sendable, Hashable {
    /// Name and value pairs of one request.
    package var parametersMax: Int
    /// Bytes of one parameter's name or value after percent-decoding.
    package var textBytesMax: Int
    /// Values of one parameter joined by commas (OR).
    package var valuesMax: Int
    /// Conditions of one search, counted as the database has to look at them: each parameter that is not repeated, each
    /// of its values that needs a look of its own, and each step of a chain.
    package var conditionsMax: Int
    /// References followed by one chained parameter, `a.b.c=` being two. With ``reverseChainDepthMax`` at most 5: SQLite's
    /// parser has no room for more steps. FHIR R4 search.html#chaining.
    package var chainDepthMax: Int
    /// Nested `_has`. FHIR R4 search.html#has.
    package var reverseChainDepthMax: Int
    /// Keys of `_sort`.
    package var sortKeysMax: Int
    /// `_include` and `_revinclude` together.
    package var includesMax: Int
    /// The largest page. A larger `_count` is lowered to it, as FHIR R4 search.html#count allows.
    package var countMax: Int
    /// Included resources of one page.
    package var includedMax: Int
    /// Rounds of `:iterate`.
    package var includeRoundsMax: Int
    /// Bytes of the resources on one page, about: a page that would be larger ends earlier, with a link to the next.
    package var pageBytesMax: Int
    /// Seconds for which the links to further pages of one search work, from its first page on.
    package var linkSeconds: Int64

    /// What the server uses.
    package static let standard = SearchLimits(
        parametersMax: 1000, textBytesMax: 65_536, valuesMax: 500, conditionsMax: 200, chainDepthMax: 3,
        reverseChainDepthMax: 2, sortKeysMax: 4, includesMax: 16, countMax: 1000, includedMax: 1000,
        includeRoundsMax: 3, pageBytesMax: 64 << 20, linkSeconds: 3600)
}
