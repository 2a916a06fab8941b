import Access

extension Peer: Codable {
    /// A peer that was kept before there were roles may do what every peer then could, and one of before there were
    /// services that has an address offers what was asked of such. What a later version knows and this one does not
    /// grants nothing.
    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        let kind = try values.decode(Kind.self, forKey: .kind)
        let host = try values.decodeIfPresent(String.self, forKey: .host)
        let roles = try values.decodeIfPresent([String].self, forKey: .may)
        let services = try values.decodeIfPresent([String].self, forKey: .offers)
        self.init(
            kind: kind, name: try values.decode(String.self, forKey: .name), host: host,
            port: try values.decodeIfPresent(Int.self, forKey: .port),
            certificateFingerprint: try values.decodeIfPresent(String.self, forKey: .certificateFingerprint),
            may: roles.map { Set($0.compactMap(Role.init(rawValue:))) }
                ?? Self.rolesBeforeRoles.intersection(kind.roles),
            conflictPolicy: try values.decodeIfPresent(ConflictPolicy.self, forKey: .conflictPolicy),
            offers: services.map { Set($0.compactMap(Service.init(rawValue:))) }
                ?? (host == nil ? nil : Self.servicesBeforeServices.intersection(kind.services)))
        if let text = try values.decodeIfPresent(String.self, forKey: .tls) {
            guard let tls = TLS(text: text) else {
                throw DecodingError.dataCorruptedError(
                    forKey: .tls, in: values, debugDescription: "`\(text)` is no way to call a peer")
            }
            self.tls = tls
        }
        networks = try values.decodeIfPresent([IPNetwork].self, forKey: .networks) ?? []
        characterSet = try values.decodeIfPresent(String.self, forKey: .characterSet)
        transferSyntaxes = try values.decodeIfPresent([String].self, forKey: .transferSyntaxes) ?? []
        connectionsMax = try values.decodeIfPresent(Int.self, forKey: .connectionsMax)
        pduLengthMax = try values.decodeIfPresent(Int.self, forKey: .pduLengthMax)
        profile = try values.decodeIfPresent(String.self, forKey: .profile)
        archive = try values.decodeIfPresent(ArchiveCapabilities.self, forKey: .archive)
    }

    /// Roles and services in order, so that equal peers have equal rows; what is as by default is left out.
    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(kind, forKey: .kind)
        try values.encode(name, forKey: .name)
        try values.encodeIfPresent(host, forKey: .host)
        try values.encodeIfPresent(port, forKey: .port)
        if tls != .off { try values.encode(tls.text, forKey: .tls) }
        try values.encodeIfPresent(certificateFingerprint, forKey: .certificateFingerprint)
        if !networks.isEmpty { try values.encode(networks, forKey: .networks) }
        try values.encode(may.map(\.rawValue).sorted(), forKey: .may)
        try values.encode(offers.map(\.rawValue).sorted(), forKey: .offers)
        try values.encodeIfPresent(conflictPolicy, forKey: .conflictPolicy)
        try values.encodeIfPresent(characterSet, forKey: .characterSet)
        if !transferSyntaxes.isEmpty { try values.encode(transferSyntaxes, forKey: .transferSyntaxes) }
        try values.encodeIfPresent(connectionsMax, forKey: .connectionsMax)
        try values.encodeIfPresent(pduLengthMax, forKey: .pduLengthMax)
        try values.encodeIfPresent(profile, forKey: .profile)
        try values.encodeIfPresent(archive, forKey: .archive)
    }

    private enum CodingKeys: String, CodingKey {
        case kind, name, host, port, tls, certificateFingerprint, networks, may, offers, conflictPolicy, characterSet
        case transferSyntaxes, connectionsMax, pduLengthMax, profile, archive
    }

    /// What was there to do when roles came.
    private static let rolesBeforeRoles: Set<Role> = [.echo, .store, .worklist, .adt, .orders, .results]
    /// What this server asked of a peer with an address when services came.
    private static let servicesBeforeServices: Set<Service> = [.echo, .store]
}

extension Peer.TLS {
    /// `off`, `on`, or the fingerprint of a certificate: 64 hexadecimal digits, also with colons between them. Nil for
    /// any other text.
    package init?(text: String) {
        switch text {
        case "off": self = .off
        case "on": self = .on
        default:
            guard let fingerprint = Self.fingerprint(text) else { return nil }
            self = .pinned(fingerprint: fingerprint)
        }
    }

    /// As it is read.
    package var text: String {
        switch self {
        case .off: "off"
        case .on: "on"
        case .pinned(let fingerprint): fingerprint
        }
    }

    /// A SHA-256 as tools write it, as 64 lower-case hexadecimal digits; nil for what is none.
    package static func fingerprint(_ text: String) -> String? {
        let digits = text.lowercased().filter { $0 != ":" }
        guard digits.utf8.count == 64, digits.utf8.allSatisfy({ (48...57).contains($0) || (97...102).contains($0) })
        else { return nil }
        return digits
    }
}
