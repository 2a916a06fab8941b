import Access
import ArgumentParser
import FoundationEssentials
import OpsAPI
import SQLStore
import Workflow

/// `hilum message …`: what hospital systems sent, how it was answered, and what became of each value.
struct MessageCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "message", abstract: "List HL7 messages of the journal and show what became of their values.",
        subcommands: [List.self, Show.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List messages, newest first.")
        @Argument(help: "The server folder.") var folder: String
        @Option(help: "applied, ignored or failed.") var disposition: String?
        @Option(help: "MSH-3|MSH-4 of the sender.") var sender: String?
        @Option(name: .customLong("control-id"), help: "MSH-10.") var controlID: String?
        @Option(help: "The most messages listed.") var limit = 100
        @Flag(help: "As JSON, the answer of GET /ops/messages.") var json = false

        func run() async throws {
            guard (1...1000).contains(limit) else { throw ValidationError("--limit is 1 to 1000") }
            var query = MessageQuery(sender: sender, controlID: controlID, limit: limit)
            if let disposition {
                guard let known = JournaledMessage.Disposition(rawValue: disposition) else {
                    throw ValidationError("--disposition is applied, ignored or failed")
                }
                query.disposition = known
            }
            let wanted = query
            try await MessageCommand.with(folder) { store, access in
                let messages = try await store.messages(wanted, access: access)
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
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show one message: its answer, and where each of its values went.")
        @Argument(help: "The server folder.") var folder: String
        @Argument(help: "The id that `hilum message list` gives.") var id: String
        @Flag(help: "As JSON, the answer of GET /ops/messages/{id}.") var json = false
        @Flag(help: "The message and its acknowledgment as they were sent, with the patient's data in them.")
        var raw = false

        func run() async throws {
            try await MessageCommand.with(folder) { store, access in
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
    }

    /// Runs with the store and the operator's own access; each call is audited as one at the machine.
    private static func with(
        _ folder: String, _ body: (RelationalStore, AccessContext) async throws -> Void
    ) async throws {
        try await StoreComposition.with(ServerFolder(folder)) { store in
            let access = AccessContext.operatorOfThisMachine(requestID: "hilum message")
            try await store.record(
                AuditRecord(
                    category: .query, interaction: "message", action: .execute, outcome: .success, access: access))
            try await body(store, access)
        }
    }

    /// Control characters as blanks: what other systems sent must not steer the terminal.
    static func printable(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? " " : $0 }))
    }
}
