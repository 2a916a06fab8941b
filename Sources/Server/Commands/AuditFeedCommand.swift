import Access
import ArgumentParser
import FHIRResources
import Foundation
import OutboundAdapter
import SQLStore
import Workflow

/// `hilum audit feed …`: what the feeds to audit repositories do, and what they go on without. All work beside a running
/// server.
struct AuditFeedCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "feed", abstract: "Look at the feeds to audit repositories (`audit.feeds` of hilum.yaml).",
        subcommands: [List.self, Test.self, Retry.self, Discard.self, Accept.self])

    /// Parked rows that are read together.
    static let parkedRows = 1_000

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "How far each feed is, what waits, and the rows that its repository refuses.")
        @Argument(help: "The server folder.") var folder: String

        func run() async throws {
            let server = ServerFolder(folder)
            let configuration = try ServerConfiguration.load(from: server)
            if configuration.audit.feeds.isEmpty { return print("hilum.yaml has no audit.feeds") }
            try await StoreComposition.using(configuration, server) { store in
                for feed in configuration.audit.feeds {
                    for line in try await AuditFeedReport.lines(feed, store.database) { print(line) }
                }
            }
        }
    }

    struct Test: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Send one event to a feed's repository now, and say in words what came of it.",
            discussion:
                "The event is a row of the trail that says that you tested; the running server sends it again in its turn."
        )
        @Argument(help: "The server folder.") var folder: String
        @Argument(help: "The feed's name.") var name: String

        func run() async throws {
            let answer = try await AuditFeedCommand.sending(name, folder, "audit feed test") { way in
                // The newest may be another's who did something at the same time; it says as much.
                let last = try await way.store.database.read { try AuditChain.tip($0).number }
                guard let answer = try await way.send(row: last) else {
                    throw ValidationError("the newest row cannot be read")
                }
                return answer
            }
            switch (answer.verdicts.first, answer.failure) {
            case (.taken?, _): print("ok    \(name): the repository has taken an event")
            case (.refused(let reason)?, _):
                print("FAIL  \(name): the repository can be reached and refuses the event: \(reason)")
                throw ExitCode(1)
            case (nil, let failure):
                print("FAIL  \(name): \(failure ?? "no answer"); to do: \(AuditFeedReport.advice(failure))")
                throw ExitCode(1)
            }
        }
    }

    struct Retry: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Send the parked rows of a feed again; what its repository takes is parked no more.")
        @Argument(help: "The server folder.") var folder: String
        @Argument(help: "The feed's name.") var name: String

        func run() async throws {
            var (taken, refused) = (0, 0)
            try await AuditFeedCommand.sending(name, folder, "audit feed retry") { way in
                // What is parked meanwhile was refused just now.
                for row in try await AuditFeedCommand.parked(name, way.store.database) {
                    guard let answer = try await way.send(row: row.number) else {
                        print("row \(row.number): is not there any more, or does not open: `hilum verify` says why")
                        refused += 1
                        continue
                    }
                    switch answer.verdicts.first {
                    case .taken?:
                        taken += 1
                        try await way.store.database.write { [name] in
                            _ = try AuditFeedTable($0.connection).unpark(row.number, of: name)
                        }
                    case .refused(let reason)?:
                        refused += 1
                        print("row \(row.number): \(reason)")
                    case nil: throw ValidationError("\(name): \(answer.failure ?? "no answer")")
                    }
                }
            }
            print("\(taken) rows taken, \(refused) are still parked")
        }
    }

    struct Discard: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give up a parked row of a feed: its repository will not have it. The trail keeps it.")
        @Argument(help: "The server folder.") var folder: String
        @Argument(help: "The feed's name.") var name: String
        @Argument(help: "The row's number.") var row: Int64

        func run() async throws {
            let (configuration, server, feed) = try AuditFeedCommand.find(name, folder)
            try await StoreComposition.using(configuration, server) { store in
                let isGone = try await store.discard(
                    row: row, ofFeed: name,
                    recording: AuditFeedCommand.record("audit feed discard", feed, detail: "row \(row)"))
                guard isGone else { throw ValidationError("row \(row) is not parked at \(feed.name)") }
                print("row \(row) is given up for \(feed.name)")
            }
        }
    }

    struct Accept: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take for known that rows were cut before a feed had told them: nothing warns of them any more.")
        @Argument(help: "The server folder.") var folder: String
        @Argument(help: "The feed's name.") var name: String
        @Option(help: "Why, for example that the repository was given the export that holds them.") var reason: String

        func run() async throws {
            let (configuration, server, feed) = try AuditFeedCommand.find(name, folder)
            try await StoreComposition.using(configuration, server) { store in
                let missed = try await store.database.read { [name] in
                    try AuditFeedTable($0).place(of: name)?.missed ?? 0
                }
                let isAccepted = try await store.accept(
                    missed: missed, ofFeed: name,
                    recording: AuditFeedCommand.record(
                        "audit feed accept", feed, detail: "\(missed) rows missed: \(reason.prefix(500))"))
                guard isAccepted else { throw ValidationError("\(name) has missed no row, or others just now") }
                print("\(missed) rows that \(name) has missed are accepted")
            }
        }
    }

    // MARK: What they share

    /// A feed's repository, and the rows that it may be sent.
    private struct Way {
        let store: RelationalStore
        let feed: AuditConfiguration.Feed
        let target: any AuditFeeding
        let base: String

        /// Nil for a row that is not there, or cannot be read.
        func send(row number: Int64) async throws -> FeedAnswer? {
            let row = try await store.database.read { try AuditChain.rows(after: number - 1, limit: 1, $0).first }
            guard let content = row?.content, content.number == number else { return nil }
            return await target.send([AuditFeeder.event(content, feed, base: base)])
        }
    }

    /// Keeps the command's row and works with the feed's repository, which is let go of at the end.
    private static func sending<Value>(
        _ name: String, _ folder: String, _ command: String, _ body: (Way) async throws -> Value
    ) async throws -> Value {
        let (configuration, server, feed) = try find(name, folder)
        let composition = AuditFeedComposition(configuration, server)
        let target = try composition.target(feed, clock: SystemClock(), entropy: SystemEntropy())
        do {
            let value = try await StoreComposition.using(configuration, server) { store in
                try await store.record(record(command, feed))
                return try await body(Way(store: store, feed: feed, target: target, base: composition.base))
            }
            await target.close()
            return value
        } catch {
            await target.close()
            throw error
        }
    }

    /// All of them: those that are refused again are in nobody's way.
    private static func parked(_ feed: String, _ database: SQLDatabase) async throws -> [AuditFeedTable.Parked] {
        var all: [AuditFeedTable.Parked] = []
        while true {
            let last = all.last?.number ?? 0
            let page = try await database.read {
                try AuditFeedTable($0).parked(of: feed, after: last, limit: parkedRows)
            }
            if page.isEmpty { return all }
            all += page
        }
    }

    private static func find(
        _ name: String, _ folder: String
    ) throws -> (ServerConfiguration, ServerFolder, AuditConfiguration.Feed) {
        let server = ServerFolder(folder)
        let configuration = try ServerConfiguration.load(from: server)
        guard let feed = configuration.audit.feeds.first(where: { $0.name == name }) else {
            let names = configuration.audit.feeds.map(\.name).joined(separator: ", ")
            throw ValidationError("NAME is one of audit.feeds: \(names.isEmpty ? "there are none" : names)")
        }
        return (configuration, server, feed)
    }

    private static func record(
        _ interaction: String, _ feed: AuditConfiguration.Feed, detail: String? = nil
    ) -> AuditRecord {
        AuditRecord(
            category: .application, interaction: interaction, action: .execute, outcome: .success,
            access: .operatorOfThisMachine(requestID: "hilum " + interaction), entity: "audit-feed:" + feed.name,
            detail: detail)
    }
}

