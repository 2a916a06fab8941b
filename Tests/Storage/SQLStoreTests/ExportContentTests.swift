import FHIRModel
import FHIRResources
import Synchronization
import TestSupport
import Testing
import Workflow

@testable import SQLStore

/// What exports of patients hold beside the compartments, on both databases. FHIR Bulk Data Access 2.0.
@Suite("What exports of patients hold")
struct ExportContentTests {
    /// Files in memory.
    private final class Blobs: BlobStoring {
        private let files = Mutex<[BlobID: [UInt8]]>([:])
        private let next = Atomic<Int>(0)
        /// A blob has its name once in a store.
        private let name: String

        init(_ name: String) { self.name = name }

        private final class Writer: BlobWriting {
            let id: BlobID
            private let blobs: Blobs
            private let bytes = Mutex<[UInt8]>([])
            init(_ id: BlobID, _ blobs: Blobs) {
                self.id = id
                self.blobs = blobs
            }
            var count: Int64 { bytes.withLock { Int64($0.count) } }
            func append(_ content: UnsafeRawBufferPointer) throws {
                let content = Array(content)
                bytes.withLock { $0 += content }
            }
            func finish() async throws {
                let content = bytes.withLock { $0 }
                blobs.files.withLock { $0[id] = content }
            }
            func abort() {}
        }

        func create() throws -> any BlobWriting {
            Writer(BlobID("\(name)-\(next.add(1, ordering: .relaxed).newValue)"), self)
        }
        func open<Value: Sendable>(
            _ id: BlobID, then work: @escaping @Sendable (any BlobReading) throws -> Value
        ) async throws -> Value { throw StoreError(.notFound, "nothing is read by this") }
        func remove(_ id: BlobID) async throws { files.withLock { $0[id] = nil } }
        func content(_ id: BlobID) -> [UInt8] { files.withLock { $0[id] ?? [] } }
    }

    /// What an export holds, in order: `Type/id`, and of deletions with a minus before it.
    private static func export(
        _ store: RelationalStore, _ name: String, _ level: ExportJob.Level, of patients: [String]? = nil,
        types: [String], since: UTCInstant? = nil
    ) async throws -> [String] {
        let blobs = Blobs(name)
        let exports = ExportService(
            jobs: store, store: store, blobs: blobs,
            entropy: SeededEntropy(seed: name.utf8.reduce(3) { $0 &* 31 &+ UInt64($1) }),
            baseURL: ResourceStoreTests.base,
            workers: 1, now: { UTCInstant(microseconds: 1_000_000) })
        var selection = ExportJob.Selection()
        selection.level = level
        selection.patients = patients
        let snapshot = try await store.snapshot()
        let id = EntityID(name)
        let job = ExportJob(
            id: id, ownerID: "app", scopes: ["system/*.rs"], request: "/$export", types: types, since: since,
            until: nil,
            snapshot: snapshot.sequence, transactionTime: snapshot.time, createdAt: snapshot.time, selection: selection)
        #expect(try await exports.submit(job, activeMax: 100))
        let worker = Task { await exports.run() }
        let end = ContinuousClock.now + .seconds(300)
        while ContinuousClock.now < end {
            guard try await store.job(id)?.isUnderWay == true else { break }
            await Task.yield()
        }
        exports.stop()
        await worker.value
        let done = try #require(try await store.job(id))
        #expect(done.state == .complete, "\(name)")
        var found: [String] = []
        for file in done.outputs {
            let lines = blobs.content(file.blobID).split(separator: 10)
            #expect(lines.count == file.count, "\(name)")
            for line in lines {
                let value = JSONValue(try JSONDocument(parsing: Array(line)))
                #expect(file.isDeleted || value["resourceType"]?.string == file.type, "\(name)")
                found.append(
                    file.isDeleted
                        ? "-" + (value["entry"]?[0]?["request"]?["url"]?.string ?? "")
                        : "\(file.type)/\(value["id"]?.string ?? "")")
            }
        }
        return found.sorted()
    }

    private static func put(_ store: RelationalStore, _ json: String) async throws {
        _ = try await ResourceStoreTests.put(store, json)
    }

