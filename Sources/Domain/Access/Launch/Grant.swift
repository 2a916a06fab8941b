/// What a person has let an application do: the family of every token that comes of one authorization. RFC 6749 §1.3.
package struct Grant: Sendable, Hashable {
    /// Opaque, unique.
    package var id: String
    package var clientID: String
    /// ``SignedInPerson/accountID``.
    package var accountID: String
    /// The session in which it was given.
    package var sessionID: String
    /// For people.
    package var displayName: String
    /// ``SignedInPerson/fhirUser``.
    package var fhirUser: String?
    /// What scopes of the user level speak of, as it was when the grant was given.
    package var reach: [Compartment]
    /// As what the person works here; nil for a patient.
    package var role: Practice.Role?
    /// The logical id of the patient whom an EHR has shown by the launch, who is within the person's practice for as long as
    /// this grant lives.
    package var launched: String?
    package var scopes: GrantedScopes
    package var context: LaunchContext
    /// ``SignedInPerson/signedInAt``.
    package var signedInAt: Int64
    /// Microseconds since the epoch.
    package var grantedAt: Int64
    /// When nothing that came of it works any more; microseconds since the epoch.
    package var expires: Int64
    /// Set once it was taken back; microseconds since the epoch.
    package var revokedAt: Int64?

    package init(
        id: String, clientID: String, person: SignedInPerson, scopes: GrantedScopes, context: LaunchContext,
        launched: String? = nil, grantedAt: Int64, expires: Int64
    ) {
        self.init(
            id: id, clientID: clientID, accountID: person.accountID, sessionID: person.sessionID,
            displayName: person.displayName, fhirUser: person.fhirUser, reach: person.reach, role: person.role.practice,
            launched: person.role.practice == nil ? nil : launched, scopes: scopes, context: context,
            signedInAt: person.signedInAt, grantedAt: grantedAt, expires: expires)
    }

    package init(
        id: String, clientID: String, accountID: String, sessionID: String, displayName: String, fhirUser: String?,
        reach: [Compartment], role: Practice.Role? = nil, launched: String? = nil, scopes: GrantedScopes,
        context: LaunchContext, signedInAt: Int64, grantedAt: Int64,
        expires: Int64, revokedAt: Int64? = nil
    ) {
        self.id = id
        self.clientID = clientID
        self.accountID = accountID
        self.sessionID = sessionID
        self.displayName = displayName
        self.fhirUser = fhirUser
        self.reach = reach
        self.role = role
        self.launched = launched
        self.scopes = scopes
        self.context = context
        self.signedInAt = signedInAt
        self.grantedAt = grantedAt
        self.expires = expires
        self.revokedAt = revokedAt
    }

    /// What the person sees who works here, at a time in microseconds; nil for a patient.
    package func practice(at time: Int64, _ policy: AccessPolicy) -> Practice? {
        role.map {
            Practice(
                $0, accountID: accountID, fhirUser: fhirUser, launched: launched.map { [$0] } ?? [], time: time,
                policy: policy)
        }
    }

    /// The person by the application.
    package var principal: Principal { .person(accountID, client: clientID, name: displayName) }

    /// Whether its refresh tokens end with the person's session.
    package var endsWithSession: Bool {
        scopes.others.contains(.onlineAccess) && !scopes.others.contains(.offlineAccess)
    }
}

/// A code that was given for a grant, to be exchanged once. RFC 6749 §4.1.2.
package struct AuthorizationCode: Sendable, Hashable {
    /// SHA-256 of the code.
    package var digest: [UInt8]
    package var grantID: String
    /// As in the request, byte for byte.
    package var redirectURI: String
    /// `S256` of the verifier, in base64url. RFC 7636 §4.2.
    package var challenge: String
    /// For the id_token. OpenID Connect Core 1.0 §3.1.2.1.
    package var nonce: String?
    /// Microseconds since the epoch.
    package var expires: Int64

    package init(
        digest: [UInt8], grantID: String, redirectURI: String, challenge: String, nonce: String?, expires: Int64
    ) {
        self.digest = digest
        self.grantID = grantID
        self.redirectURI = redirectURI
        self.challenge = challenge
        self.nonce = nonce
        self.expires = expires
    }
}

/// A refresh token of a grant; each is exchanged for the next one. RFC 9700 §4.14.2.
package struct RefreshToken: Sendable, Hashable {
    /// SHA-256 of the token.
    package var digest: [UInt8]
    package var grantID: String
    /// Microseconds since the epoch.
    package var expires: Int64

    package init(digest: [UInt8], grantID: String, expires: Int64) {
        self.digest = digest
        self.grantID = grantID
        self.expires = expires
    }
}
