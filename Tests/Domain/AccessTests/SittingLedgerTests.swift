import Access
import Synchronization
import Testing

/// What is read of one series in one sitting is one row. Decision 0065; PS3.15 §A.5.3.7.
@Suite("Rows of the audit trail that stand for a sitting")
struct SittingLedgerTests {
    private final class Clock: Sendable {
        private let time = Mutex(ContinuousClock.now)
        var now: ContinuousClock.Instant { time.withLock { $0 } }
        func advance(_ duration: Duration) { time.withLock { $0 = $0.advanced(by: duration) } }
    }

    /// Keeps rows at once, refuses them, or holds them until it is told what becomes of them.
    private final class Trail: AuditTrail {
        struct Full: Error {}
        private struct State {
            var all: [AuditRecord] = []
            var isFull = false
            var isHolding = false
            var held: [@Sendable (Bool) -> Void] = []
        }
        private let state = Mutex(State())
        var all: [AuditRecord] { state.withLock { $0.all } }
        func fill(_ isFull: Bool) { state.withLock { $0.isFull = isFull } }
        func hold() { state.withLock { $0.isHolding = true } }
        /// Tells all that are held, and holds no more.
        func tell(_ isKept: Bool) {
            let held = state.withLock { state in
                defer { (state.held, state.isHolding) = ([], false) }
                return state.held
            }
            for completion in held { completion(isKept) }
        }
        func record(_ record: AuditRecord) async throws {
            try state.withLock { state in
                if state.isFull { throw Full() }
                state.all.append(record)
            }
        }
        func record(_ record: AuditRecord, completion: @escaping @Sendable (Bool) -> Void) {
            let isKept = state.withLock { state -> Bool? in
                state.all.append(record)
                guard state.isHolding else { return !state.isFull }
                state.held.append(completion)
                return nil
            }
            if let isKept { completion(isKept) }
        }
    }

    /// What completions were called with.
    private final class Told: Sendable {
        private let answers = Mutex<[Bool]>([])
        var all: [Bool] { answers.withLock { $0 } }
        var completion: @Sendable (Bool) -> Void { { answer in self.answers.withLock { $0.append(answer) } } }
    }

    private static func record(
        _ series: String = "1.2.1", interaction: String = "instances", token: String? = "t-1",
        address: String? = "192.0.2.1", by principal: Principal = Principal(kind: .client, id: "viewer"),
        request: String = "r", outcome: AuditRecord.Outcome = .success
    ) -> AuditRecord {
        var record = AuditRecord(
            category: .transfer, interaction: interaction, action: .read, outcome: outcome,
            access: AccessContext(
                principal: principal, scopes: [], requestID: request, sourceAddress: address, tokenID: token),
            entity: "study:1.2 series:\(series)")
        record.coversSitting = true
        return record
    }

    private static let emergency = AuditRecord(
        category: .security, interaction: AuditRecord.breakGlass, action: .execute, outcome: .success,
        access: AccessContext(
            principal: Principal(kind: .person, id: "doc"), scopes: [], requestID: "e", sourceAddress: "192.0.2.9"),
        entity: "Patient/p1", patientID: "p1")

    @Test("The reads of a series in one sitting are the row of the first; by both ways of asking")
    func oneRow() async throws {
        let trail = Trail()
        let ledger = SittingLedger(trail)
        let told = Told()
        for number in 0..<50 {
            try await ledger.record(Self.record(request: "r-\(number)"))
            ledger.record(Self.record(request: "s-\(number)"), completion: told.completion)
        }
        #expect(trail.all.map(\.requestID) == ["r-0"])
        #expect(told.all == [Bool](repeating: true, count: 50))
    }

    @Test("Another series, kind, token, address or caller has its own row, as has who has no token")
    func others() async throws {
        let trail = Trail()
        let ledger = SittingLedger(trail)
        let all = [
            Self.record(), Self.record("1.2.2"), Self.record(interaction: "metadata"), Self.record(token: "t-2"),
            Self.record(address: "192.0.2.2"), Self.record(address: nil),
            Self.record(by: .person("doc", client: "viewer", name: "Doc")),
            Self.record(by: .person("eve", client: "viewer", name: "Eve")),
        ]
        for _ in 0..<3 { for record in all { try await ledger.record(record) } }
        #expect(trail.all == all)
        for _ in 0..<3 { try await ledger.record(Self.record(token: nil)) }
        #expect(trail.all.count == all.count + 3)
    }

    @Test("A refusal, and every record that stands for itself alone, always has its row")
    func always() async throws {
        let trail = Trail()
        let ledger = SittingLedger(trail)
        var alone = Self.record()
        alone.coversSitting = false
        let told = Told()
        for record in [alone, Self.record(outcome: .minorFailure)] {
            for _ in 0..<3 {
                try await ledger.record(record)
                ledger.record(record, completion: told.completion)
            }
        }
        #expect(trail.all.count == 12)
        #expect(told.all.count == 6)
    }

