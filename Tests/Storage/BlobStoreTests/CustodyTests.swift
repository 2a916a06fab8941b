import Foundation
import Synchronization
import Testing
import Workflow

@testable import BlobStore

/// S1, R27: no object is ever unlinked on the word of a database that cannot prove that it is the newer one.
@Suite("A blobs folder is swept only by its own database, as far as it has come")
struct CustodyTests {
    /// A database as the custodian sees it. Copied, it is a backup.
    final class Database: BlobReferences {
        struct State {
            var identity: StoreIdentity
            var named: Set<BlobID> = []
            var leaving: Set<BlobID> = []
        }
        let state: Mutex<State>

        init(_ store: String = "one") {
            state = Mutex(State(identity: StoreIdentity(store: store, tenure: nil, masterKey: nil, sequence: 0)))
        }
        init(_ copy: State) { state = Mutex(copy) }

        var copy: Database { Database(state.withLock { $0 }) }
        /// Commits a row that names the blob.
        func name(_ ids: BlobID..., tell: BlobCustodian? = nil) {
            let sequence = state.withLock { state in
                state.named.formUnion(ids)
                state.identity.sequence += 1
                return state.identity.sequence
            }
            tell?.note(sequence)
        }
        func identity() async throws -> StoreIdentity { state.withLock { $0.identity } }
        func begin(tenure: String, masterKey: String?) async throws {
            state.withLock { state in
                state.identity.tenure = tenure
                state.identity.masterKey = masterKey ?? state.identity.masterKey
                state.identity.sequence += 1
            }
        }
        func referenced(_ blobs: [BlobID]) async throws -> Set<BlobID> {
            state.withLock { $0.named.intersection(blobs) }
        }
        func leaving(_ blobs: [BlobID]) async throws -> Set<BlobID> {
            state.withLock { $0.leaving.intersection(blobs) }
        }
        func sampleOfNamedBlobs(_ limit: Int) async throws -> [NamedBlob] {
            state.withLock { state in
                state.named.prefix(limit).map { NamedBlob(id: $0, owner: .exportJob("job"), size: nil) }
            }
        }
    }

    static let day: Int64 = 86_400
    static let start = UTCInstant(microseconds: Int64(Date().timeIntervalSince1970) * 1_000_000)

    /// A clock that a test moves by hand.
    final class Hand: Sendable {
        private let time = Mutex(CustodyTests.start)
        var now: UTCInstant { time.withLock { $0 } }
        func advance(_ seconds: Int64) { time.withLock { $0 = $0.advanced(bySeconds: seconds) } }
    }

    static func serve<Value>(
        _ folder: BlobTestFolder, _ database: Database, clock: Hand = Hand(), ends: Bool = true,
        _ body: (BlobStore, BlobCustodian) async throws -> Value
    ) async throws -> Value {
        let store = try await folder.open { $0.now = { clock.now } }
        let custodian = BlobCustodian(store, database)
        do {
            _ = try await custodian.begin()
            let value = try await body(store, custodian)
            if ends { try await custodian.end() }
            await store.close()
            custodian.close()
            return value
        } catch {
            await store.close()
            custodian.close()
            throw error
        }
    }

    /// Everything that lies in the folder, by path, but the two small files.
    static func files(_ folder: BlobTestFolder) -> Set<String> {
        Set(
            (FileManager.default.enumerator(atPath: folder.path)?.allObjects as? [String] ?? []).filter {
                var isFolder: ObjCBool = false
                return FileManager.default.fileExists(atPath: folder.path + "/" + $0, isDirectory: &isFolder)
                    && !isFolder.boolValue && !$0.hasPrefix("store.")
            })
    }

