import Access
import FHIRResources
import Logging
import OpsAPI
import OutboundAdapter
import SQLStore
import ServiceLifecycle
import Workflow

/// Feeds one audit repository with the trail, row after row, from a place that is kept in the database: nothing is copied,
/// and nothing is lost while the repository is away.
///
/// At least once: a row counts as fed when its repository has taken it and the place behind it is durable. A row that the
/// repository refuses, or that does not open, is parked by its number and the feed goes on; a repository that is away, or that has refused so many
/// and taken none, is asked again after a pause that grows. Decision 0037.
struct AuditFeeder: Service {
    /// Rows sent together at most.
    static let pageRows = 200
    /// Between looks for new rows, and between attempts at a repository that is away.
    static let idle = Duration.seconds(1)
    static let pauseMax = Duration.seconds(300)
    /// An answer that asks for a longer pause is not heard further.
    static let retryAfterMax: Int64 = 3_600
    /// How often an alarm is written to the log again.
    static let alarmInterval = Duration.seconds(3_600)
    /// Characters of a reason in the log.
    static let reasonMax = 200
    /// Of so many that are refused while none is taken the repository is the reason, and not the rows: from then on one is
    /// parked after each pause.
    static let refusedMax = 10

    let feed: AuditConfiguration.Feed
    let database: SQLDatabase
    let target: any AuditFeeding
    /// The FHIR base URL.
    let base: String
    let now: @Sendable () -> Int64
    let states: AuditFeedStates
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown { await feedOn() }
        await target.close()
    }

    /// Attempts and pauses until the task is cancelled.
    private func feedOn() async {
        var memory = Memory()
        while !Task.isCancelled {
            var pause = Self.idle
            do {
                let step = try await step(rows: memory.rows, refused: memory.refused)
                // What ends with the server is no failure of the repository's.
                if Task.isCancelled { return }
                memory.refused = step.refused
                // What is refused is not there twice: many are sent, for one that is taken clears the repository.
                memory.rows = Self.rows(memory.rows, failed: ![nil, Self.takesNone].contains(step.failure))
                memory.failures = step.failure == nil ? 0 : memory.failures + 1
                if step.failure == nil, step.hasMore { pause = .zero }
                if step.failure != nil { pause = Self.pause(memory.failures, retryAfter: step.retryAfterSeconds) }
                try await tell(step, &memory)
            } catch is CancellationError { return } catch {
                memory.failures += 1
                pause = Self.pause(memory.failures, retryAfter: nil)
                note("the trail cannot be read or the feed's place not kept: \(error)", &memory)
            }
            if pause > .zero { do { try await Task.sleep(for: pause) } catch { return } }
        }
    }

    /// What the loop remembers.
    private struct Memory {
        var failures = 0
        /// To be sent together next.
        var rows = AuditFeeder.pageRows
        /// Refused since the repository last took one.
        var refused = 0
        /// What was told in the log, and when.
        var failure: String?
        var alarmedAt: ContinuousClock.Instant?
        var countedAt: ContinuousClock.Instant?
    }

    /// How many rows to send together next. After a failure one, until it is taken: what of a batch came before and behind
    /// the row that failed is not to come again with each attempt.
    static func rows(_ last: Int, failed: Bool) -> Int { failed ? 1 : min(pageRows, last * 2) }

    /// Doubles from a second to five minutes.
    static func pause(_ failures: Int, retryAfter: Int64?) -> Duration {
        if let retryAfter { return .seconds(min(max(1, retryAfter), retryAfterMax)) }
        return min(pauseMax, .seconds(1 << min(max(0, failures - 1), 10)))
    }

    // MARK: One step

    struct Step: Sendable {
        var place: AuditFeedTable.Place
        var taken = 0
        /// How many were refused since one was last taken.
        var refused = 0
        var failure: String?
        var retryAfterSeconds: Int64?
        /// There may be more rows now.
        var hasMore = false
    }

    /// Sends the next rows and keeps how far that came.
    ///
    /// - Parameters:
    ///   - count: rows sent together.
    ///   - refused: how many were refused since one was last taken.
    func step(rows count: Int = Self.pageRows, refused: Int = 0) async throws -> Step {
        var place = try await begin()
        let after = place.number
        let rows = try await database.read { try AuditChain.rows(after: after, limit: count, $0) }
        guard let first = rows.first else {
            // A repository that takes nothing does so too while nothing waits.
            return Step(place: place, refused: refused, failure: refused < Self.refusedMax ? nil : Self.takesNone)
        }
        if first.number > after + 1 {
            place.number = first.number - 1
            try await database.write { [name = feed.name, number = place.number] in
                try AuditFeedTable($0.connection).miss(upTo: number, of: name)
            }
            logger.critical(
                "rows of the audit trail were cut before they were fed; they are in the export that allowed the cut",
                metadata: ["feed": "\(feed.name)", "from": "\(after + 1)", "to": "\(first.number - 1)"])
        }
        let prepared = rows.map { (row: $0, event: event($0)) }
        let events = prepared.compactMap(\.event)
        let answer = events.isEmpty ? FeedAnswer([]) : await target.send(events)
        var step = Step(
            place: place, refused: refused, failure: answer.failure, retryAfterSeconds: answer.retryAfterSeconds)
        var parked: [AuditFeedTable.Parked] = []
        var unopened: Set<Int64> = []
        var verdicts = Self.judged(answer.verdicts, refused: refused)[...]
        for (row, event) in prepared {
            if event == nil {
                if row.unopened != nil { unopened.insert(row.number) }
                let reason = row.unopened ?? "written in another version's form"
                parked.append(.init(number: row.number, reason: reason, parkedAt: now()))
            } else if let verdict = verdicts.popFirst() {
                switch verdict {
                case .taken:
                    step.taken += 1
                    step.place.fedAt = now()
                case .refused(let reason):
                    step.refused += 1
                    parked.append(.init(number: row.number, reason: reason, parkedAt: now()))
                }
            } else {
                break
            }
            step.place.number = row.number
        }
        if step.taken > 0 { step.refused = 0 }
        if step.refused >= Self.refusedMax { step.failure = step.failure ?? Self.takesNone }
        guard step.place.number > place.number else {
            step.failure = step.failure ?? "the repository takes nothing"
            return step
        }
        step.hasMore = rows.count == count
        try await keep(step.place, parked, unopened: unopened)
        return step
    }

    private static let takesNone = "the repository refuses every row, whichever it is"

    /// The verdicts that count. Where one was taken, the rest was refused for what it is; else those up to
    /// ``refusedMax``, and one at least: rows that are never taken hold nothing up for ever.
    static func judged(_ verdicts: [FeedAnswer.Verdict], refused: Int) -> [FeedAnswer.Verdict] {
        verdicts.contains(.taken) ? verdicts : Array(verdicts.prefix(max(1, refusedMax - refused)))
    }

    /// Where the feed is; a feed that is new begins where the configuration says.
    private func begin() async throws -> AuditFeedTable.Place {
        let name = feed.name
        let known = try await database.read { try AuditFeedTable($0).place(of: name) }
        if let known { return known }
        let isFromBeginning = feed.isFromBeginning
        return try await database.write { transaction in
            let connection = transaction.connection
            let number =
                isFromBeginning
                ? try AuditChain.lastCut(connection)?.link.number ?? 0 : try AuditChain.tip(connection).number
            let place = AuditFeedTable.Place(number: number)
            try AuditFeedTable(connection).put(place, of: name)
            return place
        }
    }

    /// - Parameter unopened: the numbers of those that are parked as their records do not open.
    private func keep(
        _ place: AuditFeedTable.Place, _ parked: [AuditFeedTable.Parked], unopened: Set<Int64>
    ) async throws {
        let name = feed.name
        try await database.write { transaction in
            let table = AuditFeedTable(transaction.connection)
            try table.park(parked, of: name)
            try table.put(place, of: name)
        }
        if !unopened.isEmpty { states.parkedUnopened(unopened.count, name) }
        for row in parked {
            logger.error(
                unopened.contains(row.number)
                    ? "a row of the audit trail does not open; it is parked, not fed, and the feed goes on"
                    : "an audit repository does not take a row; it is parked and the feed goes on",
                metadata: ["feed": "\(feed.name)", "row": "\(row.number)", "reason": "\(row.reason)"])
        }
    }

    /// A row as the repository gets it; nil for one that does not open, or cannot be read.
    func event(_ row: AuditChain.Row) -> FedEvent? {
        row.content.map { Self.event($0, feed, base: base) }
    }

    static func event(_ row: AuditRow, _ feed: AuditConfiguration.Feed, base: String) -> FedEvent {
        let event = AuditEvent(row, base: base, shape: .whole)
        let body: [UInt8]
        switch feed.way {
        case .fhir: body = event.toldElsewhere
        case .syslog: body = event.auditMessage
        }
        return FedEvent(
            number: row.number, timestamp: UTCInstant(microseconds: row.time).instantText, body: body,
            isFailure: event.isFailure)
    }

    // MARK: Telling

    private func tell(_ step: Step, _ memory: inout Memory) async throws {
        if step.taken > 0 { states.took(step.taken, feed.name) }
        if let failure = step.failure {
            note(failure, &memory)
        } else if memory.failure != nil {
            memory.failure = nil
            logger.notice("an audit repository is fed again", metadata: ["feed": "\(feed.name)"])
        }
        // Counting reads the database: not after each of many steps.
        if let countedAt = memory.countedAt, ContinuousClock.now - countedAt < .seconds(2), step.failure == nil {
            return
        }
        memory.countedAt = .now
        var state = AuditFeedState(name: feed.name)
        let name = feed.name
        let standing = try await database.read { try AuditFeedTable($0).standing(of: name) }
        state.number = standing.place?.number ?? 0
        state.missed = standing.place?.missed ?? 0
        state.parked = standing.parked
        state.failure = step.failure
        if let waiting = standing.waiting {
            state.waiting = waiting.count
            state.oldestSeconds = max(0, (now() - waiting.oldest) / 1_000_000)
        }
        state.isLate = state.oldestSeconds >= feed.alarmMinutes * 60
        states.tell(state)
        guard state.isLate else { return memory.alarmedAt = nil }
        if let alarmedAt = memory.alarmedAt, ContinuousClock.now - alarmedAt < Self.alarmInterval { return }
        memory.alarmedAt = .now
        logger.error(
            "an audit repository is behind: see `hilum audit feed list` and `hilum audit feed test`",
            metadata: [
                "feed": "\(feed.name)", "waiting": "\(state.waiting)", "oldest-seconds": "\(state.oldestSeconds)",
                "reason": "\(step.failure ?? "it takes its time")",
            ])
    }

    /// Once for each reason.
    private func note(_ failure: String, _ memory: inout Memory) {
        guard memory.failure != failure else { return }
        memory.failure = failure
        logger.warning(
            "an audit repository is not fed now; what waits is kept",
            metadata: ["feed": "\(feed.name)", "reason": "\(failure.prefix(Self.reasonMax))"])
    }
}

extension AuditFeeder: CustomStringConvertible { var description: String { "audit feed \(feed.name)" } }
