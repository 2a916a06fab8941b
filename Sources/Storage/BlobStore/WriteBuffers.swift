import Cryptography
import Synchronization

/// Memory in which a piece of a blob file is put together: room for the header, then for chunks, each with its tag.
final class WriteBuffer: Sendable {
    /// Aligned for direct writes. Its bytes belong to the one ``BlobWriter`` that took the buffer until it gives it
    /// back: the pool hands out no buffer twice, and its mutex orders one owner's accesses before the next one's.
    nonisolated(unsafe) let bytes: UnsafeMutableRawBufferPointer
    /// Chunks there is room for.
    let chunks: Int

    /// Pages that are never written are never resident, so nothing is written here. What is read from a buffer has been
    /// written to it by its blob before.
    init(chunks: Int, chunkBytes: Int) {
        self.chunks = chunks
        bytes = .allocate(
            byteCount: BlobHeader.bytes + chunks * (chunkBytes + AESGCM.tagBytes), alignment: BlobFileAlignment.bytes)
    }

    deinit { bytes.deallocate() }
}

/// The buffers of blobs being written: large enough that a blob of the usual size is written at once when it is whole.
/// They go from blob to blob, so that each new one does not cost its pages anew.
final class WriteBuffers: Sendable {
    private struct Buffers {
        var idle: [WriteBuffer] = []
        var inUse = 0
    }
    private let chunkBytes: Int
    private let buffers = Mutex(Buffers())

    /// Chunks of a large buffer: with chunks of 256 KiB a blob of 1 MiB is written at once.
    static let chunksMax = 4
    /// Large buffers in use at the same time, 32 MiB; who comes then gets one of a single chunk.
    static let largeMax = 32
    /// Large buffers kept: 8 MiB.
    static let idleMax = 8

    init(chunkBytes: Int) { self.chunkBytes = chunkBytes }

    func take() -> WriteBuffer {
        let (idle, isLarge): (WriteBuffer?, Bool) = buffers.withLock { buffers in
            guard buffers.inUse < WriteBuffers.largeMax else { return (nil, false) }
            buffers.inUse += 1
            return (buffers.idle.popLast(), true)
        }
        return idle ?? WriteBuffer(chunks: isLarge ? WriteBuffers.chunksMax : 1, chunkBytes: chunkBytes)
    }

    func giveBack(_ buffer: WriteBuffer) {
        guard buffer.chunks == WriteBuffers.chunksMax else { return }
        buffers.withLock { buffers in
            buffers.inUse -= 1
            if buffers.idle.count < WriteBuffers.idleMax { buffers.idle.append(buffer) }
        }
    }
}
