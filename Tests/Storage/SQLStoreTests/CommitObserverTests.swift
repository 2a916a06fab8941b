import Access
import FHIRModel
import FHIRResources
import Synchronization
import Testing
import Workflow

@testable import SQLStore

/// What observers of a unit of work are told, on both databases. House decisions 1 and 8.
@Suite("Observers: told within the unit of what it changes")
struct CommitObserverTests {
    /// Keeps what it was told; refuses a unit that touches the id `refused`.
    final class Recorder: CommitObserver {
        struct Refused: Error {}
        let told = Mutex<[UnitChanges]>([])
        func conclude(_ changes: UnitChanges, in unit: any ResourceUnitOfWork) throws {
            if changes.resources.contains(where: { $0.resource.id == "refused" }) { throw Refused() }
            told.withLock { $0.append(changes) }
        }
        var last: UnitChanges? { told.withLock { $0.last } }
        var count: Int { told.withLock { $0.count } }
    }

    static func with(_ kind: SQLDialect, _ body: (RelationalStore, Recorder) async throws -> Void) async throws {
        let recorder = Recorder()
        try await TestDatabases.with(kind) { database in
            try await body(
                RelationalStore(
                    database: database, entropy: SplitMixEntropy(), observers: [FHIRProjector(), recorder]), recorder)
        }
    }

    static func basic(_ id: String, _ text: String) throws -> JSONDocument {
        try JSONDocument(
            parsing: #"{"resourceType":"Basic","id":"\#(id)","code":{"text":"\#(text)"}}"#)
    }

    private static func resources(_ changes: UnitChanges?) -> [String] {
        (changes?.resources ?? []).map { "\($0.kind) \($0.resource.type) \($0.resource.version)" }
    }

    @Test("A write that only a client makes is told, with its kind, version and bytes", arguments: TestDatabases.all)
    func clientOnly(kind: SQLDialect) async throws {
        try await Self.with(kind) { (store, recorder) async throws in
            for (text, expected) in [("a", "created Basic 1"), ("b", "updated Basic 2")] {
                let document = try Self.basic("b1", text)
                let stored = try await store.write(WorkflowSupport.server) { unit in
                    try unit.putResource("Basic", "b1", document, method: .update)
                }
                #expect(Self.resources(recorder.last) == [expected])
                #expect(recorder.last?.resources.first?.resource == stored)
            }
            let same = try Self.basic("b1", "b")
            _ = try await store.write(WorkflowSupport.server) {
                try $0.putResource("Basic", "b1", same, method: .update)
            }
            #expect(recorder.count == 2, "equal content is no change")
            _ = try await store.write(WorkflowSupport.server) { try $0.deleteResource("Basic", "b1") }
            #expect(Self.resources(recorder.last) == ["deleted Basic 3"])
            #expect(recorder.last?.resources.first?.resource.bytes == [])
            _ = try await store.write(WorkflowSupport.server) {
                try $0.putResource("Basic", "b1", same, method: .update)
            }
            #expect(Self.resources(recorder.last) == ["created Basic 4"], "made anew after its deletion")
        }
    }

    @Test("A resource that is changed twice in a unit is told once, as it is committed", arguments: TestDatabases.all)
    func twice(kind: SQLDialect) async throws {
        try await Self.with(kind) { (store, recorder) async throws in
            let (one, two) = (try Self.basic("b1", "a"), try Self.basic("b1", "b"))
            let stored = try await store.write(WorkflowSupport.server) { unit in
                try unit.putResource("Basic", "b1", one, method: .create)
                return try unit.putResource("Basic", "b1", two, method: .update)
            }
            #expect(Self.resources(recorder.last) == ["created Basic 1"])
            #expect(recorder.last?.resources.first?.resource == stored)
        }
    }

    @Test("What was there before the unit tells a change from a creation", arguments: TestDatabases.all)
    func madeAgain(kind: SQLDialect) async throws {
        try await Self.with(kind) { (store, recorder) async throws in
            for (text, expected) in [("a", "created Basic 1"), ("c", "updated Basic 2")] {
                let (one, two) = (try Self.basic("b1", text), try Self.basic("b1", text + "2"))
                try await store.write(WorkflowSupport.server) { unit in
                    try unit.putResource("Basic", "b1", one, method: .create)
                    try unit.deleteResource("Basic", "b1")
                    try unit.putResource("Basic", "b1", two, method: .create)
                }
                #expect(Self.resources(recorder.last) == [expected])
            }
        }
    }

    @Test("What a unit puts and takes back makes no version, and is found as before", arguments: TestDatabases.all)
    func takenBack(kind: SQLDialect) async throws {
        try await Self.with(kind) { (store, recorder) async throws in
            let (one, two) = (try Self.basic("b1", "a"), try Self.basic("b1", "b"))
            let first = try await store.write(WorkflowSupport.server) {
                try $0.putResource("Basic", "b1", one, method: .create)
            }
            let told = recorder.count
            let kept = try await store.write(WorkflowSupport.server) { unit in
                try unit.putResource("Basic", "b1", two, method: .update)
                return try unit.putResource("Basic", "b1", one, method: .update)
            }
            #expect(kept == first && recorder.count == told)
            let found = try await store.search(
                ResourceStoreTests.query("Basic", "_id=b1"), token: nil, access: WorkflowSupport.server)
            #expect(found.matches == [first])
            let history = try await store.history("Basic", "b1", before: nil, count: 9, access: WorkflowSupport.server)
            #expect(history == [first])
            let next = try await store.write(WorkflowSupport.server) {
                try $0.putResource("Basic", "b1", two, method: .update)
            }
            #expect(next.version == 2)
        }
    }

    @Test("What a domain event projects is there after settle, and told with the event", arguments: TestDatabases.all)
    func projected(kind: SQLDialect) async throws {
        try await Self.with(kind) { (store, recorder) async throws in
            let found: StoredResource? = try await store.write(WorkflowSupport.server) { unit in
                guard let id = try PatientService().apply(WorkflowSupport.patient("1"), in: unit).patientID else {
                    return nil
                }
                let before = try unit.currentResource("Patient", id.value)
                #expect(before == nil)
                try unit.settle()
                return try unit.currentResource("Patient", id.value)
            }
            #expect(found?.version == 1)
            let changes = try #require(recorder.last)
            #expect(changes.resources.map(\.resource) == [found].compactMap { $0 })
            #expect(changes.events == [.patientChanged(EntityID(try #require(found).id))])
        }
    }

    @Test("An observer that throws undoes the unit", arguments: TestDatabases.all)
    func undone(kind: SQLDialect) async throws {
        try await Self.with(kind) { (store, _) async throws in
            let document = try Self.basic("refused", "a")
            await #expect(throws: Recorder.Refused.self) {
                try await store.write(WorkflowSupport.server) { unit in
                    _ = try unit.putResource("Basic", "refused", document, method: .create)
                }
            }
            let read = try await store.read("Basic", "refused", access: WorkflowSupport.server)
            #expect(read == nil)
        }
    }
}
