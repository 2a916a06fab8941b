import Access
import FHIRModel
import FHIRResources
import TestSupport
import Testing
import Workflow

@testable import SQLStore

/// How far imports have come, kept with what they store. Decision 0040.
@Suite("Imports in the store", .takingTurns)
struct ImportStoreTests {
    private static let access = AccessContext.server(requestID: "t")

    private static func job(
        _ id: String, owner: String = "app", origin: ImportJob.Origin = .client, key: String? = nil,
        at seconds: Int64 = 1
    ) -> ImportJob {
        ImportJob(
            id: EntityID(id), ownerID: owner, scopes: ["system/*.cruds"], origin: origin, request: "r", key: key ?? id,
            source: nil, types: ["Patient"], ids: .keep, inputs: 2,
            createdAt: UTCInstant(microseconds: seconds * 1_000_000))
    }

    private static let inputs = [
        ImportInput(place: 0, url: "https://a.example/1", type: "Patient"),
        ImportInput(place: 1, url: "https://a.example/2", type: "Observation"),
    ]

    @Test(
        "Of twenty kick-offs at once with one key one is taken; of others as many as a client may",
        arguments: TestDatabases.all)
    func accepted(_ kind: SQLDialect) async throws {
        try await WorkflowSupport.with(kind) { (store) async throws in
            let same = try await withThrowingTaskGroup(of: ImportAcceptance.self) { group in
                for number in 0..<20 {
                    group.addTask { try await store.accept(Self.job("s\(number)", key: "k"), [], activeMax: 9) }
                }
                return try await group.reduce(into: [ImportAcceptance]()) { $0.append($1) }
            }
            #expect(same.filter { $0 == .accepted }.count == 1)
            #expect(same.filter { if case .underWay(let job) = $0 { job.key == "k" } else { false } }.count == 19)
            let others = try await withThrowingTaskGroup(of: ImportAcceptance.self) { group in
                for number in 0..<20 {
                    group.addTask { try await store.accept(Self.job("o\(number)"), [], activeMax: 3) }
                }
                return try await group.reduce(into: [ImportAcceptance]()) { $0.append($1) }
            }
            // The one before is under way too.
            #expect(others.filter { $0 == .accepted }.count == 2)
            #expect(others.filter { $0 == .tooMany }.count == 18)
            #expect(try await store.accept(Self.job("other", owner: "other"), [], activeMax: 3) == .accepted)
        }
    }

