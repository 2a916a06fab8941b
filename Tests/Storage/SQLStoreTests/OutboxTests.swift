import Access
import FHIRResources
import Foundation
import Synchronization
import TestSupport
import Testing
import Workflow

@testable import SQLStore

private typealias Support = WorkflowSupport

/// The outbox: kept with its unit of work, ordered by key, claimed by lease.
@Suite struct OutboxTests {
    private static let start: Int64 = 1_000

    /// A store whose clock is moved by hand.
    private static func with(
        _ kind: SQLDialect, _ body: (RelationalStore, HandClock) async throws -> Void
    ) async throws {
        let clock = HandClock(seconds: start)
        try await TestDatabases.with(kind, configure: { $0.now = { clock.microseconds } }) { database in
            let store = RelationalStore(
                database: database, entropy: SeededEntropy(), observers: [FHIRProjector()],
                now: { clock.microseconds })
            try await body(store, clock)
        }
    }

    private static func draft(_ text: String, to destination: String = "d", key: String = "k") -> OutboxDraft {
        OutboxDraft(destination: destination, orderingKey: key, kind: "test", payload: Array(text.utf8))
    }

    private static func put(_ store: RelationalStore, _ drafts: OutboxDraft...) async throws {
        try await store.work { unit in for draft in drafts { try unit.enqueue(draft) } }
    }

    private static func claim(
        _ store: RelationalStore, owner: String = "a", places: Int = 10, perDestination: Int = 4,
        held: [String: Set<String>] = [:], leaseSeconds: Int64 = 60
    ) async throws -> OutboxClaimed {
        try await store.claim(
            OutboxClaim(
                owner: owner, leaseSeconds: leaseSeconds, places: places, held: held,
                placesByKind: ["test": perDestination]))
    }

    private static func texts(_ claimed: OutboxClaimed) -> [String] { claimed.leases.map { text($0.entry) } }
    private static func text(_ entry: OutboxEntry) -> String { String(decoding: entry.payload, as: UTF8.self) }

    private static func states(_ store: RelationalStore) async throws -> [String] {
        try await store.outboxEntries(OutboxQuery(limit: 100), access: Support.server).reversed().map {
            text($0) + " " + $0.state.rawValue
        }
    }

    @Test(
        "What is not due yet pauses its destination, in its place and without an attempt counted",
        arguments: TestDatabases.all)
    func notYet(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { store, clock in
            try await Self.put(store, Self.draft("1"), Self.draft("2"), Self.draft("3", key: "l"))
            let first = try #require(try await Self.claim(store, perDestination: 1).leases.first)
            let until = UTCInstant(microseconds: (Self.start + 100) * 1_000_000)
            #expect(try await store.settle(first, .wait(until: until, reason: "at night"), next: 60) { _ in } == nil)
            let paused = try await Self.claim(store)
            #expect(paused.leases.isEmpty)
            #expect(paused.nextDue == until)
            clock.advance(100)
            let later = try await Self.claim(store)
            #expect(Set(Self.texts(later)) == ["1", "3"])
            let entry = try #require(later.leases.first { Self.text($0.entry) == "1" }).entry
            #expect(entry.attempts == 0)
            #expect(entry.failure == "at night")
        }
    }

