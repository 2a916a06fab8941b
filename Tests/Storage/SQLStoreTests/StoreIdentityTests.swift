import Access
import FHIRResources
import Synchronization
import TestSupport
import Testing
import Workflow

@testable import SQLStore

/// S1: what the keeper of the blobs folder asks the database. X4: audit rows go on when content is refused.
@Suite("The database knows which store it is and which blobs its rows name")
struct StoreIdentityTests {
    @Test("S1: a store is named once; its tenure and key are kept; its sequence rises", arguments: TestDatabases.all)
    func identity(_ kind: SQLDialect) async throws {
        try await WorkflowSupport.with(kind) { store in
            let first = try await store.identity()
            #expect(first.tenure == nil)
            #expect(first.masterKey == nil)
            #expect(first.store.utf8.count == 26)
            try await store.begin(tenure: "t1", masterKey: "k1")
            try await store.begin(tenure: "t2", masterKey: nil)
            let second = try await store.identity()
            #expect(second.store == first.store)
            #expect(second.tenure == "t2")
            #expect(second.masterKey == "k1")
            #expect(second.sequence > first.sequence)
        }
    }

    @Test("S1: two databases are two stores", arguments: TestDatabases.all)
    func names(_ kind: SQLDialect) async throws {
        let names = Mutex<[String]>([])
        for _ in 0..<2 {
            try await TestDatabases.with(kind) { database in
                let entropy = SeededEntropy()
                _ = entropy.bytes(names.withLock { $0.count } * 26 + 1)
                let store = RelationalStore(database: database, entropy: entropy, observers: [FHIRProjector()])
                let name = try await store.identity().store
                names.withLock { $0.append(name) }
            }
        }
        #expect(Set(names.withLock { $0 }).count == 2)
    }

    @Test("every blob that a row names is found among others, paged in order and counted", arguments: TestDatabases.all)
    func namedBlobs(_ kind: SQLDialect) async throws {
        try await WorkflowSupport.with(kind) { store in
            try await store.work { unit in
                for number in 1...7 {
                    _ = try StudyService().register(
                        WorkflowSupport.received("1.2.\(number)", study: "1.1", series: "1.1.1"), in: unit)
                }
            }
            var job = ExportJob(
                id: EntityID("j1"), ownerID: "c", scopes: [], request: "", types: ["Patient"], since: nil, until: nil,
                snapshot: 1, transactionTime: UTCInstant(microseconds: 1), createdAt: UTCInstant(microseconds: 1))
            job.outputs = [.init(type: "Patient", blobID: BlobID("blob-export"), count: 1, size: 2, isDeleted: false)]
            try await store.save(job)
            let wanted = Set((1...7).map { BlobID("blob-1.2.\($0)") } + [BlobID("blob-export")])
            #expect(try await store.referenced(wanted + [BlobID("other")]) == wanted)
            #expect(try await store.referenced([]).isEmpty)
            #expect(try await store.namedBlobCount() == 8)
            var paged: [NamedBlob] = []
            while case let page = try await store.namedBlobs(after: paged.last?.id, limit: 3), !page.isEmpty {
                #expect(page.count <= 3)
                paged += page
            }
            #expect(paged.map(\.id.value) == wanted.map(\.value).sorted())
            #expect(paged.first?.owner == .instance(sopInstanceUID: "1.2.1", studyInstanceUID: "1.1"))
            #expect(paged.first?.size == 100)
            #expect(paged.last?.owner == .exportJob("j1"))
            #expect(Set(try await store.sampleOfNamedBlobs(4).map(\.id)).isSubset(of: wanted))
        }
    }

    @Test("S1: each commit is told before its caller is", arguments: TestDatabases.all)
    func commits(_ kind: SQLDialect) async throws {
        let told = Mutex<[Int64]>([])
        try await TestDatabases.with(kind) { configuration in
            configuration.committed = { stamp in told.withLock { $0.append(stamp.sequence) } }
        } _: { database in
            let store = RelationalStore(database: database, entropy: SeededEntropy(), observers: [FHIRProjector()])
            for _ in 0..<5 {
                try await store.begin(tenure: "t", masterKey: nil)
                _ = try await store.identity()
                #expect(told.withLock { $0.last } == database.lastCommit.sequence)
            }
            told.withLock {
                #expect($0 == $0.sorted())
                #expect(Set($0).count == $0.count)
            }
        }
    }

    @Test(
        "X4: while the disk is short a unit that changes anything is refused as full, and audit rows are kept",
        arguments: TestDatabases.all)
    func reserve(_ kind: SQLDialect) async throws {
        try await TestDatabases.with(kind) { database in
            let isShort = Mutex(true)
            let store = RelationalStore(
                database: database, entropy: SeededEntropy(), observers: [FHIRProjector()],
                refusal: { isShort.withLock { $0 } ? StoreError(.full, "short") : nil })
            func code(_ body: () async throws -> Void) async -> StoreError.Code? {
                do { try await body() } catch { return (error as? StoreError)?.code }
                return nil
            }
            let record = AuditRecord(
                category: .rest, interaction: "read", action: .read, outcome: .success, access: WorkflowSupport.server)
            let received = WorkflowSupport.received("1.2.1", study: "1.1", series: "1.1.1")
            #expect(
                await code { try await store.work { _ = try StudyService().register(received, in: $0) } } == .full)
            #expect(await code { try await store.record(record) } == nil)
            #expect(await code { try await store.work { try $0.audit(record) } } == nil)
            let refused = try await store.look { try $0.instance("1.2.1") }
            #expect(refused == nil)
            let rows = try await database.read { try AuditChain.verify($0) }
            #expect(rows == 2)
            isShort.withLock { $0 = false }
            #expect(await code { try await store.work { _ = try StudyService().register(received, in: $0) } } == nil)
            let taken = try await store.look { try $0.instance("1.2.1") }
            #expect(taken != nil)
        }
    }

    @Test("X4: a read whose audit row cannot be kept is told as unavailable, a full disk too")
    func fullAudit() async throws {
        let isFull = Mutex(false)
        try await TestDatabases.with(.sqlite) { configuration in
            configuration.fault = { point in
                if point == .commit, isFull.withLock({ $0 }) { throw SQLStoreError(.full, "ENOSPC") }
            }
        } _: { database in
            let store = RelationalStore(database: database, entropy: SeededEntropy(), observers: [FHIRProjector()])
            isFull.withLock { $0 = true }
            let record = AuditRecord(
                category: .rest, interaction: "read", action: .read, outcome: .success, access: WorkflowSupport.server)
            do {
                try await store.record(record)
                #expect(Bool(false), "the row was kept")
            } catch let error as StoreError { #expect(error.code == .unavailable) }
            isFull.withLock { $0 = false }
            try await store.record(record)
        }
    }

    @Test("X5: an I/O error of SQLite stops the store only where a write may be lost")
    func sqliteErrors() {
        let lost: Set<Int32> = [10, 778, 1034, 1290, 1546, 7690, 4106]
        for code in [10, 266, 522, 778, 1034, 1290, 1546, 2570, 2826, 3082, 3338, 3594, 4106, 4362, 4618, 4874, 7690]
            as [Int32]
        {
            #expect((SQLiteConnection.errorCode(code) == .failed) == lost.contains(code), "SQLite \(code)")
        }
        #expect(SQLiteConnection.errorCode(14) == .unavailable)
        #expect(SQLiteConnection.errorCode(13) == .full)
    }
}
