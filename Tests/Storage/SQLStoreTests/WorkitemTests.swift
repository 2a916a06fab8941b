import Access
import Testing
import Workflow

@testable import SQLStore

private typealias Support = WorkflowSupport

/// The tables of workitems and of who is told of them, on both databases. PS3.4 Annex CC.
@Suite struct WorkitemTests {
    private static func workitem(
        _ number: Int, _ state: Workitem.State = .scheduled, label: String = "CAD", patient: String? = "P1",
        updatedAt: Int64 = 1
    ) -> Workitem {
        Workitem(
            sopInstanceUID: "1.\(number)", state: state, worklistLabel: label, patientID: patient,
            scheduledStart: Support.at(Int64(number / 2)), createdBy: "RIS", updatedAt: Support.at(updatedAt),
            dataSet: [0, 255, UInt8(number)])
    }

    private static func save(_ workitems: [Workitem], in store: RelationalStore) async throws {
        try await store.work { unit in for workitem in workitems { try unit.workitems.save(workitem) } }
    }

    private static func found(
        _ selection: WorkitemSelection, after place: WorkitemPlace? = nil, limit: Int = 100, _ store: RelationalStore
    ) async throws -> [String] {
        try await store.look { try $0.workitems.workitems(selection, after: place, limit: limit) }.map(\.sopInstanceUID)
    }

    @Test(
        "What is kept comes back as it was; a change takes its place; a read changes nothing",
        arguments: TestDatabases.all)
    func kept(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { store in
            var workitem = Self.workitem(1)
            try await Self.save([workitem], in: store)
            #expect(try await store.look { try $0.workitems.workitem("1.1") } == workitem)
            workitem.state = .inProgress
            workitem.transactionUID = "2.1"
            workitem.patientID = nil
            workitem.dataSet = [1]
            try await Self.save([workitem], in: store)
            #expect(try await store.look { try $0.workitems.workitem("1.1") } == workitem)
            #expect(try await store.look { try $0.workitems.workitem("1.2") } == nil)
            let last = workitem
            await #expect(throws: StoreError.self) { try await store.look { try $0.workitems.save(last) } }
        }
    }

    @Test(
        "Those selected come by their start and UID, page by page, and are those that the selection says",
        arguments: TestDatabases.all)
    func selected(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { store in
            let all = (1...9).map { number in
                Self.workitem(
                    number, Workitem.State.allCases[number % 4], label: number % 2 == 0 ? "CAD" : "QC",
                    patient: number % 3 == 0 ? nil : "P\(number % 3)")
            }
            try await Self.save(all, in: store)
            let selections = [
                WorkitemSelection(), WorkitemSelection(sopInstanceUIDs: ["1.3", "1.8", "9"]),
                WorkitemSelection(sopInstanceUIDs: []), WorkitemSelection(states: [.scheduled]),
                WorkitemSelection(states: [.completed, .canceled], worklistLabel: "CAD"),
                WorkitemSelection(states: []), WorkitemSelection(patientID: "P2"),
                WorkitemSelection(worklistLabel: "QC", scheduledStart: 1_000_000...3_000_000),
                WorkitemSelection(scheduledStart: Int64.min...Int64.max),
            ]
            for selection in selections {
                let expected = all.filter(selection.contains).map(WorkitemPlace.init).sorted().map(\.sopInstanceUID)
                #expect(try await Self.found(selection, store) == expected, "\(selection)")
                // In pages of two.
                var (paged, place): ([String], WorkitemPlace?) = ([], nil)
                while true {
                    let after = place
                    let page = try await store.look { try $0.workitems.workitems(selection, after: after, limit: 2) }
                    paged += page.map(\.sopInstanceUID)
                    guard let last = page.last else { break }
                    place = WorkitemPlace(last)
                }
                #expect(paged == expected, "\(selection)")
            }
        }
    }

