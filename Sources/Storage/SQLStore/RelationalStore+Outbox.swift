import Access
import Workflow

extension RelationalStore: OutboxQueue {
    private static let delivery = AccessContext.server(requestID: "delivery")

    package func claim(_ claim: OutboxClaim) async throws -> OutboxClaimed {
        try await translating {
            try await self.database.write { transaction in
                try OutboxTable(connection: transaction.connection).claim(
                    claim, at: UTCInstant(microseconds: transaction.stamp.time))
            }
        }
    }

    package func renew(_ leases: [OutboxLease], seconds: Int64) async throws -> [OutboxLease] {
        try await translating {
            try await self.database.write { transaction in
                try OutboxTable(connection: transaction.connection).renew(
                    leases, seconds: seconds, at: UTCInstant(microseconds: transaction.stamp.time))
            }
        }
    }

    package func settle(
        _ lease: OutboxLease, _ verdict: DeliveryVerdict, next seconds: Int64?,
        _ consequence: @escaping @Sendable (any UnitOfWork) throws -> Void
    ) async throws -> OutboxLease? {
        try await writeUnit(Self.delivery) { unit in
            let table = OutboxTable(connection: unit.connection)
            guard try table.settle(lease, verdict, at: unit.time) else { return nil }
            try consequence(unit)
            guard let seconds, verdict.goesOn else { return nil }
            return try table.next(after: lease, seconds: seconds, at: unit.time)
        }
    }

    package func release(owner: String?) async throws {
        try await translating {
            try await self.database.write { transaction in
                try OutboxTable(connection: transaction.connection).release(
                    owner: owner, at: UTCInstant(microseconds: transaction.stamp.time))
            }
        }
    }
}

/// Entries are of every patient: an operator's rights are those of the journal of messages.
extension RelationalStore: OutboxLog {
    package func outboxEntries(_ query: OutboxQuery, access: AccessContext) async throws -> [OutboxEntry] {
        guard access.visibility(.search, of: "MessageHeader").isWhole else { return [] }
        let now = UTCInstant(microseconds: now())
        return try await readUnit(access, .background, snapshot: false) {
            try OutboxTable(connection: $0.connection).entries(query, at: now)
        }
    }

    package func outboxDepths(access: AccessContext) async throws -> [OutboxDepth] {
        guard access.visibility(.search, of: "MessageHeader").isWhole else { return [] }
        return try await readUnit(access, .background, snapshot: false) {
            try OutboxTable(connection: $0.connection).depths()
        }
    }

    package func order(
        _ order: OutboxOrder, _ selection: OutboxSelection, access: AccessContext
    ) async throws -> Int {
        guard access.visibility(.update, of: "MessageHeader").isWhole else { return 0 }
        let count = try await writeUnit(access) { unit in
            let count = try OutboxTable(connection: unit.connection).carryOut(order, selection, at: unit.time)
            let entity =
                switch selection {
                case .entry(let number): "outbox:\(number)"
                case .parked(let destination): "outbox:" + destination
                }
            try unit.audit(
                AuditRecord(
                    category: .application, interaction: "outbox-" + order.rawValue,
                    action: order == .replay ? .execute : .delete, outcome: count == 0 ? .minorFailure : .success,
                    access: access, entity: entity, detail: "\(count) entries"))
            return count
        }
        if count > 0 { deliverySignal.raise() }
        return count
    }
}
