import Basics
import NIOPosix
import Workflow

/// Where a blob's file lies.
package struct StoredBlob: Sendable, Hashable {
    package let id: BlobID
    /// The day on which it was set aside, `yyyy-mm-dd`; nil among the objects.
    package let setAsideOn: String?

    package init(_ id: BlobID, setAsideOn: String? = nil) {
        self.id = id
        self.setAsideOn = setAsideOn
    }
}

/// Why a blob was set aside: the text beside it.
package enum SetAsideReason: String, Sendable, CaseIterable {
    case unnamed = "no row of the database names it"
    case removedUnproven = "it was removed while the database had not proven to be the folder's own"
    case conflicting = "another object of its SOP Instance UID is registered"

    /// Whether it is removed after its days; what is an operator's to decide stays.
    var expires: Bool { self != .conflicting }
}

/// A blob that was set aside, as an operator is told of it.
package struct SetAsideBlob: Sendable, Hashable {
    package let blob: StoredBlob
    /// Bytes of its file.
    package let bytes: Int64
    package let reason: String
}

/// Blobs that no row names are moved aside and kept for days; nothing is ever unlinked at once.
///
/// `set-aside/<yyyy-mm-dd>/<id>` with `<id>.reason` beside it.
extension BlobStore {
    static let reasonSuffix = ".reason"

    func path(of blob: StoredBlob) throws -> String {
        guard let day = blob.setAsideOn else { return try directories.path(of: blob.id) }
        guard CalendarDay(day) != nil, BlobIDSequence.isLegal(blob.id) else {
            throw StoreError(.notFound, "no such blob")
        }
        return "\(directories.setAside)/\(day)/\(blob.id.value)"
    }

    /// Opens a blob wherever it lies. As ``open(_:then:)``.
    package func open<Value: Sendable>(
        _ blob: StoredBlob, then work: @escaping @Sendable (any BlobReading) throws -> Value
    ) async throws -> Value {
        let key = try await keptKey(of: blob.id)
        return try await onThread { [self] in
            let reader = try BlobReader(blob.id, path: path(of: blob), in: self, keptKey: key)
            return Result { try work(reader) }
        }
    }

    /// Every file of a blob, a directory's at a time, at most 512: the objects, then what was set aside. Files whose name
    /// no blob can have are left alone.
    package func eachDirectory(_ body: ([StoredBlob]) async throws -> Void) async throws {
        for first in try await names(in: directories.objects) {
            for second in try await names(in: directories.objects + "/" + first) {
                try await Self.pages(try await names(in: directories.objects + "/" + first + "/" + second), nil, body)
            }
        }
        for day in try await names(in: directories.setAside).sorted() where CalendarDay(day) != nil {
            try await Self.pages(try await names(in: directories.setAside + "/" + day), day, body)
        }
    }

    private static func pages(
        _ names: [String], _ day: String?, _ body: ([StoredBlob]) async throws -> Void
    ) async throws {
        let blobs = names.map { BlobID($0) }.filter(BlobIDSequence.isLegal).map { StoredBlob($0, setAsideOn: day) }
        for start in stride(from: 0, to: blobs.count, by: 512) {
            try Task.checkCancellation()
            try await body(Array(blobs[start..<min(start + 512, blobs.count)]))
        }
    }

    /// Names in a directory; none when it is not there or is no directory.
    func names(in path: String) async throws -> [String] {
        do { return try await threads.runIfActive { [files] in try files.names(in: path) } } catch let error
            as BlobFileError where error.isNoDirectory
        { return [] } catch { throw BlobStore.storeError(error) }
    }

    /// What was set aside, oldest first.
    package func setAsideBlobs() async throws -> [SetAsideBlob] {
        var found: [SetAsideBlob] = []
        for day in try await names(in: directories.setAside).sorted() where CalendarDay(day) != nil {
            let blobs = try await names(in: directories.setAside + "/" + day).map { BlobID($0) }
                .filter(BlobIDSequence.isLegal)
            found += try await onThread { [self] in
                Result {
                    try blobs.map { id in
                        let blob = StoredBlob(id, setAsideOn: day)
                        let path = try path(of: blob)
                        return SetAsideBlob(blob: blob, bytes: try size(path), reason: reason(path) ?? "")
                    }
                }
            }
        }
        return found
    }

    /// Blocking.
    private func size(_ path: String) throws -> Int64 {
        let descriptor = try files.openForReading(path)
        defer { files.close(descriptor) }
        return try files.size(descriptor)
    }

    /// Blocking. The first line of the text beside a blob.
    private func reason(_ path: String) -> String? {
        guard let bytes = try? read(path + Self.reasonSuffix, atMost: 4096) else { return nil }
        return String(decoding: bytes.prefix { $0 != 0x0A }, as: UTF8.self)
    }

    /// Blocking. A small file.
    func read(_ path: String, atMost limit: Int) throws -> [UInt8] {
        let descriptor = try files.openForReading(path)
        defer { files.close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: limit)
        let count = try bytes.withUnsafeMutableBytes { try files.read(descriptor, into: $0, at: 0) }
        return Array(bytes.prefix(count))
    }

