/// What of a patient's record a person chooses for an application that no EHR has launched. SMART 2.2 §Requesting context with
/// scopes, §fhirContext.
package enum ContextType: String, Sendable, Hashable, CaseIterable {
    case imagingStudy = "ImagingStudy"
    case encounter = "Encounter"

    /// The scope that asks for one.
    package var scope: LaunchScope {
        switch self {
        case .imagingStudy: .launchImagingStudy
        case .encounter: .launchEncounter
        }
    }
}

extension LaunchContext {
    /// Puts a resource in context: an encounter as the member of its own, any other as an element of ``fhirContext``.
    ///
    /// - Parameter id: the logical id.
    package mutating func set(_ type: ContextType, _ id: String) {
        switch type {
        case .encounter: encounter = id
        case .imagingStudy: fhirContext.append(Item(reference: type.rawValue + "/" + id))
        }
    }

    /// Whether a resource of the type is in context.
    package func names(_ type: ContextType) -> Bool {
        switch type {
        case .encounter: encounter != nil
        case .imagingStudy:
            fhirContext.contains { $0.reference.flatMap { LaunchReference.parts($0) }?.type == type.rawValue }
        }
    }
}

/// A resource of a patient as shown to who chooses one.
package struct ContextChoice: Sendable, Hashable {
    /// The logical id.
    package var id: String
    /// For people: the day and what was done.
    package var label: String

    package init(id: String, label: String) {
        self.id = id
        self.label = label
    }
}
