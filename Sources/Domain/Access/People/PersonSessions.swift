/// The port to the sessions of people in their browsers.
package protocol PersonSessions: Sendable {
    /// Who is signed in by the cookies of a request; nil for nobody. Throws when that cannot be told now.
    ///
    /// - Parameter cookies: the `Cookie` field as sent.
    func person(cookies: String?) async throws -> SignedInPerson?
    /// Where a browser is sent to sign in, also one that is signed in already, and come back.
    ///
    /// - Parameter path: of this server, with its query; begins with one `/`.
    func signInPath(returningTo path: String) -> String
    /// What every form of the person's session carries.
    func csrfToken(of person: SignedInPerson) -> String
    /// Whether a form came from a page of the person's session.
    func isCSRFToken(_ token: String, of person: SignedInPerson) -> Bool
}
