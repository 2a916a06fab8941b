import Cryptography
import NIOPosix
import Synchronization
import Workflow

/// One blob being written. Content is gathered in memory as it will lie in the file; `finish` does all the rest in one
/// job on the store's threads: encrypts where it lies, creates the file, writes it, makes it durable and gives it its
/// name. Only a blob that outgrows its ``WriteBuffers`` buffer is written in parts, by the caller of `append`, which so
/// goes no faster than the disk takes it.
final class BlobWriter: BlobWriting {
    let id: BlobID
    private let store: BlobStore
    /// Whether it stays among the incoming files, not durable, until this object is let go.
    private let isPassing: Bool
    private let state: Mutex<State>

    private struct State {
        enum Phase { case open, finishing, finished, ended }
        var phase = Phase.open
        /// -1 before the file is created and once it is closed.
        var descriptor: Int32 = -1
        var isCreated = false
        var header: BlobHeader
        /// Nil once it is given back.
        var buffer: WriteBuffer?
        /// Chunks that may lie in the buffer before they are written.
        var chunksMax: Int
        /// Bytes of content in the buffer.
        var filled = 0
        /// The first chunk in the buffer, which is how many have been written.
        var first: Int64 = 0
        var cipher: AESGCM?
        /// Of what is not encrypted.
        var checksum: GMAC?
        /// Of an erasable blob: its key, which is kept apart.
        var apart: BlobHeader.KeySlot?

        /// Counts in what was put into a part of the buffer.
        func check(_ part: Range<Int>) {
            guard let checksum, let bytes = buffer?.bytes else { return }
            checksum.update(UnsafeRawBufferPointer(rebasing: bytes[part]))
        }
    }

    init(_ id: BlobID, in store: BlobStore, isPassing: Bool = false) {
        self.id = id
        self.isPassing = isPassing
        self.store = store
        let configuration = store.configuration
        let entropy = configuration.entropy
        var header = BlobHeader(
            algorithm: .none, chunkBytes: configuration.chunkBytes, count: 0,
            nonceBase: entropy.bytes(AESGCM.nonceBytes), id: id)
        var cipher: AESGCM?
        var dataKey: [UInt8] = []
        if case .aes256GCM = configuration.encryption {
            header.algorithm = .aes256GCM
            dataKey = entropy.bytes(AESGCM.keyBytes)
            cipher = AESGCM(key: dataKey, .seal)
        }
        self.dataKey = dataKey
        let buffer = store.writeBuffers.take()
        let checksum = cipher == nil ? ContentChecksum.begin(nonce: header.nonceBase) : nil
        state = Mutex(
            State(header: header, buffer: buffer, chunksMax: buffer.chunks, cipher: cipher, checksum: checksum))
        store.leases.take(id)
    }

    /// The blob's own key, 32 bytes, or none.
    private let dataKey: [UInt8]

    /// As long as this object lives, the sweep lets its blob be, also when it is finished: no row may name it yet.
    deinit {
        abort()
        store.leases.giveBack(id)
    }

    var count: Int64 { state.withLock { $0.header.count } }

    func append(_ bytes: UnsafeRawBufferPointer) throws {
        do {
            try state.withLock { state in
                guard state.phase == .open, let buffer = state.buffer?.bytes else {
                    throw StoreError(.misuse, "the blob is not open for writing")
                }
                var rest = bytes
                while !rest.isEmpty {
                    let chunkBytes = state.header.chunkBytes
                    // A full buffer is written when more comes: until then it may hold the last chunk, which is marked.
                    if state.filled == state.chunksMax * chunkBytes { try spill(&state) }
                    let (chunk, within) = state.filled.quotientAndRemainder(dividingBy: chunkBytes)
                    let count = min(rest.count, chunkBytes - within)
                    let start = state.header.bufferOffset(ofChunk: chunk) + within
                    buffer[start..<(start + count)].copyBytes(from: UnsafeRawBufferPointer(rebasing: rest[..<count]))
                    state.check(start..<(start + count))
                    state.filled += count
                    state.header.count += Int64(count)
                    rest = UnsafeRawBufferPointer(rebasing: rest[count...])
                }
            }
        } catch { throw store.note(error) }
    }

