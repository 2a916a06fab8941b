import HL7v2
import Workflow
import Yams

/// Why a site profile was not taken: the line and what is wrong with it.
package struct SiteProfileError: Error, Sendable, Hashable, CustomStringConvertible {
    /// From 1; 0 when the whole text is at fault.
    package let line: Int
    package let message: String

    package var description: String { line > 0 ? "line \(line): \(message)" : message }
}

extension SiteProfile {
    /// Reads a profile. Unknown keys are errors, so that a misspelt setting is not silently without effect.
    ///
    /// Throws `SiteProfileError`.
    package init(yaml: String) throws {
        self.init()
        guard let root = try Self.root(yaml) else { return }
        var ofPeers: Node?
        for (key, value) in try root.entries() {
            if key == "peers" { ofPeers = value } else { try read(key, value) }
        }
        rules.accessionNumbering?.system = authorities.defaultAccessionSystem
        for (name, node) in try ofPeers?.entries() ?? [] {
            guard name.utf8.contains(UInt8(ascii: "|")) else { throw node.error("\(name) is not APPLICATION|FACILITY") }
            peers[name] = try SiteProfile(node, over: self)
        }
    }

    /// Reads the profile of one sender: what it says takes the place of what the site says, of maps entry by entry, and
    /// its authorities come before the site's. What the domain decides for all of a site is no setting of a sender.
    ///
    /// Throws `SiteProfileError`.
    package init(yaml: String, over site: SiteProfile) throws {
        guard let root = try Self.root(yaml) else {
            self = site
            peers = [:]
            return
        }
        try self.init(root, over: site)
    }

    private init(_ node: Node, over site: SiteProfile) throws {
        self = site
        peers = [:]
        for (key, value) in try node.entries() {
            guard !Self.ofSiteAlone.contains(key) else { throw value.error("\(key) is a setting of the site alone") }
            if key == "identifiers" {
                for (key, value) in try value.entries() where Self.ofSiteAlone.contains(key) {
                    throw value.error("identifiers.\(key) is a setting of the site alone")
                }
            }
            try read(key, value)
        }
    }

    private static let ofSiteAlone: Set<String> = [
        "peers", "clock_tolerance", "destinations", "accession_numbers", "record_number_types",
    ]

    /// The settings of a text; nil for an empty one.
    private static func root(_ yaml: String) throws -> Node? {
        let root: Node?
        do {
            root = try Yams.compose(yaml: yaml)
        } catch {
            throw SiteProfileError(line: 0, message: "not YAML: \(error)")
        }
        guard let root, root.null == nil || root.mapping != nil else { return nil }
        return root
    }

    private mutating func read(_ key: String, _ value: Node) throws {
        switch key {
        case "identifiers": try readIdentifiers(value)
        case "time_zone": zone = try value.converted("an IANA time zone", SiteZone.init)
        case "clock_tolerance":
            rules.clockToleranceSeconds = try value.converted("a number of seconds, 0 to 86400") {
                Int64($0).flatMap { (0...86_400).contains($0) ? $0 : nil }
            }
        case "transient_as": transientAnswer = try value.converted("AE or AR", TransientAnswer.init(rawValue:))
        case "accepted_processing_ids": acceptedProcessingIDs = try value.texts()
        case "accepted_versions": acceptedVersions = try value.texts()
        case "snapshot": isSnapshot = try value.converted("true or false") { Bool($0) }
        case "character_set": try readCharacterSet(value)
        case "code_systems": codeSystems.merge(try value.textMap()) { $1 }
        case "modalities": modalities.merge(try value.textMap()) { $1 }
        case "fields": try readFields(value)
        case "order_status": try readOrderStatus(value)
        case "destinations": destinations = try Self.destinations(value)
        default: throw value.error("unknown setting \(key)")
        }
    }

    private mutating func readIdentifiers(_ node: Node) throws {
        for (key, value) in try node.entries() {
            switch key {
            case "authorities":
                guard let list = value.sequence else { throw value.error("authorities is a list") }
                authorities.authorities = try list.map(SiteProfile.authority) + authorities.authorities
            case "patient_default": authorities.defaultPatientSystem = try value.systemURI()
            case "accession_default": authorities.defaultAccessionSystem = try value.systemURI()
            case "placer_default": placerSystem = try value.systemURI()
            case "filler_default": fillerSystem = try value.systemURI()
            case "visit_default": visitSystem = try value.systemURI()
            case "accession_numbers": rules.accessionNumbering = try Self.numbering(value)
            case "record_number_types": rules.recordNumberTypes = Set(try value.texts())
            case "practitioner_default": practitionerSystem = try value.systemURI()
            default: throw value.error("unknown setting identifiers.\(key)")
            }
        }
    }

