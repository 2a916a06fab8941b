import Cryptography
import NIOPosix
import Synchronization
import Workflow

/// Random access to one blob: reads and decrypts only the chunks that a range touches. Safe for concurrent use.
final class BlobReader: BlobReading {
    let count: Int64
    let plainFile: PlainBlobFile?
    private let store: BlobStore
    private let descriptor: Int32
    private let header: BlobHeader
    private let dataKey: [UInt8]
    /// Ciphers not in use; each concurrent read takes one.
    private let ciphers = Mutex<[CipherSlot]>([])

    /// A cipher that only the thread inside its mutex uses.
    private final class CipherSlot: Sendable {
        let cipher: Mutex<AESGCM>
        init(key: [UInt8]) { cipher = Mutex(AESGCM(key: key, .open)) }
    }

    /// Opens and checks the file. Blocking. Throws `StoreError(.corrupt)` when header, id, form, key or length are not those
    /// that the id's row stands for.
    /// - Parameter keptKey: of an erasable blob, its key as it is kept apart.
    init(_ id: BlobID, path: String, in store: BlobStore, keptKey: [UInt8]? = nil) throws {
        let descriptor = try store.files.openForReading(path)
        do {
            var header = try BlobReader.readHeader(descriptor, store.files)
            guard header.id == id else { throw StoreError(.corrupt, "the file holds another blob") }
            guard try store.files.size(descriptor) == header.fileBytes else {
                throw StoreError(.corrupt, "the blob file is cut or has grown")
            }
            try BlobReader.checkForm(header, store.configuration)
            switch header.algorithm {
            case .none: dataKey = []
            case .aes256GCM:
                guard let ring = store.configuration.keys else {
                    throw StoreError(.misuse, "the blob is encrypted and no key of the store is there")
                }
                // A key that was put into the file of an erasable blob is not its key.
                if BlobIDSequence.isErasable(id) {
                    header.slots = try keptKey.map { [try BlobHeader.KeySlot($0)] } ?? []
                }
                dataKey = try header.dataKey(ring)
            }
            self.header = header
        } catch {
            store.files.close(descriptor)
            throw error
        }
        self.store = store
        self.descriptor = descriptor
        count = header.count
        plainFile =
            header.algorithm == .none
            ? PlainBlobFile(descriptor: descriptor, offset: Int64(BlobHeader.bytes)) : nil
    }

    deinit { store.files.close(descriptor) }

    /// Refuses a file that does not lie in the form in which its blob was written: it was put there by somebody else.
    private static func checkForm(_ header: BlobHeader, _ configuration: BlobStoreConfiguration) throws {
        if let form = BlobIDSequence.form(of: header.id) {
            guard form == header.algorithm else {
                throw StoreError(.corrupt, "the blob file is not in the form its name says (encrypted or not)")
            }
        } else if header.algorithm == .none, configuration.form != .none, !configuration.acceptsPlain {
            throw StoreError(
                .corrupt,
                "the blob file is not encrypted and the store is; if encryption was switched on later, say so by "
                    + "store.plain-blobs: accept")
        }
    }

    /// Bytes of a chunk that are read and decrypted at a time.
    private static let stepBytes = 64 << 10

    static func readHeader(_ descriptor: Int32, _ files: any BlobFileOperations) throws -> BlobHeader {
        var bytes = [UInt8](repeating: 0, count: BlobHeader.bytes)
        let count = try bytes.withUnsafeMutableBytes { try files.read(descriptor, into: $0, at: 0) }
        return try BlobHeader(Array(bytes[..<count]))
    }

    /// Reads all content and compares it with its tags or its checksum. Blocking.
    /// - Parameter pace: told the bytes of each step before it is read.
    /// - Returns: false where there is nothing to compare with: unencrypted, written before there were checksums.
    /// Throws `StoreError(.corrupt)`.
    func verify(_ pace: (Int) -> Void) throws -> Bool {
        let checksum = header.algorithm == .none ? ContentChecksum.begin(nonce: header.nonceBase) : nil
        let step = header.chunkBytes
        var buffer = [UInt8](repeating: 0, count: step)
        var offset: Int64 = 0
        while offset < count {
            let part = Int(min(Int64(step), count - offset))
            pace(part)
            try buffer.withUnsafeMutableBytes { buffer in
                let target = UnsafeMutableRawBufferPointer(rebasing: buffer[..<part])
                try fill(target, at: offset)
                checksum?.update(UnsafeRawBufferPointer(target))
            }
            offset += Int64(part)
        }
        guard let checksum else { return true }
        guard let written = header.checksum else { return false }
        guard checksum.finish() == written else {
            throw StoreError(.corrupt, "the blob's content is not what was written")
        }
        return true
    }