/// A feed in words.
enum AuditFeedReport {
    static func lines(_ feed: AuditConfiguration.Feed, _ database: SQLDatabase) async throws -> [String] {
        let name = feed.name
        let (standing, parked) = try await database.read {
            (try AuditFeedTable($0).standing(of: name), try AuditFeedTable($0).parked(of: name, limit: 20))
        }
        var lines = ["\(name)\t\(way(feed))"]
        guard let place = standing.place else { return lines + ["  has not begun: the server starts it"] }
        let fed = place.fedAt.map { ", the last at " + UTCInstant(microseconds: $0).instantText } ?? ""
        lines.append("  fed up to row \(place.number)\(fed)")
        if let waiting = standing.waiting {
            let since = UTCInstant(microseconds: waiting.oldest).instantText
            lines.append("  \(waiting.count) rows wait, the oldest of \(since)")
        }
        if place.missed > 0 { lines.append("  \(place.missed) rows were cut before they were fed") }
        if standing.parked > 0 { lines.append("  \(standing.parked) rows are parked") }
        for row in parked {
            lines.append(
                "    row \(row.number) of \(UTCInstant(microseconds: row.parkedAt).instantText): \(row.reason)")
        }
        return lines
    }

    static func way(_ feed: AuditConfiguration.Feed) -> String {
        switch feed.way {
        case .fhir(let base, let token):
            "AuditEvents to \(base)" + (token != nil ? ", by token" : "") + (feed.key != nil ? ", by certificate" : "")
        case .syslog(let host, let port, let kind):
            "syslog over TLS to \(host):\(port), \(kind.rawValue)" + (feed.key != nil ? ", by certificate" : "")
        }
    }

    /// What to do about a failure.
    static func advice(_ failure: String?) -> String {
        let failure = failure ?? ""
        if failure.contains(OutboundFailure.noIdentity.rawValue) {
            return "see with `hilum doctor` which of `certificate`, `key` and `authorities` cannot be read"
        }
        if failure.contains("TLS") {
            return "see that `authorities` holds who issued the repository's certificate, that the certificate is of "
                + "this host, and that the repository takes `certificate`"
        }
        if failure.contains(OutboundRefusal.addressNotAllowed.rawValue) {
            return "put the repository's network into outbound.allow-networks"
        }
        if failure.contains("401") || failure.contains("403") || failure.contains("token endpoint") {
            return "see that the repository knows this server's key or certificate and lets it create AuditEvents"
        }
        if failure.contains("404") { return "see that `fhir` is the base URL of the repository" }
        return "see that the repository runs and that this machine may connect to it"
    }
}
