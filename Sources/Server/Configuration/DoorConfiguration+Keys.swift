import Access
import Admission
import HTTPSupport
import NIOSSL
import Workflow

extension DoorConfiguration: Decodable {
    enum CodingKeys: String, CodingKey, CaseIterable {
        case `protocol`, host, port, tls, certificate, key, suites, networks
        case clearText = "clear-text"
        case clientAuthorities = "client-authorities"
        case clientCertificates = "client-certificates"
        case minimumVersion = "tls-minimum"
        // Of an HTTP door.
        case publicURL = "public-url"
        case trustedProxies = "trusted-proxies"
        case proxyHeader = "proxy-header"
        // Of a DIMSE or MLLP door.
        case acceptsUnknownPeers = "accept-unknown-peers"
        case binding = "peer-binding"
        // Of a DIMSE door.
        case title = "ae-title"
        case titles = "ae-titles"
        case worklistStations = "worklist-stations"

        /// The doors that have it; nil for all.
        var doors: Set<Admission.Door>? {
            switch self {
            case .publicURL, .trustedProxies, .proxyHeader: [.http]
            case .acceptsUnknownPeers, .binding: [.dimse, .mllp]
            case .title, .titles, .worklistStations: [.dimse]
            default: nil
            }
        }
    }

    /// An entry of a list tells its protocol; a short form is named by it.
    init(from decoder: any Decoder) throws {
        let last = decoder.codingPath.last
        let isEntry = last?.intValue != nil
        let place = last.map { key in key.intValue.map { "doors[\($0)]" } ?? key.stringValue } ?? "door"
        let keys = try StrictKeys(decoder, CodingKeys.self, place)
        let named: String? = try keys.value(.protocol)
        guard let kind = Admission.Door(rawValue: isEntry ? named ?? "" : place) else {
            throw ConfigurationError(
                "\(place).protocol: \(named.map { "`\($0)` is none of" } ?? "one of") http, dimse, mllp")
        }
        for key in CodingKeys.allCases where keys.has(key) {
            guard key.doors?.contains(kind) ?? true, isEntry ? key != .worklistStations : key != .protocol else {
                throw ConfigurationError(
                    "\(place): `\(key.rawValue)` is no key of \(isEntry ? "an entry for " : "")\(kind.rawValue)")
            }
        }
        self.init(kind, place: place)
        host = try keys.value(.host) ?? host
        port = try keys.value(.port) ?? port
        tls = try keys.word(.tls) ?? tls
        if try keys.accepts(.clearText) { acceptsClearText = true }
        certificate = try keys.value(.certificate)
        key = try keys.value(.key)
        clientAuthorities = try keys.value(.clientAuthorities)
        clientCertificates =
            try keys.word(.clientCertificates) ?? (clientAuthorities == nil ? clientCertificates : .optional)
        if let text: String = try keys.value(.minimumVersion) {
            guard let version = ["1.2": TLSVersion.tlsv12, "1.3": .tlsv13][text] else {
                throw ConfigurationError("\(place).tls-minimum: `\(text)` is neither 1.2 nor 1.3 (RFC 9325 §3.1)")
            }
            minimumVersion = version
        }
        if let names: [String] = try keys.value(.suites) {
            suites = try names.map { name in
                guard let suite = TLSContexts.suites[name] else {
                    throw ConfigurationError(
                        "\(place).suites: `\(name)` is none of \(TLSContexts.suites.keys.sorted().joined(separator: ", "))"
                    )
                }
                return suite
            }
        }
        networks = try keys.networks(.networks) ?? networks
        publicURL = try keys.value(.publicURL)
        proxies = TrustedProxies(
            networks: try keys.networks(.trustedProxies) ?? [], field: try keys.word(.proxyHeader) ?? .xForwardedFor)
        acceptsUnknownPeers = try keys.value(.acceptsUnknownPeers) ?? acceptsUnknownPeers
        binding = try keys.word(.binding) ?? binding
        titles = try Self.titles(keys, place) ?? titles
        worklistStations = try keys.value(.worklistStations)
    }

    private static func titles(_ keys: StrictKeys<CodingKeys>, _ place: String) throws -> [Title]? {
        let one: String? = try keys.value(.title)
        let several: [Title]? = try keys.value(.titles)
        guard one == nil || several == nil else {
            throw ConfigurationError("\(place): ae-title and ae-titles are two ways to say the same; give one")
        }
        if several?.isEmpty == true { throw ConfigurationError("\(place).ae-titles: at least one") }
        return several ?? one.map { [Title(title: $0)] }
    }
}

/// `TITLE`, or `{ title: TITLE, services: [echo, query], archives: [PACS] }`.
extension DoorConfiguration.Title: Decodable {
    private enum CodingKeys: String, CodingKey, CaseIterable { case title, services, archives }

    init(from decoder: any Decoder) throws {
        if let title = try? decoder.singleValueContainer().decode(String.self) {
            self.init(title: title)
            return
        }
        let keys = try StrictKeys(decoder, CodingKeys.self, "ae-titles")
        guard let title: String = try keys.value(.title) else {
            throw ConfigurationError("ae-titles: an entry has a title")
        }
        let names: [String]? = try keys.value(.services)
        let archives: [String]? = try keys.stated(.archives)
        let known = Peer.Kind.applicationEntity.roles
        self.init(
            title: title,
            services: try names.map { names in
                Set(
                    try names.map { name in
                        guard let role = Peer.Role(rawValue: name), known.contains(role) else {
                            throw ConfigurationError(
                                "ae-titles.\(title).services: `\(name)` is none of \(known.map(\.rawValue).sorted().joined(separator: ", "))"
                            )
                        }
                        return role
                    })
            }, archives: archives.map { Set($0) })
    }
}

extension StrictKeys {
    /// One of the words of a type. Throws ``ConfigurationError`` for another.
    func word<Word: RawRepresentable<String> & CaseIterable>(_ key: Key) throws -> Word? {
        guard let text: String = try value(key) else { return nil }
        guard let word = Word(rawValue: text) else {
            throw ConfigurationError(
                "\(place).\(key.rawValue): `\(text)` is none of \(Word.allCases.map(\.rawValue).joined(separator: ", "))"
            )
        }
        return word
    }

    /// Networks by their text. Throws ``ConfigurationError`` for what is none.
    func networks(_ key: Key) throws -> [IPNetwork]? {
        guard let texts: [String] = try value(key) else { return nil }
        return try texts.map { text in
            guard let network = IPNetwork(text) else {
                throw ConfigurationError(
                    "\(place).\(key.rawValue): `\(text)` is no network, such as 10.20.0.0/16, fd00:1::/64 or 10.0.0.7")
            }
            return network
        }
    }
}
