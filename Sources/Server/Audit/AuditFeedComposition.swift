import Access
import Glibc
import Logging
import NIOSSL
import OpsAPI
import OutboundAdapter
import SQLStore
import Workflow

/// How the feeds of a configuration reach their repositories.
struct AuditFeedComposition {
    let configuration: ServerConfiguration
    let folder: ServerFolder

    init(_ configuration: ServerConfiguration, _ folder: ServerFolder) {
        self.configuration = configuration
        self.folder = folder
    }

    /// The FHIR base URL by which events name this server.
    var base: String { configuration.publicURL + "/fhir" }

    /// One service for each feed. Throws ``ConfigurationError``.
    func feeders(
        _ database: SQLDatabase, states: AuditFeedStates, clock: any Workflow.Clock, entropy: any Entropy,
        logger: Logger
    ) throws -> [AuditFeeder] {
        try configuration.audit.feeds.map { feed in
            AuditFeeder(
                feed: feed, database: database, target: try target(feed, clock: clock, entropy: entropy), base: base,
                now: { clock.now().microseconds }, states: states, logger: logger)
        }
    }

    /// The way to a repository. Throws ``ConfigurationError`` for a key or a certificate that cannot be read.
    func target(
        _ feed: AuditConfiguration.Feed, clock: any Workflow.Clock, entropy: any Entropy
    ) throws -> any AuditFeeding {
        let identity = try identity(feed)
        let authorities = feed.authorities.map { folder.resolve($0) }
        if let authorities { _ = try Self.certificates(authorities, feed) }
        switch feed.way {
        case .fhir(let base, let token):
            let outbound = HTTPSOutbound(
                policy: configuration.outbound.policy, limits: configuration.limits.outbound,
                authoritiesFile: authorities ?? configuration.outbound.authorities.map { folder.resolve($0) },
                identity: identity)
            let sender = HTTPSSender(outbound)
            let tokens = try token.map { token in
                AccessTokenSource(
                    .init(
                        tokenURL: token.url, clientID: token.client, scope: token.scope,
                        key: try RoutingComposition.key(token, at: feed.place + ".token.key", folder),
                        keyID: token.keyID),
                    sender: sender, now: { clock.now() }, newID: { entropy.newID().value })
            }
            return RESTfulAuditFeed(base: base, sender: sender, tokens: tokens)
        case .syslog(let host, let port, let kind):
            let place = feed.place
            return SyslogAuditFeed(
                host: host, port: port, kind: kind, machine: Self.machine, process: getpid()
            ) {
                try Self.tls(identity, authorities, place)
            }
        }
    }

    private func identity(_ feed: AuditConfiguration.Feed) throws -> HTTPSOutbound.Identity? {
        guard let certificate = feed.certificate.map({ folder.resolve($0) }),
            let key = feed.key.map({ folder.resolve($0) })
        else { return nil }
        _ = try Self.certificates(certificate, feed)
        _ = try ServerFolder.readSecret(key)
        do {
            _ = try NIOSSLPrivateKey(file: key, format: .pem)
        } catch { throw ConfigurationError("\(feed.place).key: \(key): is no private key in PEM") }
        return HTTPSOutbound.Identity(certificateFile: certificate, keyFile: key)
    }

    private static func certificates(_ path: String, _ feed: AuditConfiguration.Feed) throws -> [NIOSSLCertificate] {
        guard let found = try? NIOSSLCertificate.fromPEMFile(path), !found.isEmpty else {
            throw ConfigurationError("\(feed.place): \(path): no certificate in PEM can be read there")
        }
        return found
    }

    /// TLS 1.2 or newer, with the suites of the doors. RFC 5425 §4.2, RFC 9325 §4.2.
    private static func tls(
        _ identity: HTTPSOutbound.Identity?, _ authorities: String?, _ place: String
    ) throws -> NIOSSLContext {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.minimumTLSVersion = .tlsv12
        tls.cipherSuiteValues = TLSContexts.suitesOfTLS12
        do {
            if let authorities { tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(authorities)) }
            try identity?.show(in: &tls)
            return try NIOSSLContext(configuration: tls)
        } catch { throw ConfigurationError("\(place): certificate, key or authorities cannot be used") }
    }

    /// The name of this machine, for headers of syslog.
    private static var machine: String {
        var name = [CChar](repeating: 0, count: 256)
        guard gethostname(&name, name.count - 1) == 0 else { return "" }
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
