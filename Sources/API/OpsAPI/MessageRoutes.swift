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
    /// The most messages one answer lists.
    static let limitMax = 1000

    private let log: any MessageLog
    private let audit: any AuditTrail

    package init(log: any MessageLog, audit: any AuditTrail) {
        self.log = log
        self.audit = audit
    }

    package var group: RouteGroup {
        RouteGroup(
            name: "messages", prefix: "/ops/messages", errorBody: OpsErrorBody(),
            routes: [
                Route(
                    .get, "/ops/messages", operationID: "listMessages",
                    access: .bearer(.permission(.search, on: "MessageHeader")), deadline: .seconds(30)
                ) { try await list($0) },
                Route(
                    .get, "/ops/messages/{id}", operationID: "getMessage",
                    access: .bearer(.permission(.read, on: "MessageHeader")), deadline: .seconds(30)
                ) { try await show($0) },
            ])
    }

    private func list(_ request: APIRequest) async throws -> Response {
        let query = try request.query()
        var wanted = MessageQuery(limit: 100)
        if let text = query["limit"] {
            guard let number = Int(text), (1...Self.limitMax).contains(number) else {
                throw HTTPFailure(.malformed, "limit must be 1 to \(Self.limitMax)")
            }
            wanted.limit = number
        }
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
        let messages = try await log.messages(wanted, access: request.access)
        try await record("messages", request)
        return .bytes(MessageView.list(messages), contentType: "application/json")
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
        try await record("message", request, entity: "message:" + message.controlID)
        return .bytes(MessageView.whole(message), contentType: "application/json")
    }

    private func record(_ interaction: String, _ request: APIRequest, entity: String? = nil) async throws {
        do {
            try await audit.record(
                AuditRecord(
                    category: .query, interaction: interaction, action: .execute, outcome: .success,
                    access: request.access, entity: entity, query: request.rawQuery))
        } catch {
            throw HTTPFailure(.unavailable, "The audit trail cannot be written", headers: [.retryAfter: "5"])
        }
    }
}
