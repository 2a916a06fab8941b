/// What a client requires of the current version for its write to happen.
///
/// A resource that was never there, or is deleted, has no version: no tag of If-Match holds then, and every
/// If-None-Match does. RFC 9110 §13.1.1, §13.1.2, FHIR R4 http.html#concurrency.
package struct WritePrecondition: Sendable, Hashable {
    /// Entity tags as a client names them.
    package enum Tags: Sendable, Hashable {
        /// `*`: whatever version there is.
        case any
        /// Opaque tags without their quotes; those that this server made are a version's number. A tag of another kind is
        /// no error, it is nobody's.
        case listed([String])

        /// Whether one of them is that of `version`; nil stands for a resource that is not there.
        package func hold(_ version: Int64?) -> Bool {
            guard let version else { return false }
            return switch self {
            case .any: true
            case .listed(let tags): tags.contains(String(version))
            }
        }
    }

    /// One of these must be current.
    package var ifMatch: Tags?
    /// None of these may be current.
    package var ifNoneMatch: Tags?

    package init(ifMatch: Tags? = nil, ifNoneMatch: Tags? = nil) {
        self.ifMatch = ifMatch
        self.ifNoneMatch = ifNoneMatch
    }

    /// Nothing is required.
    package static let none = WritePrecondition()

    /// Throws `InteractionError(.preconditionFailed)`.
    /// - Parameter current: the newest version, a deletion marker included; nil when the id was never used.
    func check(_ current: StoredResource?) throws {
        let version = current.flatMap { $0.isDeleted ? nil : $0.version }
        if let ifMatch, !ifMatch.hold(version) {
            throw InteractionError(.preconditionFailed, "If-Match names another version than the current one")
        }
        if let ifNoneMatch, ifNoneMatch.hold(version) {
            throw InteractionError(.preconditionFailed, "If-None-Match names the current version")
        }
    }
}
