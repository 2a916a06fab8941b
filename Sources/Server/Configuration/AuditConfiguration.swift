import Access
import OutboundAdapter

/// `audit`: how often the trail's end is signed, and which repositories are fed with it.
struct AuditConfiguration: Decodable, Sendable {
    /// One audit repository.
    struct Feed: Sendable {
        enum Way: Sendable {
            /// AuditEvents to a FHIR base URL, with a token where the other server wants one. IHE ITI-20, RESTful ATNA.
            case fhir(base: String, token: RoutingConfiguration.Destination.Token?)
            /// Audit messages by syslog over TLS. DICOM PS3.15 §A.6, RFC 5425.
            case syslog(host: String, port: Int, kind: SyslogMessage.Kind)
        }

        /// Where it stands in the file, as errors name it.
        var place: String
        /// Also names its place in the trail: a feed of another name begins anew.
        var name: String
        var way: Way
        /// PEM files: the certificate with its chain and the key by which this server shows who it is; nil for none.
        var certificate: String?
        var key: String?
        /// A PEM file with authorities that are trusted: by a FHIR feed beside those of the system, and nil for those of
        /// `outbound`; by syslog alone, and nil for those of the system.
        var authorities: String?
        /// Whether it begins with the oldest row that is there, or with the first that comes.
        var isFromBeginning = true
        /// An operator is told when a row has waited for so many minutes.
        var alarmMinutes: Int64 = 60
    }

    static let feedsMax = 16
    static let syslogPort = 6514

    /// Minutes between checkpoints of the trail.
    var checkpointMinutes: Int64 = 15
    var feeds: [Feed] = []

    /// Files of the feeds' keys, as they are written.
    var keyFiles: [String] {
        feeds.flatMap { feed -> [String?] in
            guard case .fhir(_, let token) = feed.way else { return [feed.key] }
            return [feed.key, token?.key]
        }.compactMap { $0 }
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case feeds
        case checkpointMinutes = "checkpoint-minutes"
    }

    init() {}

    /// Throws ``ConfigurationError``, with the place and what is meant.
    init(from decoder: any Decoder) throws {
        let keys = try StrictKeys(decoder, CodingKeys.self, "audit")
        checkpointMinutes = try keys.number(.checkpointMinutes, 1...1_440) ?? checkpointMinutes
        feeds = try keys.stated(.feeds) ?? []
        guard feeds.count <= Self.feedsMax else { throw ConfigurationError("audit.feeds: at most \(Self.feedsMax)") }
        for (index, feed) in feeds.enumerated() where feeds[..<index].contains(where: { $0.name == feed.name }) {
            throw ConfigurationError("\(feed.place).name: `\(feed.name)` is the name of another feed")
        }
    }
}

extension AuditConfiguration.Feed: Decodable {
    enum CodingKeys: String, CodingKey, CaseIterable {
        case name, fhir, token, syslog, certificate, key, authorities, from
        case messageID = "message-id"
        case alarmMinutes = "alarm-minutes"
    }

    private enum Start: String, Decodable { case beginning, now }

    init(from decoder: any Decoder) throws {
        let place = RoutingText.place(decoder, in: "audit.feeds")
        let keys = try StrictKeys(decoder, CodingKeys.self, place)
        self.place = place
        name = try keys.stated(.name) ?? ""
        guard NameWord.isOne(name, bytesMax: RoutingConfiguration.Destination.nameBytesMax) else {
            throw ConfigurationError("\(place).name: 1 to 64 letters, digits, `-`, `_` and `.`")
        }
        let token: TokenKeys? = try keys.stated(.token)
        let messageID: String? = try keys.stated(.messageID)
        switch (try keys.stated(.fhir) as String?, try keys.stated(.syslog) as String?) {
        case (let base?, nil):
            let url = try RoutingConfiguration.Destination.url(base, "\(place).fhir")
            guard !url.text.contains("?") else { throw ConfigurationError("\(place).fhir: a base URL has no query") }
            guard messageID == nil else { throw ConfigurationError("\(place).message-id: belongs to `syslog`") }
            way = .fhir(base: base.hasSuffix("/") ? String(base.dropLast()) : base, token: token?.token)
        case (nil, let address?):
            guard token == nil else { throw ConfigurationError("\(place).token: belongs to `fhir`") }
            let (host, port) = try Self.address(address, place)
            guard let kind = messageID.map({ SyslogMessage.Kind(rawValue: $0) }) ?? .dicom else {
                let known = SyslogMessage.Kind.allCases.map(\.rawValue).joined(separator: ", ")
                throw ConfigurationError("\(place).message-id: is one of \(known)")
            }
            way = .syslog(host: host, port: port, kind: kind)
        default: throw ConfigurationError("\(place): either `fhir`, a base URL, or `syslog`, host:port")
        }
        certificate = try keys.stated(.certificate)
        key = try keys.stated(.key)
        guard (certificate == nil) == (key == nil) else {
            throw ConfigurationError("\(place): `certificate` and `key` go together")
        }
        authorities = try keys.stated(.authorities)
        let start: Start? = try keys.stated(.from)
        isFromBeginning = start != .now
        alarmMinutes = try keys.number(.alarmMinutes, 1...525_600) ?? alarmMinutes
    }

    /// `host`, `host:port`, `[address]:port`. Throws ``ConfigurationError``.
    private static func address(_ text: String, _ place: String) throws -> (host: String, port: Int) {
        let wrong = ConfigurationError("\(place).syslog: `\(text)` is not as arr.example:6514 or [2001:db8::1]:6514")
        var host = text
        var port = AuditConfiguration.syslogPort
        var portText: Substring?
        if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
            host = String(text[text.index(after: text.startIndex)..<end])
            let rest = text[text.index(after: end)...]
            guard rest.isEmpty || rest.hasPrefix(":"), IPAddress(host)?.isV4 == false else { throw wrong }
            portText = rest.isEmpty ? nil : rest.dropFirst()
        } else if let colon = text.lastIndex(of: ":") {
            host = String(text[..<colon])
            portText = text[text.index(after: colon)...]
        }
        if let portText {
            guard let number = Int(portText), (1...65_535).contains(number) else { throw wrong }
            port = number
        }
        guard NameWord.isOne(host, bytesMax: 253) || IPAddress(host) != nil else { throw wrong }
        return (host, port)
    }
}
