import Access
import FHIRModel
import FHIRSearch
import Workflow

/// One change of a resource, as a client states it: the value that every door and each entry of a Bundle gives.
///
/// It is applied to a unit of work, which returns what is answered from; nothing is read again after the commit. Several
/// applied to one unit are a transaction. FHIR R4 http.html#create, #update, #patch, #delete. House decision 8.
package struct ResourceChange: Sendable {
    package enum Action: Sendable {
        case create(JSONDocument)
        case update(JSONDocument)
        case patch(any ResourcePatch)
        case delete
    }

    /// Which resource is meant.
    package enum Target: Sendable {
        /// A new one. The id is the server's choice, unless one was chosen before so that others could refer to it.
        case new(EntityID? = nil)
        case id(String)
        /// The one that a search finds in the unit itself. FHIR R4 http.html#ccreate, #cond-update, #3.1.0.7.1.
        case matching(SearchQuery)
    }

    package var type: String
    package var action: Action
    package var target: Target
    package var precondition: WritePrecondition
    /// How many resources a conditional deletion may take; one more is `.preconditionFailed`.
    package var matchesMax = 1

    package init(
        _ type: String, _ action: Action, _ target: Target, _ precondition: WritePrecondition = .none,
        matchesMax: Int = 1
    ) {
        self.type = type
        self.action = action
        self.target = target
        self.precondition = precondition
        self.matchesMax = matchesMax
    }

    /// The change alone in its unit. Throws ``InteractionError``, and what the domain's services throw.
    package func apply(in unit: any ResourceUnitOfWork) throws -> ChangeResult {
        let made = try resolve(in: unit).make(in: unit)
        try unit.settle()
        return try made.result(in: unit)
    }

    /// As it is called in the audit trail and the CapabilityStatement. FHIR R4 valueset-restful-interaction.html.
    package var interaction: String {
        switch action {
        case .create: "create"
        case .update: "update"
        case .patch: "patch"
        case .delete: "delete"
        }
    }

    /// A write needs the letter without conditions: whether a changed resource still fits a granular scope could be
    /// told only after the change. Throws `.forbidden`.
    package func check(_ access: AccessContext) throws {
        let permission: Permissions =
            switch action {
            case .create: .create
            case .update, .patch: .update
            case .delete: .delete
            }
        guard access.visibility(permission, of: type).isWhole else {
            throw InteractionError(.forbidden, "no scope for this interaction on \(type)")
        }
        if case .patch = action, !access.allows(.read, on: type) {
            throw InteractionError(.forbidden, "no scope to read \(type), which a patch does")
        }
        guard case .matching = target else { return }
        guard access.allows(.search, on: type) else {
            throw InteractionError(.forbidden, "no scope to search \(type), which a condition does")
        }
    }
}

/// A change of a resource in terms of its present content: JSON Patch, FHIRPath Patch. FHIR R4 http.html#patch.
package protocol ResourcePatch: Sendable {
    /// The resource as it is to be. Throws ``InteractionError``: what cannot be applied is `.invalid`.
    func patched(_ document: JSONDocument) throws -> JSONDocument
}

/// What became of a ``ResourceChange``.
package struct ChangeResult: Sendable {
    package enum Outcome: String, Sendable, Hashable {
        case created, updated
        /// It was so already: there is no new version.
        case unchanged
        /// A conditional create found this one, and made none.
        case found
        case deleted
        /// There was nothing to delete.
        case absent
    }

    package let outcome: Outcome
    /// As it will be committed, the projection of the domain in it; of a deletion the marker. More than one only of a
    /// conditional deletion, none of ``Outcome/absent``.
    package let resources: [StoredResource]
    /// Whether the caller may see the content of the resource: it may hold more than it sent.
    package let isVisible: Bool

    package var resource: StoredResource? { resources.first }
}
