import Access
import FHIRAPI
import FHIRModel
import FHIRResources
import Foundation
import HTTPSupport
import Workflow
import Yams

/// The contents of `hilum.yaml`. Every key has a default, so a file may hold only what differs.
///
/// Relative paths are under the server's folder. Unknown keys are an error: a misspelt limit must not be silent.
struct ServerConfiguration: Decodable, Sendable {
    struct HTTP: Decodable, Sendable {
        var host: String = "127.0.0.1"
        /// 0 takes a free port.
        var port: Int = 8443
        /// The base that clients see, without a path; nil builds it from the listener's address.
        var publicURL: String?
        enum CodingKeys: String, CodingKey, CaseIterable { case host, port, publicURL = "public-url" }
        init() {}
        init(from decoder: any Decoder) throws {
            let keys = try StrictKeys(decoder, CodingKeys.self, "http")
            host = try keys.value(.host) ?? host
            port = try keys.value(.port) ?? port
            publicURL = try keys.value(.publicURL)
        }
    }
    struct DIMSE: Decodable, Sendable {
        var host: String = "127.0.0.1"
        var port: Int = 11112
        var aeTitle: String = "HILUM"
        /// Any calling AE title may connect; otherwise only peers added with `hilum peer add`.
        var acceptsUnknownPeers: Bool = false
        /// AE titles by modality: who does the steps that name no station.
        var worklistStations: [String: [String]] = [:]
        enum CodingKeys: String, CodingKey, CaseIterable {
            case host, port
            case aeTitle = "ae-title"
            case acceptsUnknownPeers = "accept-unknown-peers"
            case worklistStations = "worklist-stations"
        }
        init() {}
        init(from decoder: any Decoder) throws {
            let keys = try StrictKeys(decoder, CodingKeys.self, "dimse")
            host = try keys.value(.host) ?? host
            port = try keys.value(.port) ?? port
            aeTitle = try keys.value(.aeTitle) ?? aeTitle
            worklistStations = try keys.value(.worklistStations) ?? worklistStations
            acceptsUnknownPeers = try keys.value(.acceptsUnknownPeers) ?? acceptsUnknownPeers
        }
    }
    struct MLLP: Decodable, Sendable {
        var host: String = "127.0.0.1"
        var port: Int = 2575
        var acceptsUnknownPeers: Bool = false
        enum CodingKeys: String, CodingKey, CaseIterable {
            case host, port
            case acceptsUnknownPeers = "accept-unknown-peers"
        }
        init() {}
        init(from decoder: any Decoder) throws {
            let keys = try StrictKeys(decoder, CodingKeys.self, "mllp")
            host = try keys.value(.host) ?? host
            port = try keys.value(.port) ?? port
            acceptsUnknownPeers = try keys.value(.acceptsUnknownPeers) ?? acceptsUnknownPeers
        }
    }
    struct Store: Decodable, Sendable {
        enum Database: String, Decodable, Sendable { case sqlite, postgres }
        enum Encryption: String, Decodable, Sendable { case aes256GCM = "aes-256-gcm", none }
        enum PlainBlobs: String, Decodable, Sendable { case refuse, accept }
        var database: Database = .sqlite
        /// A libpq connection string, for `database: postgres`. The password belongs in PGPASSFILE, not here.
        var postgres: String?
        var blobs: String = "blobs"
        var encryption: Encryption = .aes256GCM
        /// Whether unencrypted objects of before version 0.2 are served where encryption is on: for a store whose encryption
        /// was switched on later. Newer ones say in their name whether they are encrypted.
        var plainBlobs: PlainBlobs = .refuse
        /// Days that objects which no row names are kept aside.
        var setAsideDays = 30
        static let setAsideDaysRange = 1...36_500
        enum CodingKeys: String, CodingKey, CaseIterable {
            case database, postgres, blobs, encryption
            case plainBlobs = "plain-blobs"
            case setAsideDays = "set-aside-days"
        }
        init() {}
        init(from decoder: any Decoder) throws {
            let keys = try StrictKeys(decoder, CodingKeys.self, "store")
            database = try keys.value(.database) ?? database
            postgres = try keys.value(.postgres)
            blobs = try keys.value(.blobs) ?? blobs
            encryption = try keys.value(.encryption) ?? encryption
            plainBlobs = try keys.value(.plainBlobs) ?? plainBlobs
            setAsideDays = try keys.value(.setAsideDays) ?? setAsideDays
        }
    }

