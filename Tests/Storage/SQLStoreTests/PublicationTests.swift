import Access
import FHIRModel
import FHIRResources
import Testing
import Workflow

@testable import SQLStore

private typealias Support = WorkflowSupport

/// S6: studies are published by one rule, at a cost that follows their size once and not once an instance.
@Suite struct PublicationTests {
    private static let rule = PublicationRule(quietSeconds: 3, longestSeconds: 60)

    private static func register(_ number: Int, study: String = "1.2.3", in store: RelationalStore) async throws {
        let received = Support.received("1.1.\(number)", study: study, series: study + ".1", number: number)
        _ = try await store.work { try StudyService().register(received, in: $0) }
    }

    private static func start(_ store: RelationalStore) async throws {
        _ = try await store.work { try PatientService().apply(Support.patient("100"), in: $0) }
    }

    private static func published(_ store: RelationalStore) async throws -> StoredResource? {
        try await store.search(try ResourceStoreTests.query("ImagingStudy", ""), token: nil, access: Support.server)
            .matches.first
    }

    private static func instances(_ resource: StoredResource?) throws -> Int? {
        let bytes = try #require(resource).bytes
        let text = JSONValue(try JSONDocument(parsing: bytes, limits: .stored))["numberOfInstances"]
        return text.flatMap { if case .number(let number) = $0 { Int(number) } else { nil } }
    }

    @Test("S6: 1,000 instances, each in a unit of its own, make no version; each changes as many rows as the last one")
    func manyUnits() async throws {
        try await Support.with(.sqlite) { store in
            try await Self.start(store)
            var rows: Set<Int64> = []
            for number in 1...1_000 {
                let received = Support.received("1.1.\(number)", study: "1.2.3", series: "1.2.3.1", number: number)
                let changed = try await store.writeUnit(Support.server) { unit in
                    let before = unit.connection.changeCount
                    _ = try StudyService().register(received, in: unit)
                    return unit.connection.changeCount - before
                }
                if number > 1 { rows.insert(changed) }
            }
            #expect(rows == [3], "an instance, its header, and the mark that its study has changed")
            #expect(try await Self.published(store) == nil)
            let now = UTCInstant(microseconds: store.database.lastCommit.time)
            // The thousand may take a loaded machine longer than a study waits at the longest.
            let rule = PublicationRule(quietSeconds: 3, longestSeconds: 3600)
            #expect(try await store.publicationsDue(rule, at: now, limit: 9, access: Support.server).isEmpty)
            let later = now.advanced(bySeconds: 3)
            let due = try await store.publicationsDue(rule, at: later, limit: 9, access: Support.server)
            #expect(due.map(\.studyInstanceUID) == ["1.2.3"])
            try await store.publish("1.2.3", access: Support.server)
            let resource = try await Self.published(store)
            #expect(resource?.version == 1)
            #expect(try Self.instances(resource) == 1_000)
            #expect(try await store.publicationsWaiting().count == 0)
        }
    }

    @Test(
        "S6: a study that keeps growing is shown again after the longest wait, and waits anew",
        arguments: TestDatabases.all)
    func growing(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { store in
            try await Self.start(store)
            for version in 1...3 {
                for number in 1...10 { try await Self.register(version * 10 + number, in: store) }
                try await store.publish("1.2.3", access: Support.server)
                try await store.publish("1.2.3", access: Support.server)
                let resource = try await Self.published(store)
                #expect(resource?.version == Int64(version))
                #expect(try Self.instances(resource) == version * 10)
            }
        }
    }

    @Test("S6: what arrives while a publication is under way goes on waiting", arguments: TestDatabases.all)
    func arrivals(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { store in
            try await Self.start(store)
            try await Self.register(1, in: store)
            let seen = try await store.look { try $0.awaitedPublication(of: "1.2.3") }
            let first = try #require(seen)
            try await Self.register(2, in: store)
            try await store.work { try $0.endAwaiting(first, seenAt: Support.at(7)) }
            let rest = try await store.look { try $0.awaitedPublication(of: "1.2.3") }
            #expect(rest?.since == Support.at(7))
            #expect(try #require(rest?.changedAt) > first.changedAt)
            try await store.work { try $0.awaitPublication(of: "1.2.3", isDue: true) }
            let cured = try await store.look { try $0.awaitedPublication(of: "1.2.3") }
            #expect(cured?.since == AwaitedPublication.due)
            try await store.work { try $0.endAwaiting(try #require(cured), seenAt: Support.at(8)) }
            #expect(try await store.publicationsWaiting().count == 0)
        }
    }

    @Test("A version made ready on a resource that was changed since is not stored", arguments: TestDatabases.all)
    func overtaken(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { store in
            let first = try JSONDocument(parsing: Array(#"{"resourceType":"Basic","language":"de"}"#.utf8))
            let second = try JSONDocument(parsing: Array(#"{"resourceType":"Basic","language":"en"}"#.utf8))
            let indexer = store.indexer
            let basis = try await store.writeUnit(Support.server) {
                try $0.putResource("Basic", "a", first, method: .create)
            }
            let ready = try #require(
                try ResourceTable.prepare("Basic", second, method: .update, after: basis, indexer: indexer))
            #expect(try ResourceTable.prepare("Basic", first, method: .update, after: basis, indexer: indexer) == nil)
            let stored = try await store.writeUnit(Support.server) { try $0.putResource("Basic", "a", ready) }
            #expect(stored?.version == 2)
            let again = try await store.writeUnit(Support.server) { try $0.putResource("Basic", "a", ready) }
            #expect(again == nil)
            let read = try await store.read("Basic", "a", access: Support.server)
            #expect(read == stored)
        }
    }

    @Test(
        "S6: a study of 10,000 instances is prepared by a reader; the writer only stores", arguments: TestDatabases.all)
    func large(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { store in
            try await Self.start(store)
            for page in 0..<100 {
                try await store.work { unit in
                    for number in 1...100 {
                        let uid = "1.2.826.0.1.3680043.9.7.\(page).\(number)"
                        let received = Support.received(uid, study: "1.2.3", series: "1.2.3.1", number: number)
                        _ = try StudyService().register(received, in: unit)
                    }
                }
            }
            let clock = ContinuousClock()
            let started = clock.now
            async let publication: Void = store.publish("1.2.3", access: Support.server)
            var longest = Duration.zero
            while try await store.look({ try $0.awaitedPublication(of: "1.2.3") }) != nil {
                let began = clock.now
                try await store.work { unit in try unit.awaitPublication(of: "9.9", isDue: false) }
                longest = max(longest, clock.now - began)
            }
            try await publication
            print("\(kind): published 10,000 instances in \(clock.now - started); a writer waited \(longest) at most")
            #expect(try Self.instances(await Self.published(store)) == 10_000)
            // A merge or a decision that concerns it leaves it to the publisher, at once.
            try await store.work { $0.emit(.studyChanged(studyInstanceUID: "1.2.3")) }
            let due = try await store.look { try $0.awaitedPublication(of: "1.2.3") }
            #expect(due?.since == AwaitedPublication.due)
            try await store.publish("1.2.3", access: Support.server)
            #expect(try await Self.published(store)?.version == 1)
            #expect(try await store.look { try $0.awaitedPublication(of: "1.2.3") } == nil)
        }
    }
}
