import Access
import FHIRModel
import Workflow

/// Subscription: what a client states is registered, and the server alone says how it goes. FHIR R4 subscription.html.
enum SubscriptionProjection {
    static let type = "Subscription"

    /// Registers what a client states, and returns the resource as it is to be stored: without secrets, with the server's
    /// status. Throws ``InteractionError``.
    static func register(_ document: JSONDocument, id: EntityID, in unit: any ResourceUnitOfWork) throws -> JSONDocument
    {
        let known = try unit.subscription(id)
        try checkOwner(known, unit.access)
        var value = JSONValue(document)
        let statement = try SubscriptionStatement(value, in: unit)
        for permission in [Permissions.read, .search] where !unit.access.allows(permission, on: statement.type) {
            throw InteractionError(
                .forbidden, "no scope to read and search \(statement.type), which the criteria watch")
        }
        let headers = try secrets(statement, known, in: unit)
        let record = try record(statement, id, known, headers, in: unit)
        if record.state.isLive, known?.state.isLive != true,
            try unit.liveSubscriptions(ownedBy: record.ownerID) >= unit.subscriptionRules.perClientMax
        {
            throw InteractionError(
                .conflict,
                "a client has at most \(unit.subscriptionRules.perClientMax) Subscriptions; turn others off")
        }
        try unit.save(record, headers: headers)
        // What was parked is tried again, or given up if it is of an earlier statement.
        if known != nil { try unit.resume(record.destination) }
        if record.state == .requested { try unit.enqueue(SubscriptionNotice(record).draft) }
        show(record, in: &value)
        return try JSONDocument(value)
    }

    /// Takes a Subscription back: what it was to be told is given up. Throws ``InteractionError``.
    static func withdraw(_ id: EntityID, in unit: any ResourceUnitOfWork) throws {
        guard let known = try unit.subscription(id) else { return }
        try checkOwner(known, unit.access)
        try unit.removeSubscription(id)
        try unit.resume(known.destination)
    }

    fileprivate static func show(_ record: SubscriptionRecord, in value: inout JSONValue) {
        value["status"] = .string(record.state.rawValue)
        value["error"] = record.error.map { .string($0) }
        guard var channel = value["channel"] else { return }
        channel["header"] =
            record.headerNames.isEmpty
            ? nil : .array(record.headerNames.map { .string("\($0): \(SubscriptionStatement.hidden)") })
        value["channel"] = channel
    }

    /// Another's Subscription would send its secrets, and what its owner may see, to whoever changes it.
    private static func checkOwner(_ known: SubscriptionRecord?, _ access: AccessContext) throws {
        guard access.principal.kind == .client else {
            throw InteractionError(.forbidden, "a Subscription is a client's: it is told what that client may see")
        }
        if let known, known.ownerID != access.principal.id {
            throw InteractionError(.forbidden, "a Subscription is changed by the client that made it")
        }
    }

    /// The header fields to send: a value that was read back hidden stays what it was, as long as it goes to the same
    /// place.
    private static func secrets(
        _ statement: SubscriptionStatement, _ known: SubscriptionRecord?, in unit: any ResourceUnitOfWork
    ) throws -> [String] {
        guard !statement.headers.isEmpty else { return [] }
        guard unit.canSeal else {
            throw SubscriptionStatement.refusal(
                "channel.header", "this server has no key (keys/master.key) to keep header values with")
        }
        let kept = try known.map { try unit.headers(of: $0) } ?? []
        return try statement.headers.enumerated().map { index, header in
            guard header.value == SubscriptionStatement.hidden else { return "\(header.name): \(header.value)" }
            guard let known, known.endpoint == statement.endpoint,
                let line = kept.first(where: { $0.lowercased().hasPrefix(header.name.lowercased() + ":") })
            else {
                throw SubscriptionStatement.refusal(
                    "channel.header[\(index)]", "the value of this header has to be given again: the endpoint is new")
            }
            return line
        }
    }

    private static func record(
        _ statement: SubscriptionStatement, _ id: EntityID, _ known: SubscriptionRecord?, _ headers: [String],
        in unit: any ResourceUnitOfWork
    ) throws -> SubscriptionRecord {
        let isSame =
            known.map {
                $0.state.isLive && $0.criteria == statement.criteria && $0.endpoint == statement.endpoint
                    && $0.sendsResource == statement.sendsResource
            } ?? false
        let names = statement.headers.map(\.name)
        let hasSameHeaders =
            try known.map { try unit.headers(of: $0) == headers && $0.headerNames == names } ?? false
        let state: SubscriptionRecord.State =
            statement.isOff
            ? .off : isSame && hasSameHeaders && statement.isActive && known?.state == .active ? .active : .requested
        let (epoch, sinceKey) = try unit.subscriptionEpoch()
        return SubscriptionRecord(
            id: id, epoch: isSame ? known?.epoch ?? epoch : epoch,
            sinceKey: isSame ? known?.sinceKey ?? sinceKey : sinceKey,
            type: statement.type, criteria: statement.criteria, endpoint: statement.endpoint,
            sendsResource: statement.sendsResource, headerNames: names, end: statement.end,
            ownerID: unit.access.principal.id, ownerName: unit.access.principal.name,
            scopes: unit.access.scopes.map(\.text), patientID: unit.access.patient, state: state, error: nil)
    }
}

extension SubscriptionRecord {
    /// What a Subscription says whose time is over.
    package static let ended = "the Subscription has ended"

    /// Keeps how the Subscription goes and shows it in the resource, as a version of its own. Throws `StoreError`.
    package func keep(in unit: any ResourceUnitOfWork) throws {
        try unit.save(self, headers: nil)
        let type = SubscriptionProjection.type
        guard let current = try unit.currentResource(type, id.value), !current.isDeleted else { return }
        var value = JSONValue(try JSONDocument(parsing: current.bytes, limits: .stored))
        SubscriptionProjection.show(self, in: &value)
        try unit.putResource(type, id.value, try JSONDocument(value), method: .update)
    }
}