    @Test(
        "What is stored and the place are one commit: an import goes on behind its last line",
        arguments: TestDatabases.all)
    func together(_ kind: SQLDialect) async throws {
        struct Undone: Error {}
        try await WorkflowSupport.with(kind) { (store) async throws in
            let id = EntityID("j")
            #expect(try await store.accept(Self.job("j"), Self.inputs, activeMax: 9) == .accepted)
            #expect(try await store.takeImport(id, holder: "one", isSole: true))
            let document = try JSONDocument(
                parsing: Array(#"{"resourceType":"Basic","id":"b1","code":{"text":"x"}}"#.utf8))
            for isUndone in [true, false] {
                do {
                    try await (store as any ResourceStore).write(Self.access) { unit in
                        var (job, input) = (Self.job("j"), Self.inputs[0])
                        (job.state, job.errors, input.offset, input.line) = (.running, 2, 77, 3)
                        let first = try unit.claim("Basic/b1", for: id, at: ImportedLine(input: 0, line: 3))
                        #expect(first == nil)
                        try unit.putResource("Basic", "b1", document, method: .update)
                        try unit.save(job, input, outcomes: [[1], [2]], holder: "one")
                        if isUndone { throw Undone() }
                    }
                } catch is Undone {}
                let kept = try await store.importInputs(of: id)
                #expect(kept.map(\.offset) == (isUndone ? [0, 0] : [77, 0]))
                #expect(try await store.importOutcomes(of: id, from: 0, limit: 9) == (isUndone ? [] : [[1], [2]]))
                #expect((try await store.read("Basic", "b1", access: Self.access) == nil) == isUndone)
            }
            #expect(try await store.importOutcomes(of: id, from: 1, limit: 9) == [[2]])
            let again = try await (store as any ResourceStore).write(Self.access) { unit in
                try unit.claim("Basic/b1", for: id, at: ImportedLine(input: 1, line: 1))
            }
            #expect(again == ImportedLine(input: 0, line: 3))
        }
    }

    @Test("Who does not hold a job, or whose job has ended, stores nothing for it", arguments: TestDatabases.all)
    func held(_ kind: SQLDialect) async throws {
        try await WorkflowSupport.with(kind) { (store) async throws in
            let id = EntityID("j")
            _ = try await store.accept(Self.job("j"), Self.inputs, activeMax: 9)
            @Sendable func keep(_ holder: String) async throws {
                try await (store as any ResourceStore).write(Self.access) { unit in
                    try unit.save(Self.job("j"), nil, outcomes: [], holder: holder)
                }
            }
            await #expect(throws: ImportEnded.self) { try await keep("one") }
            #expect(try await store.takeImport(id, holder: "one", isSole: false))
            try await keep("one")
            // Held now: nobody else takes it but who knows that the holder is gone.
            #expect(try await !store.takeImport(id, holder: "two", isSole: false))
            #expect(try await store.takeImport(id, holder: "two", isSole: true))
            await #expect(throws: ImportEnded.self) { try await keep("one") }
            try await keep("two")
            #expect(try await store.cancelImport(id, at: UTCInstant(microseconds: 9)))
            #expect(try await !store.cancelImport(id, at: UTCInstant(microseconds: 9)))
            await #expect(throws: ImportEnded.self) { try await keep("two") }
            #expect(try await !store.takeImport(id, holder: "two", isSole: true))
            #expect(try await store.importJob(id)?.state == .cancelled)
            // The same may be asked for again.
            #expect(try await store.accept(Self.job("j2", key: "j"), [], activeMax: 9) == .accepted)
        }
    }

    @Test(
        "A command's import that nobody has worked on since a time is ended; one that is held, young or a client's is not",
        arguments: TestDatabases.all)
    func left(_ kind: SQLDialect) async throws {
        try await WorkflowSupport.with(kind) { (store) async throws in
            _ = try await store.accept(Self.job("left", origin: .command), Self.inputs, activeMax: 9)
            _ = try await store.accept(Self.job("held", origin: .command), Self.inputs, activeMax: 9)
            _ = try await store.accept(Self.job("young", origin: .command, at: 5), Self.inputs, activeMax: 9)
            _ = try await store.accept(Self.job("client"), Self.inputs, activeMax: 9)
            #expect(try await store.takeImport(EntityID("held"), holder: "one", isSole: false))
            let time = UTCInstant(microseconds: 5_000_000)
            #expect(try await store.cancelLeftImports(before: time).map(\.value) == ["left"])
            #expect(try await store.cancelLeftImports(before: time).isEmpty)
            #expect(try await store.importJob(EntityID("left"))?.state == .cancelled)
            #expect(try await store.importJob(EntityID("left"))?.finishedAt != nil)
            for id in ["held", "young", "client"] {
                #expect(try await store.importJob(EntityID(id))?.isUnderWay == true, "\(id)")
            }
        }
    }

    @Test("An import that has ended is removed in steps, one under way is not", arguments: TestDatabases.all)
    func removed(_ kind: SQLDialect) async throws {
        try await WorkflowSupport.with(kind) { (store) async throws in
            let id = EntityID("j")
            _ = try await store.accept(Self.job("j"), Self.inputs, activeMax: 9)
            _ = try await store.accept(Self.job("command", origin: .command, at: 2), [], activeMax: 9)
            _ = try await store.takeImport(id, holder: "one", isSole: true)
            try await (store as any ResourceStore).write(Self.access) { unit in
                var job = Self.job("j")
                (job.state, job.errors) = (.complete, 3)
                job.finishedAt = UTCInstant(microseconds: 5_000_000)
                for number in 1...5 {
                    let line = ImportedLine(input: 0, line: Int64(number))
                    _ = try unit.claim("Basic/\(number)", for: id, at: line)
                }
                try unit.save(job, nil, outcomes: [[1], [2], [3]], holder: "one")
            }
            #expect(try await store.unfinishedImports().isEmpty)
            #expect(try await store.importJobs(limit: 9).map(\.id.value) == ["command", "j"])
            #expect(try await store.endedImports(before: UTCInstant(microseconds: 5_000_000), limit: 9).isEmpty)
            let ended = try await store.endedImports(before: UTCInstant(microseconds: 5_000_001), limit: 9)
            #expect(ended.map(\.id) == [id])
            #expect(try await store.forgetClaims(of: id, limit: 3))
            #expect(try await !store.forgetClaims(of: id, limit: 3))
            var steps = 0
            while try await store.removeImport(id, limit: 2) { steps += 1 }
            #expect(steps > 0)
            #expect(try await store.importJob(id) == nil)
            #expect(try await store.importInputs(of: id).isEmpty)
            #expect(try await store.importOutcomes(of: id, from: 0, limit: 9).isEmpty)
            #expect(try await !store.removeImport(EntityID("command"), limit: 2))
            #expect(try await store.importJob(EntityID("command")) != nil)
        }
    }
}
