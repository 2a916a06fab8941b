import Access

/// Another authorization server whose tokens are taken here, by configuration: how they are checked, and the most that they
/// give. SMART Imaging Access; RFC 9068; RFC 7662.
package struct OutsideServer: Sendable {
    package enum Means: Sendable {
        /// Signed tokens, by the keys that the server publishes; at its discovery's place where none is given.
        case signature(keySetURL: String?, algorithms: [SignatureAlgorithm], lifetimeMax: Int64)
        /// By asking it, at its discovery's place where none is given. An answer is kept for so many seconds.
        case introspection(url: String?, client: OutsideClient, keepSeconds: Int64)
    }

    /// As it names itself, byte for byte.
    package let issuer: String
    package let means: Means
    /// What tokens must be for: this server's FHIR base, unless the other server knows it as something else.
    package let audience: String
    /// Whether an introspection must say whom the token is for. RFC 7662 §2.2 lets a server leave it out: one that does, and
    /// that calls tokens for others active as well, would have this server take those.
    package var needsAudience = true
    /// What its tokens give at most.
    package let ceiling: [Scope]
    /// The claim that names the patient in context.
    package var patientClaim = "patient"
    /// The system of the identifiers that it holds; nil where it holds logical ids of this server.
    package var patientSystem: String?
    /// The claim that names who the person is.
    package var fhirUserClaim = "fhirUser"
    /// What stands before `Practitioner/1` in it.
    package var fhirUserBase: String

    package init(issuer: String, means: Means, audience: String, ceiling: [Scope], fhirUserBase: String) {
        self.issuer = issuer
        self.means = means
        self.audience = audience
        self.ceiling = ceiling
        self.fhirUserBase = fhirUserBase
    }

    var isAsked: Bool { if case .introspection = means { true } else { false } }

    /// What a token says, checked, and not yet anybody's here.
    struct Statement: Sendable {
        var clientID: String
        /// Nil for a client by itself, where it is not told.
        var subject: String?
        var scopes: [Scope]
        /// Seconds since the epoch.
        var expires: Int64
        var identifier: String?
        var claims: JOSEValue
    }

    // MARK: Signed tokens

    /// Checks a signed access token but for its signature. `now` in seconds since the epoch. RFC 9068 §4.
    func statement(_ token: IssuedToken, lifetimeMax: Int64, now: Int64) throws(IssuedToken.Refusal) -> Statement {
        // An id_token of the same issuer is no access token.
        guard ["at+jwt", "application/at+jwt"].contains(token.type) else { throw .type }
        let expires = try token.checkIssuerAndTime(issuer, now: now).expires
        guard expires <= now + lifetimeMax + IssuedToken.skew else { throw .lifetime }
        guard token.audiences.contains(where: { $0.utf8.elementsEqual(audience.utf8) }) else { throw .audience }
        guard let client = Self.name(token.claims["client_id"]), let identifier = Self.name(token.claims["jti"]) else {
            throw .claims
        }
        return Statement(
            clientID: client, subject: try token.subject(), scopes: scopes(token.claims["scope"]), expires: expires,
            identifier: identifier, claims: token.claims)
    }

    // MARK: Introspection

    /// However long a token lives, in seconds: what is found is asked for again long before.
    private static let introspectedLifetimeMax: Int64 = 86_400

    /// What an answer says. Throws for a token that does not work here. `now` in seconds since the epoch. RFC 7662 §2.2.
    func statement(
        introspected answer: JOSEValue, keepSeconds: Int64, now: Int64
    ) throws(IssuedToken.Refusal) -> Statement {
        guard answer["active"] == .boolean(true) else { throw .inactive }
        guard let client = Self.name(answer["client_id"]) else { throw .claims }
        if let claimed = answer["iss"] {
            guard claimed.text.map({ $0.utf8.elementsEqual(issuer.utf8) }) == true else { throw .issuer }
        }
        if answer["aud"] == nil {
            guard !needsAudience else { throw .noAudience }
        } else {
            let told = IssuedToken.audiences(answer)
            guard told.contains(where: { $0.utf8.elementsEqual(audience.utf8) }) else { throw .audience }
        }
        try IssuedToken.checkNotBefore(answer, now: now)
        var expires = now + keepSeconds
        if let told = answer["exp"] {
            guard let seconds = told.integer, seconds > now else { throw .expired }
            expires = min(seconds, now + Self.introspectedLifetimeMax)
        }
        var subject: String?
        if let told = answer["sub"] {
            guard let text = told.text, OutsideIdentity.isSubject(text) else { throw .subject }
            subject = text
        }
        if let type = answer["token_type"]?.text?.lowercased(), type != "bearer", !type.contains("access_token") {
            throw .type
        }
        return Statement(
            clientID: client, subject: subject, scopes: scopes(answer["scope"]), expires: expires,
            identifier: Self.name(answer["jti"]), claims: answer)
    }

    // MARK: Details

    /// What of the token's scopes is under the ceiling.
    private func scopes(_ claim: JOSEValue?) -> [Scope] {
        let words = (claim?.text ?? "").split(separator: " ")
        guard words.count <= TokenEndpoint.scopesMax else { return [] }
        return words.compactMap { Scope(String($0)) }.granted(from: ceiling)
    }

    private static func name(_ value: JOSEValue?) -> String? {
        value?.text.flatMap { OutsideIdentity.isSubject($0) ? $0 : nil }
    }

    /// The patient in context, as the other server knows them.
    func patient(_ claims: JOSEValue) -> String? {
        guard let text = claims[patientClaim]?.text, (1...255).contains(text.utf8.count) else { return nil }
        return text
    }

    /// Who the person is in the record, and so in which role: a relative reference.
    func person(_ claims: JOSEValue) -> (fhirUser: String, role: SignedInPerson.Role, patientIDs: [String])? {
        guard let text = claims[fhirUserClaim]?.text, text.hasPrefix(fhirUserBase + "/") else { return nil }
        let user = String(text.dropFirst(fhirUserBase.count + 1))
        if let patient = Compartment.patientID(reference: user) { return (user, .patient, [patient]) }
        let types = ["Practitioner", "PractitionerRole"]
        return LaunchReference.parts(user).flatMap { types.contains($0.type) ? (user, .referrer, []) : nil }
    }
}
