import FHIRModel

/// Why an interaction was refused. The HTTP edge translates each code once.
package struct InteractionError: Error, Sendable {
    package enum Code: String, Sendable, Hashable, CaseIterable {
        /// Not JSON, or not a resource: 400.
        case malformed
        /// A resource that breaks its definition: 422.
        case invalid
        /// The body's type or id is not the URL's: 400.
        case mismatch
        /// Not granted: 403.
        case forbidden
        /// Never there, or not visible: 404.
        case notFound
        /// Deleted: 410.
        case gone
        /// Another resource holds an identifier, or something depends on this one: 409.
        case conflict
        /// If-Match names another version, or a conditional create matched several: 412.
        case preconditionFailed
        /// A search that the server does not support: 400.
        case unsupported
    }
    package let code: Code
    /// A sentence for the client, without clinical values.
    package let message: String
    /// FHIRPath-like places of what is wrong, each with its own sentence.
    package let issues: [(expression: String, message: String)]
    package init(_ code: Code, _ message: String, issues: [(expression: String, message: String)] = []) {
        self.code = code
        self.message = message
        self.issues = issues
    }
}

/// A resource holds what another one was to be given. Which one it is is told to those only who may read it.
struct HeldElsewhere: Error {
    let type: String
    let id: String
    /// What is held: `an identifier of this Patient`.
    let what: String
}
