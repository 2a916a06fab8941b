/// The port to who is signed in at a browser.
package protocol PersonSessions: Sendable {
    /// The person whose session a Cookie header names; nil where none is signed in with all factors. Throws when that
    /// cannot be told now.
    func person(cookies: String?) async throws -> SignedInPerson?
    /// Where a person signs in who is then to go on to a path of this server: a path with its query.
    func signInPath(returningTo path: String) -> String
    /// What each form that changes something carries, the same for all of a session.
    func csrfToken(of person: SignedInPerson) -> String
    /// Whether a form was made for the session that sends it; compared in constant time.
    func isCSRFToken(_ token: String, of person: SignedInPerson) -> Bool
}
