/// A system that may talk to this server, and what it may do.
package struct Peer: Sendable, Hashable, Codable {
    package enum Kind: String, Sendable, Hashable, Codable {
        case applicationEntity = "ae"
        case messageSender = "mllp"

        /// What a peer of this kind can be allowed.
        package var roles: Set<Role> {
            switch self {
            case .applicationEntity: [.echo, .store, .worklist, .query, .retrieve, .commit, .mpps]
            case .messageSender: [.adt, .orders, .results]
            }
        }

        /// What one may do that is not on the list, where a site serves such callers at all: bring in and see work, but
        /// not look through what is stored.
        package var rolesOfUnknown: Set<Role> { roles.subtracting([.query, .retrieve, .commit]) }

        /// What a peer of this kind may do for which nothing else was said: no more than show that it is connected.
        package var leastRoles: Set<Role> {
            switch self {
            case .applicationEntity: [.echo]
            case .messageSender: []
            }
        }
    }

    /// Something that a peer may do.
    package enum Role: String, Sendable, Hashable, Codable, CaseIterable {
        /// C-ECHO.
        case echo
        /// C-STORE.
        case store
        /// C-FIND of the modality worklist.
        case worklist
        /// C-FIND of stored patients, studies, series and instances.
        case query
        /// C-GET and C-MOVE of stored instances.
        case retrieve
        /// N-ACTION of storage commitment.
        case commit
        /// N-CREATE, N-SET and N-GET of performed procedure steps.
        case mpps
        /// Patients and visits: ADT messages.
        case adt
        /// Orders: ORM, OMG and OMI messages.
        case orders
        /// Results and reports: ORU messages.
        case results
    }

    package var kind: Kind
    /// An AE title, or `application|facility`.
    package var name: String
    package var host: String?
    package var port: Int?
    /// SHA-256 of the peer's TLS certificate, hex, when bound to one.
    package var certificateFingerprint: String?
    /// What it may do.
    package var may: Set<Role>
    /// What becomes of other content that it sends under a UID in use; nil keeps the first.
    package var conflictPolicy: ConflictPolicy?

    /// - Parameter may: nil for all that its kind can be allowed.
    package init(
        kind: Kind, name: String, host: String? = nil, port: Int? = nil, certificateFingerprint: String? = nil,
        may: Set<Role>? = nil, conflictPolicy: ConflictPolicy? = nil
    ) {
        self.conflictPolicy = conflictPolicy
        self.kind = kind
        self.name = name
        self.host = host
        self.port = port
        self.certificateFingerprint = certificateFingerprint
        self.may = may ?? kind.roles
    }

    /// A peer that was kept before there were roles may do what every peer then could. A role of a later version that
    /// this one does not know grants nothing.
    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        kind = try values.decode(Kind.self, forKey: .kind)
        name = try values.decode(String.self, forKey: .name)
        host = try values.decodeIfPresent(String.self, forKey: .host)
        port = try values.decodeIfPresent(Int.self, forKey: .port)
        certificateFingerprint = try values.decodeIfPresent(String.self, forKey: .certificateFingerprint)
        conflictPolicy = try values.decodeIfPresent(ConflictPolicy.self, forKey: .conflictPolicy)
        let names = try values.decodeIfPresent([String].self, forKey: .may)
        may = names.map { Set($0.compactMap(Role.init(rawValue:))) } ?? Self.rolesBeforeRoles.intersection(kind.roles)
    }

    /// Roles in order, so that equal peers have equal rows.
    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(kind, forKey: .kind)
        try values.encode(name, forKey: .name)
        try values.encodeIfPresent(host, forKey: .host)
        try values.encodeIfPresent(port, forKey: .port)
        try values.encodeIfPresent(certificateFingerprint, forKey: .certificateFingerprint)
        try values.encodeIfPresent(conflictPolicy, forKey: .conflictPolicy)
        try values.encode(may.map(\.rawValue).sorted(), forKey: .may)
    }

    private enum CodingKeys: String, CodingKey {
        case kind, name, host, port, certificateFingerprint, may, conflictPolicy
    }

    /// What was there to do when roles came.
    private static let rolesBeforeRoles: Set<Role> = [.echo, .store, .worklist, .adt, .orders, .results]
}
