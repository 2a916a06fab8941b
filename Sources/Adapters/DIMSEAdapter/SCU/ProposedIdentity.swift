import DICOMNetwork

/// Who the user of an association that this side asks for is. PS3.7 §D.3.3.7.1.
package struct ProposedIdentity: Sendable {
    /// What proves it; tickets, assertions and tokens are fetched for each association, for they do not last.
    package enum Credential: Sendable {
        case userName(String)
        case userNameAndPasscode(String, passcode: String)
        case kerberosTicket(@Sendable () async throws -> [UInt8])
        case samlAssertion(@Sendable () async throws -> [UInt8])
        case jsonWebToken(@Sendable () async throws -> String)
    }

    /// How it is shown who the user is.
    package var credential: Credential
    /// Whether the peer must say that it has verified the user: one that says nothing is not used.
    package var mustBeConfirmed: Bool

    package init(_ credential: Credential, mustBeConfirmed: Bool = false) {
        self.credential = credential
        self.mustBeConfirmed = mustBeConfirmed
    }

    /// As it is proposed. Throws what fetching it throws, and ``TooLong``.
    func userIdentity() async throws -> UserIdentity {
        var identity = UserIdentity(kind: 1, positiveResponseRequested: mustBeConfirmed, primary: [])
        switch credential {
        case .userName(let name): identity.primary = Array(name.utf8)
        case .userNameAndPasscode(let name, let passcode):
            identity.kind = 2
            identity.primary = Array(name.utf8)
            identity.secondary = Array(passcode.utf8)
        case .kerberosTicket(let ticket):
            identity.kind = 3
            identity.primary = try await ticket()
        case .samlAssertion(let assertion):
            identity.kind = 4
            identity.primary = try await assertion()
        case .jsonWebToken(let token):
            identity.kind = 5
            identity.primary = Array(try await token().utf8)
        }
        guard identity.primary.count + identity.secondary.count <= UserIdentity.bytesMax else { throw TooLong() }
        return identity
    }

    /// What proves the user cannot be had, or may not be told to the peer: no association is asked for.
    package struct Unavailable: Error, CustomStringConvertible {
        /// What to do, without anything of the proof.
        package let description: String
        package init(_ description: String) { self.description = description }
    }

    /// More than ``DICOMNetwork/UserIdentity/bytesMax``.
    package struct TooLong: Error {}
}
