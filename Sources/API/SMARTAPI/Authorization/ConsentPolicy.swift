import Access
import Cryptography

/// When a person is not asked: what they agreed to before is remembered for a time, and this server's own application is
/// nobody else to ask about.
package struct ConsentPolicy: Sendable {
    /// An application that this server serves itself, from its own origin: what it is given stays where it is. No other
    /// application is one, whatever it is called.
    package struct OwnApplication: Sendable, Hashable {
        let clientID: String
        let redirectURI: String

        /// - Parameter redirectURI: the one at which it is served, byte for byte as registered.
        package init(clientID: String, redirectURI: String) {
            self.clientID = clientID
            self.redirectURI = redirectURI
        }
    }

    /// Nil where nothing is remembered.
    let directory: (any ConsentDirectory)?
    /// How long, in microseconds.
    let lifetime: Int64
    let own: OwnApplication?

    /// Everybody is asked each time.
    package static let alwaysAsk = ConsentPolicy(directory: nil, days: 0, own: nil)

    /// - Parameters:
    ///   - days: how long a person is not asked again; 0 remembers nothing.
    ///   - own: nil where that one asks like any other.
    package init(directory: (any ConsentDirectory)?, days: Int64, own: OwnApplication?) {
        self.directory = days > 0 ? directory : nil
        lifetime = days * 86_400 * 1_000_000
        self.own = own
    }

    /// Whether there is anybody who is not asked.
    var mayAnswer: Bool { directory != nil || own != nil }

    /// Whether what is agreed with an application may stand for the next time. A public one has nothing to prove itself by:
    /// its https address is its own, while its private-use scheme or a port of loopback is whoever's that takes it on the
    /// device, so that a person looks each time. RFC 8252 §8.6; RFC 6749 §10.2.
    func mayRemember(_ request: AuthorizationRequest) -> Bool {
        directory != nil && (!request.client.isPublic || request.addressee.redirectURI.hasPrefix("https://"))
    }

    func isOwn(_ request: AuthorizationRequest) -> Bool {
        request.client.id == own?.clientID && request.addressee.redirectURI == own?.redirectURI
            && request.client.redirectURIs == [own?.redirectURI] && request.client.isPublic
    }

    /// What a person is given without a page; nil where they are to be asked.
    /// - Parameters:
    ///   - onlyPatient: whom alone the person could choose; nil where there is a choice.
    ///   - time: microseconds since 1970 UTC.
    func answer(
        to asked: AuthorizationRequest, _ person: SignedInPerson, _ offer: AuthorizationOffer, onlyPatient: String?,
        at time: Int64
    ) async throws -> Answer? {
        // What of a patient's record it is for is chosen each time.
        guard !asked.prompt.contains("consent"), offer.contextTypes.isEmpty else { return nil }
        var context = offer.context
        if offer.needsPatient { context.patient = onlyPatient }
        if isOwn(asked) {
            return offer.needsPatient && context.patient == nil
                ? nil : Answer(scopes: offer.scopes, context: context, reason: "own application: ")
        }
        guard mayRemember(asked) else { return nil }
        // Who left out all that speaks of a patient has chosen none.
        for patient in offer.needsPatient && context.patient != nil ? [context.patient, nil] : [context.patient] {
            guard
                let kept = try await directory?.consent(
                    of: person.accountID, clientID: asked.client.id, patientID: patient, at: time),
                kept.registration == Self.digest(asked.client), let scopes = kept.answer(to: offer.scopes),
                patient != nil || !AuthorizationOffer.asksForPatient(scopes)
            else { continue }
            context.patient = patient
            return Answer(scopes: scopes, context: context, reason: "agreed before: ")
        }
        return nil
    }

    /// What is given without a page.
    struct Answer: Sendable {
        let scopes: GrantedScopes
        let context: LaunchContext
        /// For the audit trail.
        let reason: String
    }

    /// Over all of a registration that a person may have looked at, or that says who the application is: once it changes,
    /// they are asked again.
    static func digest(_ client: Client) -> [UInt8] {
        let parts =
            [
                client.id, client.name, client.jwks ?? "", client.jwksURL ?? "", client.launchURL ?? "",
                client.isPublic ? "public" : "confidential",
                GrantedScopes(resources: client.scopes, others: client.launchScopes).text,
            ] + client.redirectURIs
        return SHA256.digest(parts.map { "\($0.utf8.count):\($0)" }.joined().utf8)
    }
}
