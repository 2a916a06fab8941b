import Synchronization

/// Chunk buffers that go from blob to blob, so that each new one does not cost its pages anew.
final class ChunkBuffers: Sendable {
    private let bytes: Int
    private let idle = Mutex<[[UInt8]]>([])
    /// Buffers kept: 32 of 256 KiB are 8 MiB.
    private static let idleMax = 32

    init(bytes: Int) { self.bytes = bytes }

    func take() -> [UInt8] { idle.withLock { $0.popLast() } ?? [UInt8](repeating: 0, count: bytes) }

    func giveBack(_ buffer: consuming [UInt8]) {
        let buffer = buffer
        guard buffer.count == bytes else { return }
        idle.withLock { if $0.count < ChunkBuffers.idleMax { $0.append(buffer) } }
    }
}
