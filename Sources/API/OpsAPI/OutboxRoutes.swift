import Access
import HTTPSupport
import HTTPTypes
import Hummingbird
import Workflow

/// The outbox, for the operator: what waits for other systems, what is parked and why, and the orders to deliver it
/// after all or to give it up. What is delivered is not shown.
package struct OutboxRoutes: Sendable {
    private let log: any OutboxLog
    private let audit: any AuditTrail
    private let hasPages: Bool

    /// - Parameters:
    ///   - log: what is listed and ordered about.
    ///   - audit: keeps the row of each list; those of orders are the log's.
    ///   - hasPages: whether ``OperationsRoutes`` are served, to which browsers are led.
    package init(log: any OutboxLog, audit: any AuditTrail, hasPages: Bool = true) {
        self.log = log
        self.audit = audit
        self.hasPages = hasPages
    }

    /// The routes below `/ops/outbox`: to list takes the right to search MessageHeader, to order that to update it.
    package var group: RouteGroup {
        RouteGroup(
            name: "outbox", prefix: "/ops/outbox", errorBody: OpsErrorBody(),
            routes: [
                Route(
                    .get, "/ops/outbox", operationID: "listOutbox",
                    access: .bearer(.permission(.search, on: "MessageHeader")), deadline: .seconds(30),
                    page: hasPages ? PageBeside.page("/queues") : nil
                ) { try await list($0) },
                order(.post, "/ops/outbox/{number}/replay", "replayOutboxEntry", .replay),
                order(.post, "/ops/outbox/{number}/discard", "discardOutboxEntry", .discard),
                order(.post, "/ops/outbox/replay", "replayOutboxDestination", .replay),
                order(.post, "/ops/outbox/discard", "discardOutboxDestination", .discard),
            ])
    }

    private func order(
        _ method: HTTPRequest.Method, _ template: String, _ operationID: String, _ order: OutboxOrder
    ) -> Route {
        Route(
            method, template, operationID: operationID,
            access: .bearer(.permission(.update, on: "MessageHeader")), deadline: .seconds(30)
        ) { request in
            let count = try await Self.carryOut(order, try Self.selection(request), log, request.access)
            return .bytes(OutboxView.ordered(order, count), contentType: "application/json")
        }
    }

    /// Returns how many entries the order was for. Throws `.notFound` for none.
    static func carryOut(
        _ order: OutboxOrder, _ selection: OutboxSelection, _ log: any OutboxLog, _ access: AccessContext
    ) async throws -> Int {
        let count = try await log.order(order, selection, access: access)
        guard count > 0 else {
            throw HTTPFailure(.notFound, "There is no such entry, or none that can be \(order.past)")
        }
        return count
    }

    /// One entry by the path's number. Throws `.notFound` for what is no number.
    static func entry(_ request: APIRequest) throws -> OutboxSelection {
        guard let number = Int64(request.parameters["number"]), number > 0 else {
            throw HTTPFailure(.notFound, "There is no such entry")
        }
        return .entry(number)
    }

    private static func selection(_ request: APIRequest) throws -> OutboxSelection {
        if !request.parameters["number"].isEmpty { return try entry(request) }
        guard let destination = try request.query()["destination"], !destination.isEmpty else {
            throw HTTPFailure(.malformed, "destination names whose parked entries are meant")
        }
        return .parked(destination: destination)
    }

    private func list(_ request: APIRequest) async throws -> Response {
        let wanted = try Self.wanted(try request.query(), limit: try OpsRoutes.limit(request))
        let entries = try await log.outboxEntries(wanted, access: request.access)
        let depths = try await log.outboxDepths(access: request.access)
        try await OpsRoutes.record("outbox", request, audit)
        return .bytes(OutboxView.json(entries, depths), contentType: "application/json")
    }

    /// Which entries a query asks for. Throws `.malformed`.
    static func wanted(_ query: QueryParameters, limit: Int) throws -> OutboxQuery {
        var wanted = OutboxQuery(destination: query["destination"], kind: query["kind"], limit: limit)
        wanted.eventID = query["event"].map { EntityID($0) }
        wanted.patient = query["patient"]
        wanted.accession = query["accession"]
        wanted.since = try MessageRoutes.time(query, "since")
        wanted.until = try MessageRoutes.time(query, "until")
        if let text = query["before"] {
            guard let number = Int64(text), number > 0 else {
                throw HTTPFailure(.malformed, "before is the number of an entry")
            }
            wanted.before = number
        }
        if let text = query["state"] {
            guard let state = OutboxEntry.State(rawValue: text) else {
                let states = OutboxEntry.State.allCases.map(\.rawValue).joined(separator: ", ")
                throw HTTPFailure(.malformed, "state is one of \(states)")
            }
            wanted.state = state
        }
        return wanted
    }
}

extension OutboxOrder {
    fileprivate var past: String {
        switch self {
        case .replay: "delivered again"
        case .discard: "discarded"
        }
    }
}
