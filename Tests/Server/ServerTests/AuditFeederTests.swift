import Access
import Foundation
import Logging
import OpsAPI
import OutboundAdapter
import SQLStore
import Synchronization
import TestSupport
import Testing

@testable import hilum

/// How a feed goes through the trail: nothing lost, in order, at least once. Decision 0037.
@Suite(.takingTurns) struct AuditFeederTests {
    /// A repository that answers as it is told and remembers what it was sent.
    private final class Repository: AuditFeeding {
        struct State {
            var sent: [Int64] = []
            var answers: [@Sendable ([FedEvent]) -> FeedAnswer] = []
        }
        let state = Mutex(State())

        var sent: [Int64] { state.withLock { $0.sent } }
        /// Of the next sends; those behind take all.
        func answer(_ answers: (@Sendable ([FedEvent]) -> FeedAnswer)...) {
            state.withLock { $0.answers = answers }
        }

        func send(_ events: [FedEvent]) async -> FeedAnswer {
            state.withLock { state in
                state.sent += events.map(\.number)
                if state.answers.isEmpty { return FeedAnswer(events.map { _ in .taken }) }
                return state.answers.removeFirst()(events)
            }
        }
        func close() async {}
    }

    private static func record(_ number: Int) -> [UInt8] {
        Array(
            """
            {"category":"rest","interaction":"read","action":"R","outcome":"0","principalKind":"client",\
            "principal":"app","request":"r\(number)","entity":"Patient/p1","patient":"p1"}
            """.utf8)
    }

    private struct Bench {
        let database: SQLDatabase
        let repository: Repository
        let feeder: AuditFeeder
        let states: AuditFeedStates
        let registry: MetricRegistry

        /// As they are read.
        var metrics: String { registry.text() }

        func add(_ rows: Range<Int>) async throws {
            let records = rows.map { AuditFeederTests.record($0) }
            try await database.write { try AuditChain.append(records, $0) }
        }

        var place: AuditFeedTable.Place? {
            get async throws { try await database.read { try AuditFeedTable($0).place(of: "a") } }
        }

        var told: Int64 {
            get async throws { try await database.read { try AuditFeedTable($0).told(by: "a") } }
        }

        var parked: [Int64] {
            get async throws {
                try await database.read { try AuditFeedTable($0).parked(of: "a", limit: 100) }.map(\.number)
            }
        }
    }