    /// What may be dialled from a URL that a client is registered with.
    struct Outbound: Decodable, Sendable {
        /// Networks that may be dialled beside the public internet.
        var allowedNetworks: [IPNetwork] = []
        /// A PEM file with authorities that are trusted beside those of the system.
        var authorities: String?
        enum CodingKeys: String, CodingKey, CaseIterable {
            case authorities
            case allowedNetworks = "allow-networks"
        }
        init() {}
        init(from decoder: any Decoder) throws {
            let keys = try StrictKeys(decoder, CodingKeys.self, "outbound")
            authorities = try keys.value(.authorities)
            let texts: [String] = try keys.value(.allowedNetworks) ?? []
            allowedNetworks = try texts.map { text in
                guard let network = IPNetwork(text) else {
                    throw ConfigurationError(
                        "outbound.allow-networks: `\(text)` is no network, such as 10.20.0.0/16, fd00:1::/64 or 10.0.0.7"
                    )
                }
                return network
            }
        }
        var policy: OutboundPolicy { OutboundPolicy(allowedNetworks: allowedNetworks) }
    }
    /// What clients may subscribe to.
    struct Subscriptions: Decodable, Sendable {
        /// The hosts that may be told; nil for all that may be dialled.
        var hosts: [String]?
        var perClientMax: Int64 = 100
        enum CodingKeys: String, CodingKey, CaseIterable {
            case hosts
            case perClientMax = "per-client"
        }
        init() {}
        init(from decoder: any Decoder) throws {
            let keys = try StrictKeys(decoder, CodingKeys.self, "subscriptions")
            hosts = try keys.value(.hosts)
            perClientMax = try keys.number(.perClientMax, 0...100_000) ?? perClientMax
            for host in hosts ?? [] {
                let name = host.hasPrefix("*.") ? String(host.dropFirst(2)) : host
                guard let url = try? OutboundURL("https://\(name)/"), url.port == 443, url.host == name.lowercased()
                else {
                    throw ConfigurationError(
                        "subscriptions.hosts: `\(host)` is no host, such as hook.example or *.partner.example")
                }
            }
        }
        func rules(_ outbound: OutboundPolicy) -> SubscriptionRules {
            var rules = SubscriptionRules()
            rules.hosts = hosts
            rules.outbound = outbound
            rules.perClientMax = Int(perClientMax)
            return rules
        }
    }
    /// Web pages of other origins.
    struct CrossOrigin: Decodable, Sendable {
        /// Those that may read answers, exactly as browsers write them.
        var origins: [String] = []
        enum CodingKeys: String, CodingKey, CaseIterable { case origins }
        init() {}
        init(from decoder: any Decoder) throws {
            let keys = try StrictKeys(decoder, CodingKeys.self, "cors")
            origins = try keys.value(.origins) ?? []
            for origin in origins where !CrossOriginPolicy.isOrigin(origin) {
                throw ConfigurationError(
                    "cors.origins: `\(origin)` is no origin as a browser writes it, such as https://viewer.example or "
                        + "http://localhost:3000; there is no `*`")
            }
        }
    }
    struct FHIR: Decodable, Sendable {
        /// What is done with a narrative that holds more than R4 allows: scripts, forms, what is loaded from elsewhere.
        var narrative = NarrativePolicy.refuse
        /// How many resources one conditional deletion may take.
        var conditionalDelete = ConditionalDelete.single
        enum CodingKeys: String, CodingKey, CaseIterable { case narrative, conditionalDelete = "conditional-delete" }
        init() {}
        init(from decoder: any Decoder) throws {
            let keys = try StrictKeys(decoder, CodingKeys.self, "fhir")
            if let text: String = try keys.value(.narrative) {
                guard let policy = NarrativePolicy(rawValue: text) else {
                    throw ConfigurationError("fhir.narrative: `\(text)` is neither refuse nor keep")
                }
                narrative = policy
            }
            if let text: String = try keys.value(.conditionalDelete) {
                guard let rule = ConditionalDelete(rawValue: text) else {
                    throw ConfigurationError("fhir.conditional-delete: `\(text)` is neither single nor multiple")
                }
                conditionalDelete = rule
            }
        }
    }

