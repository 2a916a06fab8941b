import Access
import Cryptography
import NIOCore
import OutboundAdapter
import SMARTAPI
import SQLStore

/// What outside servers are believed: who has signed in there, and which of their tokens work here.
struct OutsideComposition {
    /// For each question to one, while somebody waits.
    private static let secondsMax: Int64 = 15

    private let configuration: ServerConfiguration
    private let folder: ServerFolder

    init(_ configuration: ServerConfiguration, _ folder: ServerFolder) {
        self.configuration = configuration
        self.folder = folder
    }

    /// Nil where no provider is configured. Throws ``ConfigurationError``.
    func signIn(
        _ store: RelationalStore, fhirBaseURL: String, now: @escaping @Sendable () -> Int64
    ) throws -> OutsideSignIn? {
        let configured = configuration.signIn.providers
        guard !configured.isEmpty else { return nil }
        let providers = try configured.map { provider in
            provider.provider(try client(provider.client, "sign-in.providers.\(provider.name)"))
        }
        return OutsideSignIn(
            providers: providers, identities: store, ledger: store, outbound: outbound, fhirBaseURL: fhirBaseURL,
            now: now)
    }

    /// The verifier alone where no other server's tokens are taken. Throws ``ConfigurationError``.
    func tokens(
        beside own: any TokenVerifying, _ store: RelationalStore, fhirBaseURL: String,
        now: @escaping @Sendable () -> Int64, randomBytes: @escaping @Sendable (Int) -> [UInt8]
    ) throws -> any TokenVerifying {
        let configured = configuration.authorizationServers
        guard !configured.isEmpty else { return own }
        let servers = try configured.map { server in
            server.server(
                fhirBaseURL: fhirBaseURL,
                client: try server.introspection.map {
                    try client($0.client, "authorization-servers.introspection")
                })
        }
        return OutsideTokens(
            own: own, servers: servers, identities: store, accounts: store, patients: store, outbound: outbound,
            policy: configuration.access.policy, revocations: { store.revocations }, now: now,
            randomBytes: randomBytes)
    }

    /// Nil where operators alone register applications. Throws ``ConfigurationError``.
    func registration(
        _ store: RelationalStore, audit: any AuditTrail, now: @escaping @Sendable () -> Int64,
        randomBytes: @escaping @Sendable (Int) -> [UInt8]
    ) throws -> RegistrationEndpoint? {
        let configured = configuration.registration
        guard configured.isDynamic else { return nil }
        var rules = RegistrationEndpoint.Rules()
        rules.initialTokenDigest = try configured.initialTokenFile.map {
            SHA256.digest(try secret(in: $0, "registration.initial-token").utf8)
        }
        rules.waitSeconds = configured.waitDays * 86_400
        rules.waitingMax = Int(configured.waitingMax)
        rules.statementIssuers = configured.statementIssuers.map {
            .init(issuer: $0.issuer, keySetURL: $0.keySetURL)
        }
        return RegistrationEndpoint(
            rules: rules, registrations: store, audit: audit, outbound: outbound, now: now, randomBytes: randomBytes)
    }

    /// The one line of a file that its owner alone may read.
    func secret(in file: String, _ place: String) throws -> String {
        let path = folder.resolve(file)
        let text = String(decoding: try ServerFolder.readSecret(path), as: UTF8.self)
        let secret = text.filter { !$0.isNewline }
        guard !secret.isEmpty, secret.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw ConfigurationError("\(place): \(path) holds no secret of visible ASCII in one line")
        }
        return secret
    }

    private var outbound: HTTPSOutbound {
        var limits = configuration.limits.outbound
        limits.total = min(limits.total, .seconds(Self.secondsMax))
        return OutboundComposition.outbound(configuration, folder, limits: limits)
    }

    /// How this server is known there. Throws ``ConfigurationError`` with the place, or what reads the file.
    func client(_ configured: OutsideClientConfiguration, _ place: String) throws -> OutsideClient {
        if let file = configured.secretFile {
            return OutsideClient(id: configured.client, proof: .secret(try secret(in: file, place + ".secret")))
        }
        if let file = configured.keyFile {
            let path = folder.resolve(file)
            let pem = String(decoding: try ServerFolder.readSecret(path), as: UTF8.self)
            guard let key = try? PrivateKey(pem: pem, rsaHash: .sha256) else {
                throw ConfigurationError("\(place).key: \(path) is no key on P-256 or P-384 or of RSA in PEM")
            }
            return OutsideClient(id: configured.client, proof: .key(key, keyID: configured.keyID))
        }
        return OutsideClient(id: configured.client, proof: .none)
    }
}