    func finish() async throws {
        if isPassing { return try await finishPassing() }
        do {
            let directory = try store.directories.directory(of: id)
            try await withCheckedThrowingContinuation { (done: CheckedContinuation<Void, any Error>) in
                store.threads.submit { [self] threads in
                    do {
                        guard threads == .active else { throw StoreError(.closed, "the blob store is closed") }
                        try place(in: directory)
                    } catch { return done.resume(throwing: store.note(error)) }
                    store.directories.synchronize(directory) { [self] result in
                        // Noted here, before anyone else can take a later fsync of the directory for a good one.
                        done.resume(with: result.mapError { store.note($0) })
                    }
                }
            }
            if let failure = store.failure { throw failure }
            if let slot = state.withLock({ $0.apart }) {
                guard let keeper = store.configuration.keeper else {
                    throw StoreError(.misuse, "nobody keeps the blob's key")
                }
                try await keeper.keep(slot.encoded, of: id)
            }
            state.withLock { state in
                state.phase = .ended
                state.apart = nil
            }
        } catch {
            // A name that is not durable must not stay to be found: the caller was told that there is no blob.
            abort()
            // It may have been kept, and the answer did not come.
            if state.withLock({ $0.apart != nil }) { try? await store.configuration.keeper?.forget([id]) }
            throw store.note(error)
        }
    }

    /// Writes what is left, for this process alone.
    private func finishPassing() async throws {
        do {
            try await withCheckedThrowingContinuation { (done: CheckedContinuation<Void, any Error>) in
                store.threads.submit { [self] threads in
                    done.resume(
                        with: Result {
                            guard threads == .active else { throw StoreError(.closed, "the blob store is closed") }
                            try write()
                            state.withLock { $0.phase = .finished }
                        }.mapError { store.note($0) })
                }
            }
        } catch {
            abort()
            throw error
        }
    }

    func abort() {
        let (descriptor, path): (Int32, String?) = state.withLock { state in
            let descriptor = state.descriptor
            let path: String? =
                switch state.phase {
                case .open, .finishing: state.isCreated ? store.directories.incomingPath(of: id) : nil
                case .finished:
                    isPassing ? store.directories.incomingPath(of: id) : (try? store.directories.path(of: id))
                case .ended: nil
                }
            state.phase = .ended
            state.descriptor = -1
            release(&state)
            return (descriptor, path)
        }
        guard descriptor >= 0 || path != nil else { return }
        // Removing a large file takes the file system a while, which an event loop should not wait for.
        let files = store.files
        store.threads.submit { _ in
            if descriptor >= 0 { files.close(descriptor) }
            // What cannot be removed now is removed by a later sweep.
            if let path { try? files.remove(path) }
        }
    }

    // MARK: On the store's threads

    /// Writes what is left, makes the file durable and gives it its name in `directory`, which is made if need be.
    private func place(in directory: String) throws {
        try write()
        try store.directories.make(directory)
        if let failure = store.failure { throw failure }
        try store.files.rename(store.directories.incomingPath(of: id), directory + "/" + id.value)
        state.withLock { $0.phase = .finished }
    }

    /// Writes what is left and closes the file.
    private func write() throws {
        if let failure = store.failure ?? store.space.refusal() { throw failure }
        try state.withLock { state in
            guard state.phase == .open else { throw StoreError(.misuse, "the blob is not open for writing") }
            state.phase = .finishing
            try close(&state)
        }
    }

