import NIOPosix
import Synchronization
import Workflow

/// Where blobs lie, and the durability of their names.
final class BlobDirectories: Sendable {
    let incoming: String
    let objects: String
    private let folder: String
    private let files: any BlobFileOperations
    private let threads: NIOThreadPool
    /// Directories that are durable themselves.
    private let made = Mutex<Set<String>>([])
    private let rounds = Mutex<[String: Round]>([:])

    private typealias Waiter = CheckedContinuation<Void, any Error>

    /// The fsync of one directory under way, and who waits for the one after it.
    private struct Round {
        var waiting: [Waiter] = []
    }

    init(folder: String, files: any BlobFileOperations, threads: NIOThreadPool) {
        self.folder = folder
        self.files = files
        self.threads = threads
        incoming = folder + "/incoming"
        objects = folder + "/objects"
    }

    func makeTopLevel() throws {
        try files.makeDirectory(folder)
        try files.makeDirectory(incoming)
        try files.makeDirectory(objects)
        try files.synchronizeDirectory(folder)
    }

    func incomingPath(of id: BlobID) -> String { incoming + "/" + id.value }

    /// The directory of a blob. Throws `StoreError(.notFound)` for a name that no blob can have.
    func directory(of id: BlobID) throws -> String {
        guard BlobIDSequence.isLegal(id) else { throw StoreError(.notFound, "no such blob") }
        return objects + "/" + id.value.prefix(2) + "/" + id.value.dropFirst(2).prefix(2)
    }

    func path(of id: BlobID) throws -> String { try directory(of: id) + "/" + id.value }

    /// Makes a blob's directory durably. Blocking; one thread at a time, since it happens once for 256 blobs.
    func make(_ directory: String) throws {
        try made.withLock { made in
            if made.contains(directory) { return }
            let parent = String(directory.dropLast(3))
            try files.makeDirectory(parent)
            try files.makeDirectory(directory)
            try files.synchronizeDirectory(objects)
            try files.synchronizeDirectory(parent)
            made.insert(directory)
        }
    }

    /// Returns when every name that was in the directory before the call is durable. Callers that come while an fsync
    /// runs share the next one.
    func synchronize(_ directory: String) async throws {
        try await withCheckedThrowingContinuation { (waiter: Waiter) in
            let runsAlready = rounds.withLock { rounds in
                if rounds[directory] != nil {
                    rounds[directory]?.waiting.append(waiter)
                    return true
                }
                rounds[directory] = Round()
                return false
            }
            if !runsAlready { run(directory, for: [waiter]) }
        }
    }

    private func run(_ directory: String, for waiters: [Waiter]) {
        threads.submit { [self] state in
            let result: Result<Void, any Error>
            if state == .active {
                result = Result { try files.synchronizeDirectory(directory) }
            } else {
                result = .failure(StoreError(.closed, "the blob store is closed"))
            }
            let next = rounds.withLock { rounds -> [Waiter] in
                let waiting = rounds[directory]?.waiting ?? []
                rounds[directory] = waiting.isEmpty ? nil : Round()
                return waiting
            }
            if !next.isEmpty { run(directory, for: next) }
            for waiter in waiters { waiter.resume(with: result) }
        }
    }
}