    /// Blocking. Moves blobs of one directory aside, durably; one that is not there is left out.
    /// - Returns: how many were moved.
    @discardableResult
    func setAside(_ ids: [BlobID], from directory: String, reason: SetAsideReason) throws -> Int {
        if ids.isEmpty { return 0 }
        let day = CalendarDay(configuration.now()).description
        let target = directories.setAside + "/" + day
        try files.makeDirectory(directories.setAside)
        try files.makeDirectory(target)
        try files.synchronizeDirectory(directories.setAside)
        var moved = 0
        for id in ids {
            let text = "\(reason.rawValue)\nfrom \(directory.dropFirst(directories.folder.count + 1))\non \(day)\n"
            try write(Array(text.utf8), new: target + "/" + id.value + Self.reasonSuffix)
            do {
                try files.rename(directory + "/" + id.value, target + "/" + id.value)
                moved += 1
            } catch let error as BlobFileError where error.code == BlobFileError.noEntry {
                try files.remove(target + "/" + id.value + Self.reasonSuffix)
            }
        }
        // The new name first: between the two the blob may have both, never none.
        try files.synchronizeDirectory(target)
        try files.synchronizeDirectory(directory)
        return moved
    }

    /// Moves one object aside for an operator to decide about.
    package func setAside(_ id: BlobID, reason: SetAsideReason) async throws {
        do {
            try await threads.runIfActive { [self] in
                _ = try setAside([id], from: directories.directory(of: id), reason: reason)
            }
        } catch { throw BlobStore.storeError(error) }
    }

    /// Blocking. Writes a small file durably, unless it is there.
    private func write(_ bytes: [UInt8], new path: String) throws {
        let descriptor: Int32
        do { descriptor = try files.create(path) } catch let error as BlobFileError
            where error.code == BlobFileError.exists
        { return }
        defer { files.close(descriptor) }
        try bytes.withUnsafeBytes { try files.write(descriptor, $0, at: 0) }
        try files.synchronize(descriptor)
    }

    /// Brings a blob that was set aside back among the objects, durably. Nothing happens to one that lies there.
    package func putBack(_ blob: StoredBlob) async throws {
        guard let day = blob.setAsideOn else { return }
        do {
            try await threads.runIfActive { [self] in
                let directory = try directories.directory(of: blob.id)
                let from = try path(of: blob)
                try directories.make(directory)
                try files.rename(from, directory + "/" + blob.id.value)
                try files.synchronizeDirectory(directory)
                try files.synchronizeDirectory(directories.setAside + "/" + day)
                try files.remove(from + Self.reasonSuffix)
                try files.removeDirectory(directories.setAside + "/" + day)
            }
        } catch { throw note(error) }
    }

    /// Unlinks a blob that was set aside, provided it can still be opened: what cannot be, for want of its key say, is
    /// nobody's to judge. An erasable one goes without: its key was forgotten before (``forgetKeys(of:)``).
    /// - Returns: whether it is gone.
    func expire(_ blob: StoredBlob) async throws -> Bool {
        guard blob.setAsideOn != nil, mayUnlink else { return false }
        let isErasable = BlobIDSequence.isErasable(blob.id)
        return try await onThread { [self] in
            let path = try path(of: blob)
            let isKept = SetAsideReason(rawValue: reason(path) ?? "").map { !$0.expires } ?? false
            guard !isKept, isErasable || (try? BlobReader(blob.id, path: path, in: self)) != nil else {
                return .success(false)
            }
            return Result {
                try files.remove(path)
                try files.remove(path + Self.reasonSuffix)
                return true
            }
        }
    }

    /// Removes what was not finished: files in `incoming` that nobody of this process writes.
    /// - Parameter newest: seconds since 1970 UTC of the last change of those that go.
    func removeUnfinished(changedUpTo newest: Int64) async throws -> Int {
        guard mayUnlink else { return 0 }
        let names = try await names(in: directories.incoming)
        return try await onThread { [self] in
            Result {
                var removed = 0
                for name in names where !leases.holds(BlobID(name)) {
                    let path = directories.incoming + "/" + name
                    guard let time = try? files.changeTime(path), time <= newest else { continue }
                    try files.remove(path)
                    removed += 1
                }
                return removed
            }
        }
    }
}

/// A day of the calendar in UTC, as the folders of set-aside blobs are named.
struct CalendarDay: Hashable, CustomStringConvertible {
    /// Days since 1970-01-01.
    let number: Int64

    init(_ instant: UTCInstant) {
        let (day, rest) = instant.microseconds.quotientAndRemainder(dividingBy: 86_400_000_000)
        number = rest < 0 ? day - 1 : day
    }

    /// Nil for what is not `yyyy-mm-dd`.
    init?(_ text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard text.utf8.count == 10, parts.count == 3, parts[0].utf8.count == 4, parts[1].utf8.count == 2,
            let year = Int(parts[0]), let month = Int(parts[1]), let day = Int(parts[2]),
            (1...12).contains(month), (1...31).contains(day), year > 0
        else { return nil }
        number = Int64(CivilDate.days(year: year, month: month, day: day))
    }

    var description: String {
        let (year, month, day) = CivilDate.date(days: Int(number))
        func pad(_ number: Int, _ count: Int) -> String {
            let text = String(number)
            return String(repeating: "0", count: max(0, count - text.utf8.count)) + text
        }
        return "\(pad(year, 4))-\(pad(month, 2))-\(pad(day, 2))"
    }
}