    /// Writes the rest and the header, makes the file durable, but for a passing blob, and closes it. In one write when nothing was written
    /// before; otherwise the header comes last.
    private func close(_ state: inout State) throws {
        try create(&state)
        if case .aes256GCM(let ring) = store.configuration.encryption {
            let nonce = store.configuration.entropy.bytes(AESGCM.nonceBytes)
            state.header.wrap(dataKey, for: ring.current, nonce: nonce)
            if BlobIDSequence.isErasable(id) {
                state.apart = state.header.slots.first
                state.header.slots = []
            }
        }
        state.header.checksum = state.checksum?.finish()
        let end = seal(&state, chunks: Int(state.header.chunkCount - state.first), isEnd: true)
        state.buffer?.bytes.copyBytes(from: state.header.encoded)
        if state.first == 0 {
            try writeWhole(state, end)
        } else {
            try write(state, BlobHeader.bytes..<end, at: state.header.fileOffset(ofChunk: state.first))
            try write(state, 0..<BlobHeader.bytes, at: 0)
        }
        if !isPassing { try store.files.synchronize(state.descriptor) }
        store.files.close(state.descriptor)
        state.descriptor = -1
        release(&state)
    }

    // MARK: Writing

    private func create(_ state: inout State) throws {
        guard !state.isCreated else { return }
        state.descriptor = try store.files.create(store.directories.incomingPath(of: id))
        state.isCreated = true
    }

    /// Writes the whole buffer, none of it the last chunk. From then on each chunk is written when it is full, so that
    /// one call of `append` never does long work twice.
    private func spill(_ state: inout State) throws {
        if let refusal = store.space.refusal() { throw refusal }
        try create(&state)
        let chunks = state.chunksMax
        let end = seal(&state, chunks: chunks, isEnd: false)
        try write(state, BlobHeader.bytes..<end, at: state.header.fileOffset(ofChunk: state.first))
        state.first += Int64(chunks)
        state.filled = 0
        state.chunksMax = 1
    }

    /// Encrypts the first `chunks` chunks of the buffer where they lie; gives the offset after them.
    private func seal(_ state: inout State, chunks: Int, isEnd: Bool) -> Int {
        var end = BlobHeader.bytes
        for chunk in 0..<chunks {
            let start = state.header.bufferOffset(ofChunk: chunk)
            let count = min(state.header.chunkBytes, state.filled - chunk * state.header.chunkBytes)
            end = start + count
            guard let cipher = state.cipher else { continue }
            let index = state.first + Int64(chunk)
            let nonce = state.header.nonce(ofChunk: index)
            let associated = state.header.associatedData(ofChunk: index, isLast: isEnd && chunk == chunks - 1)
            if let content = state.buffer?.bytes.baseAddress.map({ $0 + start }) {
                cipher.seal(
                    UnsafeRawBufferPointer(start: content, count: count), to: content, tag: content + count,
                    nonce: nonce, associated: associated)
            }
            end += AESGCM.tagBytes
        }
        return end
    }

    /// Blobs shorter than this go through the page cache, which is quicker for them.
    private static let directBytesMin = 64 << 10

    /// Writes the whole file, `end` bytes. Past the page cache: the bytes go to the disk before `finish` returns in any
    /// case, and a copy into fresh pages costs more than all else that is done to them. See decision 0011.
    private func writeWhole(_ state: borrowing State, _ end: Int) throws {
        let direct = end < Self.directBytesMin ? 0 : end / BlobFileAlignment.bytes * BlobFileAlignment.bytes
        if direct > 0, let bytes = state.buffer?.bytes {
            try store.files.writeDirectly(state.descriptor, UnsafeRawBufferPointer(rebasing: bytes[..<direct]), at: 0)
        }
        try write(state, direct..<end, at: Int64(direct))
    }

    private func write(_ state: borrowing State, _ range: Range<Int>, at offset: Int64) throws {
        guard !range.isEmpty, let bytes = state.buffer?.bytes else { return }
        try store.files.write(state.descriptor, UnsafeRawBufferPointer(rebasing: bytes[range]), at: offset)
    }

    private func release(_ state: inout State) {
        if let buffer = state.buffer { store.writeBuffers.giveBack(buffer) }
        state.buffer = nil
        state.cipher = nil
    }
}

extension BlobHeader {
    /// Where a chunk begins in a buffer that has room for the header and begins with chunk 0.
    func bufferOffset(ofChunk index: Int) -> Int { Int(fileOffset(ofChunk: Int64(index))) }
}
