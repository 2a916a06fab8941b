import ArgumentParser
import HL7Translation
import HTTPSupport
import Workflow

/// Which messages a command is for.
struct MessageSearch: ParsableArguments {
    @Option(name: .customLong("control-id"), help: "MSH-10.") var controlID: String?
    @Option(help: "A patient number in it, as it is written there.") var patient: String?
    @Option(help: "An accession number in it.") var accession: String?
    @Option(help: "At this date or time in UTC or later, such as 2026-02-28T08:00:00Z.") var since: String?
    @Option(help: "Before this date or time.") var until: String?
    @Option(help: "Of received messages: applied, ignored or failed.") var disposition: String?
    @Option(help: "Of received messages: MSH-3|MSH-4 of the sender.") var sender: String?
    @Flag(help: "Messages that were or are to be sent.") var sent = false
    @Option(help: "Of messages to be sent: the name of the destination in the site profile.") var destination: String?
    @Option(help: "Of messages to be sent: waiting, leased, done, parked or discarded.") var state: String?
    @Option(help: "The most messages.") var limit = 100

    var isSent: Bool { sent || destination != nil || state != nil }

    /// Whether nothing is said but how many.
    var isOpen: Bool {
        [controlID, patient, accession, since, until, disposition, sender, destination, state].allSatisfy { $0 == nil }
    }

    func received() throws -> MessageQuery {
        try check()
        var query = MessageQuery(sender: sender, controlID: controlID, limit: limit)
        if let disposition {
            guard let known = JournaledMessage.Disposition(rawValue: disposition) else {
                throw ValidationError("--disposition is applied, ignored or failed")
            }
            query.disposition = known
        }
        query.patient = patient
        query.accession = accession
        query.since = try Self.time(since, "--since")
        query.until = try Self.time(until, "--until")
        return query
    }

    func outgoing() throws -> OutboxQuery {
        try check()
        guard disposition == nil, sender == nil else {
            throw ValidationError("--disposition and --sender are of received messages")
        }
        var query = OutboxQuery(
            destination: destination.map { OutboundDestination.outboxPrefix + $0 }, limit: limit)
        if let state {
            guard let known = OutboxEntry.State(rawValue: state) else {
                let states = OutboxEntry.State.allCases.map(\.rawValue).joined(separator: ", ")
                throw ValidationError("--state is one of \(states)")
            }
            query.state = known
        }
        query.eventID = controlID.map { EntityID($0) }
        query.patient = patient
        query.accession = accession
        query.since = try Self.time(since, "--since")
        query.until = try Self.time(until, "--until")
        return query
    }

    private func check() throws {
        guard (1...1000).contains(limit) else { throw ValidationError("--limit is 1 to 1000") }
    }

    private static func time(_ text: String?, _ name: String) throws -> UTCInstant? {
        guard let text else { return nil }
        guard let time = HTTPDate.microseconds(ofInstant: text) else {
            throw ValidationError("\(name) is a date or a time in UTC such as 2026-02-28T08:00:00Z")
        }
        return UTCInstant(microseconds: time)
    }
}
