import Synchronization
import Workflow

/// Where blobs lie, and the durability of their names.
final class BlobDirectories: Sendable {
    let incoming: String
    let objects: String
    /// What no row names, in a folder for each day on which it was moved there.
    let setAside: String
    let folder: String
    private let files: any BlobFileOperations
    /// Directories that are durable themselves.
    private let made = Mutex<Set<String>>([])
    private let rounds = Mutex<[String: Round]>([:])

    typealias Completion = @Sendable (Result<Void, any Error>) -> Void

    /// The fsync of one directory under way, and who waits for the one after it.
    private struct Round {
        var waiting: [Completion] = []
    }

    init(folder: String, files: any BlobFileOperations) {
        self.folder = folder
        self.files = files
        incoming = folder + "/incoming"
        objects = folder + "/objects"
        setAside = folder + "/set-aside"
    }

    func makeTopLevel() throws {
        try files.makeDirectory(folder)
        try files.makeDirectory(incoming)
        try files.makeDirectory(objects)
        try files.makeDirectory(setAside)
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

    /// Calls `done` once every name that was in the directory before the call is durable, or with the error of the fsync.
    /// On a thread of the pool: it runs the fsync itself, or leaves that to the thread which runs one of this directory
    /// now. All who come while an fsync runs share the next one. After a failed fsync nobody gets another: the kernel
    /// tells an error once, and a second fsync would not. A directory that could not be opened fails those who shared the
    /// attempt, and the next round tries again.
    func synchronize(_ directory: String, then done: @escaping Completion) {
        let runsAlready = rounds.withLock { rounds in
            if rounds[directory] != nil {
                rounds[directory]?.waiting.append(done)
                return true
            }
            rounds[directory] = Round()
            return false
        }
        if runsAlready { return }
        var waiters = [done]
        var result = Result<Void, any Error>.success(())
        while !waiters.isEmpty {
            if !Self.isFinal(result) { result = Result { try files.synchronizeDirectory(directory) } }
            for waiter in waiters { waiter(result) }
            waiters = rounds.withLock { rounds in
                let waiting = rounds[directory]?.waiting ?? []
                rounds[directory] = waiting.isEmpty ? nil : Round()
                return waiting
            }
        }
    }

    private static func isFinal(_ result: Result<Void, any Error>) -> Bool {
        guard case .failure(let error) = result else { return false }
        return BlobStore.storeError(error).code == .failed
    }
}