    @Test("A row stands for ten minutes from when it was asked for, however much is read meanwhile")
    func time() async throws {
        let (trail, clock) = (Trail(), Clock())
        let ledger = SittingLedger(trail, now: { clock.now })
        for _ in 0..<10 {
            try await ledger.record(Self.record())
            clock.advance(.seconds(59))
        }
        clock.advance(.seconds(9))
        clock.advance(.milliseconds(999))
        try await ledger.record(Self.record())
        #expect(trail.all.count == 1)
        clock.advance(.milliseconds(1))
        try await ledger.record(Self.record())
        #expect(trail.all.count == 2)
        clock.advance(.seconds(SittingLedger.sittingSeconds - 1))
        try await ledger.record(Self.record())
        #expect(trail.all.count == 2)
    }

    @Test("A row that cannot be kept is an error and stands for nothing")
    func failure() async throws {
        let trail = Trail()
        let ledger = SittingLedger(trail)
        let told = Told()
        trail.fill(true)
        for _ in 0..<2 {
            await #expect(throws: Trail.Full.self) { try await ledger.record(Self.record()) }
            ledger.record(Self.record(), completion: told.completion)
        }
        #expect(told.all == [false, false])
        trail.fill(false)
        let before = trail.all.count
        for _ in 0..<2 { try await ledger.record(Self.record()) }
        #expect(trail.all.count == before + 1)
    }

    @Test(
        "First reads beside each other wait for the one row, and none is answered without it", arguments: [true, false])
    func parallel(_ isKept: Bool) async throws {
        let trail = Trail()
        let ledger = SittingLedger(trail)
        let told = Told()
        trail.hold()
        for _ in 0..<6 { ledger.record(Self.record(), completion: told.completion) }
        #expect(trail.all.count == 1)
        #expect(told.all.isEmpty)
        trail.tell(isKept)
        #expect(told.all == [Bool](repeating: isKept, count: 6))
        ledger.record(Self.record(), completion: told.completion)
        #expect(trail.all.count == (isKept ? 1 : 2))
        #expect(told.all.last == true)
    }

    @Test("Behind the row of an emergency nothing is covered by a row before it, nor by one that was being kept")
    func emergencies() async throws {
        let trail = Trail()
        let ledger = SittingLedger(trail)
        let told = Told()
        try await ledger.record(Self.record())
        try await ledger.record(Self.emergency)
        for _ in 0..<2 { try await ledger.record(Self.record()) }
        #expect(trail.all.count == 3)
        ledger.record(Self.emergency, completion: told.completion)
        try await ledger.record(Self.record())
        #expect(trail.all.count == 5)
        trail.hold()
        ledger.record(Self.record("1.2.2"), completion: told.completion)
        try await ledger.record(Self.emergency)
        // The one that is being kept is of before: this one has its own row.
        ledger.record(Self.record("1.2.2"), completion: told.completion)
        #expect(trail.all.count == 8)
        trail.tell(true)
        #expect(told.all == [true, true, true])
        ledger.record(Self.record("1.2.2"), completion: told.completion)
        #expect(trail.all.count == 9)
    }

    @Test("Once a series may be another patient's its next read has a row")
    func links() async throws {
        let trail = Trail()
        let links = Mutex<UInt64>(0)
        let ledger = SittingLedger(trail, links: { links.withLock { $0 } })
        for _ in 0..<2 { try await ledger.record(Self.record()) }
        #expect(trail.all.count == 1)
        links.withLock { $0 += 1 }
        for _ in 0..<2 { try await ledger.record(Self.record()) }
        #expect(trail.all.count == 2)
    }

    @Test("Rows are remembered up to a number; what is past it is written again and never left out")
    func bound() async throws {
        let trail = Trail()
        let ledger = SittingLedger(trail)
        let series = (0...SittingLedger.sittingsMax).map { "1.2.\($0)" }
        for uid in series { try await ledger.record(Self.record(uid)) }
        #expect(trail.all.count == series.count)
        // The newest is remembered, the first one is not.
        try await ledger.record(Self.record(series[series.count - 1]))
        #expect(trail.all.count == series.count)
        try await ledger.record(Self.record(series[0]))
        #expect(trail.all.count == series.count + 1)
    }

    @Test("Who answers from memory without a row of their own is told only once what others wrote was looked for")
    func look() async throws {
        let trail = Trail()
        let asked = Mutex<[@Sendable (Bool) -> Void]>([])
        let ledger = SittingLedger(trail, look: { completion in asked.withLock { $0.append(completion) } })
        let told = Told()
        ledger.record(Self.record(), completion: told.completion)
        // The commit of the row itself has looked.
        #expect(told.all == [true])
        for _ in 0..<2 { ledger.record(Self.record(), completion: told.completion) }
        #expect(told.all == [true])
        for (completion, isKnown) in zip(asked.withLock { $0 }, [false, true]) { completion(isKnown) }
        #expect(told.all == [true, false, true])
        #expect(trail.all.count == 1)
    }
}
