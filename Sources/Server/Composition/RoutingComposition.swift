import Access
import Cryptography
import DICOMTranslation
import DIMSEAdapter
import Foundation
import HL7Translation
import NIOCore
import OutboundAdapter
import SQLStore
import Workflow

/// What a site's routing is made of: how each destination is sent instances, and by whom.
struct RoutingComposition {
    /// What all objects that are changed at a time may hold, of the memory of all doors.
    static let memoryBytes = 1 << 30

    let configuration: RoutingConfiguration
    private let folder: ServerFolder
    let terms: [ForwardingTerms]
    private let keys: [String: PrivateKey]

    /// Reads the keys that destinations need, and makes the key of pseudonyms where a folder has none. Throws
    /// ``ConfigurationError``.
    /// - Parameter makesKey: false for one that only looks.
    init(
        _ server: ServerConfiguration, _ folder: ServerFolder, zone: SiteZone?, makesKey: Bool = true,
        memory: MemoryBudget = .unlimited, workers: any TaskExecutor = globalConcurrentExecutor
    ) throws {
        configuration = server.routing
        self.folder = folder
        var keys: [String: PrivateKey] = [:]
        let secret =
            configuration.destinations.contains { $0.deidentification != nil }
            ? try PseudonymKey.load(folder, making: makesKey) : nil
        let budget = MemoryBudget(bytesMax: min(Self.memoryBytes, memory.bytesMax))
        terms = try configuration.destinations.map { destination in
            if case .stow(_, let token?) = destination.way {
                keys[destination.name] = try Self.key(
                    token, at: destination.place + ".token.key", folder, making: "`hilum route key` makes one")
            }
            var terms = ForwardingTerms(name: destination.name)
            terms.policy = ForwardingTerms.policy(connections: destination.connections, days: destination.days)
            terms.asksCommitment = destination.reportHours != nil
            terms.plan = BandwidthPlan(destination.windows) { zone?.offsetMinutes(atUTC: $0) ?? 0 }
            terms.rewriting = InstanceRewriting(
                coercion: destination.coercion,
                deidentifier: try destination.deidentification.map {
                    try PseudonymKey.deidentifier($0, secret ?? [], destination.place)
                },
                system: server.callingTitle, memory: budget, workers: workers)
            return terms
        }
        self.keys = keys
    }

    /// The key that tokens of another server are asked for with. Throws ``ConfigurationError`` with the place of the key.
    ///
    /// - Parameter making: how one is made where there is none.
    static func key(
        _ token: RoutingConfiguration.Destination.Token, at place: String, _ folder: ServerFolder,
        making: String = "make one with `openssl ecparam -name secp384r1 -genkey -noout`, and chmod 600"
    ) throws -> PrivateKey {
        let path = folder.resolve(token.key)
        guard FileManager.default.fileExists(atPath: path) else {
            throw ConfigurationError("\(place): \(path) is not there; \(making)")
        }
        let secret = try ServerFolder.readSecret(path)
        guard let key = try? PrivateKey(pem: String(decoding: secret, as: UTF8.self)), key.publicKey.kind != .ec(.p256)
        else {
            throw ConfigurationError(
                "\(place): \(path) is no key on P-384 or of RSA in PEM (SMART App Launch 2.2)")
        }
        return key
    }

    /// Who carries what is in the outbox to the destinations, by the kind they carry.
    func couriers(
        _ server: ServerConfiguration, store: RelationalStore, blobs: any BlobStoring, caller: PeerCaller,
        transcoding: PixelTranscoding? = nil, sender: HTTPSSender, clock: any Workflow.Clock, entropy: any Entropy
    ) -> [String: any Courier] {
        var couriers: [String: any Courier] = [:]
        for (destination, terms) in zip(configuration.destinations, terms) {
            let forwarding = Forwarding(terms, index: store, blobs: blobs) { clock.now() }
            switch destination.way {
            case .peer(let title):
                couriers[ForwardedInstance.outboxName(destination.name)] = StoreCourier(
                    forwarding, to: title, index: store, peers: store, caller: caller, transcoding: transcoding)
                if let hours = destination.reportHours {
                    couriers[PeerCommitmentNote.outboxName(destination.name)] = PeerCommitmentCourier(
                        destination.name, of: title, reportSeconds: hours * 3_600, store: store, peers: store,
                        caller: caller)
                }
            case .stow(let url, let token):
                let tokens = token.flatMap { token in
                    keys[destination.name].map { key in
                        AccessTokenSource(
                            .init(
                                tokenURL: token.url, clientID: token.client, scope: token.scope, key: key,
                                keyID: token.keyID), sender: sender, now: { clock.now() },
                            newID: { entropy.newID().value })
                    }
                }
                couriers[ForwardedInstance.outboxName(destination.name)] = STOWCourier(
                    forwarding, to: url, index: store, sender: sender, tokens: tokens,
                    taken: destination.transferSyntaxes, transcoding: transcoding)
            }
        }
        return couriers
    }

    /// The AE titles of the destinations that are asked to keep what they were sent, by name.
    var committing: [String: String] {
        Dictionary(
            configuration.destinations.compactMap { destination in
                guard destination.reportHours != nil, case .peer(let title) = destination.way else { return nil }
                return (destination.name, title)
            }, uniquingKeysWith: { first, _ in first })
    }

    /// The way out for large objects: the other side may take its time, but not stand still.
    static func sender(_ configuration: ServerConfiguration, _ folder: ServerFolder) -> HTTPSSender {
        var limits = configuration.limits.outbound
        limits.idle = max(limits.idle, .seconds(120))
        limits.writeIdle = .seconds(60)
        return HTTPSSender(OutboundComposition.outbound(configuration, folder, limits: limits))
    }
}

/// The key that pseudonyms are made from: `keys/pseudonym.key`, 32 random bytes. Whoever has it can tell whose
/// pseudonym one is by trying; without it the pseudonyms of a later time are others.
enum PseudonymKey {
    static let bytes = 32

    /// Throws ``ConfigurationError``, also for a file that others may read.
    /// - Parameter making: whether it is made where a folder has none; else it is as if it were.
    static func load(_ folder: ServerFolder, making: Bool) throws -> [UInt8] {
        let path = folder.pseudonymKeyFile
        if !FileManager.default.fileExists(atPath: path) {
            let fresh = SystemEntropy().bytes(bytes)
            guard making else { return fresh }
            try ServerFolder.writeSecret(fresh, to: path)
        }
        let secret = try ServerFolder.readSecret(path)
        guard secret.count == bytes else { throw ConfigurationError("\(path): is not of \(bytes) bytes; restore it") }
        return secret
    }

    /// Under a key of its own, so that pseudonyms at two destinations cannot be joined unless they share a name.
    static func deidentifier(
        _ wanted: RoutingConfiguration.Destination.Deidentification, _ secret: [UInt8], _ place: String
    ) throws -> Deidentifier {
        let key = KeyDerivation.hkdf(secret, info: Array("hilum pseudonyms v1 \(wanted.pseudonyms)".utf8), count: 32)
        guard let pseudonyms = Pseudonyms(key: key) else {
            throw ConfigurationError("\(place).de-identify: the key of pseudonyms is too short")
        }
        return Deidentifier(profile: wanted.profile, pseudonyms: pseudonyms)
    }
}
