import FHIRModel
import FHIRResources
import FHIRSearch
import Synchronization
import TestSupport
import Testing
import Workflow

@testable import SQLStore

/// Parts of exports and who writes them, and how resources come to whom they are poured to, on both databases.
@Suite("Exports in parts")
struct ExportPartTests {
    typealias Support = WorkflowSupport

    private static func job(_ id: String, owner: String = "app") -> ExportJob {
        ExportJob(
            id: EntityID(id), ownerID: owner, scopes: ["system/*.rs"], request: "/$export", types: ["Patient"],
            since: nil, until: nil, snapshot: 7, transactionTime: Support.at(2), createdAt: Support.at(2))
    }

    private static func part(_ number: Int, stage: Int = 0) -> ExportPart {
        ExportPart(number: number, stage: stage, work: .range(type: "Patient", after: Int64(number), through: .max))
    }

    private static func file(_ blob: String) -> ExportJob.OutputFile {
        .init(type: "Patient", blobID: BlobID(blob), count: 3, size: 9)
    }

    private static func lease(_ claim: ExportClaim) throws -> ExportLease {
        guard case .part(let lease) = claim else { throw StoreError(.misuse, "no part: \(claim)") }
        return lease
    }

    @Test(
        "A job is planned once, its parts are given out once each, and it is finished when all are written",
        arguments: TestDatabases.all)
    func shared(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { store in
            let id = EntityID("j1")
            #expect(try await store.claimExport(owner: "a", seconds: 60) == .nothing(next: nil))
            #expect(try await store.accept(Self.job("j1"), activeMax: 1))
            #expect(try await store.claimExport(owner: "a", seconds: 60) == .plan(id))
            #expect(try await store.plan(id, [Self.part(0), Self.part(1), Self.part(2, stage: 1)]).isEmpty)
            // Another worker that planned at the same time.
            #expect(try await store.plan(id, [Self.part(0)]).isEmpty)
            #expect(try await store.job(id)?.state == .running)
            let first = try Self.lease(try await store.claimExport(owner: "a", seconds: 60))
            let second = try Self.lease(try await store.claimExport(owner: "b", seconds: 60))
            #expect([first.part, second.part] == [Self.part(0), Self.part(1)])
            guard case .nothing(let next) = try await store.claimExport(owner: "c", seconds: 60) else {
                Issue.record("a later stage began before the earlier one was written")
                return
            }
            #expect(next != nil)
            #expect(try await store.renew(first, seconds: 60))

            let place = ExportPart.Place(key: 40)
            #expect(
                try await store.settle(
                    first,
                    ExportStep(
                        place: place, files: [Self.file("b1")],
                        references: ["Device": ["d2", "d1"], "Location": ["l"]])))
            #expect(try await store.settle(second, ExportStep(place: nil, files: [Self.file("b2"), Self.file("b3")])))
            #expect(try await store.settle(first, ExportStep(place: nil, references: ["Device": ["d1", "c0"]])))
            #expect(try await store.job(id)?.outputs.map(\.blobID.value) == ["b1", "b2", "b3"])
            #expect(try await store.job(id)?.progress == 66)
            #expect(try await store.referenced([BlobID("b2"), BlobID("x")]) == [BlobID("b2")])
            // What is known already keeps its place; what is new comes behind.
            let found = try await store.exportReferences(id, "Device", after: 0, limit: 9)
            #expect(found.map(\.id) == ["d1", "d2", "c0"])
            let rest = try await store.exportReferences(id, "Device", after: try #require(found.first).number, limit: 1)
            #expect(rest.map(\.id) == ["d2"])
            let third = try Self.lease(try await store.claimExport(owner: "c", seconds: 60))
            #expect(third.part.number == 2)
            #expect(try await store.settle(third, ExportStep(place: nil)))
            #expect(try await store.claimExport(owner: "c", seconds: 60) == .finish(id))
            var done = try #require(try await store.job(id))
            done.state = .complete
            try await store.save(done)
            #expect(try await store.claimExport(owner: "c", seconds: 60) == .nothing(next: nil))
            #expect(try await store.job(id)?.outputs.count == 3)
            #expect(try await store.exportReferences(id, "Device", after: 0, limit: 9).isEmpty)
        }
    }