    @Test("every kind of database beside every kind of folder")
    func judgements() {
        func database(_ store: String, _ tenure: String?, _ sequence: Int64) -> StoreIdentity {
            StoreIdentity(store: store, tenure: tenure, masterKey: nil, sequence: sequence)
        }
        func folder(
            _ store: String?, _ tenure: String = "t1", next: String? = nil, doubt: Custody.Doubt? = nil,
            sequence: Int64? = 10, isEmpty: Bool = false, holds: Bool = true, isDamaged: Bool = false
        ) -> Custody.Folder {
            Custody.Folder(
                mark: store.map { StoreMark(store: $0, tenure: tenure, next: next, masterKey: nil, doubt: doubt) },
                isMarkDamaged: isDamaged, sequence: sequence, isEmpty: isEmpty, holdsNamed: holds)
        }
        let cases: [(StoreIdentity, Bool, Custody.Folder, Custody)] = [
            (database("a", "t1", 10), true, folder("a"), .own),
            (database("a", "t1", 11), true, folder("a"), .own),
            (database("a", "t1", 9), true, folder("a"), .behind(.older)),
            (database("a", "t0", 10), true, folder("a"), .behind(.parted)),
            (database("a", "t2", 10), true, folder("a", next: "t2"), .own),
            (database("a", "t1", 10), true, folder("a", next: "t2"), .own),
            (database("a", nil, 10), true, folder("a"), .behind(.parted)),
            (database("a", nil, 10), true, folder("a", "none", next: "t1"), .own),
            (database("a", "t1", 10), true, folder("a", sequence: nil), .behind(.unknown)),
            (database("a", "t1", 10), true, folder("a", doubt: .unsettled), .behind(.unsettled)),
            (database("b", "t1", 99), true, folder("a"), .foreign(.marked)),
            (database("b", nil, 0), false, folder("a"), .foreign(.marked)),
            (database("a", nil, 0), false, folder(nil, isEmpty: true, holds: false), .own),
            (database("a", "t1", 5), true, folder(nil, isEmpty: true, holds: false), .foreign(.empty)),
            (database("a", nil, 5), true, folder(nil), .unproven),
            (database("a", nil, 0), false, folder(nil, holds: false), .foreign(.unmarked)),
            (database("a", "t1", 5), true, folder(nil, holds: false), .foreign(.unmarked)),
            (database("a", "t1", 5), true, folder(nil, isDamaged: true), .behind(.unknown)),
            (database("a", "t1", 5), true, folder(nil, holds: false, isDamaged: true), .foreign(.unmarked)),
        ]
        for (index, (identity, names, folder, expected)) in cases.enumerated() {
            #expect(Custody.judge(identity, namesBlobs: names, folder) == expected, "case \(index)")
            #expect((expected == .own) == (expected.finding == nil))
        }
    }

    @Test("a mark comes back as it was written; what is none is not taken for one")
    func marks() throws {
        for mark in [
            StoreMark(store: "a", tenure: "t", next: nil, masterKey: nil, doubt: nil),
            StoreMark(store: "a", tenure: "t", next: "u", masterKey: "0011223344556677", doubt: .unsettled),
        ] {
            #expect(StoreMark(mark.encoded) == mark)
            for count in 0..<mark.encoded.count - 1 {
                let cut = StoreMark(Array(mark.encoded.prefix(count)))
                #expect(cut == nil || cut?.store == "a")
            }
        }
        for text in ["", "\n", "hilum-store 2\nstore a\ntenure t\n", "store a\ntenure t\n", "{}"] {
            #expect(StoreMark(Array(text.utf8)) == nil, "\(text)")
        }
    }

