import Access
import Workflow

/// Tells Subscriptions by rest-hook: POST to their endpoint, empty or with the resource, until it is taken.
///
/// What is told is looked at again at each attempt with what its owner may see then; an owner that was revoked is told
/// nothing. Each request carries an id that stays over all its attempts. FHIR R4 subscription.html#2.46.6.1.
package struct SubscriptionCourier: Courier {
    /// The id of the event: the same in each attempt.
    package static let eventHeader = "Hilum-Event-Id"
    /// `Subscription/<id>`.
    package static let subscriptionHeader = "Hilum-Subscription"
    /// `handshake` for the first call, `notification` for all others.
    package static let kindHeader = "Hilum-Event"

    static let revoked = "the client that subscribed was revoked"
    /// Attempts after which the resource says that there is an error, while further ones go on.
    private static let attemptsBeforeError = 3

    package var policy = DeliveryPolicy()
    private let subscriptions: any SubscriptionDirectory
    private let resources: any SubscribedResources
    private let clients: any ClientDirectory
    private let sender: any OutboundSender
    private let rules: SubscriptionRules
    private let now: @Sendable () -> UTCInstant

    package init(
        subscriptions: any SubscriptionDirectory, resources: any SubscribedResources, clients: any ClientDirectory,
        sender: any OutboundSender, rules: SubscriptionRules, now: @escaping @Sendable () -> UTCInstant
    ) {
        self.subscriptions = subscriptions
        self.resources = resources
        self.clients = clients
        self.sender = sender
        self.rules = rules
        self.now = now
        policy.placesPerDestination = 1
        policy.holdsLaneWhenParked = true
    }

    package func deliver(_ entry: OutboxEntry) async -> DeliveryOutcome {
        guard let notice = SubscriptionNotice(payload: entry.payload) else {
            return .permanent("the entry is of another version of this server")
        }
        do {
            guard let (record, headers) = try await subscriptions.subscription(notice.subscription) else {
                return .withdrawn("the Subscription is deleted")
            }
            guard record.epoch == notice.epoch, record.state.isLive else {
                return .withdrawn("the Subscription was changed or turned off")
            }
            if let end = record.end, end <= now() { return .withdrawn(SubscriptionRecord.ended) }
            guard let client = try await clients.client(id: record.ownerID), client.revokedAt == nil else {
                return .withdrawn(Self.revoked)
            }
            var body: [UInt8] = []
            if let version = notice.version {
                let access = record.access(client, requestID: entry.eventID.value)
                guard
                    let stored = try await resources.read(
                        version.type, version.id, version: version.number, access: access), !stored.isDeleted
                else { return .withdrawn("the subscriber may not see the resource, or the version is gone") }
                if record.sendsResource { body = stored.bytes }
            }
            return try await send(record, headers, body, notice, entry)
        } catch let refusal as OutboundRefusal {
            return refusal == .unresolvable ? .unreachable(refusal.rawValue) : .permanent(refusal.rawValue)
        } catch let failure as OutboundFailure {
            return .unreachable(failure.rawValue)
        } catch {
            return .transient("the store did not answer")
        }
    }

    private func send(
        _ record: SubscriptionRecord, _ headers: [String], _ body: [UInt8], _ notice: SubscriptionNotice,
        _ entry: OutboxEntry
    ) async throws -> DeliveryOutcome {
        // The site may have changed its mind since.
        guard rules.allows(host: try OutboundURL(record.endpoint).host) else {
            return .permanent("the site does not let this host be told")
        }
        var fields = [
            OutboundHeader(trusted: Self.eventHeader, entry.eventID.value),
            OutboundHeader(trusted: Self.subscriptionHeader, "Subscription/" + record.id.value),
            OutboundHeader(trusted: Self.kindHeader, notice.version == nil ? "handshake" : "notification"),
        ]
        if !body.isEmpty {
            fields.append(OutboundHeader(trusted: "Content-Type", "application/fhir+json; charset=utf-8"))
        }
        fields += headers.compactMap { OutboundHeader(line: $0) }
        let answer = try await sender.post(OutboundRequest(url: record.endpoint, headers: fields, body: body))
        return Self.outcome(answer)
    }

    /// What an answer means. What asks for another request than this one will never take it.
    static func outcome(_ answer: OutboundAnswer) -> DeliveryOutcome {
        let text = "the endpoint answered \(answer.status)"
        switch answer.status {
        case 200...299: return .delivered
        case 300...399: return .permanent(text + "; redirects are not followed")
        case 429: return .overloaded(text, retryAfterSeconds: answer.retryAfterSeconds)
        case 503 where answer.retryAfterSeconds != nil:
            return .overloaded(text, retryAfterSeconds: answer.retryAfterSeconds)
        case 400, 405, 406, 410, 411, 413, 414, 415, 417, 422, 431, 501, 505: return .permanent(text)
        default: return .transient(text)
        }
    }

    /// How it goes shows in the Subscription; what was told to whom, in the audit trail.
    package func settled(_ entry: OutboxEntry, _ verdict: DeliveryVerdict, in unit: any UnitOfWork) throws {
        guard let unit = unit as? any ResourceUnitOfWork, let notice = SubscriptionNotice(payload: entry.payload),
            let record = try unit.subscription(notice.subscription), record.epoch == notice.epoch, record.state.isLive
        else { return }
        var changed = record
        switch verdict {
        case .done:
            (changed.state, changed.error) = (.active, nil)
            if let version = notice.version { try audit(record, version, entry, in: unit) }
        case .park(let failure, _): (changed.state, changed.error) = (.error, failure)
        case .retry(_, _, let failure):
            if entry.attempts + 1 >= Self.attemptsBeforeError, record.state != .error {
                (changed.state, changed.error) = (.error, failure)
            }
        case .discard(let failure):
            if failure == Self.revoked || failure == SubscriptionRecord.ended {
                (changed.state, changed.error) = (.off, failure)
            }
        case .wait, .postpone: return
        }
        if changed != record { try changed.keep(in: unit) }
    }

    private func audit(
        _ record: SubscriptionRecord, _ version: SubscriptionNotice.Version, _ entry: OutboxEntry,
        in unit: any ResourceUnitOfWork
    ) throws {
        try unit.audit(
            AuditRecord(
                category: .export, interaction: "subscription-notification", action: .read, outcome: .success,
                access: record.accessStated(requestID: entry.eventID.value),
                entity: "\(version.type)/\(version.id)/_history/\(version.number)",
                detail: "Subscription/\(record.id.value)\(record.sendsResource ? "" : " without the resource")"))
    }
}

/// What a courier reads of the store: one version, as far as its subscriber may see it.
package protocol SubscribedResources: Sendable {
    func read(_ type: String, _ id: String, version: Int64, access: AccessContext) async throws -> StoredResource?
}
