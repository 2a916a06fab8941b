import Access
import ArgumentParser
import FHIRResources
import Foundation
import HL7Translation
import HL7v2
import Logging
import OpsAPI
import SQLStore
import Workflow

extension MessageCommand {
    /// `hilum message replay`: once more what failed, or what was sent.
    struct Replay: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: """
                Carry out again received messages that failed, or with --sent deliver again messages that are parked, \
                discarded or done: one, or all that a search finds, oldest first.
                """)
        @Argument(help: "The server folder.") var folder: String
        @Argument(help: "The id or, with --sent, the number that `hilum message list` gives.") var id: String?
        @OptionGroup var search: MessageSearch
        @Flag(name: .customLong("dry-run"), help: "Only say what would be done.") var isDryRun = false

        func run() async throws {
            guard id != nil || !search.isOpen else { throw ValidationError("give an id, or what to search for") }
            let failed = try await MessageCommand.with(
                folder, "message replay", entity: id.map { "message:" + $0 }
            ) { store, access in
                search.isSent
                    ? try await replaySent(store, access) : try await replayReceived(store, access)
            }
            guard failed == 0 else { throw ExitCode(1) }
        }

        /// How many could not be delivered again.
        private func replaySent(_ store: RelationalStore, _ access: AccessContext) async throws -> Int {
            let found: [OutboxEntry]
            if let id {
                found = try await MessageCommand.sent(id, store, access).map { [$0] } ?? []
            } else {
                found = try await MessageCommand.sent(try search.outgoing(), store, access)
            }
            var failed = 0
            for entry in found.reversed() {
                let isEnded = [.parked, .discarded, .done].contains(entry.state)
                var word = isEnded ? "again" : "left: \(entry.state.rawValue)"
                if isEnded, !isDryRun, try await store.order(.replay, .entry(entry.number), access: access) == 0 {
                    word = "left: taken by another"
                    failed += 1
                }
                print("\(entry.number)\t\(entry.destination)\t\(entry.eventID)\t\(word)")
            }
            if found.isEmpty { throw ValidationError("no such message") }
            return failed
        }

        /// How many failed again.
        private func replayReceived(_ store: RelationalStore, _ access: AccessContext) async throws -> Int {
            let found: [JournaledMessage]
            if let id {
                found = try await store.message(EntityID(id), access: access).map { [$0] } ?? []
            } else {
                found = try await store.messages(try search.received(), access: access)
            }
            guard !found.isEmpty else { throw ValidationError("no such message") }
            let server = ServerFolder(folder)
            let profile = try ServerComposition.siteProfile(try ServerConfiguration.load(from: server), server)
            let profiles = PeerProfiles(profile, server, logger: Logger(label: "hilum"))
            for peer in try await store.peers() where peer.kind == .messageSender { try profiles.use(peer) }
            let inbox = HL7Inbox(
                store: store, clock: SystemClock(), entropy: SystemEntropy(), digest: Digests.hex
            ) { profiles.profile(of: "\($0)|\($1)") }
            var failed = 0
            for message in found.reversed() {
                let word: String
                if message.disposition != .failed {
                    word = "left: \(message.disposition.rawValue)"
                } else if message.raw.isEmpty {
                    word = "left: its text is not kept any more"
                } else if isDryRun {
                    word = "again"
                } else {
                    let receipt = await inbox.receive(message.raw, peer: message.peer)
                    word = ([String(describing: receipt.result)] + receipt.notes).joined(separator: "; ")
                    if receipt.result == .failed || receipt.result == .notStored { failed += 1 }
                }
                print(
                    [message.id.value, message.sender, message.controlID, message.type, word]
                        .map(MessageCommand.printable).joined(separator: "\t"))
            }
            return failed
        }
    }

    /// `hilum message send`: tells a destination of one thing, or sends a file.
    struct Send: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Send a destination of the site profile the state of one thing, or a message in a file.")
        @Argument(help: "The server folder.") var folder: String
        @Option(help: "The name of the destination in the site profile.") var destination: String
        @Option(help: "The id of a ServiceRequest.") var order: String?
        @Option(help: "The id of a DiagnosticReport.") var report: String?
        @Option(help: "The id of a Patient.") var patient: String?
        @Option(help: "A Study Instance UID.") var study: String?
        @Option(help: "A file with one message, sent as it is.") var file: String?
        @Flag(name: .customLong("dry-run"), help: "Only say what would be sent.") var isDryRun = false

        func run() async throws {
            let server = ServerFolder(folder)
            let profile = try ServerComposition.siteProfile(try ServerConfiguration.load(from: server), server)
            guard let found = profile.destinations.first(where: { $0.name == destination }) else {
                throw ValidationError("the site profile has no destination \(destination)")
            }
            let events: [DomainEvent] = [
                order.map { .orderChanged(EntityID($0)) }, report.map { .reportChanged(EntityID($0)) },
                patient.map { .patientChanged(EntityID($0)) }, study.map { .studyChanged(studyInstanceUID: $0) },
            ].compactMap { $0 }
            guard events.count + (file == nil ? 0 : 1) == 1 else {
                throw ValidationError("give one of --order, --report, --patient, --study and --file")
            }
            let draft = try file.map { try Self.draft($0, to: found) }
            let announcer = OutboundAnnouncer(
                profile: profile, digest: Digests.hex, reports: ClientReport.find)
            let isDryRun = isDryRun
            let name = destination
            let isSent = try await MessageCommand.with(folder, "message send", entity: found.outboxName) {
                store, access in
                do {
                    return try await (store as any WorkflowStore).write(access) { unit in
                        var isSent = true
                        if let draft { try unit.enqueue(draft) }
                        for event in events { isSent = try announcer.send(event, to: name, in: unit) }
                        try unit.audit(
                            AuditRecord(
                                category: .application, interaction: "message-send", action: .execute,
                                outcome: isSent ? .success : .minorFailure, access: access, entity: found.outboxName))
                        if isDryRun { throw DryRun(isSent: isSent) }
                        return isSent
                    }
                } catch let end as DryRun {
                    return end.isSent
                }
            }
            guard isSent else {
                throw ValidationError("there is no such thing, or no rule of \(destination) for it")
            }
            print(isDryRun ? "would be sent" : "put into the outbox; a running server takes it up within 15 s")
        }

        /// Undoes the unit that was only tried.
        private struct DryRun: Error { var isSent: Bool }

        private static func draft(_ path: String, to destination: OutboundDestination) throws -> OutboxDraft {
            guard let data = FileManager.default.contents(atPath: path) else {
                throw ValidationError("\(path): cannot be read")
            }
            let bytes = Array(data)
            let message: Message
            do throws(HL7Error) { message = try Parser().parse(bytes) } catch {
                throw ValidationError("\(path): \(error.message)")
            }
            let controlID = message.header.controlIDText
            guard !controlID.isEmpty else { throw ValidationError("\(path): MSH-10 is empty") }
            return OutboxDraft(
                destination: destination.outboxName, kind: destination.outboxName,
                payload: OutboundPayload.message(bytes).bytes, eventID: EntityID(controlID))
        }
    }

    /// Entries read at a time at least.
    private static let pageEntriesMin = 100

    /// The newest messages of the outbox that a query finds, as many as it asks for; whatever else is in the outbox is
    /// passed over.
    static func sent(
        _ query: OutboxQuery, _ store: any OutboxLog, _ access: AccessContext
    ) async throws -> [OutboxEntry] {
        var page = query
        page.limit = max(query.limit, pageEntriesMin)
        var found: [OutboxEntry] = []
        while found.count < query.limit {
            let entries = try await store.outboxEntries(page, access: access)
            found += entries.lazy.filter(isMessage).prefix(query.limit - found.count)
            guard entries.count == page.limit, let last = entries.last else { break }
            page.before = last.number
        }
        return found
    }

    /// The message of the outbox that has a number; nil for every other text.
    static func sent(
        _ id: String, _ store: any OutboxLog, _ access: AccessContext
    ) async throws -> OutboxEntry? {
        guard let number = Int64(id), number > 0, number < .max else { return nil }
        return try await store.outboxEntries(OutboxQuery(before: number + 1, limit: 1), access: access)
            .first { $0.number == number && isMessage($0) }
    }

    private static func isMessage(_ entry: OutboxEntry) -> Bool {
        entry.kind.hasPrefix(OutboundDestination.outboxPrefix)
    }
}
