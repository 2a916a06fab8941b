import NIOCore
import Synchronization

/// Buffers that go from one response to the next, so that each piece of a body does not cost its memory pages anew.
///
/// A buffer that is lent out stays in a ring; when its turn comes again and the socket has let go of it, its memory is
/// used once more, else it is forgotten and new memory is taken. So nobody has to give a buffer back.
package final class RecycledBuffers: Sendable {
    private let ring = Mutex<[ByteBuffer]>([])
    private let countMax: Int

    /// - Parameter countMax: buffers kept.
    package init(countMax: Int) { self.countMax = countMax }

    /// A buffer of `count` bytes that `fill` writes, all of them.
    package func filled(_ count: Int, _ fill: (UnsafeMutableRawBufferPointer) throws -> Void) throws -> ByteBuffer {
        var buffer = ring.withLock { $0.count < countMax ? ByteBuffer() : $0.removeFirst() }
        // Takes new memory when somebody still holds what was in the buffer.
        buffer.clear(minimumCapacity: count)
        try buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { room in
            try fill(UnsafeMutableRawBufferPointer(rebasing: room[..<count]))
            return count
        }
        let lent = buffer
        ring.withLock { if $0.count < countMax { $0.append(lent) } }
        return buffer
    }
}