    @Test(
        "Subscribers of one, of all and of those that match; what ends takes only its own", arguments: TestDatabases.all
    )
    func subscriptions(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { store in
            try await Self.save([Self.workitem(1), Self.workitem(2)], in: store)
            try await store.work { unit in
                let workitems = try unit.workitems
                for receiver in ["B", "A"] {
                    try workitems.save(WorkitemSubscriber(receiver: receiver, state: .withoutLock), of: "1.1")
                }
                try workitems.save(WorkitemSubscriber(receiver: "A", state: .withLock), of: "1.1")
                try workitems.save(WorkitemSubscriber(receiver: "A", state: .withLock), of: "1.2")
                try workitems.save(WorklistSubscription(receiver: "C", hasLock: false, filter: [1, 2]))
                try workitems.save(WorklistSubscription(receiver: "C", hasLock: true))
                try workitems.save(WorklistSubscription(receiver: "C", hasLock: true, filter: [3]))
                #expect(
                    try workitems.subscribers(of: "1.1") == [
                        WorkitemSubscriber(receiver: "A", state: .withLock),
                        WorkitemSubscriber(receiver: "B", state: .withoutLock),
                    ])
                #expect(
                    try workitems.worklistSubscriptions() == [
                        WorklistSubscription(receiver: "C", hasLock: true),
                        WorklistSubscription(receiver: "C", hasLock: true, filter: [3]),
                    ])
                #expect(try workitems.subscribedReceivers() == ["A", "B", "C"])
                try workitems.removeWorklistSubscription(of: "C", isFiltered: false)
                #expect(try workitems.worklistSubscriptions().map(\.filter) == [[3]])
                try workitems.save(WorkitemSubscriber(receiver: "B", state: .none), of: "1.1")
                #expect(try workitems.subscribers(of: "1.1").map(\.receiver) == ["A"])
                try workitems.removeSubscriptions(of: "A")
                #expect(try workitems.subscribedReceivers() == ["C"])
            }
        }
    }

    @Test("Whom a client subscribed counts while they are told of anything", arguments: TestDatabases.all)
    func receivers(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { store in
            try await Self.save([Self.workitem(1)], in: store)
            try await store.work { unit in
                let workitems = try unit.workitems
                for receiver in ["A", "B", "C"] { try workitems.note(receiver, of: "client:x") }
                #expect(try workitems.receivers(of: "client:x") == 0)
                // Each time, those that are told of nothing are forgotten.
                try workitems.note("A", of: "client:x")
                try workitems.save(WorkitemSubscriber(receiver: "A", state: .withoutLock), of: "1.1")
                try workitems.note("B", of: "client:x")
                try workitems.save(WorklistSubscription(receiver: "B", hasLock: false))
                try workitems.save(WorklistSubscription(receiver: "C", hasLock: false))
                #expect(try workitems.receivers(of: "client:x") == 2)
                #expect(try workitems.receivers(of: "client:y") == 0)
                try workitems.removeSubscriptions(of: "A")
                #expect(try workitems.receivers(of: "client:x") == 1)
                // Another client takes it over.
                try workitems.note("A", of: "client:y")
                try workitems.save(WorkitemSubscriber(receiver: "A", state: .withLock), of: "1.1")
                #expect(try workitems.receivers(of: "client:x") == 1)
                #expect(try workitems.receivers(of: "client:y") == 1)
                #expect(try workitems.receivers(of: nil) == 2)
                #expect(try workitems.isSubscribed("A") && workitems.isSubscribed("C"))
                #expect(try !workitems.isSubscribed("D"))
            }
        }
    }

    @Test(
        "Retention takes what ended before and nobody has a lock on, with its subscriptions; what is not over stays",
        arguments: TestDatabases.all)
    func retention(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { store in
            let states: [Workitem.State] = [.completed, .canceled, .completed, .scheduled, .inProgress, .completed]
            try await Self.save(
                zip(1..., states).map { Self.workitem($0, $1, updatedAt: Int64($0)) }, in: store)
            try await store.work { unit in
                let workitems = try unit.workitems
                try workitems.save(WorkitemSubscriber(receiver: "A", state: .withoutLock), of: "1.1")
                try workitems.save(WorkitemSubscriber(receiver: "A", state: .withLock), of: "1.2")
            }
            let first = try await store.remove(.workitems, before: Support.at(6), limit: 1)
            #expect(first == RetentionStep(removed: 1, hasMore: true))
            #expect(try await store.remove(.workitems, before: Support.at(6), limit: 5).removed == 1)
            #expect(try await Self.found(WorkitemSelection(), store) == ["1.2", "1.4", "1.5", "1.6"])
            #expect(try await store.look { try $0.workitems.subscribers(of: "1.1") }.isEmpty)
            // The lock comes off.
            try await store.work {
                try $0.workitems.save(WorkitemSubscriber(receiver: "A", state: .withoutLock), of: "1.2")
            }
            #expect(try await store.remove(.workitems, before: Support.at(6), limit: 5).removed == 1)
            #expect(try await store.look { try $0.workitems.subscribedReceivers() } == [])
        }
    }
}
