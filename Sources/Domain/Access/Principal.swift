/// Who is asking: an application, a hospital system on a wire, an operator, or the server itself.
///
/// A principal carries no rights; rights are the scopes of an ``AccessContext``.
package struct Principal: Sendable, Hashable {
    /// How the principal was recognised.
    package enum Kind: String, Sendable, Hashable {
        /// A registered SMART client that presented an access token.
        case client
        /// A person who is signed in, by themself or by a SMART client that they have authorized.
        case person
        /// A DICOM application entity, known by its AE title.
        case applicationEntity = "application-entity"
        /// An HL7 v2 sender, known by MSH-3 and MSH-4.
        case messageSender = "message-sender"
        /// A person at the command line of this machine.
        case `operator`
        /// The server's own work (projection, sweep, export worker).
        case server
        /// Nobody known: a request without valid credentials.
        case anonymous
    }

    package let kind: Kind
    /// The client id, `account|client id` (the account's id alone for a person by themself), AE title,
    /// `application|facility`, or user name. Unique within `kind`.
    package let id: String
    /// A name for people, shown in audit listings.
    package let name: String

    package init(kind: Kind, id: String, name: String? = nil) {
        self.kind = kind
        self.id = id
        self.name = name ?? id
    }

    /// A person, by themself or by a client: what two people do by one client is told apart, and nothing that is kept for
    /// one of them serves the other.
    package static func person(_ accountID: String, client: String?, name: String) -> Principal {
        Principal(kind: .person, id: client.map { accountID + "|" + $0 } ?? accountID, name: name)
    }

    /// The server itself.
    package static let server = Principal(kind: .server, id: "hilum")
    /// A caller who could not be recognised.
    package static let anonymous = Principal(kind: .anonymous, id: "anonymous")
}
