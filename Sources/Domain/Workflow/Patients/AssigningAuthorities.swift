import Basics

/// Which namespaces the hospital's issuers go by on each wire. One per site, from the site profile.
///
/// An identifier is a pair of authority and value. An authority that a message or data set names is never taken for
/// another: one that the site has not configured gets a system of its own, made from the name it has on the wire. Only
/// where none is named the site's default stands in. HL7 v2.5.1 §2.A.14 (CX.4), §2.A.28 (EI), PS3.3 §10.14.
package struct AssigningAuthorities: Sendable, Hashable {
    package struct Authority: Sendable, Hashable {
        /// The URI used as Identifier.system.
        package var system: String
        /// The name on HL7 and DICOM wires (CX.4.1, IssuerOfPatientID, Local Namespace Entity ID).
        package var namespace: String?
        /// The universal id (an OID without prefix), if any.
        package var universalID: String?
        package init(system: String, namespace: String? = nil, universalID: String? = nil) {
            self.system = system
            self.namespace = namespace
            self.universalID = universalID
        }
    }

    /// What the name of an authority leads to.
    package enum Resolution: Sendable, Hashable {
        /// No authority is named.
        case absent
        /// The site has configured it.
        case known(system: String)
        /// Named, but not configured: a system of its own.
        case unknown(UnknownAuthority)

        /// The system, or `fallback` where no authority is named.
        package func system(default fallback: String) -> String {
            switch self {
            case .absent: fallback
            case .known(let system): system
            case .unknown(let authority): authority.system
            }
        }
    }

    package var authorities: [Authority]
    /// Used when a patient id arrives without an issuer.
    package var defaultPatientSystem: String
    /// Used when an accession number arrives without an issuer.
    package var defaultAccessionSystem: String

    package init(authorities: [Authority], defaultPatientSystem: String, defaultAccessionSystem: String) {
        self.authorities = authorities
        self.defaultPatientSystem = defaultPatientSystem
        self.defaultAccessionSystem = defaultAccessionSystem
    }

    /// The authority that a wire names by namespace, universal id, or both; blanks around a name do not count.
    ///
    /// The universal id decides where the site knows it. Else the namespace does, unless the site gives that namespace
    /// another universal id: then the two names contradict and neither is taken.
    package func resolve(namespace: String?, universalID: String?, universalIDType: String?) -> Resolution {
        let namespace = namespace?.withoutOuterSpaces
        let universalID = universalID?.withoutOuterSpaces
        if let universalID, let known = authorities.first(where: { $0.universalID == universalID }) {
            return .known(system: known.system)
        }
        if let namespace,
            let known = authorities.first(where: {
                $0.namespace == namespace && (universalID == nil || $0.universalID == nil)
            })
        {
            return .known(system: known.system)
        }
        let unknown = UnknownAuthority(
            namespace: namespace, universalID: universalID, universalIDType: universalIDType?.withoutOuterSpaces)
        guard let unknown else { return .absent }
        // A site may configure the very system that an unknown authority has.
        return authorities.contains { $0.system == unknown.system } ? .known(system: unknown.system) : .unknown(unknown)
    }

    /// Those of the authorities that the site has still not configured.
    package func unknown(of named: [UnknownAuthority]) -> [UnknownAuthority] {
        named.filter { authority in
            let resolved = resolve(
                namespace: authority.namespace, universalID: authority.universalID,
                universalIDType: authority.universalIDType)
            if case .unknown = resolved { return true }
            return false
        }
    }

    /// The namespace of a system, for messages and data sets going out: the site's name for it, else the one that an
    /// unknown authority had when it came in.
    package func namespace(of system: String) -> String? {
        authorities.first { $0.system == system }?.namespace ?? UnknownAuthority.namespace(ofSystem: system)
    }

    /// What names a system on an HL7 wire: the site's names for it, else those that an unknown authority had when it came
    /// in, else the URI itself. Nil for a system that stands for no name at all (`urn:hilum:…`). HL7 v2.5.1 §2.A.33.
    package func designator(of system: String) -> UnknownAuthority? {
        if let known = authorities.first(where: { $0.system == system }),
            let named = UnknownAuthority(
                namespace: known.namespace, universalID: known.universalID,
                universalIDType: known.universalID == nil ? nil : "ISO")
        {
            return named
        }
        return UnknownAuthority(system: system)
    }
}

