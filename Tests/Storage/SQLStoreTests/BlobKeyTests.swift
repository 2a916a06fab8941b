import TestSupport
import Testing
import Workflow

@testable import SQLStore

/// The keys of export files: kept apart from the files, gone with the commit that deletes the export.
@Suite struct BlobKeyTests {
    private static func job(_ state: ExportJob.State, _ files: [BlobID]) -> ExportJob {
        ExportJob(
            id: EntityID("job-1"), ownerID: "client", scopes: [], request: "/$export", types: ["Patient"], since: nil,
            until: nil, snapshot: 1, transactionTime: UTCInstant(microseconds: 1), state: state,
            outputs: files.map { ExportJob.OutputFile(type: "Patient", blobID: $0, count: 1, size: 1) },
            createdAt: UTCInstant(microseconds: 1))
    }

    @Test("A key is kept once, found by its blob and forgotten", arguments: TestDatabases.all)
    func keeping(_ kind: SQLDialect) async throws {
        try await WorkflowSupport.with(kind) { store in
            let (one, two) = (BlobID("one"), BlobID("two"))
            let key = [UInt8](repeating: 9, count: 68)
            try await store.keep(key, of: one)
            #expect(try await store.key(of: one) == key)
            #expect(try await store.key(of: two) == nil)
            // Another one for the same blob would leave the first without.
            await #expect(throws: (any Error).self) { try await store.keep([1], of: one) }
            #expect(try await store.key(of: one) == key)
            try await store.forget([two])
            try await store.forget([two, one])
            try await store.forget([one])
            #expect(try await store.key(of: one) == nil)
        }
    }

    @Test("The commit that marks an export deleted forgets its keys and no others", arguments: TestDatabases.all)
    func deletion(_ kind: SQLDialect) async throws {
        try await WorkflowSupport.with(kind) { store in
            let files = [BlobID("one"), BlobID("two")]
            let other = BlobID("three")
            let key = [UInt8](repeating: 9, count: 68)
            for id in files + [other] { try await store.keep(key, of: id) }
            try await store.save(Self.job(.complete, files))
            #expect(try await store.key(of: files[0]) == key)
            try await store.save(Self.job(.deleted, []))
            for id in files { #expect(try await store.key(of: id) == nil) }
            #expect(try await store.key(of: other) == key)
            // What a worker has to say yet brings nothing back.
            try await store.save(Self.job(.complete, files))
            for id in files { #expect(try await store.key(of: id) == nil) }
        }
    }

    @Test(
        "Of very many files every key is forgotten, some with each commit; what a kill left goes with the next start",
        arguments: TestDatabases.all, [false, true])
    func many(_ kind: SQLDialect, isKilled: Bool) async throws {
        try await WorkflowSupport.with(kind) { store in
            let (files, other) = ((0..<1_100).map { BlobID("file-\($0)") }, BlobID("other"))
            let key = [UInt8](repeating: 9, count: 68)
            try await store.database.write { transaction in
                let table = BlobKeyTable(connection: transaction.connection)
                for id in files + [other] { try table.keep(key, of: id) }
            }
            try await store.save(Self.job(.complete, files))
            // One that is there keeps its own.
            try await store.releaseExports(owner: nil)
            #expect(try await store.exportBlobs(EntityID("job-1")).count == files.count)
            if isKilled {
                try await store.database.write {
                    _ = try $0.connection.run("UPDATE export_jobs SET state = 'deleted'")
                }
                try await store.releaseExports(owner: "a worker")
                #expect(try await store.exportBlobs(EntityID("job-1")).count == files.count)
            }
            let before = try await store.identity().sequence
            if isKilled {
                try await store.releaseExports(owner: nil)
            } else {
                try await store.save(Self.job(.deleted, []))
            }
            #expect(try await store.identity().sequence >= before + 3)
            #expect(try await store.exportBlobs(EntityID("job-1")).isEmpty)
            let left = try await store.database.read { connection in
                try connection.all("SELECT blob_id FROM blob_keys") { try $0.text(0) }
            }
            #expect(left == [other.value])
        }
    }
}
