/// Who may use one of a few places, and who waits for one: clients take turns, so that one with many requests waits for
/// itself and not others for it. A client whose requests hold their places for long gets fewer at a time: each keeps a
/// processor busy that all doors need.
///
/// A value: every check is taken together with what it allows. `Ticket` stands for one who waits.
struct FairQueue<Ticket> {
    /// What becomes of one who arrives.
    enum Admission: Equatable {
        case entered, waiting
        /// The client, or all clients together, already have as many waiting as may wait.
        case refused
    }

    /// What the queue bounds.
    struct Limits {
        /// Places for all.
        var placesMax: Int
        /// Places that one client may hold; at least 1.
        var placesPerClientMax: Int
        /// Of one client.
        var waitingPerClientMax: Int
        /// Of all clients together.
        var waitingMax: Int
        /// A client whose requests hold a place for longer than this in the mean is heavy. Seconds.
        var heavySeconds = Double.infinity
        /// Places that a heavy client may hold; at least 1.
        var placesPerHeavyClientMax = 1
    }

    private struct Line {
        var inside = 0
        var waiting: [(id: UInt64, ticket: Ticket)] = []
    }

    let limits: Limits
    private var lines: [String: Line] = [:]
    /// Clients with someone waiting, the next to be served first.
    private var turns: [String] = []
    /// Seconds for which the last requests of a client held a place, the newest counting most. Only of clients above
    /// a tenth of what is heavy.
    private var held: [String: Double] = [:]
    /// Clients that are remembered; one more, and all are forgotten.
    private static var heldMax: Int { 1_000 }
    /// The part of the newest request in the mean.
    private static var newestPart: Double { 0.3 }
    private var inside = 0
    private var waiting = 0

    init(_ limits: Limits) { self.limits = limits }

    /// Lets a request in, or keeps `ticket` until `leave` gives it back. `id` names the request to `withdraw`.
    mutating func arrive(_ client: String, id: UInt64, _ ticket: @autoclosure () -> Ticket) -> Admission {
        let line = lines[client] ?? Line()
        // Behind those who wait already, though a place may be free: they are about to get it.
        if line.waiting.isEmpty, inside < limits.placesMax, line.inside < places(of: client) {
            lines[client, default: Line()].inside += 1
            inside += 1
            return .entered
        }
        if waiting >= limits.waitingMax || line.waiting.count >= limits.waitingPerClientMax { return .refused }
        if line.waiting.isEmpty { turns.append(client) }
        lines[client, default: Line()].waiting.append((id, ticket()))
        waiting += 1
        return .waiting
    }

    /// Whether the requests of a client hold their places for long.
    func isHeavy(_ client: String) -> Bool { held[client, default: 0] > limits.heavySeconds }

    private func places(of client: String) -> Int {
        isHeavy(client) ? min(limits.placesPerHeavyClientMax, limits.placesPerClientMax) : limits.placesPerClientMax
    }

    /// Gives a client's place back, which it held for `seconds`.
    /// - Returns: the tickets of those who are let in for it; each holds a place.
    mutating func leave(_ client: String, after seconds: Double = 0) -> [Ticket] {
        let mean = held[client, default: 0] * (1 - Self.newestPart) + seconds * Self.newestPart
        if held.count >= Self.heldMax { held = [:] }
        held[client] = mean > limits.heavySeconds / 10 ? mean : nil
        inside -= 1
        lines[client]?.inside -= 1
        if let line = lines[client], line.inside <= 0, line.waiting.isEmpty { lines[client] = nil }
        return admit()
    }

    /// Takes one who waits out of the queue; nil when nobody of this id waits.
    mutating func withdraw(_ client: String, id: UInt64) -> Ticket? {
        guard let position = lines[client]?.waiting.firstIndex(where: { $0.id == id }) else { return nil }
        let ticket = lines[client]?.waiting.remove(at: position).ticket
        waiting -= 1
        if let line = lines[client], line.waiting.isEmpty {
            turns.removeAll { $0 == client }
            if line.inside == 0 { lines[client] = nil }
        }
        return ticket
    }

    /// Takes everyone who waits out of the queue.
    mutating func withdrawAll() -> [Ticket] {
        let tickets = turns.flatMap { lines[$0]?.waiting.map(\.ticket) ?? [] }
        for client in turns { lines[client]?.waiting = [] }
        lines = lines.filter { $0.value.inside > 0 }
        turns = []
        waiting = 0
        return tickets
    }

    private mutating func admit() -> [Ticket] {
        var admitted: [Ticket] = []
        var position = 0
        while inside < limits.placesMax, position < turns.count {
            let client = turns[position]
            guard var line = lines[client], line.inside < places(of: client), !line.waiting.isEmpty else {
                position += 1
                continue
            }
            admitted.append(line.waiting.removeFirst().ticket)
            line.inside += 1
            inside += 1
            waiting -= 1
            // To the end of the turns, when it still has someone waiting.
            turns.remove(at: position)
            if !line.waiting.isEmpty { turns.append(client) }
            lines[client] = line
        }
        return admitted
    }
}
