import Access
import ArgumentParser
import FoundationEssentials
import HL7Translation
import HL7v2
import OpsAPI
import SQLStore
import Workflow

/// `hilum message …`: what hospital systems sent and how it was answered, and what they are sent.
struct MessageCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "message", abstract: "List, show, repeat and send HL7 messages.",
        subcommands: [List.self, Show.self, Replay.self, Send.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List received messages, or with --sent those that are sent, newest first.")
        @Argument(help: "The server folder.") var folder: String
        @OptionGroup var search: MessageSearch
        @Flag(help: "As JSON, the answer of GET /ops/messages, or of GET /ops/outbox.") var json = false

        func run() async throws {
            try await MessageCommand.with(folder, "message list") { store, access in
                search.isSent ? try await listSent(store, access) : try await listReceived(store, access)
            }
        }

        private func listSent(_ store: RelationalStore, _ access: AccessContext) async throws {
            let entries = try await MessageCommand.sent(try search.outgoing(), store, access)
            if json { return print(String(decoding: OutboxView.json(entries, []), as: UTF8.self)) }
            for entry in entries {
                print(
                    [
                        "\(entry.number)", entry.destination, entry.eventID.value, MessageCommand.type(of: entry),
                        entry.state.rawValue, "\(entry.attempts) attempts", entry.failure ?? "",
                    ].map(MessageCommand.printable).joined(separator: "\t"))
            }
        }

        private func listReceived(_ store: RelationalStore, _ access: AccessContext) async throws {
            let messages = try await store.messages(try search.received(), access: access)
            if json { return print(String(decoding: MessageView.list(messages), as: UTF8.self)) }
            for message in messages {
                let coverage = message.coverage.map {
                    "\($0.count(.mapped)) mapped, \($0.count(.kept)) kept, \($0.count(.unmapped)) not mapped"
                }
                print(
                    [
                        message.id.value, message.sender, message.controlID, message.type,
                        message.disposition.rawValue, coverage ?? "-", message.note ?? "",
                    ].map(MessageCommand.printable).joined(separator: "\t"))
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show one message: its answer, and where each of its values went.")
        @Argument(help: "The server folder.") var folder: String
        @Argument(help: "The id or, with --sent, the number that `hilum message list` gives.") var id: String
        @Flag(help: "A message that was or is to be sent.") var sent = false
        @Flag(help: "As JSON, the answer of GET /ops/messages/{id}.") var json = false
        @Flag(help: "The message and its acknowledgment as they were sent, with the patient's data in them.")
        var raw = false

        func run() async throws {
            try await MessageCommand.with(folder, "message show", entity: "message:" + id) { store, access in
                if sent { return try await showSent(store, access) }
                guard let message = try await store.message(EntityID(id), access: access) else {
                    throw ValidationError("no such message: \(id)")
                }
                if json { return print(String(decoding: MessageView.whole(message), as: UTF8.self)) }
                if raw {
                    for bytes in [message.raw, message.acknowledgement] {
                        for line in bytes.split(separator: 0x0D) {
                            print(MessageCommand.printable(String(decoding: line, as: UTF8.self)))
                        }
                        print()
                    }
                    return
                }
                print("\(message.type) \(message.controlID) from \(message.sender): \(message.disposition.rawValue)")
                if let note = message.note { print(MessageCommand.printable(note)) }
                guard let coverage = message.coverage else { return }
                for entry in coverage.entries {
                    let count = entry.count == 1 ? "" : " ×\(entry.count)"
                    let target = entry.targets.isEmpty ? "-" : entry.targets.joined(separator: ", ")
                    print("\(entry.disposition.rawValue)\t\(entry.place)\(count)\t\(target)")
                }
                if coverage.omitted > 0 { print("and \(coverage.omitted) values more") }
            }
        }

        private func showSent(_ store: RelationalStore, _ access: AccessContext) async throws {
            guard let entry = try await MessageCommand.sent(id, store, access) else {
                throw ValidationError("no such message: \(id)")
            }
            if json { return print(String(decoding: OutboxView.json([entry], []), as: UTF8.self)) }
            let failure = entry.failure.map { ": " + $0 } ?? ""
            print(
                MessageCommand.printable(
                    "\(MessageCommand.type(of: entry)) \(entry.eventID) to \(entry.destination): \(entry.state.rawValue), "
                        + "\(entry.attempts) attempts" + failure))
            guard raw, case .message(let bytes)? = OutboundPayload(entry.payload) else { return }
            for line in bytes.split(separator: 0x0D) {
                print(MessageCommand.printable(String(decoding: line, as: UTF8.self)))
            }
        }
    }

    /// MSH-9 of a message that is sent; `-` for one that is made when it is sent, or cannot be.
    static func type(of entry: OutboxEntry) -> String {
        guard case .message(let bytes)? = OutboundPayload(entry.payload) else { return "-" }
        let header = MessageHeader.recovered(from: bytes)
        return header.messageCode + "^" + header.triggerEvent
    }

    /// Runs with the store and the operator's own access; each call is audited as one at the machine, before it is carried
    /// out.
    static func with<Value>(
        _ folder: String, _ interaction: String, entity: String? = nil,
        _ body: (RelationalStore, AccessContext) async throws -> Value
    ) async throws -> Value {
        let server = ServerFolder(folder)
        return try await StoreComposition.using(try ServerConfiguration.load(from: server), server) { store in
            let access = AccessContext.operatorOfThisMachine(requestID: "hilum message")
            try await store.record(
                AuditRecord(
                    category: .query, interaction: interaction, action: .execute, outcome: .success, access: access,
                    entity: entity))
            return try await body(store, access)
        }
    }

    /// Control characters as blanks: what other systems sent must not steer the terminal.
    static func printable(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? " " : $0 }))
    }
}