    /// Two patients with an observation each.
    private static func fill(_ store: RelationalStore) async throws {
        for id in ["p1", "p2"] { try await put(store, #"{"resourceType":"Patient","id":"\#(id)"}"#) }
        for (id, patient) in [("o1", "p1"), ("o2", "p2")] {
            try await put(
                store,
                #"{"resourceType":"Observation","id":"\#(id)","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/\#(patient)"}}"#
            )
        }
    }

    private static func provenance(_ id: String, _ targets: String...) -> String {
        let list = targets.map { #"{"reference":"\#($0)"}"# }.joined(separator: ",")
        return
            #"{"resourceType":"Provenance","id":"\#(id)","target":[\#(list)],"recorded":"2024-01-01T00:00:00Z","agent":[{"who":{"display":"x"}}]}"#
    }

    @Test(
        "Bulk Data 2.0 includeAssociatedData: by default the Provenance of all that is the patients', and what was deleted",
        arguments: TestDatabases.all)
    func provenance(_ kind: SQLDialect) async throws {
        let time = Mutex<Int64>(1_000_000)
        try await ResourceStoreTests.with(kind, now: { time.withLock { $0 } }) { store in
            try await Self.fill(store)
            for one in [
                Self.provenance("a1", "Observation/o1"), Self.provenance("a2", "Observation/o2/_history/1"),
                Self.provenance("a3", "Patient/p1"), Self.provenance("a4", "Observation/o1", "Patient/p2"),
                Self.provenance("a5", "Device/d"), Self.provenance("a6", "Observation/none"),
                Self.provenance("a7", "https://other.example/Observation/o1"),
            ] { try await Self.put(store, one) }
            let types = ["Provenance"]
            #expect(
                try await Self.export(store, "e1", .patient, types: types)
                    == ["a1", "a2", "a3", "a4"].map { "Provenance/\($0)" })
            // What tells of another patient's as well is left out.
            #expect(
                try await Self.export(store, "e2", .group("g"), of: ["p1"], types: types)
                    == ["a1", "a3"].map { "Provenance/\($0)" })
            #expect(try await Self.export(store, "e3", .group("g"), of: [], types: types) == [])
            #expect(try await Self.export(store, "e4", .system, types: types).count == 7)
            let since = try await store.snapshot().time
            time.withLock { $0 = 9_000_000 }
            try await Self.put(store, Self.provenance("b1", "Observation/o1"))
            for id in ["a1", "a2", "a5"] {
                _ = try await store.write(ResourceStoreTests.server) { try $0.deleteResource("Provenance", id) }
            }
            #expect(
                try await Self.export(store, "e5", .patient, types: types, since: since)
                    == ["-Provenance/a1", "-Provenance/a2", "Provenance/b1"])
            #expect(
                try await Self.export(store, "e6", .group("g"), of: ["p1"], types: types, since: since)
                    == ["-Provenance/a1", "Provenance/b1"])
        }
    }

    @Test(
        "Bulk Data 2.0: Binaries of patients are told of as DocumentReferences, and so are their deletions",
        arguments: TestDatabases.all)
    func binaries(_ kind: SQLDialect) async throws {
        let time = Mutex<Int64>(1_000_000)
        try await ResourceStoreTests.with(kind, now: { time.withLock { $0 } }) { store in
            try await Self.fill(store)
            for (id, context) in [("a", "Patient/p1"), ("b", "Observation/o2"), ("c", "Device/d"), ("d", "Patient/p2")]
            {
                try await Self.put(
                    store,
                    #"{"resourceType":"Binary","id":"\#(id)","contentType":"text/plain","securityContext":{"reference":"\#(context)"},"data":"QQ=="}"#
                )
            }
            try await Self.put(
                store,
                #"{"resourceType":"DocumentReference","id":"own","status":"current","subject":{"reference":"Patient/p2"},"content":[{"attachment":{"url":"Binary/d"}}]}"#
            )
            let types = ["DocumentReference"]
            #expect(
                try await Self.export(store, "e1", .patient, types: types)
                    == ["Binary.a", "Binary.b", "own"].map { "DocumentReference/\($0)" })
            #expect(
                try await Self.export(store, "e2", .group("g"), of: ["p2"], types: types)
                    == ["Binary.b", "own"].map { "DocumentReference/\($0)" })
            #expect(try await Self.export(store, "e3", .patient, types: ["Patient"]).count == 2)
            #expect(try await Self.export(store, "e4", .system, types: types) == ["DocumentReference/own"])
            let since = try await store.snapshot().time
            time.withLock { $0 = 9_000_000 }
            for id in ["a", "b", "c"] {
                _ = try await store.write(ResourceStoreTests.server) { try $0.deleteResource("Binary", id) }
            }
            #expect(
                try await Self.export(store, "e5", .group("g"), of: ["p1"], types: types, since: since)
                    == ["-DocumentReference/Binary.a"])
            // With what it was about a Binary may be gone, too: of every patient's it is told.
            _ = try await store.write(ResourceStoreTests.server) { try $0.deleteResource("Observation", "o2") }
            #expect(
                try await Self.export(store, "e6", .patient, types: types, since: since)
                    == ["-DocumentReference/Binary.a", "-DocumentReference/Binary.b"])
            #expect(
                try await Self.export(store, "e7", .group("g"), of: ["p2"], types: types, since: since) == [])
        }
    }
}
