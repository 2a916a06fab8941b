import Access
import ArgumentParser
import FoundationEssentials
import OpsAPI
import SQLStore
import Workflow

/// `hilum outbox …`: what waits for other systems, and what an operator does with it.
struct OutboxCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "outbox", abstract: "List what is to reach other systems; deliver it again or give it up.",
        subcommands: [List.self, Replay.self, Discard.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List entries, newest first, and how much waits or is parked at each destination.")
        @Argument(help: "The server folder.") var folder: String
        @Option(help: "Of one destination.") var destination: String?
        @Option(help: "waiting, leased, done, parked or discarded.") var state: String?
        @Option(help: "Of one kind.") var kind: String?
        @Option(help: "Those with smaller numbers.") var before: Int64?
        @Option(help: "The most entries listed.") var limit = 100
        @Flag(help: "As JSON, the answer of GET /ops/outbox.") var json = false

        func run() async throws {
            guard (1...1000).contains(limit) else { throw ValidationError("--limit is 1 to 1000") }
            var query = OutboxQuery(destination: destination, kind: kind, before: before, limit: limit)
            if let state {
                guard let known = OutboxEntry.State(rawValue: state) else {
                    let states = OutboxEntry.State.allCases.map(\.rawValue).joined(separator: ", ")
                    throw ValidationError("--state is one of \(states)")
                }
                query.state = known
            }
            let wanted = query
            try await StoreComposition.with(ServerFolder(folder)) { store in
                let access = OutboxCommand.access
                try await store.record(
                    AuditRecord(
                        category: .query, interaction: "outbox", action: .execute, outcome: .success, access: access))
                let entries = try await store.outboxEntries(wanted, access: access)
                let depths = try await store.outboxDepths(access: access)
                if json { return print(String(decoding: OutboxView.json(entries, depths), as: UTF8.self)) }
                for depth in depths {
                    print("\(depth.destination)\t\(depth.kind)\t\(depth.count) \(depth.state.rawValue)")
                }
                for entry in entries {
                    print(
                        [
                            "\(entry.number)", entry.destination, entry.orderingKey, entry.kind, entry.state.rawValue,
                            "\(entry.attempts) attempts", entry.failure ?? "",
                        ].map(MessageCommand.printable).joined(separator: "\t"))
                }
            }
        }
    }

    /// What an order is for.
    struct Target: ParsableArguments {
        @Argument(help: "The server folder.") var folder: String
        @Option(help: "One entry, by the number that `hilum outbox list` gives.") var entry: Int64?
        @Option(help: "All that are parked at a destination.") var destination: String?
        @Flag(help: "The answer as JSON.") var json = false

        func run(_ order: OutboxOrder) async throws {
            let selection: OutboxSelection
            switch (entry, destination) {
            case (let number?, nil): selection = .entry(number)
            case (nil, let destination?): selection = .parked(destination: destination)
            default: throw ValidationError("either --entry or --destination is needed")
            }
            try await StoreComposition.with(ServerFolder(folder)) { store in
                let count = try await store.order(order, selection, access: OutboxCommand.access)
                if json {
                    print(String(decoding: OutboxView.ordered(order, count), as: UTF8.self))
                } else {
                    print("\(order.rawValue): \(count) entries")
                }
                guard count > 0 else { throw ExitCode(1) }
            }
        }
    }

    struct Replay: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Deliver again what is parked, discarded or done; a running server takes it up within 15 s.")
        @OptionGroup var target: Target
        func run() async throws { try await target.run(.replay) }
    }

    struct Discard: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Give up what waits or is parked.")
        @OptionGroup var target: Target
        func run() async throws { try await target.run(.discard) }
    }

    static var access: AccessContext { .operatorOfThisMachine(requestID: "hilum outbox") }
}