    var http = HTTP()
    var outbound = Outbound()
    var subscriptions = Subscriptions()
    var cors = CrossOrigin()
    var fhir = FHIR()
    var limits = ServerLimits()
    var dimse = DIMSE()
    var mllp = MLLP()
    var store = Store()
    var publishing = PublicationRule()
    var retention = RetentionRule()
    /// Minutes between checkpoints of the audit trail.
    var auditCheckpointMinutes: Int64 = 15
    /// The site profile's file.
    var siteProfile: String = "site.yaml"
    /// trace, debug, info, notice, warning, error.
    var logLevel: String = "info"

    enum CodingKeys: String, CodingKey, CaseIterable {
        case http, dimse, mllp, store, limits, outbound, subscriptions, cors, fhir, publishing, audit, retention
        case siteProfile = "site-profile"
        case logLevel = "log-level"
    }
    init() {}
    init(from decoder: any Decoder) throws {
        let keys = try StrictKeys(decoder, CodingKeys.self, "hilum.yaml")
        http = try keys.value(.http) ?? http
        dimse = try keys.value(.dimse) ?? dimse
        mllp = try keys.value(.mllp) ?? mllp
        store = try keys.value(.store) ?? store
        limits = try keys.value(.limits) ?? limits
        outbound = try keys.value(.outbound) ?? outbound
        subscriptions = try keys.value(.subscriptions) ?? subscriptions
        cors = try keys.value(.cors) ?? cors
        fhir = try keys.value(.fhir) ?? fhir
        limits.fhir.narrative = fhir.narrative
        limits.fhir.conditionalDelete = fhir.conditionalDelete
        publishing = try keys.value(.publishing).map { (set: PublishingKeys) in set.rule } ?? publishing
        retention = try keys.value(.retention).map { (set: RetentionKeys) in set.rule } ?? retention
        auditCheckpointMinutes =
            try keys.value(.audit).map { (set: AuditKeys) in set.minutes } ?? auditCheckpointMinutes
        siteProfile = try keys.value(.siteProfile) ?? siteProfile
        logLevel = try keys.value(.logLevel) ?? logLevel
    }

    /// Reads the file of a server folder. Throws ``ConfigurationError``.
    static func load(from folder: ServerFolder) throws -> ServerConfiguration {
        let path = folder.configurationFile
        guard let data = FileManager.default.contents(atPath: path) else {
            throw ConfigurationError("\(path) is not there: run `hilum init \(folder.path)` first")
        }
        do {
            let text = String(decoding: data, as: UTF8.self)
            let configuration = try YAMLDecoder().decode(ServerConfiguration.self, from: text.isEmpty ? "{}" : text)
            try configuration.check()
            return configuration
        } catch let error as ConfigurationError {
            throw error
        } catch let DecodingError.dataCorrupted(context) {
            throw ConfigurationError("\(path): \(context.underlyingError.map { "\($0)" } ?? context.debugDescription)")
        } catch let DecodingError.typeMismatch(_, context) {
            let key = context.codingPath.map(\.stringValue).joined(separator: ".")
            throw ConfigurationError("\(path): \(key): \(context.debugDescription)")
        } catch {
            throw ConfigurationError("\(path): \(error)")
        }
    }

    private func check() throws {
        for (name, port) in [("http.port", http.port), ("dimse.port", dimse.port), ("mllp.port", mllp.port)]
        where !(0...65535).contains(port) {
            throw ConfigurationError("\(name): \(port) is not a port (0 to 65535)")
        }
        let titles =
            [("ae-title", dimse.aeTitle)]
            + dimse.worklistStations.flatMap { modality, titles in
                titles.map { ("worklist-stations.\(modality)", $0) }
            }
        for (name, title) in titles {
            guard (1...16).contains(title.utf8.count), title.utf8.allSatisfy({ $0 > 32 && $0 < 127 && $0 != 92 })
            else {
                throw ConfigurationError(
                    "dimse.\(name): 1 to 16 printable characters without space or backslash (PS3.5 §6.2)")
            }
        }
        guard Store.setAsideDaysRange.contains(store.setAsideDays) else {
            throw ConfigurationError("store.set-aside-days: \(store.setAsideDays) is not within 1 to 36500")
        }
        if store.database == .postgres && (store.postgres ?? "").isEmpty {
            throw ConfigurationError("store.postgres: a connection string is needed with database: postgres")
        }
    }
}

