import Access
import HTTPSupport
import HTTPTypes
import Hummingbird
import Workflow

/// The notification connection of a subscriber: a WebSocket. PS3.18 §8.10.4.
extension WorkitemRoutes {
    /// Where a subscriber is told, and which pages may open a connection.
    package struct Notifications: Sendable {
        let hub: NotificationHub
        /// The Origin fields of pages that may open a connection, `scheme://host[:port]`: this server's and those of
        /// `cors: { origins }`. RFC 6454 §6.2.
        let origins: Set<String>

        /// - Parameters:
        ///   - hub: the connections of all subscribers.
        ///   - origins: `scheme://host[:port]` each, without a slash at its end.
        package init(hub: NotificationHub, origins: Set<String>) {
            self.hub = hub
            self.origins = origins
        }
    }

    /// The URL at which an AE is told; nil where there are no connections. §11.10.3.2.
    func notificationURL(of receiver: String) -> String? {
        guard notifications != nil, baseURL.hasPrefix("http") else { return nil }
        return "ws\(baseURL.dropFirst(4))/subscribers/\(PercentCoding.encoded(receiver))"
    }

    /// Opens a connection. The rights are those of a subscriber, and are looked at again while it lasts.
    func openNotifications(_ request: APIRequest) async throws -> Response {
        try Self.check(request, .read)
        let receiver = try Self.receiver(request)
        let answer: HTTPFields
        do throws(WebSocketHandshake.Problem) {
            answer = try WebSocketHandshake.answer(to: request.headers)
        } catch {
            switch error {
            case .noUpgrade: return .empty(.upgradeRequired, headers: WebSocketHandshake.upgradeFields)
            case .malformed(let words): throw HTTPFailure(.malformed, words)
            }
        }
        guard let notifications, let socket = request.socket else {
            throw HTTPFailure(.notImplemented, "there are no notification connections here")
        }
        // A page of elsewhere has no token of ours; should it have got one, it is still no page that the site lists.
        if WebSocketHandshake.mayBeOfPage(request.headers) {
            guard let origin = request.headers[.origin], notifications.origins.contains(origin) else {
                throw HTTPFailure(.insufficientScope, "pages of this origin may not open a connection")
            }
        }
        let hub = notifications.hub
        let client = request.access.principal.id
        guard hub.hasRoom(for: receiver, by: client) else {
            throw HTTPFailure(
                .unavailable, "there are too many notification connections", headers: [.retryAfter: "30"])
        }
        let access = request.access
        try await store.write(access) { unit in
            try unit.audit(
                AuditRecord(
                    category: .transfer, interaction: "notifications", action: .execute, outcome: .success,
                    access: access, entity: "subscriber:\(receiver)"))
        }
        // The place is taken with the first byte: an answer that is never sent keeps none.
        let body = ResponseBody { writer in
            let place = hub.open(socket.events, for: receiver, by: client)
            if place == nil { socket.events.close(.tryAgainLater) }
            var end = EventSocket.End.peer
            defer { if let place { hub.close(place, end) } }
            end = try await socket.events.run(&writer) { await socket.standing { $0.mayUseWorkitems(.read) } }
            try await writer.finish(nil)
        }
        return Response(status: .switchingProtocols, headers: answer, body: body)
    }

    /// Who is to be told: an AE title of 1 to 16 characters, not all spaces. PS3.5 §6.2. Throws `.malformed`.
    static func receiver(_ request: APIRequest) throws(HTTPFailure) -> String {
        let title = request.parameters["aetitle"]
        guard (1...16).contains(title.utf8.count), title.utf8.first != 0x20, title.utf8.last != 0x20,
            title.utf8.allSatisfy({ (0x20...0x7E).contains($0) && $0 != UInt8(ascii: "\\") })
        else { throw HTTPFailure(.malformed, "the subscriber in the URL has no AE title") }
        return title
    }
}
