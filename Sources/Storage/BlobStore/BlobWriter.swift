import NIOPosix
import Synchronization
import Workflow

/// One blob being written: content is gathered into chunks, each encrypted where it lies and written at once.
final class BlobWriter: BlobWriting {
    let id: BlobID
    private let store: BlobStore
    private let state: Mutex<State>

    private struct State {
        enum Phase { case open, finishing, finished, ended }
        var phase = Phase.open
        var descriptor: Int32
        var header: BlobHeader
        var buffer: [UInt8]
        /// Bytes of the chunk in `buffer`.
        var filled = 0
        var chunk: Int64 = 0
        var cipher: AESGCM?
    }

    init(_ id: BlobID, in store: BlobStore) throws {
        self.id = id
        self.store = store
        let configuration = store.configuration
        let entropy = configuration.entropy
        let descriptor = try store.files.create(store.directories.incomingPath(of: id))
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
        state = Mutex(
            State(descriptor: descriptor, header: header, buffer: store.buffers.take(), cipher: cipher))
    }

    /// The blob's own key, 32 bytes, or none.
    private let dataKey: [UInt8]

    deinit { abort() }

    var count: Int64 { state.withLock { $0.header.count } }

    func append(_ bytes: UnsafeRawBufferPointer) throws {
        do {
            try state.withLock { state in
                guard state.phase == .open else { throw StoreError(.misuse, "the blob is not open for writing") }
                var rest = bytes
                while !rest.isEmpty {
                    // A full chunk is written when more comes: until then it may be the last, which is marked.
                    if state.filled == state.header.chunkBytes { try write(&state, isLast: false) }
                    let count = min(rest.count, state.header.chunkBytes - state.filled)
                    let filled = state.filled
                    state.buffer.withUnsafeMutableBytes { buffer in
                        buffer[filled..<(filled + count)].copyBytes(
                            from: UnsafeRawBufferPointer(rebasing: rest[..<count]))
                    }
                    state.filled += count
                    state.header.count += Int64(count)
                    rest = UnsafeRawBufferPointer(rebasing: rest[count...])
                }
            }
        } catch { throw store.note(error) }
    }

    func finish() async throws {
        do {
            let directory = try store.directories.directory(of: id)
            try await store.threads.runIfActive { [self] in
                try state.withLock { state in
                    guard state.phase == .open else { throw StoreError(.misuse, "the blob is not open for writing") }
                    state.phase = .finishing
                    try close(&state)
                }
                try store.directories.make(directory)
                if let failure = store.failure { throw failure }
                try store.files.rename(store.directories.incomingPath(of: id), directory + "/" + id.value)
                state.withLock { $0.phase = .finished }
            }
            try await store.directories.synchronize(directory)
            if let failure = store.failure { throw failure }
            state.withLock { $0.phase = .ended }
        } catch {
            // A name that is not durable must not stay to be found: the caller was told that there is no blob.
            abort()
            throw store.note(error)
        }
    }

    func abort() {
        let (descriptor, path): (Int32, String?) = state.withLock { state in
            let descriptor = state.descriptor
            let path: String? =
                switch state.phase {
                case .open, .finishing: store.directories.incomingPath(of: id)
                case .finished: try? store.directories.path(of: id)
                case .ended: nil
                }
            state.phase = .ended
            state.descriptor = -1
            state.cipher = nil
            store.buffers.giveBack(state.buffer)
            state.buffer = []
            return (descriptor, path)
        }
        guard descriptor >= 0 || path != nil else { return }
        // Removing a large file takes the file system a while, which an event loop should not wait for.
        let files = store.files
        store.threads.submit { _ in
            if descriptor >= 0 { files.close(descriptor) }
            // What cannot be removed now is removed by the sweep of the next start.
            if let path { try? files.remove(path) }
        }
    }

    /// Writes the last chunk and the header, makes the file durable and closes it.
    private func close(_ state: inout State) throws {
        if state.header.chunkCount > state.chunk { try write(&state, isLast: true) }
        if case .aes256GCM(let ring) = store.configuration.encryption {
            let nonce = store.configuration.entropy.bytes(AESGCM.nonceBytes)
            state.header.wrap(dataKey, for: ring.current, nonce: nonce)
        }
        try state.header.encoded.withUnsafeBytes { try store.files.write(state.descriptor, $0, at: 0) }
        try store.files.synchronize(state.descriptor)
        store.files.close(state.descriptor)
        state.descriptor = -1
        store.buffers.giveBack(state.buffer)
        state.buffer = []
        state.cipher = nil
    }

    private func write(_ state: inout State, isLast: Bool) throws {
        let (header, chunk, filled) = (state.header, state.chunk, state.filled)
        let (descriptor, cipher) = (state.descriptor, state.cipher)
        try state.buffer.withUnsafeMutableBytes { buffer in
            guard let start = buffer.baseAddress else { return }
            var written = filled
            if let cipher {
                cipher.seal(
                    UnsafeRawBufferPointer(start: start, count: filled), to: start, tag: start + filled,
                    nonce: header.nonce(ofChunk: chunk),
                    associated: header.associatedData(ofChunk: chunk, isLast: isLast))
                written += AESGCM.tagBytes
            }
            try store.files.write(
                descriptor, UnsafeRawBufferPointer(start: start, count: written), at: header.fileOffset(ofChunk: chunk))
        }
        state.chunk += 1
        state.filled = 0
    }
}