/// `publishing`: when a study that grows is shown as a resource.
private struct PublishingKeys: Decodable {
    var rule = PublicationRule()
    enum CodingKeys: String, CodingKey, CaseIterable {
        case quiet = "quiet-seconds"
        case longest = "longest-seconds"
    }
    init(from decoder: any Decoder) throws {
        let keys = try StrictKeys(decoder, CodingKeys.self, "publishing")
        rule.quietSeconds = try keys.number(.quiet, 0...3_600) ?? rule.quietSeconds
        rule.longestSeconds = try keys.number(.longest, 1...86_400) ?? rule.longestSeconds
    }
}

/// `retention`: what is not kept for ever. A key of 0 keeps.
private struct RetentionKeys: Decodable {
    var rule = RetentionRule()
    enum CodingKeys: String, CodingKey, CaseIterable {
        case message = "message-days"
        case acknowledgment = "acknowledgment-days"
        case history = "history-days"
        case rejected = "rejected-days"
        case performedStep = "performed-step-days"
        case export = "export-hours"
        case outbox = "outbox-days"
    }
    init(from decoder: any Decoder) throws {
        let keys = try StrictKeys(decoder, CodingKeys.self, "retention")
        rule.messageDays = try keys.number(.message, 0...36_500) ?? rule.messageDays
        rule.acknowledgmentDays = try keys.number(.acknowledgment, 0...36_500) ?? rule.acknowledgmentDays
        rule.historyDays = try keys.number(.history, 0...36_500) ?? rule.historyDays
        rule.rejectedDays = try keys.number(.rejected, 0...36_500) ?? rule.rejectedDays
        rule.performedStepDays = try keys.number(.performedStep, 0...36_500) ?? rule.performedStepDays
        rule.exportHours = try keys.number(.export, 0...87_600) ?? rule.exportHours
        rule.outboxDays = try keys.number(.outbox, 0...36_500) ?? rule.outboxDays
        guard rule.acknowledgmentDays == 0 || rule.messageDays > 0 && rule.acknowledgmentDays >= rule.messageDays else {
            throw ConfigurationError(
                "retention.acknowledgment-days: at least message-days (\(rule.messageDays)), which must be set too")
        }
    }
}

/// `audit`.
private struct AuditKeys: Decodable {
    var minutes: Int64
    enum CodingKeys: String, CodingKey, CaseIterable { case minutes = "checkpoint-minutes" }
    init(from decoder: any Decoder) throws {
        let keys = try StrictKeys(decoder, CodingKeys.self, "audit")
        minutes = try keys.number(.minutes, 1...1_440) ?? ServerConfiguration().auditCheckpointMinutes
    }
}

/// A sentence about what is wrong in the configuration, with the key's name.
struct ConfigurationError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// A keyed container that refuses keys the type does not know.
struct StrictKeys<Key: CodingKey & CaseIterable & RawRepresentable<String>> {
    private let container: KeyedDecodingContainer<Key>
    private let place: String

    init(_ decoder: any Decoder, _ type: Key.Type, _ place: String) throws {
        let known = Set(Key.allCases.map(\.rawValue))
        for key in try decoder.container(keyedBy: AnyKey.self).allKeys where !known.contains(key.stringValue) {
            throw ConfigurationError(
                "\(place): unknown key `\(key.stringValue)`; known are \(known.sorted().joined(separator: ", "))")
        }
        container = try decoder.container(keyedBy: type)
        self.place = place
    }
    func value<Value: Decodable>(_ key: Key) throws -> Value? { try container.decodeIfPresent(Value.self, forKey: key) }
    /// A whole number. Throws ``ConfigurationError`` for one out of its range.
    func number(_ key: Key, _ range: ClosedRange<Int64>) throws -> Int64? {
        guard let number: Int64 = try value(key) else { return nil }
        guard range.contains(number) else {
            throw ConfigurationError(
                "\(place).\(key.rawValue): \(number) is not within \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }
}
