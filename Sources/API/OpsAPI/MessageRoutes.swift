import Access
import HTTPSupport
import HTTPTypes
import Hummingbird
import Workflow

/// The journal of HL7 messages, for the operator: what came, how it was answered, and what became of its values.
///
/// An answer names places and targets and holds no value of a message; the raw message is read with
/// `hilum message show --raw` on the machine alone.
package struct MessageRoutes: Sendable {
    private let log: any MessageLog
    private let audit: any AuditTrail
    private let hasPages: Bool

    /// - Parameters:
    ///   - log: what is listed.
    ///   - audit: keeps the row of each answer before it leaves.
    ///   - hasPages: whether ``OperationsRoutes`` are served, to which browsers are led.
    package init(log: any MessageLog, audit: any AuditTrail, hasPages: Bool = true) {
        self.log = log
        self.audit = audit
        self.hasPages = hasPages
    }

    /// The routes below `/ops/messages`, with the rights to search and to read MessageHeader.
    package var group: RouteGroup {
        RouteGroup(
            name: "messages", prefix: "/ops/messages", errorBody: OpsErrorBody(),
            routes: [
                Route(
                    .get, "/ops/messages", operationID: "listMessages",
                    access: .bearer(.permission(.search, on: "MessageHeader")), deadline: .seconds(30),
                    page: hasPages ? PageBeside.page("/messages") : nil
                ) { try await list($0) },
                Route(
                    .get, "/ops/messages/{id}", operationID: "getMessage",
                    access: .bearer(.permission(.read, on: "MessageHeader")), deadline: .seconds(30),
                    page: hasPages ? PageBeside.page("/messages", "id") : nil
                ) { try await show($0) },
            ])
    }

    private func list(_ request: APIRequest) async throws -> Response {
        let wanted = try Self.wanted(try request.query(), limit: try OpsRoutes.limit(request))
        let messages = try await log.messages(wanted, access: request.access)
        try await OpsRoutes.record("messages", request, audit)
        return .bytes(MessageView.list(messages), contentType: "application/json")
    }

    /// Which messages a query asks for. Throws `.malformed`.
    static func wanted(_ query: QueryParameters, limit: Int) throws -> MessageQuery {
        var wanted = MessageQuery(limit: limit)
        if let text = query["disposition"] {
            guard let disposition = JournaledMessage.Disposition(rawValue: text) else {
                throw HTTPFailure(.malformed, "disposition is applied, ignored or failed")
            }
            wanted.disposition = disposition
        }
        wanted.sender = query["sender"]
        wanted.controlID = query["control-id"]
        wanted.patient = query["patient"]
        wanted.accession = query["accession"]
        wanted.since = try Self.time(query, "since")
        wanted.until = try Self.time(query, "until")
        return wanted
    }

    /// A date or a moment in UTC.
    static func time(_ query: QueryParameters, _ name: String) throws -> UTCInstant? {
        guard let text = query[name] else { return nil }
        guard let time = HTTPDate.microseconds(ofInstant: text) else {
            throw HTTPFailure(.malformed, "\(name) is a date or a time in UTC such as 2026-02-28T08:00:00Z")
        }
        return UTCInstant(microseconds: time)
    }

    private func show(_ request: APIRequest) async throws -> Response {
        let id = request.parameters["id"]
        guard let message = try await log.message(EntityID(id), access: request.access) else {
            throw HTTPFailure(.notFound, "There is no such message")
        }
        try await OpsRoutes.record(
            "message", request, audit, entity: "message:" + message.controlID, patients: message.patientIDs)
        return .bytes(MessageView.whole(message), contentType: "application/json")
    }
}
