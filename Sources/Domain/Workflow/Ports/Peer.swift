import Access

/// A system that talks with this server: what it may do here, and what it does for us.
package struct Peer: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
        case applicationEntity = "ae"
        case messageSender = "mllp"

        /// What a peer of this kind can be allowed.
        package var roles: Set<Role> {
            switch self {
            case .applicationEntity: [.echo, .store, .reject, .worklist, .query, .retrieve, .commit, .mpps, .ups]
            case .messageSender: [.adt, .orders, .results]
            }
        }

        /// What one may do that is not on the list, where a site serves such callers at all: bring in and see work, but
        /// not look through what is stored, and not delete it.
        package var rolesOfUnknown: Set<Role> { roles.subtracting([.reject, .query, .retrieve, .commit, .ups]) }

        /// What a peer of this kind may do for which nothing else was said: no more than show that it is connected.
        package var leastRoles: Set<Role> {
            switch self {
            case .applicationEntity: [.echo]
            case .messageSender: []
            }
        }

        /// What a peer of this kind can offer.
        package var services: Set<Service> {
            switch self {
            case .applicationEntity: [.echo, .find, .move, .get, .store, .commit, .mpps, .ian, .worklist, .ups]
            case .messageSender: [.adt, .orders, .results]
            }
        }

        /// What one offers of which nothing else was said.
        package var leastServices: Set<Service> {
            switch self {
            case .applicationEntity: [.echo]
            case .messageSender: []
            }
        }
    }

    /// Something that a peer may do here.
    package enum Role: String, Sendable, Hashable, Codable, CaseIterable {
        /// C-ECHO.
        case echo
        /// C-STORE.
        case store
        /// Deleting: C-STORE of rejection notes, beside ``store``.
        case reject
        /// C-FIND of the modality worklist.
        case worklist
        /// C-FIND of stored patients, studies, series and instances.
        case query
        /// C-GET and C-MOVE of stored instances.
        case retrieve
        /// N-ACTION of storage commitment, and N-EVENT-REPORT of what it was asked itself.
        case commit
        /// N-CREATE, N-SET and N-GET of performed procedure steps.
        case mpps
        /// Workitems: UPS Push, Pull, Watch and Query.
        case ups
        /// Patients and visits: ADT messages.
        case adt
        /// Orders: ORM, OMG and OMI messages.
        case orders
        /// Results and reports: ORU messages.
        case results
    }

    /// Something that a peer does when this server asks for it: it is the SCP, or the receiver of messages.
    package enum Service: String, Sendable, Hashable, Codable, CaseIterable {
        /// C-ECHO.
        case echo
        /// C-FIND of its patients, studies, series and instances.
        case find
        /// C-MOVE of its instances.
        case move
        /// C-GET of its instances.
        case get
        /// C-STORE.
        case store
        /// N-ACTION of storage commitment.
        case commit
        /// N-CREATE and N-SET of performed procedure steps.
        case mpps
        /// N-CREATE of instance availability notifications.
        case ian
        /// C-FIND of its modality worklist.
        case worklist
        /// Takes N-EVENT-REPORT of workitems: UPS Event.
        case ups
        /// Takes patients and visits: ADT messages.
        case adt
        /// Takes orders: ORM, OMG and OMI messages.
        case orders
        /// Takes results and reports: ORU messages.
        case results
    }

    /// How a connection to it is made.
    package enum TLS: Sendable, Hashable {
        /// In clear text.
        case off
        /// Its certificate is checked against the authorities that this server trusts, and against the host.
        case on
        /// Its certificate is this one, whoever issued it: SHA-256 of the DER in lower-case hex.
        case pinned(fingerprint: String)
    }

    package var kind: Kind
    /// An AE title, or `application|facility`.
    package var name: String
    /// Where it listens, for what this server sends to it.
    package var host: String?
    package var port: Int?
    package var tls = TLS.off
    /// SHA-256 of the certificate that it must come with, hex, when bound to one.
    package var certificateFingerprint: String?
    /// Where it must come from; empty when it is not bound to addresses.
    package var networks: [IPNetwork] = []
    /// What it may do.
    package var may: Set<Role>
    /// What it does for us.
    package var offers: Set<Service>
    /// What becomes of other content that it sends under a UID in use; nil keeps the first.
    package var conflictPolicy: ConflictPolicy?
    /// What text is sent to it in: a defined term of Specific Character Set (PS3.3 §C.12.1.1.2) or of MSH-18 (HL7 table
    /// 0211); nil leaves the choice to the sender.
    package var characterSet: String?
    /// UIDs of the transfer syntaxes that are proposed to it, those it likes best first; empty for all.
    package var transferSyntaxes: [String] = []
    /// Associations or connections to and from it at a time, 1 to 1,000; nil for those of the configuration.
    package var connectionsMax: Int?
    /// Bytes of a P-DATA-TF PDU that are sent to it, 4,096 to 131,072, however many it would take; nil for as many as it
    /// takes.
    package var pduLengthMax: Int?
    /// The file of the site profile that its messages are read by, over that of the site; nil for that of the site.
    package var profile: String?
    /// What its queries match, of an archive behind this server: its studies are found here too. Nil for every other peer.
    package var archive: ArchiveCapabilities?

    /// - Parameters:
    ///   - may: nil for all that its kind can be allowed.
    ///   - offers: nil for the least.
    package init(
        kind: Kind, name: String, host: String? = nil, port: Int? = nil, certificateFingerprint: String? = nil,
        may: Set<Role>? = nil, conflictPolicy: ConflictPolicy? = nil, offers: Set<Service>? = nil
    ) {
        self.conflictPolicy = conflictPolicy
        self.kind = kind
        self.name = name
        self.host = host
        self.port = port
        self.certificateFingerprint = certificateFingerprint
        self.may = may ?? kind.roles
        self.offers = offers ?? kind.leastServices
    }

    /// Whether it may come from an address, as text; false for a text that is no address where it is bound to some.
    package func mayCome(from address: String?) -> Bool { networks.isEmpty || networks.contain(address ?? "") }
}
