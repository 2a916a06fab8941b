import Access
import Admission
import DICOMData
import FHIRAPI
import FHIRModel
import FHIRResources
import Foundation
import HTTPSupport
import Logging
import Workflow
import Yams

/// The contents of `hilum.yaml`. Every key has a default, so a file may hold only what differs.
///
/// Relative paths are under the server's folder. Unknown keys are an error: a misspelt limit must not be silent.
struct ServerConfiguration: Decodable, Sendable {
    struct Store: Decodable, Sendable {
        enum Database: String, Decodable, Sendable { case sqlite, postgres }
        enum Encryption: String, Decodable, Sendable { case aes256GCM = "aes-256-gcm", none }
        enum PlainBlobs: String, Decodable, Sendable { case refuse, accept }
        var database: Database = .sqlite
        /// A libpq connection string, for `database: postgres`. The password belongs in PGPASSFILE, not here.
        var postgres: String?
        var blobs: String = "blobs"
        var encryption: Encryption = .aes256GCM
        /// Whether the bodies of resources and messages in the database are sealed, too.
        var encryptBodies = false
        /// What the store's keys are sealed under.
        var masterKey = MasterKeySource.standard
        /// What they were sealed under before, until `hilum key rotate` is through.
        var previousMasterKeys: [MasterKeySource] = []
        /// Whether unencrypted objects of before version 0.2 are served where encryption is on: for a store whose encryption
        /// was switched on later. Newer ones say in their name whether they are encrypted.
        var plainBlobs: PlainBlobs = .refuse
        /// Days that objects which no row names are kept aside.
        var setAsideDays = 30
        static let setAsideDaysRange = 1...36_500
        static let previousMasterKeysMax = 8
        /// Files of master keys that are named here and not those that each folder has, as they are written.
        var keyFiles: [String] {
            ([masterKey] + previousMasterKeys).filter { $0 != .standard }.compactMap { source in
                if case .file(let path) = source { path } else { nil }
            }
        }
        enum CodingKeys: String, CodingKey, CaseIterable {
            case database, postgres, blobs, encryption
            case encryptBodies = "encrypt-bodies"
            case plainBlobs = "plain-blobs"
            case setAsideDays = "set-aside-days"
            case masterKey = "master-key"
            case previousMasterKeys = "previous-master-keys"
        }
        init() {}
        init(from decoder: any Decoder) throws {
            let keys = try StrictKeys(decoder, CodingKeys.self, "store")
            database = try keys.value(.database) ?? database
            postgres = try keys.value(.postgres)
            blobs = try keys.value(.blobs) ?? blobs
            encryption = try keys.value(.encryption) ?? encryption
            encryptBodies = try keys.value(.encryptBodies) ?? encryptBodies
            plainBlobs = try keys.value(.plainBlobs) ?? plainBlobs
            setAsideDays = try keys.value(.setAsideDays) ?? setAsideDays
            masterKey = try keys.stated(.masterKey) ?? masterKey
            previousMasterKeys = try keys.stated(.previousMasterKeys) ?? previousMasterKeys
            guard previousMasterKeys.count <= Self.previousMasterKeysMax else {
                throw ConfigurationError(
                    "store.previous-master-keys: at most \(Self.previousMasterKeysMax); run `hilum key rotate`")
            }
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
            allowedNetworks = try keys.networks(.allowedNetworks) ?? []
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
    struct Viewer: Decodable, Sendable {
        /// Whether the page is served and its application registered.
        var isServed = true
        /// Origins whose pages may hold the viewer in a frame.
        var frameOrigins: [String] = []
        /// Whether it asks a person who is signed in for consent, as other applications do.
        var asksConsent = false
        enum CodingKeys: String, CodingKey, CaseIterable {
            case isServed = "serve"
            case frameOrigins = "frame-origins"
            case asksConsent = "ask-consent"
        }
        init() {}
        init(from decoder: any Decoder) throws {
            let keys = try StrictKeys(decoder, CodingKeys.self, "viewer")
            isServed = try keys.value(.isServed) ?? isServed
            frameOrigins = try keys.value(.frameOrigins) ?? frameOrigins
            asksConsent = try keys.value(.asksConsent) ?? asksConsent
            for origin in frameOrigins where !CrossOriginPolicy.isOrigin(origin) {
                throw ConfigurationError(
                    "viewer.frame-origins: `\(origin)` is no origin as a browser writes it, such as https://ehr.example"
                )
            }
        }
    }
    /// What people agree to.
    struct Consent: Decodable, Sendable {
        /// How long a person who says so is not asked again; 0 asks each time.
        var rememberedDays: Int64 = 90
        enum CodingKeys: String, CodingKey, CaseIterable { case rememberedDays = "remembered-days" }
        init() {}
        init(from decoder: any Decoder) throws {
            let keys = try StrictKeys(decoder, CodingKeys.self, "consent")
            rememberedDays = try keys.number(.rememberedDays, 0...3_650) ?? rememberedDays
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

    /// In the order of the list; one of HTTP at least.
    var doors = Admission.Door.allCases.map { DoorConfiguration($0) }
    /// AE titles by modality: who does the steps that name no station.
    var worklistStations: [String: [String]] = [:]
    var outbound = Outbound()
    var subscriptions = Subscriptions()
    var cors = CrossOrigin()
    var viewer = Viewer()
    var consent = Consent()
    /// Where people may sign in instead of here.
    var signIn = SignInConfiguration()
    /// Whose tokens are taken beside this server's own.
    var authorizationServers: [AuthorizationServerConfiguration] = []
    /// Whether applications may ask to be registered.
    var registration = RegistrationConfiguration()
    /// Other bases that this server's tokens are for, for discovery.
    var associatedEndpoints: [AssociatedEndpointConfiguration] = []
    /// Whose hooks are answered; nil for nobody's.
    var cdsHooks: CDSHooksServerConfiguration?
    var fhir = FHIR()
    var limits = ServerLimits()
    var store = Store()
    var publishing = PublicationRule()
    var retention = RetentionRule()
    var routing = RoutingConfiguration()
    /// What is held of archives' studies.
    var archiveCache = ArchiveCacheRule()
    /// What is done with each archive.
    var archives = ArchivesConfiguration()
    /// What is fetched from them before anybody asks.
    var prefetch = PrefetchConfiguration()
    /// Who the user is at application entities that are called.
    var identities = IdentitiesConfiguration()
    /// Whose files want a token when they are imported.
    var imports = ImportsConfiguration()
    /// The audit trail, and who is fed with it.
    var audit = AuditConfiguration()
    /// Who sees what of the people who work here.
    var access = AccessConfiguration()
    /// The site profile's file.
    var siteProfile: String = "site.yaml"
    /// One of `Logger.Level`.
    var logLevel: String = "info"

    enum CodingKeys: String, CodingKey, CaseIterable {
        case doors, http, dimse, mllp, store, limits, outbound, subscriptions, cors, fhir, publishing, audit, retention,
            routing, viewer, archives, prefetch, consent, imports, access, registration, identities
        case siteProfile = "site-profile"
        case logLevel = "log-level"
        case worklistStations = "worklist-stations"
        case archiveCache = "archive-cache"
        case signIn = "sign-in"
        case authorizationServers = "authorization-servers"
        case associatedEndpoints = "associated-endpoints"
        case cdsHooks = "cds-hooks"
    }
    init() {}
    init(from decoder: any Decoder) throws {
        let keys = try StrictKeys(decoder, CodingKeys.self, "hilum.yaml")
        doors = try Self.doors(keys)
        worklistStations = try Self.worklistStations(keys, doors)
        store = try keys.value(.store) ?? store
        limits = try keys.value(.limits) ?? limits
        outbound = try keys.value(.outbound) ?? outbound
        subscriptions = try keys.value(.subscriptions) ?? subscriptions
        cors = try keys.value(.cors) ?? cors
        viewer = try keys.value(.viewer) ?? viewer
        consent = try keys.value(.consent) ?? consent
        signIn = try keys.value(.signIn) ?? signIn
        authorizationServers = try keys.value(.authorizationServers) ?? authorizationServers
        registration = try keys.value(.registration) ?? registration
        associatedEndpoints = try keys.value(.associatedEndpoints) ?? associatedEndpoints
        cdsHooks = try keys.stated(.cdsHooks)
        fhir = try keys.value(.fhir) ?? fhir
        limits.fhir.narrative = fhir.narrative
        limits.fhir.conditionalDelete = fhir.conditionalDelete
        publishing = try keys.value(.publishing).map { (set: PublishingKeys) in set.rule } ?? publishing
        retention = try keys.value(.retention).map { (set: RetentionKeys) in set.rule } ?? retention
        routing = try keys.value(.routing) ?? routing
        archiveCache = try keys.value(.archiveCache).map { (set: ArchiveCacheKeys) in set.rule } ?? archiveCache
        archives = try keys.value(.archives) ?? archives
        prefetch = try keys.value(.prefetch) ?? prefetch
        identities = try keys.stated(.identities) ?? identities
        imports = try keys.value(.imports) ?? imports
        audit = try keys.value(.audit) ?? audit
        access = try keys.stated(.access) ?? access
        siteProfile = try keys.value(.siteProfile) ?? siteProfile
        logLevel = try keys.value(.logLevel) ?? logLevel
    }

    /// The first door of a protocol; nil for one without.
    func door(_ kind: Admission.Door) -> DoorConfiguration? { doors.first { $0.kind == kind } }

    /// The AE title that this server calls peers as: the first of the first DIMSE door.
    var callingTitle: String { door(.dimse)?.titles.first?.title ?? "HILUM" }

    /// The base of all HTTP APIs as clients see it, once the ports are chosen.
    var publicURL: String {
        if let told = doors.lazy.compactMap(\.publicURL).first { return told }
        guard let door = door(.http) else { return "" }
        let host = IPAddress(door.host).map { $0.isV4 ? door.host : "[\(door.host)]" } ?? door.host
        let visible = ["0.0.0.0", "[::]"].contains(host) ? "localhost" : host
        return "\(door.tls == .off ? "http" : "https")://\(visible):\(door.port)"
    }

    /// As this is, with every door in clear text.
    ///
    /// - Parameter isAccepted: also beyond this machine. Throws ``ConfigurationError`` for a door there otherwise.
    func inClearText(isAccepted: Bool) throws -> ServerConfiguration {
        var configuration = self
        for index in doors.indices {
            guard isAccepted || DoorConfiguration.isLoopback(doors[index].host) else {
                throw ConfigurationError(
                    "\(doors[index].place).host is \(doors[index].host): --plain-loopback needs 127.0.0.1, localhost or ::1"
                )
            }
            configuration.doors[index].tls = .off
            configuration.doors[index].acceptsClearText = true
        }
        return configuration
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

    /// The doors of the list, then those of the short forms, then, where there is no list, those for which nothing was
    /// said. A protocol is in the list or has a short form.
    private static func doors(_ keys: StrictKeys<CodingKeys>) throws -> [DoorConfiguration] {
        let list: [DoorConfiguration]? = try keys.value(.doors)
        var doors = list ?? []
        for (key, kind) in [(CodingKeys.http, Admission.Door.http), (.dimse, .dimse), (.mllp, .mllp)] {
            if let short: DoorConfiguration = try keys.value(key) {
                if let other = list?.first(where: { $0.kind == kind }) {
                    throw ConfigurationError(
                        "\(kind.rawValue): stands beside \(other.place), which is such a door too; write both into `doors`"
                    )
                }
                doors.append(short)
            } else if list == nil {
                doors.append(DoorConfiguration(kind))
            }
        }
        return doors
    }

    private static func worklistStations(
        _ keys: StrictKeys<CodingKeys>, _ doors: [DoorConfiguration]
    ) throws -> [String: [String]] {
        let own: [String: [String]]? = try keys.value(.worklistStations)
        let short = doors.lazy.compactMap(\.worklistStations).first
        if own != nil, short != nil {
            throw ConfigurationError("worklist-stations: dimse.worklist-stations says the same; give one")
        }
        return own ?? short ?? [:]
    }

    private func check() throws {
        for door in doors { try door.check() }
        try routing.check(titles: doors.flatMap(\.titles).map(\.title))
        try AuthorizationServerConfiguration.check(authorizationServers, publicURL: publicURL)
        guard doors.contains(where: { $0.kind == .http }) else {
            throw ConfigurationError("doors: at least one of protocol http")
        }
        let named = doors.filter { $0.publicURL != nil }
        if named.count > 1 {
            throw ConfigurationError(
                "\(named[1].place).public-url: \(named[0].place) has one already; clients see one base")
        }
        for (modality, titles) in worklistStations {
            for title in titles where !DoorConfiguration.isAETitle(title) {
                throw ConfigurationError("worklist-stations.\(modality): `\(title)` is no AE title (PS3.5 §6.2)")
            }
        }
        guard Logger.Level(rawValue: logLevel) != nil else {
            let known = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
            throw ConfigurationError("log-level: `\(logLevel)` is none of \(known)")
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
        case workitem = "workitem-days"
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
        rule.workitemDays = try keys.number(.workitem, 0...36_500) ?? rule.workitemDays
        rule.exportHours = try keys.number(.export, 0...87_600) ?? rule.exportHours
        rule.outboxDays = try keys.number(.outbox, 0...36_500) ?? rule.outboxDays
        guard rule.acknowledgmentDays == 0 || rule.messageDays > 0 && rule.acknowledgmentDays >= rule.messageDays else {
            throw ConfigurationError(
                "retention.acknowledgment-days: at least message-days (\(rule.messageDays)), which must be set too")
        }
    }
}

/// `archive-cache`: how much of archives' studies is held. A key of 0 sets no limit.
private struct ArchiveCacheKeys: Decodable {
    var rule = ArchiveCacheRule()
    enum CodingKeys: String, CodingKey, CaseIterable { case bytes, days, pinned }
    init(from decoder: any Decoder) throws {
        let keys = try StrictKeys(decoder, CodingKeys.self, "archive-cache")
        rule.bytesMax = try keys.number(.bytes, 0...(1 << 50)) ?? rule.bytesMax
        rule.days = try keys.number(.days, 0...36_500) ?? rule.days
        let pinned: [String] = try keys.value(.pinned) ?? []
        for uid in pinned where !UID.isSafe(uid) {
            throw ConfigurationError("archive-cache.pinned: `\(uid)` is no Study Instance UID")
        }
        rule.pinned = Set(pinned)
    }
}
