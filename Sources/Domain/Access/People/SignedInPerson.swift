/// A person who is signed in, as the authorization endpoint needs them.
package struct SignedInPerson: Sendable, Hashable {
    /// What a person is here, which decides what their apps may ask for.
    package enum Role: String, Sendable, Hashable, CaseIterable {
        case referrer, reader, administrator, patient, `operator`

        /// By its name; `practitioner` stands for a referrer, as it was called before there were readers.
        package init?(name: String) {
            guard let role = Role(rawValue: name == "practitioner" ? "referrer" : name) else { return nil }
            self = role
        }

        /// As what somebody works here; nil for a patient, and for an operator, whose pages show no one's record.
        package var practice: Practice.Role? {
            switch self {
            case .referrer: .referrer
            case .reader: .reader
            case .administrator: .administrator
            case .patient, .operator: nil
            }
        }
    }

    /// Opaque and never given to another account: the `sub` of an id_token. OpenID Connect Core 1.0 §2.
    package var accountID: String
    package var role: Role
    /// For people, on pages and consents.
    package var displayName: String
    /// A relative reference: `Practitioner/1`, `Patient/7`. SMART 2.2 §Scopes for requesting identity data.
    package var fhirUser: String?
    /// The logical ids of the patients whom they are or act for.
    package var patientIDs: [String]
    /// Opaque, one for each sign-in; not what the cookie holds.
    package var sessionID: String
    /// When they had given all factors, in milliseconds since 1970 UTC: `auth_time`. 0 where nobody has told, which is long
    /// ago.
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
