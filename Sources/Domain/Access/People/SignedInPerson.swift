/// A person who is signed in, as the authorization endpoint needs them.
package struct SignedInPerson: Sendable, Hashable {
    package enum Role: String, Sendable, Hashable, CaseIterable {
        case practitioner, patient, `operator`
    }

    /// Opaque and stable: `sub` of what is issued. OpenID Connect Core 1.0 §2.
    package var accountID: String
    package var role: Role
    /// For people: shown on pages.
    package var displayName: String
    /// The resource that stands for the person, relative: `Practitioner/1`. SMART 2.2 §Scopes for requesting identity data.
    package var fhirUser: String?
    /// Logical ids of Patient resources: a patient's own, or those they act for.
    package var patientIDs: [String]
    /// Opaque id of the session, for one CSRF token a session.
    package var sessionID: String
    /// When the person proved who they are; milliseconds since 1970-01-01T00:00:00Z. For `auth_time`.
    package var signedInAt: Int64

    package init(
        accountID: String, role: Role, displayName: String, fhirUser: String?, patientIDs: [String], sessionID: String,
        signedInAt: Int64
    ) {
        self.accountID = accountID
        self.role = role
        self.displayName = displayName
        self.fhirUser = fhirUser
        self.patientIDs = patientIDs
        self.sessionID = sessionID
        self.signedInAt = signedInAt
    }
}
