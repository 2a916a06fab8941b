/// What a person has agreed to and is not asked again: one application, as it was registered then, for one patient or for
/// none.
package struct RememberedConsent: Sendable, Hashable {
    package var accountID: String
    package var clientID: String
    /// The logical id of the patient whom the token was for; nil where it was for none.
    package var patientID: String?
    /// What the application had asked for, as far as it could be given.
    package var asked: GrantedScopes
    /// What the person left of that.
    package var agreed: GrantedScopes
    /// SHA-256 over what the registration said.
    package var registration: [UInt8]
    /// Microseconds since 1970 UTC.
    package var agreedAt: Int64
    /// When the person is asked again; microseconds since 1970 UTC.
    package var expires: Int64

    package init(
        accountID: String, clientID: String, patientID: String?, asked: GrantedScopes, agreed: GrantedScopes,
        registration: [UInt8], agreedAt: Int64, expires: Int64
    ) {
        self.accountID = accountID
        self.clientID = clientID
        self.patientID = patientID
        self.asked = asked
        self.agreed = agreed
        self.registration = registration
        self.agreedAt = agreedAt
        self.expires = expires
    }

    /// What is left of an offer by what was agreed; nil where more is offered than was asked then, or nothing is left.
    package func answer(to offer: GrantedScopes) -> GrantedScopes? {
        let known = (resources: Set(asked.resources), others: Set(asked.others))
        guard offer.resources.allSatisfy(known.resources.contains), offer.others.allSatisfy(known.others.contains)
        else { return nil }
        let kept = (resources: Set(agreed.resources), others: Set(agreed.others))
        let left = GrantedScopes(
            resources: offer.resources.filter(kept.resources.contains),
            others: offer.others.filter(kept.others.contains))
        return left.resources.isEmpty && !left.others.contains(.openid) ? nil : left
    }
}

/// What an application may do in a person's name at the moment, for the person.
package struct AppAccess: Sendable, Hashable {
    package var clientID: String
    /// As it is registered; its id where it is registered no more.
    package var name: String
    /// Of the grants that live, and of what is remembered.
    package var scopes: GrantedScopes
    /// The youngest of both; microseconds since 1970 UTC.
    package var since: Int64
    /// Until when the person is not asked again; nil where they are. Microseconds since 1970 UTC.
    package var rememberedUntil: Int64?

    package init(clientID: String, name: String, scopes: GrantedScopes, since: Int64, rememberedUntil: Int64?) {
        self.clientID = clientID
        self.name = name
        self.scopes = scopes
        self.since = since
        self.rememberedUntil = rememberedUntil
    }
}

/// The port to what people are not asked again. What ends all sessions of an account forgets these as well.
package protocol ConsentDirectory: Sendable {
    /// One that has not expired.
    func consent(
        of accountID: String, clientID: String, patientID: String?, at time: Int64
    ) async throws -> RememberedConsent?
    /// Keeps one in the place of what there was for the same person, application and patient. False where the session in
    /// which it was given has ended meanwhile.
    func remember(_ consent: RememberedConsent, inSession sessionID: String) async throws -> Bool
    /// The applications that may do something in a person's name or need not ask, in the order of their ids; at most 200.
    func access(of accountID: String, at time: Int64) async throws -> [AppAccess]
    /// Forgets what was agreed with an application, and revokes all that it was authorized to do in the person's name. False
    /// where there was nothing.
    func withdraw(clientID: String, of accountID: String, at time: Int64) async throws -> Bool
}
