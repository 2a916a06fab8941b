import Access
import TestSupport
import Testing
import Workflow

@testable import hilum

/// Messages among what else is in the outbox.
@Suite(.takingTurns) struct SentMessagesTests {
    /// An outbox in which a message to RIS stands every so many notices.
    private struct Log: OutboxLog {
        let count: Int64
        let every: Int64

        func outboxEntries(_ query: OutboxQuery, access: AccessContext) async throws -> [OutboxEntry] {
            let time = UTCInstant(microseconds: 0)
            let numbers = stride(from: min(count, (query.before ?? .max) - 1), to: 0, by: -1).prefix(query.limit)
            return numbers.map { number in
                let kind = number % every == 0 ? "hl7/RIS" : "subscription"
                return OutboxEntry(
                    number: number, eventID: EntityID("e\(number)"), destination: kind, orderingKey: "", kind: kind,
                    payload: [], state: .waiting, attempts: 0, createdAt: time, waitingSince: time, nextAttemptAt: time)
            }
        }
        func outboxDepths(access: AccessContext) async throws -> [OutboxDepth] { [] }
        func order(_ order: OutboxOrder, _ selection: OutboxSelection, access: AccessContext) async throws -> Int { 0 }
    }

    private static let access = AccessContext.operatorOfThisMachine(requestID: "hilum test")

    @Test("Messages behind any number of notices are found, the newest first, and no more than were asked for")
    func behindNotices() async throws {
        let log = Log(count: 1_000, every: 250)
        for (limit, numbers) in [(1, [1_000]), (3, [1_000, 750, 500]), (100, [1_000, 750, 500, 250])] {
            let found = try await MessageCommand.sent(OutboxQuery(limit: limit), log, Self.access)
            #expect(found.map(\.number) == numbers.map(Int64.init))
        }
    }

    @Test("A number is that of a message, or of nothing")
    func number() async throws {
        let log = Log(count: 1_000, every: 250)
        #expect(try await MessageCommand.sent("500", log, Self.access)?.number == 500)
        for id in ["501", "1001", "0", "-1", "x", "", "9223372036854775807"] {
            #expect(try await MessageCommand.sent(id, log, Self.access) == nil)
        }
    }
}
