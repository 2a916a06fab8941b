import NIOPosix
import Synchronization
import Workflow

/// Keeps a blobs folder for one database: proves that it is the folder's own, notes how far it has come, and sweeps.
///
/// No file is unlinked, and none is moved, on the word of a database that cannot prove to be the folder's own and the one
/// that kept it last (``Custody``). What such a database does not name is moved aside, and unlinked when it has lain there
/// for days.
package final class BlobCustodian: Sendable {
    package struct Settings: Sendable {
        /// Days that a blob which no row names is kept aside.
        package var setAsideDays: Int64 = 30
        /// Seconds of age below which an object stays where it is: longer than a commit whose outcome a lost connection
        /// left open.
        package var graceSeconds: Int64 = 3600
        package init() {}
    }

    /// What a pass found and did.
    package struct Pass: Sendable, Equatable {
        package var objects = 0
        /// Objects that no row names, moved aside now.
        package var movedAside = 0
        /// What lies aside after the pass.
        package var aside = 0
        /// Of it, put back because a row names it again.
        package var putBack = 0
        /// Unlinked after their days.
        package var expired = 0
        /// Past their days and kept, because they cannot be opened.
        package var keptUnopened = 0
        /// Removed from `incoming`.
        package var unfinished = 0
        /// Objects that no row names and that stay, because the database is not proven.
        package var unnamed = 0
    }

    private struct State {
        var custody: Custody?
        var mark: StoreMark?
        /// Days of set-aside blobs that were over at the last pass: a clock that is wrong for a moment removes nothing.
        var daysOver: Set<CalendarDay> = []
    }

    private let blobs: BlobStore
    private let references: any BlobReferences
    private let settings: Settings
    private let files: StoreMarkFile
    private let state = Mutex(State())

    /// Blobs that are looked at for a probe.
    static let sampleMax = 64

    package init(_ blobs: BlobStore, _ references: any BlobReferences, settings: Settings = Settings()) {
        self.blobs = blobs
        self.references = references
        self.settings = settings
        files = StoreMarkFile(folder: blobs.configuration.folder, files: blobs.configuration.files)
    }

    /// What the database was found to be; nil before ``begin()``.
    package var custody: Custody? { state.withLock { $0.custody } }

    // MARK: Looking

    /// What the database is to the folder, and what the folder shows; changes nothing.
    /// Throws `StoreError(.misuse)` for a master key that is not the store's.
    package func examine() async throws -> (custody: Custody, identity: StoreIdentity, folder: Custody.Folder) {
        // The folder first: a server that runs beside this may commit in between, which only makes the database newer.
        var folder = try await look()
        let identity = try await references.identity()
        let sample = try await references.sampleOfNamedBlobs(Self.sampleMax).map(\.id)
        folder.holdsNamed = try await checkKeys(identity, sample)
        let custody = Custody.judge(identity, namesBlobs: !sample.isEmpty, folder)
        return (custody, identity, folder)
    }

    private func look() async throws -> Custody.Folder {
        try await blobs.onThread { [self] in
            Result {
                let (mark, isDamaged) = try files.readMark()
                return Custody.Folder(
                    mark: mark, isMarkDamaged: isDamaged, sequence: try files.readSequence(), isEmpty: try isEmpty(),
                    holdsNamed: false)
            }
        }
    }

    /// Blocking. Whether neither objects nor anything set aside lies in the folder.
    private func isEmpty() throws -> Bool {
        func names(_ path: String) throws -> [String] {
            do { return try blobs.files.names(in: path) } catch let error as BlobFileError
                where error.isNoDirectory
            { return [] }
        }
        for top in [blobs.directories.objects, blobs.directories.setAside] {
            for first in try names(top) {
                for second in try names(top + "/" + first) {
                    if top == blobs.directories.setAside { return false }
                    if try !names(top + "/" + first + "/" + second).isEmpty { return false }
                }
            }
        }
        return true
    }

    /// Whether one of the blobs is there; and that the configured key is the store's, by its name in the database or,
    /// before it stands there, by a blob that has to open.
    private func checkKeys(_ identity: StoreIdentity, _ sample: [BlobID]) async throws -> Bool {
        let keys = blobs.configuration.keys
        if let known = identity.masterKey {
            guard let keys else {
                throw StoreError(
                    .misuse,
                    "the store holds objects encrypted under key \(known), and no master key is there: "
                        + "put the store's key back")
            }
            // The database may be of before the keys were changed, and then names an older one.
            guard keys.holds(known) else {
                throw StoreError(
                    .misuse,
                    "the master key is not this store's: its objects are encrypted under key \(known), and what the "
                        + "master key opens is key \(keys.current.name); put the store's key back")
            }
        }
        return try await blobs.onThread { [blobs] in
            Result {
                var isThere = false
                for id in sample {
                    guard let descriptor = try? blobs.files.openForReading(try blobs.directories.path(of: id)) else {
                        continue
                    }
                    defer { blobs.files.close(descriptor) }
                    isThere = true
                    guard identity.masterKey == nil, let header = try? BlobReader.readHeader(descriptor, blobs.files),
                        header.algorithm == .aes256GCM, !BlobIDSequence.isErasable(id)
                    else { continue }
                    guard let keys else {
                        throw StoreError(
                            .misuse,
                            "the store holds encrypted objects and no master key is there: put the store's key back")
                    }
                    if (try? header.dataKey(keys)) == nil {
                        throw StoreError(
                            .misuse,
                            "the master key is not this store's: object \(id.value) does not open with key "
                                + "\(keys.current.name); put the store's key back")
                    }
                    return true
                }
                return isThere
            }
        }
    }

    // MARK: Keeping

    /// Begins to keep the folder, as far as the database proves that it may. For a server that holds the database's lock.
    /// Throws `StoreError(.misuse)` for a master key that is not the store's.
    package func begin() async throws -> Custody {
        var (custody, identity, folder) = try await examine()
        if !custody.isForeign, try await !lock() { custody = .foreign(.kept) }
        switch custody {
        case .own: try await keep(identity, folder, doubt: nil)
        case .behind: try await keep(identity, folder, doubt: .unsettled)
        case .unproven, .foreign: state.withLock { $0.custody = custody }
        }
        hold(custody)
        if custody == .own { _ = try await blobs.removeUnfinished(changedUpTo: .max) }
        return custody
    }

    /// What the database is to the folder; from now on new blobs are taken and nothing is unlinked, whatever it is. For a
    /// command that adopts under the database's lock.
    package func beginAdoption() async throws -> Custody {
        let custody = try await examine().custody
        guard try await lock() else {
            throw StoreError(.unavailable, "another server keeps this blobs folder: stop it first")
        }
        state.withLock { $0.custody = custody }
        blobs.hold(refusal: nil, mayUnlink: false)
        return custody
    }

    /// Makes the folder this database's own, as an operator says after adopting what lay in it.
    package func claim() async throws {
        let identity = try await references.identity()
        let mark = try await blobs.onThread { [files] in Result { try files.readMark().mark } }
        let folder = Custody.Folder(mark: mark, isMarkDamaged: false, sequence: nil, isEmpty: false, holdsNamed: true)
        try await keep(identity, folder, doubt: nil)
        hold(.own)
    }

    private func lock() async throws -> Bool { try await blobs.onThread { [files] in Result { try files.lock() } } }

    /// Gives the folder up. After it nothing is noted.
    package func close() { files.close() }

    /// What each kind of database may do to the folder.
    private func hold(_ custody: Custody) {
        state.withLock { $0.custody = custody }
        switch custody {
        case .own: blobs.hold(refusal: nil, mayUnlink: true)
        case .unproven, .behind: blobs.hold(refusal: nil, mayUnlink: false)
        case .foreign: blobs.hold(refusal: StoreError(.unavailable, custody.finding ?? ""), mayUnlink: false)
        }
    }

    /// Changes the tenure in the folder and in the database, so that a kill in between leaves them told for each other.
    private func keep(_ identity: StoreIdentity, _ folder: Custody.Folder, doubt: Custody.Doubt?) async throws {
        let tenure = blobs.configuration.entropy.newID().value
        let key = blobs.configuration.form == .aes256GCM ? blobs.configuration.keys?.current.name : nil
        var mark = StoreMark(
            store: identity.store, tenure: identity.tenure ?? Custody.noTenure, next: tenure,
            masterKey: key ?? identity.masterKey ?? folder.mark?.masterKey, doubt: doubt)
        try await blobs.onThread { [files, mark] in
            Result {
                try files.openSequence(at: max(identity.sequence, folder.sequence ?? 0))
                try files.write(mark)
            }
        }
        try await references.begin(tenure: tenure, masterKey: key)
        mark.tenure = tenure
        mark.next = nil
        try await blobs.onThread { [files, mark] in Result { try files.write(mark) } }
        state.withLock { [mark] in $0.mark = mark }
    }

    /// Notes a commit of the database. Cheap; from any thread.
    package func note(_ sequence: Int64) { files.note(sequence) }

    /// Makes what was noted durable, and looks whether the folder is still this store's: from time to time.
    package func settle() async throws {
        try await blobs.onThread { [files] in Result { try files.settle() } }
        if custody == .own { try await confirm() }
    }

    /// Ends the tenure: a copy of the database from before this moment is recognised as older from now on.
    package func end() async throws {
        guard custody == .own || state.withLock({ $0.mark?.doubt }) != nil, let mark = state.withLock({ $0.mark })
        else {
            return
        }
        let identity = try await references.identity()
        guard try await isStill(mark) else { return }
        try await keep(
            identity,
            Custody.Folder(
                mark: mark, isMarkDamaged: false, sequence: try await look().sequence, isEmpty: false, holdsNamed: true),
            doubt: mark.doubt)
        try await settle()
    }

    private func isStill(_ mark: StoreMark) async throws -> Bool {
        try await blobs.onThread { [files] in Result { try files.readMark().mark == mark } }
    }

    // MARK: Sweeping

    /// One pass over the folder. With a database that is not proven it only counts; a folder of before marks becomes the
    /// database's own when every object in it is named.
    package func pass() async throws -> Pass {
        if custody == .own { try await confirm() }
        var pass = Pass()
        let isOwn = custody == .own
        let now = blobs.configuration.now()
        let newest = now.microseconds / 1_000_000 - settings.graceSeconds
        if isOwn { pass.unfinished = try await blobs.removeUnfinished(changedUpTo: newest) }
        var result = pass
        var over = (before: state.withLock { $0.daysOver }, now: Set<CalendarDay>())
        try await blobs.eachDirectory { page in
            if page.first?.setAsideOn != nil {
                try await passAside(page, isOwn, now, &over, &result)
            } else {
                try await passObjects(page, isOwn, newest, &result)
            }
        }
        state.withLock { [over] in $0.daysOver = over.now }
        if custody == .unproven, result.unnamed == 0 {
            let (custody, identity, folder) = try await examine()
            if custody == .unproven {
                try await keep(identity, folder, doubt: nil)
                hold(.own)
            }
        }
        return result
    }

    /// Looks at the mark again: another server may have taken the folder, on a copy of the database say.
    private func confirm() async throws {
        guard let mark = state.withLock({ $0.mark }) else { return }
        let found = try await blobs.onThread { [files] in Result { try files.readMark().mark } }
        if found == mark { return }
        hold(found?.store == mark.store ? .behind(.parted) : .foreign(.marked))
    }

    private func passObjects(_ page: [StoredBlob], _ isOwn: Bool, _ newest: Int64, _ pass: inout Pass) async throws {
        pass.objects += page.count
        // The leases before the rows: a blob that nobody writes any more is named by now or never will be.
        let idle = page.map(\.id).filter { !blobs.leases.holds($0) }
        let named = try await references.referenced(idle)
        var unnamed = idle.filter { !named.contains($0) }
        if !unnamed.isEmpty {
            // What is removed soon frees no disk where it would lie for days.
            let leaving = try await references.leaving(unnamed)
            unnamed.removeAll(where: leaving.contains)
        }
        guard isOwn, let first = unnamed.first else {
            pass.unnamed += unnamed.count
            return
        }
        let directory = try blobs.directories.directory(of: first)
        // One that is gone, or lies in another directory than its name says, is not for this pass.
        let old = try await blobs.onThread { [blobs, unnamed] in
            .success(
                unnamed.filter { id in
                    guard let path = try? blobs.directories.path(of: id) else { return false }
                    return ((try? blobs.files.changeTime(path)) ?? .max) <= newest
                })
        }
        // Of an export that was broken off: nobody reads it again.
        try await blobs.forgetKeys(of: old)
        pass.movedAside += try await blobs.onThread { [blobs] in
            Result { try blobs.setAside(old, from: directory, reason: .unnamed) }
        }
    }

    private func passAside(
        _ page: [StoredBlob], _ isOwn: Bool, _ now: UTCInstant,
        _ over: inout (before: Set<CalendarDay>, now: Set<CalendarDay>), _ pass: inout Pass
    ) async throws {
        guard isOwn, let day = page.first?.setAsideOn.flatMap({ CalendarDay($0) }) else {
            pass.aside += page.count
            return
        }
        let named = try await references.referenced(page.map(\.id))
        let isOver = CalendarDay(now).number - day.number > settings.setAsideDays
        let isOverAgain = isOver && over.before.contains(day)
        if isOver { over.now.insert(day) }
        if isOverAgain { try await blobs.forgetKeys(of: page.map(\.id).filter { !named.contains($0) }) }
        for blob in page {
            if named.contains(blob.id) {
                try await blobs.putBack(blob)
                pass.putBack += 1
            } else if isOverAgain, try await blobs.expire(blob) {
                pass.expired += 1
            } else {
                pass.aside += 1
                if isOverAgain { pass.keptUnopened += 1 }
            }
        }
    }
}