    private static func with(
        from start: String = "beginning", bodies: BodySealing = BodySealing(), _ body: (Bench) async throws -> Void
    ) async throws {
        let path =
            FileManager.default.temporaryDirectory.path + "/hilum-feed-" + UUID().uuidString.prefix(8).lowercased()
        let folder = ServerFolder(path)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: path) }
        try "audit: { feeds: [{ name: a, syslog: h, from: \(start) }] }".write(
            toFile: folder.configurationFile, atomically: true, encoding: .utf8)
        let feed = try ServerConfiguration.load(from: folder).audit.feeds[0]
        var settings = SQLDatabaseConfiguration.unhurried(.sqlite(path: path + "/hilum.sqlite"))
        settings.bodies = bodies
        let database = try await SQLDatabase(settings, migrations: Migrations.all)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let repository = Repository()
        let registry = MetricRegistry()
        let states = AuditFeedStates(registry: registry, names: ["a"])
        let bench = Bench(
            database: database, repository: repository,
            feeder: AuditFeeder(
                feed: feed, database: database, target: repository, base: "https://h/fhir",
                now: { 1_700_000_000_000_000 }, states: states, logger: logger), states: states,
            registry: registry)
        do { try await body(bench) } catch {
            await database.close()
            throw error
        }
        await database.close()
    }

    @Test("A row that does not open is parked by its number and counted, and those behind it are fed")
    func unopened() async throws {
        let key = BodyKeys.Key(id: [UInt8](repeating: 1, count: 8), secret: [UInt8](repeating: 1, count: 32))
        try await Self.with(bodies: BodySealing(isOn: true) { BodyKeys(current: key) }) { bench in
            try await bench.add(0..<5)
            try await bench.database.write { transaction in
                let raw = try transaction.connection.first("SELECT record FROM audit WHERE number = 3") {
                    try $0.bytes(0)
                }
                let changed = (raw ?? []).dropLast() + [(raw?.last ?? 0) ^ 1]
                try transaction.connection.run(
                    "UPDATE audit SET record = ? WHERE number = 3", [.bytes(Array(changed))])
            }
            let step = try await bench.feeder.step()
            #expect(step.taken == 4 && step.failure == nil)
            #expect(bench.repository.sent == [1, 2, 4, 5])
            #expect(try await bench.parked == [3])
            // What it has not told is not cut.
            #expect(try await bench.told == 2)
            let reasons = try await bench.database.read {
                try AuditFeedTable($0).parked(of: "a", limit: 9).map(\.reason)
            }
            #expect(reasons.count == 1 && reasons[0].contains("audit.record of 3 does not open"))
            // One by one, too, and as the next to be told of.
            #expect(try await bench.feeder.step(rows: 1).taken == 0)
            #expect(try await bench.database.read { try AuditFeedTable($0).waiting(behind: 2)?.count } == 3)
            #expect(bench.metrics.contains("hilum_audit_feed_unopened_total{feed=\"a\"} 1"))
        }
    }

    @Test("Rows go in order and once while the repository takes them; a new feed begins where it is told")
    func order() async throws {
        try await Self.with { bench in
            try await bench.add(0..<450)
            #expect(try await bench.feeder.step().hasMore)
            #expect(try await bench.feeder.step().hasMore)
            let last = try await bench.feeder.step()
            #expect(!last.hasMore && last.taken == 50)
            #expect(bench.repository.sent == Array(1...450))
            #expect(try await bench.feeder.step().taken == 0)
            #expect(try await bench.place?.number == 450)
            try await bench.add(450..<451)
            #expect(try await bench.feeder.step().taken == 1)
        }
        try await Self.with(from: "now") { bench in
            try await bench.add(0..<5)
            #expect(try await bench.feeder.step().taken == 0)
            try await bench.add(5..<7)
            #expect(try await bench.feeder.step().taken == 2)
            #expect(bench.repository.sent == [6, 7])
        }
    }

    @Test("While the repository is away nothing is lost: what it took is not sent again, the rest is")
    func away() async throws {
        try await Self.with { bench in
            try await bench.add(0..<5)
            bench.repository.answer(
                { _ in FeedAnswer([], failure: "no connection") },
                { _ in FeedAnswer([.taken, .taken], failure: "the repository answers 503", retryAfterSeconds: 9) },
                { _ in FeedAnswer([]) })
            let first = try await bench.feeder.step()
            #expect(first.failure == "no connection")
            #expect(try await bench.place?.number == 0)
            let second = try await bench.feeder.step()
            #expect(second.taken == 2 && second.retryAfterSeconds == 9)
            #expect(try await bench.place?.number == 2)
            // An answer that says nothing is a failure too.
            #expect(try await bench.feeder.step().failure != nil)
            #expect(try await bench.feeder.step().taken == 3)
            #expect(bench.repository.sent == [1, 2, 3, 4, 5, 1, 2, 3, 4, 5, 3, 4, 5, 3, 4, 5])
            #expect(try await bench.parked == [])
        }
    }

    @Test(
        "What the repository refuses, and what no event can be made of, is parked by its number, and the feed goes on")
    func parked() async throws {
        try await Self.with { bench in
            try await bench.add(0..<2)
            try await bench.database.write { try AuditChain.append([Array("not a record".utf8)], $0) }
            try await bench.add(2..<4)
            bench.repository.answer { _ in
                FeedAnswer([.taken, .refused("the repository answers 422"), .taken, .taken])
            }
            let step = try await bench.feeder.step()
            #expect(step.taken == 3 && step.failure == nil)
            #expect(bench.repository.sent == [1, 2, 4, 5])
            #expect(try await bench.place?.number == 5)
            #expect(try await bench.parked == [2, 3])
            let behind = try await bench.database.read { try AuditFeedTable($0).parked(of: "a", after: 2, limit: 100) }
            #expect(behind.map(\.number) == [3])
            #expect(try await bench.told == 1)
            let isGone = try await bench.database.write { try AuditFeedTable($0.connection).unpark(2, of: "a") }
            let isGoneTwice = try await bench.database.write { try AuditFeedTable($0.connection).unpark(2, of: "a") }
            #expect(isGone && !isGoneTwice)
            #expect(try await bench.parked == [3])
            #expect(try await bench.told == 2)
            try await bench.database.write { _ = try AuditFeedTable($0.connection).unpark(3, of: "a") }
            #expect(try await bench.told == 5)
        }
    }

    @Test("A repository that refuses whatever comes is paused for: ten rows are parked, then one after each pause")
    func broken() async throws {
        try await Self.with { bench in
            try await bench.add(0..<60)
            let refusing: @Sendable ([FedEvent]) -> FeedAnswer = { FeedAnswer($0.map { _ in .refused("answers 400") }) }
            bench.repository.answer(refusing, refusing, refusing)
            var step = try await bench.feeder.step()
            #expect(step.failure != nil && step.refused == AuditFeeder.refusedMax)
            #expect(try await bench.parked == Array(1...10))
            step = try await bench.feeder.step(refused: step.refused)
            #expect(step.failure != nil && step.refused == 11)
            #expect(try await bench.parked == Array(1...11))
            step = try await bench.feeder.step(rows: 1, refused: step.refused)
            #expect(try await bench.parked == Array(1...12))
            // One that it takes shows that the others were refused for what they are.
            bench.repository.answer { events in
                FeedAnswer(events.map { $0.number == 13 ? .taken : .refused("answers 422") })
            }
            step = try await bench.feeder.step(refused: step.refused)
            #expect(step.failure == nil && step.taken == 1 && step.refused == 0)
            #expect(try await bench.place?.number == 60)
            #expect(try await bench.feeder.step(refused: 0).failure == nil)
            #expect(try await bench.feeder.step(refused: AuditFeeder.refusedMax).failure != nil)
        }
    }

    @Test("What is parked, and what a feed has never begun with, is still to be had from the trail")
    func told() async throws {
        try await Self.with { bench in
            try await bench.add(0..<3)
            #expect(try await bench.told == 0)
            _ = try await bench.feeder.step()
            #expect(try await bench.told == 3)
        }
    }

    @Test("After a failure one row goes until it is taken, then twice as many each time")
    func carefully() async throws {
        try await Self.with { bench in
            try await bench.add(0..<3)
            let step = try await bench.feeder.step(rows: 1)
            #expect(step.taken == 1 && step.hasMore)
            #expect(bench.repository.sent == [1])
        }
        #expect(AuditFeeder.rows(200, failed: true) == 1)
        #expect(AuditFeeder.rows(1, failed: false) == 2)
        #expect(AuditFeeder.rows(128, failed: false) == AuditFeeder.pageRows)
        #expect(AuditFeeder.rows(AuditFeeder.pageRows, failed: false) == AuditFeeder.pageRows)
    }

    @Test("Rows that were cut before they were fed are counted, and the feed goes on behind them")
    func cut() async throws {
        try await Self.with { bench in
            try await bench.add(0..<10)
            bench.repository.answer { events in FeedAnswer(events.prefix(2).map { _ in .taken }, failure: "away") }
            _ = try await bench.feeder.step()
            try await bench.database.write { transaction in
                let connection = transaction.connection
                let link = try #require(try AuditChain.link(7, connection))
                try AuditChain.allowCut(at: link, checkpoint: "c", connection)
                _ = try AuditChain.removeCut(limit: 100, connection)
            }
            #expect(try await bench.feeder.step().taken == 3)
            #expect(try await bench.place?.missed == 5)
            #expect(try await bench.place?.number == 10)
            // The next rows leave the count as it is.
            try await bench.add(10..<12)
            #expect(try await bench.feeder.step().taken == 2)
            #expect(try await bench.place?.missed == 5)
        }
    }

    @Test("A feed never goes back, and one that has begun before a cut begins behind it")
    func places() async throws {
        try await Self.with { bench in
            try await bench.add(0..<5)
            try await bench.database.write { transaction in
                let table = AuditFeedTable(transaction.connection)
                try table.put(.init(number: 4, fedAt: 9, missed: 1), of: "a")
                try table.put(.init(number: 2), of: "a")
            }
            #expect(try await bench.place == .init(number: 4, fedAt: 9, missed: 1))
            let waiting = try await bench.database.read { try AuditFeedTable($0).waiting(behind: 4)?.count }
            #expect(waiting == 1)
            let none = try await bench.database.read { try AuditFeedTable($0).waiting(behind: 5)?.count }
            #expect(none == nil)
        }
    }

    @Test("Pauses double from a second to five minutes; what the repository asks for is heard up to an hour")
    func pauses() {
        #expect(
            (1...12).map { AuditFeeder.pause($0, retryAfter: nil) }.prefix(4) == [
                .seconds(1), .seconds(2), .seconds(4), .seconds(8),
            ])
        #expect(AuditFeeder.pause(1_000_000, retryAfter: nil) == .seconds(300))
        #expect(AuditFeeder.pause(1, retryAfter: 0) == .seconds(1))
        #expect(AuditFeeder.pause(9, retryAfter: 30) == .seconds(30))
        #expect(AuditFeeder.pause(1, retryAfter: .max) == .seconds(3_600))
    }
}