    private static func numbering(_ node: Node) throws -> AccessionNumbering {
        var prefix = ""
        var digits = 10
        for (key, value) in try node.entries() {
            switch key {
            case "prefix": prefix = try value.text()
            case "digits": digits = try value.converted("a number of digits") { Int($0) }
            default: throw value.error("unknown setting accession_numbers.\(key)")
            }
        }
        guard let numbering = AccessionNumbering(system: "", prefix: prefix, digits: digits) else {
            throw node.error(
                "accession_numbers has a prefix of A-Z and 0-9 and at least \(AccessionNumbering.digitsMin) digits, "
                    + "\(AccessionNumbering.lengthMax) characters in all")
        }
        return numbering
    }

    private static func authority(_ node: Node) throws -> AssigningAuthorities.Authority {
        var system: String?
        var namespace: String?
        var universalID: String?
        for (key, value) in try node.entries() {
            switch key {
            case "system": system = try value.systemURI()
            case "namespace": namespace = try value.text()
            case "oid": universalID = try value.text()
            default: throw value.error("unknown setting \(key) of an authority")
            }
        }
        guard let resolved = system ?? universalID.map({ "urn:oid:" + $0 }) else {
            throw node.error("an authority needs system or oid")
        }
        return AssigningAuthorities.Authority(system: resolved, namespace: namespace, universalID: universalID)
    }

    private mutating func readCharacterSet(_ node: Node) throws {
        for (key, value) in try node.entries() {
            switch key {
            case "default":
                parser.characterSetPolicy.defaultSet = try value.converted("a code of table 0211") {
                    HL7v2.CharacterSet(name: $0)
                }
            case "contradicted":
                parser.characterSetPolicy.contradicted = try value.converted("preferUTF8, asDeclared or refuse") {
                    CharacterSetPolicy.ContradictedDeclaration(rawValue: $0)
                }
            default: throw value.error("unknown setting character_set.\(key)")
            }
        }
    }

    private mutating func readFields(_ node: Node) throws {
        for (key, value) in try node.entries() {
            guard let name = FieldName(rawValue: key) else { throw value.error("unknown field \(key)") }
            fields[name] = try value.texts().map { text in
                guard let path = try? FieldPath(text) else { throw value.error("\(text) is not a field path") }
                return path
            }
        }
    }

    private mutating func readOrderStatus(_ node: Node) throws {
        for (key, value) in try node.entries() {
            guard key.utf8.contains(UInt8(ascii: "_")) else { throw value.error("\(key) is not CONTROL_STATUS") }
            stepStatuses[key] = try value.converted("a worklist state") { ScheduledProcedureStep.Status(rawValue: $0) }
        }
    }
}

extension Node {
    func error(_ message: String) -> SiteProfileError {
        SiteProfileError(line: mark?.line ?? 0, message: message)
    }

    func entries() throws -> [(String, Node)] {
        guard let mapping else { throw error("settings are expected here") }
        return try mapping.map { key, value in (try key.text(), value) }
    }

    func text() throws -> String {
        guard let scalar, !scalar.string.isEmpty else { throw error("text is expected here") }
        return scalar.string
    }

    func texts() throws -> [String] {
        guard let sequence else { return [try text()] }
        return try sequence.map { try $0.text() }
    }

    func textMap() throws -> [String: String] {
        var map: [String: String] = [:]
        for (key, value) in try entries() { map[key] = try value.text() }
        return map
    }

    /// An absolute URI: a scheme, a colon and something behind it.
    func systemURI() throws -> String {
        let uri = try text()
        let scheme = uri.utf8.prefix { $0 != UInt8(ascii: ":") }
        guard scheme.count > 1, scheme.count + 1 < uri.utf8.count, !uri.utf8.contains(0x20) else {
            throw error("\(uri) is not an absolute URI")
        }
        return uri
    }

    func converted<Value>(_ wanted: String, _ convert: (String) -> Value?) throws -> Value {
        guard let value = convert(try text()) else { throw error("\(try text()) is not \(wanted)") }
        return value
    }
}