    @Test(
        "Entries of one key leave one after another, other keys beside them, within the places of the destination",
        arguments: TestDatabases.all)
    func order(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { store, _ in
            try await Self.put(
                store, Self.draft("1"), Self.draft("2", key: "l"), Self.draft("3"), Self.draft("4", key: "m"),
                Self.draft("5", to: "e"))
            let first = try await Self.claim(store, perDestination: 2)
            #expect(Set(Self.texts(first)) == ["1", "2", "5"])
            #expect(try await Self.states(store) == ["1 leased", "2 leased", "3 waiting", "4 waiting", "5 leased"])
            // What is leased is nobody's to claim, and no places are left at that destination.
            let second = try await Self.claim(store, owner: "b", perDestination: 2, held: ["d": ["k", "l"]])
            #expect(Self.texts(second) == [])
            #expect(
                Self.texts(try await Self.claim(store, owner: "b", perDestination: 3, held: ["d": ["k", "l"]])) == ["4"]
            )
            let one = try #require(first.leases.first { Self.text($0.entry) == "1" })
            let next = try await store.settle(one, .done, next: 60) { _ in }
            #expect(next.map { Self.text($0.entry) } == "3")
            #expect(try await store.settle(try #require(next), .done, next: 60) { _ in } == nil)
            #expect(try await Self.states(store) == ["1 done", "2 leased", "3 done", "4 leased", "5 leased"])
        }
    }

    @Test(
        "What a unit puts in is kept if and only if the unit is, and the unit's consequences with a verdict",
        arguments: TestDatabases.all)
    func atomic(_ kind: SQLDialect) async throws {
        struct Undone: Error {}
        try await Self.with(kind) { store, _ in
            await #expect(throws: Undone.self) {
                try await store.work { unit in
                    try unit.enqueue(Self.draft("lost"))
                    throw Undone()
                }
            }
            #expect(Self.texts(try await Self.claim(store)) == [])
            try await Self.put(store, Self.draft("kept"))
            let lease = try #require(try await Self.claim(store).leases.first)
            await #expect(throws: Undone.self) {
                _ = try await store.settle(lease, .done, next: nil) { unit in
                    try unit.enqueue(Self.draft("of the verdict"))
                    throw Undone()
                }
            }
            #expect(try await Self.states(store) == ["kept leased"])
            _ = try await store.settle(lease, .done, next: nil) { try $0.enqueue(Self.draft("of the verdict")) }
            #expect(try await Self.states(store) == ["kept done", "of the verdict waiting"])
        }
    }

    @Test(
        "A retry waits for its time and holds back its key alone; a pause holds back the destination",
        arguments: TestDatabases.all)
    func retries(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { store, clock in
            try await Self.put(
                store, Self.draft("1"), Self.draft("2"), Self.draft("3", key: "l"), Self.draft("4", to: "e"))
            let claimed = try await Self.claim(store, places: 1)
            let lease = try #require(claimed.leases.first)
            #expect(Self.text(lease.entry) == "1")
            let later = UTCInstant(microseconds: clock.microseconds + 20_000_000)
            #expect(
                try await store.settle(lease, .retry(at: later, pause: nil, failure: "away"), next: 60) { _ in } == nil)
            let others = try await Self.claim(store)
            #expect(Set(Self.texts(others)) == ["3", "4"])
            let three = try #require(others.leases.first { Self.text($0.entry) == "3" })
            let pause = UTCInstant(microseconds: clock.microseconds + 40_000_000)
            _ = try await store.settle(three, .retry(at: later, pause: pause, failure: "busy"), next: 60) { _ in }
            clock.advance(30)
            let early = try await Self.claim(store)
            #expect(Self.texts(early) == [])
            #expect(early.nextDue == pause)
            // What is put in meanwhile waits for the end of the pause too.
            try await Self.put(store, Self.draft("5", key: "m"))
            #expect(Self.texts(try await Self.claim(store)) == [])
            clock.advance(11)
            let again = try await Self.claim(store)
            #expect(Set(Self.texts(again)) == ["1", "3", "5"])
            let first = try #require(again.leases.first { Self.text($0.entry) == "1" }?.entry)
            #expect(first.attempts == 1)
            #expect(first.failure == "away")
        }
    }

    private static func join(_ store: RelationalStore, _ old: String, into key: String) async throws {
        try await store.work { unit in
            let memory = try #require(unit as? any ToldUnit)
            try memory.joinTelling(of: old, into: key, to: "d")
        }
    }

    @Test(
        "Keys that are joined leave in one order: what was put in first, also where it is to be tried again",
        arguments: TestDatabases.all)
    func joined(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { store, clock in
            try await Self.put(store, Self.draft("1", key: "old"), Self.draft("2"), Self.draft("3", key: "old"))
            var lease = try #require(try await Self.claim(store, places: 1, held: ["d": ["k"]]).leases.first)
            #expect(Self.text(lease.entry) == "1")
            // The one that is on its way stays on its way, as the first of both.
            try await Self.join(store, "old", into: "k")
            try await Self.put(store, Self.draft("4"))
            #expect(Self.texts(try await Self.claim(store, owner: "b")) == [])
            #expect(try await Self.states(store) == ["1 leased", "2 waiting", "3 waiting", "4 waiting"])
            lease = try #require(try await store.renew([lease], seconds: 60).first)
            let later = UTCInstant(microseconds: clock.microseconds + 20_000_000)
            #expect(
                try await store.settle(lease, .retry(at: later, pause: nil, failure: "away"), next: 60) { _ in } == nil)
            #expect(Self.texts(try await Self.claim(store)) == [])
            clock.advance(21)
            lease = try #require(try await Self.claim(store).leases.first)
            var order = [Self.text(lease.entry)]
            while let next = try await store.settle(lease, .done, next: 60, { _ in }) {
                order.append(Self.text(next.entry))
                lease = next
            }
            #expect(order == ["1", "2", "3", "4"])
            #expect(Self.texts(try await Self.claim(store)) == [])
        }
    }

    @Test(
        "A key that is joined to one of which nothing waits goes on under that, also while it is on its way",
        arguments: TestDatabases.all)
    func joinedToNothing(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { store, _ in
            try await Self.put(store, Self.draft("1", key: "old"), Self.draft("2", key: "old"))
            let lease = try #require(try await Self.claim(store).leases.first)
            try await Self.join(store, "old", into: "k")
            try await Self.put(store, Self.draft("3"))
            #expect(Self.texts(try await Self.claim(store, owner: "b")) == [])
            let second = try #require(try await store.settle(lease, .done, next: 60) { _ in })
            #expect(Self.text(second.entry) == "2" && second.entry.orderingKey == "k")
            try await Self.join(store, "k", into: "last")
            let third = try #require(try await store.settle(second, .done, next: 60) { _ in })
            #expect(Self.text(third.entry) == "3" && third.entry.orderingKey == "last")
            #expect(try await store.settle(third, .done, next: 60) { _ in } == nil)
            #expect(Self.texts(try await Self.claim(store)) == [])
        }
    }

    @Test(
        "Keys that are joined wait for an operator together; two that are both on their way end each by itself",
        arguments: TestDatabases.all)
    func joinedWhileHeld(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { store, _ in
            try await Self.put(store, Self.draft("1", key: "old"), Self.draft("2", key: "old"))
            let held = try #require(try await Self.claim(store).leases.first)
            _ = try await store.settle(held, .park(failure: "no", holdsLane: true), next: 60) { _ in }
            try await Self.put(store, Self.draft("3"))
            try await Self.join(store, "old", into: "k")
            #expect(Self.texts(try await Self.claim(store)) == [])
            #expect(
                try await store.order(.discard, .entry(held.entry.number), access: Support.server) == 1)
            let two = try #require(try await Self.claim(store).leases.first)
            #expect(Self.text(two.entry) == "2")

            try await Self.put(store, Self.draft("4", key: "other"), Self.draft("5", key: "other"))
            let four = try #require(try await Self.claim(store, held: ["d": ["k"]]).leases.first)
            #expect(Self.text(four.entry) == "4")
            try await Self.join(store, "other", into: "k")
            #expect(Self.texts(try await Self.claim(store, owner: "b")) == [])
            #expect(try await store.settle(four, .done, next: 60) { _ in } == nil)
            let three = try #require(try await store.settle(two, .done, next: 60) { _ in })
            #expect(Self.text(three.entry) == "3")
            let five = try #require(try await store.settle(three, .done, next: 60) { _ in })
            #expect(Self.text(five.entry) == "5")
            #expect(
                try await Self.states(store) == ["1 discarded", "2 done", "3 done", "4 done", "5 leased"])
        }
    }

    @Test(
        "What is parked is passed over, or holds its key, until it is asked for in its old place or discarded",
        arguments: TestDatabases.all)
    func parked(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { store, _ in
            try await Self.put(store, Self.draft("1"), Self.draft("2"), Self.draft("3"))
            var lease = try #require(try await Self.claim(store).leases.first)
            let passed = try await store.settle(lease, .park(failure: "no", holdsLane: false), next: 60) { _ in }
            lease = try #require(passed)
            #expect(Self.text(lease.entry) == "2")
            _ = try await store.settle(lease, .park(failure: "never", holdsLane: true), next: 60) { _ in }
            #expect(Self.texts(try await Self.claim(store)) == [])
            try await Self.put(store, Self.draft("4"))
            #expect(Self.texts(try await Self.claim(store)) == [])
            #expect(try await Self.states(store) == ["1 parked", "2 parked", "3 waiting", "4 waiting"])
            #expect(
                try await store.outboxDepths(access: Support.server).map { "\($0.state.rawValue) \($0.count)" }
                    == ["waiting 2", "parked 2"])

            #expect(try await store.order(.replay, .parked(destination: "other"), access: Support.server) == 0)
            #expect(try await store.order(.replay, .parked(destination: "d"), access: Support.server) == 2)
            lease = try #require(try await Self.claim(store).leases.first)
            #expect(Self.text(lease.entry) == "1")
            // The one that is being delivered is left alone.
            #expect(try await store.order(.discard, .entry(lease.entry.number), access: Support.server) == 0)
            lease = try #require(try await store.settle(lease, .done, next: 60) { _ in })
            _ = try await store.settle(lease, .park(failure: "never", holdsLane: true), next: 60) { _ in }
            #expect(try await store.order(.discard, .entry(lease.entry.number), access: Support.server) == 1)
            #expect(Self.texts(try await Self.claim(store)) == ["3"])
            #expect(try await Self.states(store) == ["1 done", "2 discarded", "3 leased", "4 waiting"])
        }
    }

    @Test(
        "What is on its way is left alone also when an older entry of its key waits again",
        arguments: TestDatabases.all)
    func leasedBehind(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { store, _ in
            try await Self.put(store, Self.draft("1"), Self.draft("2"))
            let first = try #require(try await Self.claim(store).leases.first)
            let second = try #require(
                try await store.settle(first, .park(failure: "no", holdsLane: false), next: 60) { _ in })
            #expect(try await store.order(.replay, .entry(first.entry.number), access: Support.server) == 1)
            #expect(try await Self.states(store) == ["1 waiting", "2 leased"])
            let leased = try await store.outboxEntries(OutboxQuery(state: .leased, limit: 9), access: Support.server)
            #expect(leased.map(Self.text) == ["2"])
            #expect(try await store.order(.discard, .entry(second.entry.number), access: Support.server) == 0)
            #expect(try await store.order(.discard, .entry(first.entry.number), access: Support.server) == 1)
            #expect(try await store.settle(second, .done, next: 60) { _ in } == nil)
            #expect(try await Self.states(store) == ["1 discarded", "2 done"])
            #expect(Self.texts(try await Self.claim(store)) == [])
        }
    }

    @Test(
        "An order for what is parked is for all of it, and leaves what waits for its time",
        arguments: TestDatabases.all)
    func manyParked(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { store, clock in
            let count = 10_100
            try await store.work { unit in
                for number in 0..<count { try unit.enqueue(Self.draft("\(number)", key: "\(number % 3)")) }
                try unit.enqueue(Self.draft("other", to: "e"))
            }
            try await store.database.write { transaction in
                for statement in [
                    "UPDATE outbox SET state = 'parked' WHERE destination = 'd'",
                    "UPDATE outbox_lanes SET held = 1, due_at = \(OutboxTable.never) WHERE destination = 'd'",
                    // What is parked has no lane where it holds none and nothing waits.
                    "DELETE FROM outbox_lanes WHERE ordering_key = '2'",
                    "UPDATE outbox SET next_at = next_at + 60000000 WHERE destination = 'e'",
                    "UPDATE outbox_lanes SET due_at = due_at + 60000000 WHERE destination = 'e'",
                ] { try transaction.connection.run(statement) }
            }
            try await Self.put(store, Self.draft("later", key: "0"))
            clock.advance(10)
            #expect(Self.texts(try await Self.claim(store)) == [])
            #expect(try await store.order(.replay, .parked(destination: "d"), access: Support.server) == count)
            let depth = try #require(try await store.outboxDepths(access: Support.server).first)
            #expect(depth.state == .waiting)
            #expect(depth.count == Int64(count + 1))
            let claimed = try await Self.claim(store)
            #expect(Set(Self.texts(claimed)) == ["0", "1", "2"])
            for lease in claimed.leases { _ = try await store.settle(lease, .postpone, next: nil) { _ in } }
            _ = try await store.database.write { transaction in
                // All but the one that came last: its payload may be sealed.
                try transaction.connection.run(
                    "UPDATE outbox SET state = 'parked' WHERE destination = 'd' AND number < "
                        + "(SELECT MAX(number) FROM outbox WHERE destination = 'd')")
            }
            #expect(try await store.order(.discard, .parked(destination: "d"), access: Support.server) == count)
            #expect(Self.texts(try await Self.claim(store)) == ["later"])
            clock.advance(60)
            #expect(Self.texts(try await Self.claim(store, owner: "b", held: ["d": ["0"]])) == ["other"])
        }
    }

    @Test(
        "What is due and has no place does not hide when the next thing comes due; the oldest is by its waiting",
        arguments: TestDatabases.all)
    func nextDue(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { store, clock in
            try await Self.put(store, Self.draft("1"), Self.draft("2", to: "e"), Self.draft("3", to: "f"))
            let lease = try #require(try await Self.claim(store, places: 1).leases.first)
            let later = UTCInstant(microseconds: clock.microseconds + 20_000_000)
            _ = try await store.settle(lease, .retry(at: later, pause: nil, failure: "away"), next: nil) { _ in }
            let claimed = try await Self.claim(store, places: 1, leaseSeconds: 300)
            #expect(claimed.leases.count == 1)
            #expect(claimed.nextDue == later)
            _ = try await store.settle(
                try #require(claimed.leases.first), .park(failure: "no", holdsLane: false), next: nil
            ) { _ in }
            clock.advance(100)
            let parked = try #require(claimed.leases.first).entry
            func oldest() async throws -> UTCInstant? {
                try await store.outboxDepths(access: Support.server).first { $0.destination == parked.destination }?
                    .oldest
            }
            #expect(try await oldest() == parked.createdAt)
            #expect(try await store.order(.replay, .entry(parked.number), access: Support.server) == 1)
            #expect(try #require(try await oldest()) > parked.createdAt.advanced(bySeconds: 99))
        }
    }

    @Test(
        "A lease that has ended is another's; what its first owner says then counts no more",
        arguments: TestDatabases.all)
    func leases(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { store, clock in
            try await Self.put(store, Self.draft("1"), Self.draft("2", key: "l"))
            let mine = try await Self.claim(store, leaseSeconds: 30).leases
            #expect(mine.count == 2)
            clock.advance(20)
            let renewed = try await store.renew([mine[0]], seconds: 30)
            #expect(renewed.count == 1)
            clock.advance(15)
            // Its owner knows that it is still at it.
            let own = try await Self.claim(store, held: ["d": ["k", "l"]])
            #expect(own.leases.isEmpty)
            let taken = try await Self.claim(store, owner: "b", leaseSeconds: 30).leases
            #expect(taken.map(\.entry.number) == [mine[1].entry.number])
            #expect(try await store.renew([mine[1]], seconds: 30).isEmpty)
            let enqueued = Mutex(false)
            #expect(
                try await store.settle(mine[1], .done, next: nil) { _ in enqueued.withLock { $0 = true } } == nil)
            #expect(!enqueued.withLock { $0 })
            // The lease before its renewal is no lease.
            _ = try await store.settle(mine[0], .done, next: nil) { _ in }
            #expect(try await Self.states(store) == ["1 leased", "2 leased"])
            _ = try await store.settle(renewed[0], .done, next: nil) { _ in }
            _ = try await store.settle(taken[0], .postpone, next: nil) { _ in }
            #expect(try await Self.states(store) == ["1 done", "2 waiting"])
            let again = try #require(try await Self.claim(store, owner: "c").leases.first)
            #expect(again.entry.attempts == 0)
            try await store.release(owner: "b")
            #expect(Self.texts(try await Self.claim(store, owner: "d")) == [])
            try await store.release(owner: nil)
            #expect(Self.texts(try await Self.claim(store, owner: "d")) == ["2"])
        }
    }

    @Test(
        "What is too large or has no name that can be kept is refused, and nothing of its unit stays",
        arguments: TestDatabases.all)
    func refusals(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { store, _ in
            let payload = [UInt8](repeating: 0, count: OutboxDraft.payloadBytesMax)
            try await Self.put(store, OutboxDraft(destination: "d", kind: "test", payload: payload))
            let name = String(repeating: "x", count: OutboxDraft.nameBytesMax)
            try await Self.put(store, Self.draft("1", to: name, key: name))
            for draft in [
                OutboxDraft(destination: "d", kind: "test", payload: payload + [0]), Self.draft("", to: name + "x"),
                Self.draft("", key: name + "x"), Self.draft("", to: "a\u{0}b"),
            ] {
                let error = await #expect(throws: StoreError.self) { try await Self.put(store, draft) }
                #expect(error?.code == .unacceptable)
            }
            #expect(try await store.outboxEntries(OutboxQuery(limit: 100), access: Support.server).count == 2)
        }
    }

    @Test(
        "Delivered and discarded entries go after their days, what waits or is parked stays",
        arguments: TestDatabases.all)
    func retention(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { store, clock in
            for number in 1...6 { try await Self.put(store, Self.draft("\(number)", key: "\(number)")) }
            for lease in try await Self.claim(store, perDestination: 10).leases {
                let verdict: DeliveryVerdict =
                    switch Self.text(lease.entry) {
                    case "1", "2", "3": .done
                    case "4": .discard(failure: "x")
                    case "5": .park(failure: "x", holdsLane: false)
                    default: .postpone
                    }
                _ = try await store.settle(lease, verdict, next: nil) { _ in }
            }
            let before = UTCInstant(microseconds: clock.microseconds + 1_000_000)
            #expect(try await store.remove(.outbox, before: Support.at(Self.start), limit: 3).removed == 0)
            let step = try await store.remove(.outbox, before: before, limit: 3)
            #expect(step.removed == 3)
            #expect(step.hasMore)
            #expect(try await store.remove(.outbox, before: before, limit: 3).removed == 1)
            #expect(try await Self.states(store) == ["5 parked", "6 waiting"])
        }
    }

    @Test("Orders are audited and need the right; who has none sees nothing", arguments: TestDatabases.all)
    func rights(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { store, _ in
            try await Self.put(store, Self.draft("1"))
            let reader = AccessContext(
                principal: Principal(kind: .client, id: "c"), scopes: [try #require(Scope("system/*.rs"))],
                requestID: "r")
            let other = AccessContext(
                principal: Principal(kind: .client, id: "c"), scopes: [try #require(Scope("system/Patient.cruds"))],
                requestID: "r")
            #expect(try await store.outboxEntries(OutboxQuery(limit: 9), access: reader).count == 1)
            #expect(try await store.outboxEntries(OutboxQuery(limit: 9), access: other).isEmpty)
            #expect(try await store.outboxDepths(access: other).isEmpty)
            #expect(try await store.order(.discard, .entry(1), access: reader) == 0)
            #expect(try await store.order(.discard, .entry(1), access: Support.server) == 1)
            let rows = try await store.database.read { connection in
                try AuditChain.rows(after: 0, limit: 9, connection).map { String(decoding: $0.record, as: UTF8.self) }
            }
            #expect(rows.count == 1)
            #expect(rows.first?.contains("outbox-discard") == true)
        }
    }

    @Test("Three thousand keys of three destinations are each claimed once", arguments: TestDatabases.all)
    func many(_ kind: SQLDialect) async throws {
        try await Self.with(kind) { store, _ in
            try await store.work { unit in
                for number in 0..<3_000 {
                    try unit.enqueue(Self.draft("\(number)", to: "d\(number % 3)", key: "\(number)"))
                }
            }
            var claimed: Set<Int64> = []
            while true {
                let leases = try await Self.claim(store, places: 300, perDestination: 100).leases
                if leases.isEmpty { break }
                for lease in leases { #expect(claimed.insert(lease.entry.number).inserted) }
            }
            #expect(claimed.count == 3_000)
        }
    }

    @Test(
        "Whatever owners and failures do: each entry is delivered, and in the order of its key",
        arguments: TestDatabases.all)
    func anyOrder(_ kind: SQLDialect) async throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SeededGenerator(seed: seed)
        try await Self.with(kind) { store, clock in
            var delivered: [String: [Int]] = [:]
            var held: [OutboxLease] = []
            var number = 0
            for _ in 0..<400 {
                switch Int.random(in: 0..<10, using: &random) {
                case 0...3 where number < 60:
                    let key = "k\(Int.random(in: 0..<4, using: &random))"
                    let destination = "d\(Int.random(in: 0..<2, using: &random))"
                    try await Self.put(store, Self.draft("\(number)", to: destination, key: key))
                    number += 1
                case 4, 5:
                    let owner = "o\(Int.random(in: 0..<2, using: &random))"
                    held += try await Self.claim(store, owner: owner, places: 3, leaseSeconds: 30).leases
                case 6: clock.advance(Int64.random(in: 1...20, using: &random))
                case 7: if let lost = held.indices.randomElement(using: &random) { held.remove(at: lost) }
                default:
                    guard let index = held.indices.randomElement(using: &random) else { continue }
                    let lease = held.remove(at: index)
                    let fails = Int.random(in: 0..<3, using: &random) == 0
                    let time = UTCInstant(microseconds: clock.microseconds + 5_000_000)
                    let kept = Mutex(false)
                    let next = try await store.settle(
                        lease, fails ? .retry(at: time, pause: nil, failure: "x") : .done, next: 30
                    ) { _ in kept.withLock { $0 = true } }
                    if kept.withLock({ $0 }), !fails {
                        let key = lease.entry.destination + lease.entry.orderingKey
                        delivered[key, default: []].append(try #require(Int(Self.text(lease.entry))))
                    }
                    if let next { held.append(next) }
                }
            }
            clock.advance(100)
            while true {
                let rest = try await Self.claim(store, owner: "last", places: 10)
                if rest.leases.isEmpty { break }
                for lease in rest.leases {
                    delivered[lease.entry.destination + lease.entry.orderingKey, default: []].append(
                        try #require(Int(Self.text(lease.entry))))
                    _ = try await store.settle(lease, .done, next: nil) { _ in }
                }
            }
            #expect(Set(delivered.values.joined()).count == number, "seed \(seed)")
            for (key, numbers) in delivered { #expect(numbers == numbers.sorted(), "\(key), seed \(seed)") }
        }
    }
}

/// Time that a test moves by hand.
final class HandClock: Sendable {
    private let time: Mutex<Int64>
    init(seconds: Int64) { time = Mutex(seconds * 1_000_000) }
    var microseconds: Int64 { time.withLock { $0 } }
    func advance(_ seconds: Int64) { time.withLock { $0 += seconds * 1_000_000 } }
}
