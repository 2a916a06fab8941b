import FHIRModel
import FHIRSearch

/// What the FHIR base takes at most. reliability-security §1.5.
package struct FHIRLimits: Sendable, Hashable {
    /// Of a body that a client sends.
    package var json = JSONLimits.resource
    /// Of a query or a form.
    package var search = SearchLimits.standard
    /// Entries of a Bundle that is stored.
    package var bundleEntriesMax = 5000
    /// Bytes of the resources and outcomes that answer the entries of a batch or transaction.
    package var bundleAnswerBytesMax = 64 << 20
    /// Exports that one client may have accepted or running; one more is 429.
    package var exportsPerClientMax = 5
    /// Of bulk imports.
    package var imports = ImportLimits()
    /// What is done with a narrative that holds more than R4 allows.
    package var narrative = NarrativePolicy.refuse
    /// How many resources a conditional deletion may take.
    package var conditionalDelete = ConditionalDelete.single
    /// The defaults.
    package init() {}
}

/// What a conditional deletion does where several resources match.
package enum ConditionalDelete: String, Sendable, Hashable, CaseIterable {
    /// It is refused. FHIR R4 valueset-conditional-delete-status.html.
    case single
    /// All are deleted, up to ``severalMax``.
    case multiple

    /// More than one unit of work should hold.
    package static let severalMax = 1_000

    /// How many matches are deleted; at one more the whole is refused.
    package var max: Int { self == .single ? 1 : Self.severalMax }
}
