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
        subcommands: [List.self, Test.self, Retry.self, Discard.self])

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
            let (configuration, server, feed) = try AuditFeedCommand.find(name, folder)
            let target = try AuditFeedCommand.target(feed, configuration, server)
            let answer: FeedAnswer
            do {
                answer = try await StoreComposition.using(configuration, server) { store in
                    try await store.record(AuditFeedCommand.record("audit feed test", feed))
                    let event = try await store.database.read { connection -> FedEvent? in
                        // The newest may be another's who did something at the same time; it says as much.
                        let last = try AuditChain.tip(connection).number
                        return try AuditChain.rows(after: last - 1, limit: 1, connection).first?.content.map {
                            AuditFeeder.event($0, feed, base: configuration.publicURL + "/fhir")
                        }
                    }
                    guard let event else { throw ValidationError("the newest row cannot be read") }
                    return await target.send([event])
                }
            } catch {
                await target.close()
                throw error
            }
            await target.close()
            switch (answer.verdicts.first, answer.failure) {
            case (.taken?, _): print("ok    \(feed.name): the repository has taken an event")
            case (.refused(let reason)?, _):
                print("FAIL  \(feed.name): the repository can be reached and refuses the event: \(reason)")
                throw ExitCode(1)
            case (nil, let failure):
                print("FAIL  \(feed.name): \(failure ?? "no answer"); to do: \(AuditFeedReport.advice(feed, failure))")
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
            let (configuration, server, feed) = try AuditFeedCommand.find(name, folder)
            let target = try AuditFeedCommand.target(feed, configuration, server)
            var (taken, refused) = (0, 0)
            do {
                try await StoreComposition.using(configuration, server) { store in
                    try await store.record(AuditFeedCommand.record("audit feed retry", feed))
                    // What is parked meanwhile was refused just now.
                    for row in try await AuditFeedCommand.parked(feed.name, store.database) {
                        let stored = try await store.database.read {
                            try AuditChain.rows(after: row.number - 1, limit: 1, $0).first
                        }
                        guard let stored, stored.number == row.number, let content = stored.content else {
                            print("row \(row.number): is not there any more, or cannot be read")
                            refused += 1
                            continue
                        }
                        let event = AuditFeeder.event(content, feed, base: configuration.publicURL + "/fhir")
                        let answer = await target.send([event])
                        switch answer.verdicts.first {
                        case .taken?:
                            taken += 1
                            try await store.database.write {
                                _ = try AuditFeedTable($0.connection).unpark(row.number, of: feed.name)
                            }
                        case .refused(let reason)?:
                            refused += 1
                            print("row \(row.number): \(reason)")
                        case nil: throw ValidationError("\(feed.name): \(answer.failure ?? "no answer")")
                        }
                    }
                }
            } catch {
                await target.close()
                throw error
            }
            await target.close()
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
                try await store.record(AuditFeedCommand.record("audit feed discard", feed, row: row))
                let isGone = try await store.database.write { [row] in
                    try AuditFeedTable($0.connection).unpark(row, of: feed.name)
                }
                guard isGone else { throw ValidationError("row \(row) is not parked at \(feed.name)") }
                print("row \(row) is given up for \(feed.name)")
            }
        }
    }

    // MARK: What they share

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

    private static func target(
        _ feed: AuditConfiguration.Feed, _ configuration: ServerConfiguration, _ server: ServerFolder
    ) throws -> any AuditFeeding {
        try AuditFeedComposition(configuration, server).target(feed, clock: SystemClock(), entropy: SystemEntropy())
    }

    private static func record(
        _ interaction: String, _ feed: AuditConfiguration.Feed, row: Int64? = nil
    ) -> AuditRecord {
        AuditRecord(
            category: .application, interaction: interaction, action: .execute, outcome: .success,
            access: .operatorOfThisMachine(requestID: "hilum " + interaction), entity: "audit-feed:" + feed.name,
            detail: row.map { "row \($0)" })
    }
}

/// A feed in words.
enum AuditFeedReport {
    static func lines(_ feed: AuditConfiguration.Feed, _ database: SQLDatabase) async throws -> [String] {
        let name = feed.name
        let (place, waiting, parked, count) = try await database.read { connection in
            let table = AuditFeedTable(connection)
            let place = try table.place(of: name)
            return (
                place, try table.waiting(behind: place?.number ?? 0), try table.parked(of: name, limit: 20),
                try table.parkedCount(of: name)
            )
        }
        var lines = ["\(name)\t\(way(feed))"]
        guard let place else { return lines + ["  has not begun: the server starts it"] }
        let fed = place.fedAt.map { ", the last at " + UTCInstant(microseconds: $0).instantText } ?? ""
        lines.append("  fed up to row \(place.number)\(fed)")
        if let waiting {
            let since = UTCInstant(microseconds: waiting.oldest).instantText
            lines.append("  \(waiting.count) rows wait, the oldest of \(since)")
        }
        if place.missed > 0 { lines.append("  \(place.missed) rows were cut before they were fed") }
        if count > 0 { lines.append("  \(count) rows are parked") }
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
    static func advice(_ feed: AuditConfiguration.Feed, _ failure: String?) -> String {
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