/// An assigning authority as a wire names it, which the site has not configured.
package struct UnknownAuthority: Sendable, Hashable, Codable {
    /// The URI that stands for it in identifiers.
    package var system: String
    package var namespace: String?
    package var universalID: String?
    package var universalIDType: String?

    /// What starts the system of an authority that is known by a namespace alone.
    package static let namespacePrefix = "urn:hilum:unknown-issuer:"

    /// Nil when neither name is given.
    package init?(namespace: String?, universalID: String?, universalIDType: String?) {
        guard namespace != nil || universalID != nil else { return nil }
        self.namespace = namespace
        self.universalID = universalID
        self.universalIDType = universalIDType
        guard let universalID else {
            system = Self.namespacePrefix + Self.escaped(namespace ?? "")
            return
        }
        // Table 0301: the kinds that have a URI of their own; every other kind keeps its name in the system.
        switch universalIDType {
        case "ISO" where Self.isOID(universalID), nil where Self.isOID(universalID): system = "urn:oid:" + universalID
        case "UUID", "GUID": system = "urn:uuid:" + universalID.lowercased()
        case "URI" where universalID.contains(":") && !universalID.contains(" "): system = universalID
        default:
            system = "urn:hilum:unknown-issuer-id:\(Self.escaped(universalIDType ?? "")):\(Self.escaped(universalID))"
        }
    }

    /// What starts the system of an authority that is known by a universal id of a kind without a URI.
    private static let universalIDPrefix = "urn:hilum:unknown-issuer-id:"

    /// The names of a system as ``init(namespace:universalID:universalIDType:)`` makes it. Nil for one that it never makes.
    init?(system: String) {
        let names: (namespace: String?, universalID: String?, type: String?)
        if let namespace = Self.namespace(ofSystem: system) {
            names = (namespace, nil, nil)
        } else if system.hasPrefix(Self.universalIDPrefix) {
            let parts = system.dropFirst(Self.universalIDPrefix.count).split(
                separator: ":", omittingEmptySubsequences: false)
            guard parts.count == 2 else { return nil }
            let type = Self.unescaped(parts[0])
            names = (nil, Self.unescaped(parts[1]), type.isEmpty ? nil : type)
        } else if system.hasPrefix("urn:oid:") {
            names = (nil, String(system.dropFirst(8)), "ISO")
        } else if system.hasPrefix("urn:uuid:") {
            names = (nil, String(system.dropFirst(9)), "UUID")
        } else if system.contains(":"), !system.hasPrefix("urn:hilum:") {
            names = (nil, system, "URI")
        } else {
            return nil
        }
        self.init(namespace: names.namespace, universalID: names.universalID, universalIDType: names.type)
    }

    /// What the namespace was, of a system made from a namespace alone.
    static func namespace(ofSystem system: String) -> String? {
        guard system.hasPrefix(namespacePrefix) else { return nil }
        return unescaped(system.dropFirst(namespacePrefix.count))
    }

    /// What ``escaped(_:)`` was given.
    static func unescaped(_ text: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count >= 2,
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func isOID(_ text: String) -> Bool {
        let bytes = text.utf8
        return bytes.allSatisfy { $0 == 0x2E || (48...57).contains($0) } && bytes.first != 0x2E && bytes.last != 0x2E
    }

    /// Letters, digits and hyphens as they are, the rest as `%hh`.
    static func escaped(_ text: String) -> String {
        var output: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case 48...57, 65...90, 97...122, 45: output.append(byte)
            default: output += "%\(Hexadecimal.encode(CollectionOfOne(byte)))".utf8
            }
        }
        return String(decoding: output, as: UTF8.self)
    }
}
