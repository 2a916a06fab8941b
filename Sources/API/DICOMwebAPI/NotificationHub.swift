import DICOMData
import HTTPSupport
import Synchronization
import Workflow

/// The notification connections that are open, by the AE title that they listen for, and what is told over them: the
/// reports that N-EVENT-REPORT tells, from the same outbox. PS3.18 §8.10, §11.13.
package final class NotificationHub: Sendable {
    /// How many connections there may be, and how long one is waited for.
    package struct Limits: Sendable {
        /// Of all clients together.
        package var socketsMax = 256
        /// Of one client, so that none keeps others out.
        package var perClientMax = 64
        /// Of one client for one title.
        package var perReceiverMax = 4
        /// From a subscription on, the time in which its receiver is expected to open a connection.
        package var expectedFor = Duration.seconds(30)
        /// Of one report: how long it waits for a connection that is expected.
        package var patience = Duration.seconds(5)
        /// Those of a server.
        package init() {}
    }

    /// Told of figures: how many connections are open now, and what happened.
    package enum Figure: Sendable, Hashable {
        case open(Int)
        case told
        case ended(EventSocket.End)
    }

    private struct State: Sendable {
        var sockets: [String: [Int: Listener]] = [:]
        /// How many are open, by client.
        var byClient: [String: Int] = [:]
        var count = 0
        var next = 0
        var messageID: UInt16 = 0
        var isClosed = false
        /// By AE title, until when a connection is expected: at most `socketsMax`.
        var expected: [String: ContinuousClock.Instant] = [:]
    }

    /// A connection, and the id of the client that opened it.
    private struct Listener: Sendable {
        let socket: EventSocket
        let client: String
    }

    /// What ``open(_:for:by:)`` gives and ``close(_:_:)`` takes back: the AE title, the client's id, and a number that no
    /// other connection of the process has.
    struct Place: Sendable {
        let receiver: String
        let client: String
        let number: Int
    }

    private let limits: Limits
    private let observe: @Sendable (Figure) -> Void
    private let state = Mutex(State())
    private let opened = DeliverySignal()

    /// - Parameter observe: told of figures, on the task of whoever causes them.
    package init(limits: Limits = Limits(), observe: @escaping @Sendable (Figure) -> Void = { _ in }) {
        self.limits = limits
        self.observe = observe
    }

    // MARK: Connections

    /// Whether a connection of a client would be taken in now.
    func hasRoom(for receiver: String, by client: String) -> Bool {
        state.withLock { hasRoom(for: receiver, by: client, in: $0) }
    }

    private func hasRoom(for receiver: String, by client: String, in state: State) -> Bool {
        !state.isClosed && state.count < limits.socketsMax && state.byClient[client, default: 0] < limits.perClientMax
            && (state.sockets[receiver] ?? [:]).values.count(where: { $0.client == client }) < limits.perReceiverMax
    }

    /// Takes a connection of a client in; nil when there are too many, or the server stops.
    func open(_ socket: EventSocket, for receiver: String, by client: String) -> Place? {
        let place = state.withLock { state -> Place? in
            guard hasRoom(for: receiver, by: client, in: state) else { return nil }
            state.next += 1
            state.count += 1
            state.byClient[client, default: 0] += 1
            state.sockets[receiver, default: [:]][state.next] = Listener(socket: socket, client: client)
            state.expected[receiver] = nil
            return Place(receiver: receiver, client: client, number: state.next)
        }
        guard let place else { return nil }
        observe(.open(count))
        opened.raise()
        return place
    }

    func close(_ place: Place, _ end: EventSocket.End) {
        let isGone = state.withLock { state -> Bool in
            guard state.sockets[place.receiver]?.removeValue(forKey: place.number) != nil else { return false }
            state.count -= 1
            state.byClient[place.client] = state.byClient[place.client].flatMap { $0 > 1 ? $0 - 1 : nil }
            if state.sockets[place.receiver]?.isEmpty == true { state.sockets[place.receiver] = nil }
            return true
        }
        guard isGone else { return }
        observe(.ended(end))
        observe(.open(count))
    }

    /// Ends all connections with 1001, and takes no others: the server stops.
    package func stop() {
        let all = state.withLock { state in
            state.isClosed = true
            return state.sockets.values.flatMap(\.values)
        }
        for listener in all { listener.socket.close(.goingAway) }
    }

    /// How many are open.
    package var count: Int { state.withLock { $0.count } }

    // MARK: Reports

    /// Notes that a receiver was subscribed: for ``Limits/expectedFor`` its reports wait for its first connection. Past
    /// ``Limits/socketsMax`` receivers at a time nothing is noted.
    func expect(_ receiver: String) {
        let now = ContinuousClock.now
        state.withLock { state in
            if state.expected.count >= limits.socketsMax { state.expected = state.expected.filter { $0.value > now } }
            guard state.expected.count < limits.socketsMax else { return }
            state.expected[receiver] = now + limits.expectedFor
        }
    }

    /// Tells a report to all who listen for its receiver; false when nobody took it.
    package func tell(_ report: WorkitemReport) -> Bool {
        let (listeners, number) = state.withLock { state -> ([Listener], UInt16) in
            guard let listeners = state.sockets[report.receiver]?.values else { return ([], 0) }
            state.messageID = state.messageID == .max ? 1 : state.messageID + 1
            return (Array(listeners), state.messageID)
        }
        guard !listeners.isEmpty, let text = Self.text(of: report, messageID: number) else { return false }
        var isTold = false
        for listener in listeners where listener.socket.send(text) { isTold = true }
        if isTold { observe(.told) }
        return isTold
    }

    /// The same; where a connection is expected and none is open it is waited for, ``Limits/patience`` at most.
    package func tellExpected(_ report: WorkitemReport) async -> Bool {
        let end = ContinuousClock.now + limits.patience
        while true {
            if tell(report) { return true }
            let now = ContinuousClock.now
            let isExpected = state.withLock { ($0.expected[report.receiver] ?? now) > now }
            guard isExpected, now < end, !Task.isCancelled else { return false }
            await opened.wait(end - now)
        }
    }

    /// The command elements that say of what it is, and the event information, as one DICOM JSON object; nil where what is
    /// kept cannot be read. PS3.18 §11.13, PS3.7 Table 10.3-1.
    static func text(of report: WorkitemReport, messageID: UInt16) -> [UInt8]? {
        guard
            let information = try? DataSetDecoder(transferSyntax: .explicitVRLittleEndian, limits: .stored).decode(
                report.information),
            let json = try? DICOMJSON.encode(information)
        else { return nil }
        func member(_ tag: String, _ vr: String, _ value: String) -> String {
            "\"\(tag)\":{\"vr\":\"\(vr)\",\"Value\":[\(value)]}"
        }
        // A UID has nothing that JSON would escape: it was looked at when it was taken.
        let head = [
            member("00000002", "UI", "\"\(UID.unifiedProcedureStepEvent)\""),
            member("00000110", "US", "\(messageID)"), member("00001000", "UI", "\"\(report.sopInstanceUID)\""),
            member("00001002", "US", "\(report.kind.rawValue)"),
        ].joined(separator: ",")
        let rest = json.dropFirst()
        return Array("{\(head)".utf8) + (rest.count > 1 ? [UInt8(ascii: ",")] : []) + rest
    }
}