    @Test(
        "A lease that has ended is taken over at the place that was kept; who had it keeps nothing more",
        arguments: TestDatabases.all)
    func takenOver(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { store in
            let id = EntityID("j1")
            #expect(try await store.accept(Self.job("j1"), activeMax: 1))
            _ = try await store.plan(id, [Self.part(0)])
            let dead = try Self.lease(try await store.claimExport(owner: "dead", seconds: 0))
            let place = ExportPart.Place(key: 40, reference: 7)
            // Late, but nobody has taken it.
            #expect(try await store.settle(dead, ExportStep(place: place, files: [Self.file("b1")])))
            let heir = try Self.lease(try await store.claimExport(owner: "heir", seconds: 60))
            #expect(heir.part.place == place)
            #expect(heir.turn != dead.turn)
            for step in [ExportStep(place: nil), ExportStep(place: .init(key: 90), files: [Self.file("b2")])] {
                #expect(try await !store.settle(dead, step))
            }
            #expect(try await !store.renew(dead, seconds: 60))
            #expect(try await store.putOff(dead, seconds: 0) == nil)
            #expect(try await store.job(id)?.outputs.map(\.blobID.value) == ["b1"])
            // What fails is tried again, and counted until something is kept of it.
            #expect(try await store.putOff(heir, seconds: 0) == 1)
            let again = try Self.lease(try await store.claimExport(owner: "heir", seconds: 60))
            #expect(try await store.putOff(again, seconds: 0) == 2)
            let third = try Self.lease(try await store.claimExport(owner: "heir", seconds: 60))
            #expect(try await store.settle(third, ExportStep(place: place)))
            #expect(try await store.putOff(third, seconds: 0) == 1)
            // A process that has ended: what it held is free at once.
            let held = try Self.lease(try await store.claimExport(owner: "gone", seconds: 3_600))
            try await store.releaseExports(owner: "other")
            #expect(try await !store.settle(third, ExportStep(place: nil)))
            try await store.releaseExports(owner: nil)
            #expect(try await !store.settle(held, ExportStep(place: nil)))
            let last = try Self.lease(try await store.claimExport(owner: "new", seconds: 60))
            // A job that was deleted keeps nothing.
            var gone = try #require(try await store.job(id))
            gone.state = .deleted
            gone.outputs = []
            try await store.save(gone)
            #expect(try await !store.settle(last, ExportStep(place: nil, files: [Self.file("b3")])))
            #expect(try await store.referenced([BlobID("b1"), BlobID("b3")]).isEmpty)
        }
    }

    @Test(
        "A small job does not wait behind a large one: the next part is of the job with the fewest workers",
        arguments: TestDatabases.all)
    func fair(_ kind: SQLDialect) async throws {
        try await Support.with(kind) { store in
            for id in ["j1", "j2"] {
                #expect(try await store.accept(Self.job(id, owner: id), activeMax: 1))
                _ = try await store.plan(EntityID(id), [Self.part(0), Self.part(1)])
            }
            var taken: [String] = []
            for _ in 0..<4 {
                taken.append(try Self.lease(try await store.claimExport(owner: "a", seconds: 60)).jobID.value)
            }
            #expect(Set(taken.prefix(2)) == ["j1", "j2"])
            #expect(taken.sorted() == ["j1", "j1", "j2", "j2"])
        }
    }

    /// What was poured.
    private final class Sink: ResourceSink {
        let found = Mutex<[String]>([])
        func take(_ bytes: UnsafeRawBufferPointer) throws {
            let document = try JSONDocument(parsing: Array(bytes))
            found.withLock {
                $0.append((document["id"]?.string ?? "") + "/" + (document["meta"]?["versionId"]?.string ?? ""))
            }
        }
        func takeDeletion(of id: String) throws { found.withLock { $0.append(id + "x") } }
    }

    @Test(
        "What is poured is what a scan gives, each once, also while it is changed meanwhile",
        arguments: TestDatabases.all)
    func poured(_ kind: SQLDialect) async throws {
        try await ResourceStoreTests.with(kind) { store in
            func put(_ id: String, _ gender: String) async throws {
                try await ResourceStoreTests.put(
                    store, #"{"resourceType":"Patient","id":"\#(id)","gender":"\#(gender)"}"#)
            }
            let ids = (0..<30).map { "p\($0)" }
            for id in ids { try await put(id, "female") }
            let snapshot = try await store.snapshot()
            let ends = try await store.extents(of: "Patient", every: 10)
            #expect(ends.count == 3 && ends.last == .max)
            #expect(try await store.extents(of: "Device", every: 10).isEmpty)
            let sink = Sink()
            var after: Int64 = 0
            for (index, end) in ends.enumerated() {
                // What lies before and behind has other versions now, and is gone.
                if index == 1 {
                    try await put("p2", "male")
                    try await put("p25", "male")
                    _ = try await store.write(ResourceStoreTests.server) { unit in
                        _ = try unit.deleteResource("Patient", "p3")
                        return try unit.deleteResource("Patient", "p26")
                    }
                    try await put("p99", "female")
                }
                var place: Int64? = after
                while let from = place {
                    place = try await store.pour(
                        ResourceScan(type: "Patient", snapshot: snapshot.sequence), after: from, through: end,
                        access: ResourceStoreTests.server, into: sink)
                }
                after = end
            }
            #expect(sink.found.withLock { $0 } == ids.map { "\($0)/1" })

            func all(_ scan: ResourceScan) async throws -> [String] {
                let sink = Sink()
                var place: Int64? = 0
                while let from = place {
                    place = try await store.pour(
                        scan, after: from, through: .max, access: ResourceStoreTests.server, into: sink)
                }
                return sink.found.withLock { $0.sorted() }
            }
            let end = try await store.snapshot().sequence
            var scan = ResourceScan(type: "Patient", snapshot: end, since: snapshot.time)
            #expect(try await all(scan) == ["p2/2", "p25/2", "p26x", "p3x", "p99/1"])
            scan.since = nil
            scan.until = snapshot.time
            #expect(try await all(scan).count == 26)
            scan.until = nil
            // The first by a list, the second by a walk.
            for query in ["gender=male", "gender:not=female"] {
                scan.filter = .allOf(try ResourceStoreTests.query("Patient", query).filters)
                #expect(try await all(scan) == ["p2/2", "p25/2"], "\(query)")
            }
            // At the earlier commit nobody was.
            scan.snapshot = snapshot.sequence
            #expect(try await all(scan) == [])
        }
    }
}