    @Test("S1: a restored older database unlinks and moves nothing, says so, and takes new objects")
    func older() async throws {
        try await BlobTestFolder.with { folder in
            let database = Database()
            let clock = Hand()
            var backup = database.copy
            try await Self.serve(folder, database, clock: clock, ends: false) { store, custodian in
                #expect(custodian.custody == .own)
                database.name(try await store.write([1]), tell: custodian)
                backup = database.copy
                for byte in 2...3 { database.name(try await store.write([UInt8(byte)]), tell: custodian) }
                // Killed here: nothing was made durable but what a blob and a commit make so.
            }
            let before = Self.files(folder)
            clock.advance(100 * Self.day)
            try await Self.serve(folder, backup, clock: clock) { store, custodian in
                #expect(custodian.custody == .behind(.older))
                let pass = try await custodian.pass()
                #expect(pass.unnamed == 2)
                #expect(pass.movedAside == 0)
                #expect(pass.expired == 0)
                #expect(Self.files(folder) == before)
                backup.name(try await store.write([4]), tell: custodian)
            }
            // It is remembered, also when the database has grown past the folder since.
            for _ in 0..<9 { backup.name() }
            try await Self.serve(folder, backup, clock: clock) { _, custodian in
                #expect(custodian.custody == .behind(.unsettled))
                let pass1 = try await custodian.pass()
                #expect(pass1.movedAside == 0)
                #expect(Self.files(folder).isSuperset(of: before))
            }
            // The newer database is not the last any more either: what the older one took must be adopted.
            try await Self.serve(folder, database, clock: clock) { _, custodian in
                #expect(custodian.custody == .behind(.parted))
                let pass2 = try await custodian.pass()
                #expect(pass2.movedAside == 0)
            }
        }
    }

