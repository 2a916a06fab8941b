import FHIRModel

/// What a projection will change of one resource: worked out on one state of it, to be applied while that state stands.
///
/// Working it out costs as much as the resource is large; a study of thousands of instances is prepared outside of the
/// unit of work that stores it, so that no writer waits meanwhile.
package struct PreparedProjection: Sendable {
    package enum Change: Sendable {
        /// The resource says it already.
        case none
        case put(JSONDocument, StoredResource.Method)
        case delete
    }

    package let type: String
    package let id: String
    /// The version it was worked out on, a deletion marker included; nil when the id was never used.
    package let basis: StoredResource?
    package let change: Change
    /// The projection, when the resource will consist of nothing else.
    package let kept: JSONValue?

    /// Stores the change. The current version must be ``basis``.
    func apply(in unit: any ResourceUnitOfWork) throws {
        let stored: StoredResource?
        switch change {
        case .none: stored = basis
        case .put(let document, let method): stored = try unit.putResource(type, id, document, method: method)
        case .delete: stored = try unit.deleteResource(type, id)
        }
        if let kept, let stored { unit.keep(kept, of: stored) }
    }
}
