import Access
import Logging
import NIOCore
import OpsAPI
import OutboundAdapter
import Synchronization
import Workflow

/// The one way out of the server from a URL, for whoever needs it.
enum OutboundComposition {
    /// The way to files that are imported, with the tokens of their sources. Throws ``ConfigurationError``.
    static func downloads(
        _ configuration: ServerConfiguration, _ folder: ServerFolder, sender: HTTPSSender, clock: any Workflow.Clock,
        entropy: any Entropy
    ) throws -> HTTPSDownloads {
        var limits = configuration.limits.outbound
        limits.idle = max(limits.idle, .seconds(30))
        let sources = try configuration.imports.sources.map { source in
            let key = try RoutingComposition.key(source.token, at: source.place + ".key", folder)
            let tokens = AccessTokenSource(
                .init(
                    tokenURL: source.token.url, clientID: source.token.client, scope: source.token.scope, key: key,
                    keyID: source.token.keyID), sender: sender, now: { clock.now() },
                newID: { entropy.newID().value })
            return try HTTPSDownloads.Source(base: source.base, tokens: tokens)
        }
        return HTTPSDownloads(outbound(configuration, folder, limits: limits), sources: sources)
    }

    /// - Parameter limits: nil for those of the configuration.
    static func outbound(
        _ configuration: ServerConfiguration, _ folder: ServerFolder, limits: HTTPSOutbound.Limits? = nil
    ) -> HTTPSOutbound {
        HTTPSOutbound(
            policy: configuration.outbound.policy, limits: limits ?? configuration.limits.outbound,
            authoritiesFile: configuration.outbound.authorities.map { folder.resolve($0) })
    }
}

/// What is told of refused strangers: two counters, and a line in the log when an address begins to be throttled, at most
/// one a minute; the sums that follow tell the rest.
final class StrangerMetrics: Sendable {
    private let registry: MetricRegistry
    private let logger: Logger
    private let toldAt = Mutex<ContinuousClock.Instant?>(nil)

    init(registry: MetricRegistry, logger: Logger) {
        self.registry = registry
        self.logger = logger
    }

    func note(_ key: StrangerThrottle.Key, _ verdict: StrangerThrottle.Verdict) {
        registry.count("hilum_strangers_refused", [("door", "http")])
        guard case .throttled(let seconds) = verdict else { return }
        registry.count("hilum_strangers_throttled", [("door", "http")])
        let isNews = toldAt.withLock { told in
            if let told, ContinuousClock.now - told < .seconds(60) { return false }
            told = .now
            return true
        }
        guard isNews else { return }
        logger.warning(
            "a stranger is throttled",
            metadata: ["address": "\(key.block)", "client": "\(key.client ?? "-")", "seconds": "\(seconds)"])
    }
}