    @Test("S1: a copy from before the last stop is recognised although no commit came after it")
    func beforeTheStop() async throws {
        try await BlobTestFolder.with { folder in
            let database = Database()
            var backup = database
            try await Self.serve(folder, database) { store, custodian in
                database.name(try await store.write([1]), tell: custodian)
                backup = database.copy
            }
            try await Self.serve(folder, database) { _, custodian in #expect(custodian.custody == .own) }
            try await Self.serve(folder, backup) { _, custodian in #expect(custodian.custody == .behind(.parted)) }
        }
    }

    @Test("S1: a database that was put back is not told its own by more commits alone", arguments: [0, 1, 50])
    func grownElsewhere(_ commits: Int) async throws {
        try await BlobTestFolder.with { folder in
            let database = Database()
            try await Self.serve(folder, database) { store, custodian in
                database.name(try await store.write([1]), tell: custodian)
            }
            let copy = database.copy
            try await Self.serve(folder, database) { _, _ in }
            for _ in 0..<commits { copy.name() }
            try await Self.serve(folder, copy) { _, custodian in
                #expect(custodian.custody == .behind(.parted))
            }
        }
    }

    @Test("S1: another database touches nothing and stores nothing in the folder, and the first finds it as it was")
    func foreign() async throws {
        try await BlobTestFolder.with { folder in
            let database = Database("one")
            let clock = Hand()
            try await Self.serve(folder, database, clock: clock) { store, custodian in
                database.name(try await store.write([1]), tell: custodian)
            }
            _ = FileManager.default.createFile(atPath: folder.path + "/incoming/theirs", contents: Data([1]))
            let before = Self.files(folder)
            clock.advance(100 * Self.day)
            for other in [
                Database("two"),
                {
                    let full = Database("three"); full.name(BlobID("x")); return full
                }(),
            ] {
                try await Self.serve(folder, other, clock: clock) { store, custodian in
                    #expect(custodian.custody == .foreign(.marked))
                    #expect(await StoreError.Code.thrown { try store.create() } == .unavailable)
                    _ = try await custodian.pass()
                    #expect(Self.files(folder) == before)
                }
                #expect(Self.files(folder) == before)
            }
            try await Self.serve(folder, database, clock: clock) { _, custodian in
                #expect(custodian.custody == .own)
                #expect(folder.incoming.isEmpty)
            }
        }
    }

    @Test("What is on record as to be removed is left to be removed, and lies in no day's folder")
    func leaving() async throws {
        try await BlobTestFolder.with { folder in
            let (database, clock) = (Database(), Hand())
            try await Self.serve(folder, database, clock: clock) { store, custodian in
                let copy = try await store.write([1])
                database.state.withLock { _ = $0.leaving.insert(copy) }
                clock.advance(Self.day)
                let before = try await custodian.pass()
                #expect(before.movedAside == 0 && before.unnamed == 0)
                database.state.withLock { $0.leaving = [] }
                #expect(try await custodian.pass().movedAside == 1)
            }
        }
    }

    @Test("S1: a folder of before marks becomes the database's own when every object is named, and not before")
    func unmarked() async throws {
        try await BlobTestFolder.with { folder in
            let database = Database()
            let store = try await folder.open()
            let first = try await store.write([1])
            let orphan = try await store.write([2])
            await store.close()
            database.name(first)
            let clock = Hand()
            clock.advance(100 * Self.day)
            try await Self.serve(folder, database, clock: clock) { _, custodian in
                #expect(custodian.custody == .unproven)
                let pass3 = try await custodian.pass()
                #expect(pass3.unnamed == 1)
                #expect(custodian.custody == .unproven)
            }
            #expect(folder.objects.count == 2)
            // An empty database beside it.
            try await Self.serve(folder, Database("new"), clock: clock) { store, custodian in
                #expect(custodian.custody == .foreign(.unmarked))
                #expect(await StoreError.Code.thrown { try store.create() } == .unavailable)
            }
            #expect(folder.objects.count == 2)
            database.name(orphan)
            try await Self.serve(folder, database, clock: clock) { _, custodian in
                _ = try await custodian.pass()
                #expect(custodian.custody == .own)
            }
            try await Self.serve(folder, database, clock: clock) { _, custodian in #expect(custodian.custody == .own) }
        }
    }

    @Test("S1: an empty unmarked folder under a database that names objects, a disk not mounted say, takes none")
    func empty() async throws {
        try await BlobTestFolder.with { folder in
            let database = Database()
            database.name(BlobID("abcde" + String(repeating: "0", count: 24)))
            try await Self.serve(folder, database) { store, custodian in
                #expect(custodian.custody == .foreign(.empty))
                #expect(await StoreError.Code.thrown { try store.create() } == .unavailable)
            }
            #expect(!FileManager.default.fileExists(atPath: folder.path + "/store.mark"))
        }
    }

    @Test("after an adoption the folder is the database's own again, also at the next start")
    func claim() async throws {
        try await BlobTestFolder.with { folder in
            let database = Database("one")
            try await Self.serve(folder, database) { store, custodian in
                for _ in 0..<20 { database.name(try await store.write([1]), tell: custodian) }
            }
            let other = Database("two")
            let store = try await folder.open()
            let custodian = BlobCustodian(store, other)
            #expect(try await custodian.beginAdoption() == .foreign(.marked))
            let written = try await store.write([2])
            other.name(written)
            try await custodian.claim()
            #expect(custodian.custody == .own)
            await store.close()
            custodian.close()
            try await Self.serve(folder, other) { _, custodian in #expect(custodian.custody == .own) }
            try await Self.serve(folder, database) { _, custodian in #expect(custodian.custody == .foreign(.marked)) }
        }
    }

    @Test("what no row names is set aside with its reason after the grace time, kept for its days, then removed")
    func setAside() async throws {
        try await BlobTestFolder.with { folder in
            let database = Database()
            let clock = Hand()
            try await Self.serve(folder, database, clock: clock) { store, custodian in
                let named = try await store.write([1])
                let orphan = try await store.write([2])
                database.name(named, tell: custodian)
                let pass4 = try await custodian.pass()
                #expect(pass4 == BlobCustodian.Pass(objects: 2))
                clock.advance(3_500)
                let pass5 = try await custodian.pass()
                #expect(pass5.movedAside == 0)
                clock.advance(200)
                let pass6 = try await custodian.pass()
                #expect(pass6.movedAside == 1)
                #expect(folder.objects.count == 1)
                let aside = try await store.setAsideBlobs()
                #expect(aside.map(\.blob.id) == [orphan])
                #expect(aside.first?.reason == "no row of the database names it")
                #expect(aside.map(\.bytes) == [Int64(256 + 1 + 16)])
                for days in [29, 1] {
                    clock.advance(Int64(days) * Self.day)
                    let pass = try await custodian.pass()
                    #expect(pass.aside == 1, "after \(days) more days")
                    #expect(pass.expired == 0, "after \(days) more days")
                }
                // A clock that is wrong at one pass removes nothing: it takes two.
                clock.advance(Self.day)
                let first = try await custodian.pass()
                #expect(first.expired == 0)
                #expect(first.aside == 1)
                clock.advance(-2 * Self.day)
                _ = try await custodian.pass()
                clock.advance(2 * Self.day)
                let second = try await custodian.pass()
                #expect(second.expired == 0)
                #expect(second.aside == 1)
                let third = try await custodian.pass()
                #expect(third.expired == 1)
                #expect(try await store.setAsideBlobs().isEmpty)
                #expect(try await store.readAll(named) == [1])
                #expect(Self.files(folder).count == 1)
            }
        }
    }

    @Test("a blob that is set aside and named again is put back; one that does not open is never removed")
    func putBack() async throws {
        try await BlobTestFolder.with { folder in
            let database = Database()
            let clock = Hand()
            try await Self.serve(folder, database, clock: clock) { store, custodian in
                let first = try await store.write([1])
                let damaged = try await store.write([2])
                let conflicting = try await store.write([3])
                try await store.setAside(conflicting, reason: .conflicting)
                var file = try folder.bytes(damaged)
                file[120] ^= 1
                try folder.replace(damaged, file)
                clock.advance(4_000)
                let pass8 = try await custodian.pass()
                #expect(pass8.movedAside == 2)
                database.name(first, tell: custodian)
                let pass9 = try await custodian.pass()
                #expect(pass9.putBack == 1)
                #expect(try await store.readAll(first) == [1])
                clock.advance(500 * Self.day)
                _ = try await custodian.pass()
                let pass = try await custodian.pass()
                #expect(pass.expired == 0)
                #expect(pass.keptUnopened == 2)
                #expect(pass.aside == 2)
            }
        }
    }

    @Test("a blob whose row is not committed yet is left alone as long as its writer lives, however long that is")
    func leases() async throws {
        try await BlobTestFolder.with { folder in
            let database = Database()
            let clock = Hand()
            try await Self.serve(folder, database, clock: clock) { store, custodian in
                var writer: (any BlobWriting)? = try store.create()
                let id = try #require(writer?.id)
                try [UInt8(7)].withUnsafeBytes { try writer?.append($0) }
                try await writer?.finish()
                clock.advance(50 * Self.day)
                let pass10 = try await custodian.pass()
                #expect(pass10.movedAside == 0)
                database.name(id, tell: custodian)
                writer = nil
                let pass11 = try await custodian.pass()
                #expect(pass11.movedAside == 0)
                #expect(try await store.readAll(id) == [7])
                // One that is given up without a row goes the usual way.
                _ = try await store.write([8])
                let pass12 = try await custodian.pass()
                #expect(pass12.movedAside == 1)
            }
        }
    }

    @Test("files that were not finished go at the start and at a pass, unless somebody writes them")
    func unfinished() async throws {
        try await BlobTestFolder.with { folder in
            let database = Database()
            let clock = Hand()
            try await Self.serve(folder, database, clock: clock) { _, _ in }
            _ = FileManager.default.createFile(atPath: folder.path + "/incoming/left", contents: Data([1]))
            try await Self.serve(folder, database, clock: clock) { store, custodian in
                #expect(folder.incoming.isEmpty)
                let writer = try store.create()
                try [UInt8](repeating: 1, count: 600_000).withUnsafeBytes { try writer.append($0) }
                _ = FileManager.default.createFile(atPath: folder.path + "/incoming/later", contents: Data([1]))
                clock.advance(7_200)
                let pass13 = try await custodian.pass()
                #expect(pass13.unfinished == 1)
                #expect(folder.incoming == [writer.id.value])
                writer.abort()
            }
        }
    }

    @Test("two servers on copies of one database: the second stores and touches nothing as long as the first lives")
    func kept() async throws {
        try await BlobTestFolder.with { folder in
            let database = Database()
            try await Self.serve(folder, database) { _, _ in
                let before = Self.files(folder)
                try await Self.serve(folder, database.copy) { other, second in
                    #expect(second.custody == .foreign(.kept))
                    #expect(await StoreError.Code.thrown { try other.create() } == .unavailable)
                    _ = try await second.pass()
                }
                #expect(Self.files(folder) == before)
                let store = try await folder.open()
                let adopter = BlobCustodian(store, Database("two"))
                #expect(await StoreError.Code.thrown { try await adopter.beginAdoption() } == .unavailable)
                await store.close()
            }
        }
    }

    @Test(
        "a server whose folder another took over, where locks do not reach, stops sweeping, and storing if it is a stranger's",
        arguments: ["one", "two"])
    func takenOver(_ name: String) async throws {
        try await BlobTestFolder.with { folder in
            let database = Database()
            let clock = Hand()
            try await Self.serve(folder, database, clock: clock) { store, custodian in
                _ = try await store.write([9])
                try StoreMarkFile(folder: folder.path, files: SystemFileOperations()).write(
                    StoreMark(store: name, tenure: "theirs", next: nil, masterKey: nil, doubt: nil))
                clock.advance(7_200)
                try await custodian.settle()
                let pass = try await custodian.pass()
                #expect(pass.movedAside == 0)
                #expect(pass.unnamed == 1)
                #expect(custodian.custody == (name == "one" ? .behind(.parted) : .foreign(.marked)))
                #expect(await StoreError.Code.thrown { try store.create() } == (name == "one" ? nil : .unavailable))
                #expect(folder.objects.count == 1)
            }
        }
    }

    @Test("an object removed by a database that is not proven is moved aside, not unlinked")
    func unprovenRemoval() async throws {
        try await BlobTestFolder.with { folder in
            let database = Database()
            var backup = database
            let id = try await Self.serve(folder, database) { store, custodian in
                let id = try await store.write([1])
                database.name(id, tell: custodian)
                backup = database.copy
                return id
            }
            try await Self.serve(folder, backup) { store, _ in
                try await store.remove(id)
                #expect(try await store.setAsideBlobs().map(\.blob.id) == [id])
            }
        }
    }

    @Test("X13: with another master key nothing begins, by the key's name or, before it was noted, by an object")
    func wrongKey() async throws {
        try await BlobTestFolder.with { folder in
            let database = Database()
            let store = try await folder.open()
            let id = try await store.write([1])
            await store.close()
            database.name(id)
            let other = KeyRing(current: try StoreKey(OpenSSLEntropy().bytes(32)))
            func begin(_ store: BlobStore) async -> StoreError.Code? {
                let code = await StoreError.Code.thrown { try await BlobCustodian(store, database).begin() }
                await store.close()
                return code
            }
            #expect(await begin(try await folder.open(ring: other)) == .misuse)
            #expect(await begin(try await folder.open(.plain)) == .misuse)
            try await Self.serve(folder, database) { _, custodian in _ = try await custodian.pass() }
            #expect(database.state.withLock { $0.identity.masterKey } == folder.key.name)
            try FileManager.default.removeItem(atPath: folder.file(id))
            #expect(await begin(try await folder.open(ring: other)) == .misuse)
            #expect(await begin(try await folder.open(.plain)) == .misuse)
            #expect(await begin(try await folder.open(.plain, ring: KeyRing(current: folder.key))) == nil)
        }
    }

    @Test("days of the calendar are read as they are written")
    func days() {
        for number in [-719_162, -1, 0, 1, 11_016, 19_782, 20_786, 2_932_896] as [Int64] {
            let day = CalendarDay(UTCInstant(microseconds: number * 86_400_000_000))
            #expect(CalendarDay(day.description) == day, "\(day)")
        }
        #expect(CalendarDay(UTCInstant(microseconds: 951_782_400_000_000)).description == "2000-02-29")
        for text in ["", "2000-2-29", "2000-13-01", "2000-00-01", "../..", "2000-01-32", "abcd-01-01", "2000-01-01x"] {
            #expect(CalendarDay(text) == nil, "\(text)")
        }
    }
}
