import Access
import FHIRSearch
import Workflow

/// A Subscription as the server carries it out: what a client stated, whose it is, and how it goes.
/// FHIR R4 subscription.html.
package struct SubscriptionRecord: Sendable, Hashable, Codable {
    package enum State: String, Sendable, Hashable, Codable {
        /// Until its endpoint has answered for the first time.
        case requested
        case active
        /// Its endpoint does not answer as it should; what it is to be told waits.
        case error
        case off

        /// Whether changes are matched for it.
        package var isLive: Bool { self != .off }
    }

    package var id: EntityID
    /// The commit by which it was asked for as it is. What was to be told before is not told any more.
    package var epoch: Int64
    /// The newest version of any resource at that commit: only newer ones are matched.
    package var sinceKey: Int64
    /// The type of the resources that are watched.
    package var type: String
    /// As stated: `Observation?code=1234`.
    package var criteria: String
    package var endpoint: String
    /// Whether the resource is sent; otherwise only that there is something to look for.
    package var sendsResource: Bool
    /// The names of the header fields; their values are sealed.
    package var headerNames: [String]
    /// The time at which it is turned off.
    package var end: UTCInstant?
    package var ownerID: String
    package var ownerName: String
    /// Of the token by which it was asked for.
    package var scopes: [String]
    /// The patient in context of that token, whom scopes of the patient level speak of.
    package var patientID: String?
    package var state: State
    /// Why the last attempt failed, or why it is off.
    package var error: String?

    /// Where the outbox sends what it is told.
    package var destination: String { Self.destination(id) }
    package static func destination(_ id: EntityID) -> String { "subscription/" + id.value }

    /// What its owner may see today: no more than by the token that asked, nor than the client is allowed now.
    package func access(_ client: Client, requestID: String) -> AccessContext {
        AccessContext(
            principal: Principal(kind: .client, id: ownerID, name: ownerName),
            scopes: scopes.compactMap { Scope($0) }.granted(from: client.scopes), patient: patientID,
            requestID: requestID)
    }

    /// What its owner could see when it asked.
    package func accessStated(requestID: String) -> AccessContext {
        AccessContext(
            principal: Principal(kind: .client, id: ownerID, name: ownerName),
            scopes: scopes.compactMap { Scope($0) }, patient: patientID, requestID: requestID)
    }
}

/// What a site lets clients subscribe to: `subscriptions` of the configuration.
package struct SubscriptionRules: Sendable, Hashable {
    /// The hosts that may be told, `*.` before a name for all below it; nil for all that ``outbound`` lets through.
    package var hosts: [String]?
    package var outbound = OutboundPolicy()
    /// Of one client, not counting those that are off.
    package var perClientMax = 100
    /// Of `criteria`.
    package var criteriaBytesMax = 4_096
    package var headersMax = 16
    /// Of one header.
    package var headerBytesMax = 8_192
    /// Entries that wait for a Subscription in error, before it is turned off.
    package var waitingMax = 100_000

    package init() {}

    /// Whether a host may be told.
    package func allows(host: String) -> Bool {
        guard let hosts else { return true }
        let name = host.lowercased()
        return hosts.contains { pattern in
            let pattern = pattern.lowercased()
            return pattern.hasPrefix("*.") ? name.hasSuffix(pattern.dropFirst()) : name == pattern
        }
    }
}

/// The Subscriptions of a unit of work.
package protocol SubscriptionTransaction: AnyObject {
    var subscriptionRules: SubscriptionRules { get }
    /// Reads criteria as a search of this server is read.
    var searchParser: SearchQueryParser { get }
    func subscription(_ id: EntityID) throws -> SubscriptionRecord?
    /// Keeps a Subscription; from now on changes are matched for it, or no more.
    /// - Parameter headers: `Name: value` each, in the order of ``SubscriptionRecord/headerNames``; nil leaves those that
    ///   are kept. Throws `StoreError(.misuse)` where there is no key to seal them with.
    func save(_ subscription: SubscriptionRecord, headers: [String]?) throws
    func removeSubscription(_ id: EntityID) throws
    /// The header fields of a Subscription, opened.
    func headers(of subscription: SubscriptionRecord) throws -> [String]
    /// Whether header fields can be sealed.
    var canSeal: Bool { get }
    /// Those of a client that are not off.
    func liveSubscriptions(ownedBy clientID: String) throws -> Int
    /// The commit of this unit and the newest version there is.
    func subscriptionEpoch() throws -> (epoch: Int64, sinceKey: Int64)
    /// Lets all that is parked or waits at a destination be tried again now.
    func resume(_ destination: String) throws
}

/// The Subscriptions for whoever tells them.
package protocol SubscriptionDirectory: Sendable {
    /// A Subscription with its header fields, opened.
    func subscription(_ id: EntityID) async throws -> (record: SubscriptionRecord, headers: [String])?
}