    func perform<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await store.onThread { Result { try work() } }
    }

    func fill(_ target: UnsafeMutableRawBufferPointer, at offset: Int64) throws {
        guard offset >= 0, offset <= count, Int64(target.count) <= count - offset else {
            throw StoreError(.misuse, "a range outside of the blob")
        }
        if target.isEmpty { return }
        if header.algorithm == .none {
            let start = Int64(BlobHeader.bytes) + offset
            guard try store.files.read(descriptor, into: target, at: start) == target.count else {
                throw StoreError(.corrupt, "the blob file is cut")
            }
        } else {
            try decrypt(offset: offset, into: target)
        }
    }

    func preload(_ length: Int, at offset: Int64) throws {
        guard let plainFile, length > 0, offset >= 0, offset < count else { return }
        let length = min(Int64(length), count - offset)
        try store.files.preload(descriptor, at: plainFile.offset + offset, count: length)
    }

    private func decrypt(offset: Int64, into target: UnsafeMutableRawBufferPointer) throws {
        let slot = ciphers.withLock { $0.popLast() } ?? CipherSlot(key: dataKey)
        defer { ciphers.withLock { $0.append(slot) } }
        // A pointer may not enter the mutex with the cipher, its address may: nothing of it is kept inside.
        let (address, length) = (UInt(bitPattern: target.baseAddress), target.count)
        try slot.cipher.withLock { cipher in
            let start = UnsafeMutableRawPointer(bitPattern: address)
            try decrypt(offset: offset, into: UnsafeMutableRawBufferPointer(start: start, count: length), cipher)
        }
    }

    private func decrypt(offset: Int64, into target: UnsafeMutableRawBufferPointer, _ cipher: AESGCM) throws {
        var scratch = store.buffers.take()
        defer { store.buffers.giveBack(scratch) }
        if scratch.count < header.chunkBytes + AESGCM.tagBytes {
            scratch = [UInt8](repeating: 0, count: header.chunkBytes + AESGCM.tagBytes)
        }
        try scratch.withUnsafeMutableBytes { scratch in
            var done = 0
            while done < target.count {
                let position = offset + Int64(done)
                let chunk = position / Int64(header.chunkBytes)
                let skipped = Int(position % Int64(header.chunkBytes))
                let content = header.contentBytes(ofChunk: chunk)
                let wanted = min(content - skipped, target.count - done)
                guard let start = scratch.baseAddress, let out = target.baseAddress else { return }
                // A chunk that is wanted whole is decrypted where it belongs, another in the scratch buffer.
                let place = wanted == content ? out + done : start
                try open(chunk, content, scratch, to: place, cipher)
                if wanted < content { (out + done).copyMemory(from: start + skipped, byteCount: wanted) }
                done += wanted
            }
        }
    }

    private func open(
        _ chunk: Int64, _ content: Int, _ scratch: UnsafeMutableRawBufferPointer, to target: UnsafeMutableRawPointer,
        _ cipher: AESGCM
    ) throws {
        func damage() -> StoreError {
            StoreError(.corrupt, "chunk \(chunk) of the blob is not what was written")
        }
        let associated = header.associatedData(ofChunk: chunk, isLast: chunk == header.chunkCount - 1)
        guard cipher.beginOpening(nonce: header.nonce(ofChunk: chunk), associated: associated) else { throw damage() }
        let place = header.fileOffset(ofChunk: chunk)
        // In steps that stay in the processor's cache between being read and being decrypted. What is decrypted in the
        // scratch buffer itself must stay there, so each step lies behind the one before.
        let staysInScratch = target == scratch.baseAddress
        var done = 0
        repeat {
            let part = min(BlobReader.stepBytes, content - done)
            let isEnd = done + part == content
            let from = staysInScratch ? done : 0
            let stored = UnsafeMutableRawBufferPointer(
                rebasing: scratch[from..<(from + part + (isEnd ? AESGCM.tagBytes : 0))])
            guard let start = stored.baseAddress,
                try store.files.read(descriptor, into: stored, at: place + Int64(done)) == stored.count,
                cipher.openPart(UnsafeRawBufferPointer(start: start, count: part), to: target + done),
                !isEnd || cipher.endOpening(tag: start + part)
            else { throw damage() }
            done += part
        } while done < content
    }
}
