import TestSupport
import Testing
import Workflow

/// PS3.4 Tables CC.1.1-2 and CC.2.3-2: states of workitems and of subscriptions, event by event.
@Suite struct WorkitemTests {
    private static func workitem(
        _ state: Workitem.State = .scheduled, transactionUID: String? = nil
    ) -> Workitem {
        var workitem = Workitem(
            sopInstanceUID: "1.9", state: state, scheduledStart: UTCInstant(microseconds: 0), createdBy: "RIS",
            updatedAt: UTCInstant(microseconds: 0))
        workitem.transactionUID = transactionUID
        return workitem
    }

    /// What came of a change: what was said, or the state that follows.
    private static func change(
        _ workitem: inout Workitem, _ to: Workitem.State, _ transactionUID: String?, _ isMet: Bool = true
    ) -> String {
        do {
            let warning = try workitem.change(to: to, by: transactionUID) { _ in isMet }
            return warning?.rawValue ?? workitem.state.rawValue
        } catch {
            return (error as? WorkitemRefusal)?.rawValue ?? "?"
        }
    }

    @Test("Table CC.1.1-2: each change in each state, with the right Transaction UID and without")
    func table() {
        let states: [Workitem.State] = [.scheduled, .inProgress, .completed, .canceled]
        let right: [(Workitem.State, [String])] = [
            (.inProgress, ["IN PROGRESS", "alreadyInProgress", "closed", "closed"]),
            (.scheduled, [String](repeating: "onlyCreationSchedules", count: 4)),
            (.completed, ["notInProgress", "COMPLETED", "alreadyCompleted", "closed"]),
            (.canceled, ["notInProgress", "CANCELED", "closed", "alreadyCanceled"]),
        ]
        for (wanted, expected) in right {
            for (state, expected) in zip(states, expected) {
                var workitem = Self.workitem(state, transactionUID: state == .scheduled ? nil : "1.1")
                #expect(Self.change(&workitem, wanted, "1.1") == expected, "\(state) to \(wanted)")
                for wrong in [nil, state == .scheduled ? nil : "1.2"] {
                    var workitem = Self.workitem(state, transactionUID: state == .scheduled ? nil : "1.1")
                    #expect(
                        Self.change(&workitem, wanted, wrong)
                            == (wanted == .scheduled ? "onlyCreationSchedules" : "wrongTransaction"))
                    #expect(workitem.state == state)
                }
            }
        }
        for state in [Workitem.State.completed, .canceled] {
            var workitem = Self.workitem(.inProgress, transactionUID: "1.1")
            #expect(Self.change(&workitem, state, "1.1", false) == "finalStateNotMet")
            #expect(workitem.state == .inProgress)
        }
    }

    @Test("§CC.2.2.3: a request to cancel ends what nobody began, asks who is watched, and is refused of what is over")
    func cancellation() throws {
        #expect(try Self.workitem().cancellation(isWatched: false) == .ends)
        #expect(try Self.workitem(.inProgress).cancellation(isWatched: true) == .asks)
        #expect(throws: WorkitemRefusal.performerUnreachable) {
            try Self.workitem(.inProgress).cancellation(isWatched: false)
        }
        #expect(throws: WorkitemRefusal.alreadyCompleted) {
            try Self.workitem(.completed).cancellation(isWatched: true)
        }
        #expect(try Self.workitem(.canceled).cancellation(isWatched: false) == .already)
    }

    @Test(
        "Any order of events: only the allowed moves, one Transaction UID for ever, nothing after the end",
        arguments: 1...40)
    func sequences(_ seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var workitem = Self.workitem()
        let allowed: [Workitem.State: Set<Workitem.State>] = [
            .scheduled: [.scheduled, .inProgress], .inProgress: [.inProgress, .completed, .canceled],
            .completed: [.completed], .canceled: [.canceled],
        ]
        for _ in 0..<200 {
            let before = workitem
            let given = ["1.1", "1.2", nil].randomElement(using: &random) ?? nil
            let wanted = Workitem.State.allCases.randomElement(using: &random) ?? .scheduled
            let isMet = Bool.random(using: &random)
            let said = Self.change(&workitem, wanted, given, isMet)
            #expect(allowed[before.state]?.contains(workitem.state) == true, "seed \(seed): \(before.state) \(said)")
            if before.transactionUID != nil {
                #expect(workitem.transactionUID == before.transactionUID, "seed \(seed)")
            }
            // Whatever moved was asked for by whoever may, with its needs met.
            if workitem.state != before.state {
                #expect(workitem.state == wanted && workitem.transactionUID == given, "seed \(seed)")
                #expect(!wanted.isFinal || isMet, "seed \(seed)")
            } else {
                #expect(workitem == before, "seed \(seed)")
            }
            let mayUpdate = (try? workitem.checkUpdate(by: given)) != nil
            let expected =
                switch workitem.state {
                case .scheduled: given == nil
                case .inProgress: given == workitem.transactionUID
                case .completed, .canceled: false
                }
            #expect(mayUpdate == expected, "seed \(seed)")
        }
    }

    @Test("Table CC.2.3-2: what each event makes of a subscription, and when the receiver is told how it stands")
    func subscriptions() {
        let states: [WorkitemSubscription] = [.none, .withLock, .withoutLock]
        let table: [(WorkitemSubscription.Event, [(WorkitemSubscription, Bool)])] = [
            (.subscribesToWorklist(hasLock: true), [(.withLock, true), (.withLock, false), (.withoutLock, false)]),
            (
                .subscribesToWorklist(hasLock: false),
                [(.withoutLock, false), (.withLock, false), (.withoutLock, false)]
            ),
            (.subscribes(hasLock: true), [(.withLock, true), (.withLock, true), (.withLock, true)]),
            (.subscribes(hasLock: false), [(.withoutLock, true), (.withoutLock, true), (.withoutLock, true)]),
            (.unsubscribes, [(.none, false), (.none, false), (.none, false)]),
            (.unsubscribesFromWorklist, [(.none, false), (.none, false), (.none, false)]),
            (.suspendsWorklist, [(.none, false), (.withLock, false), (.withoutLock, false)]),
        ]
        for (event, expected) in table {
            for (state, expected) in zip(states, expected) {
                let after = state.after(event)
                #expect(after.state == expected.0 && after.isTold == expected.1, "\(state) \(event)")
            }
        }
        for worklist in WorkitemSubscription.allCases {
            let after = WorkitemSubscription.none.after(.created(worklist))
            #expect(after.state == worklist && after.isTold == (worklist != .none))
        }
    }

    @Test("A report is what it was once it comes out of the outbox; what is none is not taken for one")
    func reports() {
        let report = WorkitemReport(
            receiver: "WATCHER", sopInstanceUID: "1.9", kind: .progress, information: [10, 0, 13, 10, 255])
        func entry(_ draft: OutboxDraft) -> OutboxEntry {
            let time = UTCInstant(microseconds: 1)
            return OutboxEntry(
                number: 1, eventID: EntityID("e"), destination: draft.destination, orderingKey: draft.orderingKey,
                kind: draft.kind, payload: draft.payload, state: .leased, attempts: 0, createdAt: time,
                waitingSince: time, nextAttemptAt: time)
        }
        #expect(WorkitemReport(entry(report.draft)) == report)
        #expect(report.draft.destination == "ups/WATCHER")
        #expect(report.draft.orderingKey == "1.9")
        var draft = report.draft
        draft.payload = Array("WATCHER\n1.9\n9\n".utf8)
        #expect(WorkitemReport(entry(draft)) == nil)
        draft.payload = Array("WATCHER\n1.9".utf8)
        #expect(WorkitemReport(entry(draft)) == nil)
        draft = report.draft
        draft.kind = "storage-commitment"
        #expect(WorkitemReport(entry(draft)) == nil)
    }

    @Test("Each refusal has words that fit an Error Comment")
    func words() {
        let words = WorkitemRefusal.allCases.map(\.description)
        #expect(Set(words).count == words.count)
        #expect(words.allSatisfy { (1...64).contains($0.utf8.count) })
    }
}
