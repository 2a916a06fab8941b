import Access
import HTTPTypes
import NIOCore

/// A request body that is collected in memory, as it is when nothing codes it any more.
struct CollectedBody {
    /// Bodies up to this size are not reserved for: the door's connections times this are held anyhow.
    private static let freeBytes = 64 << 10
    /// A resource, its parts, what is stored of it and its index take this many times its bytes.
    private static let weight = 6

    private let limit: Int
    private let memory: MemoryReservation?
    private var whole: ByteBuffer?

    /// - Parameters:
    ///   - limit: in bytes.
    ///   - memory: what the bytes are reserved of; nil where nothing is bounded in sum.
    init(limit: Int, memory: MemoryReservation?) {
        self.limit = limit
        self.memory = memory
    }

    /// What was collected.
    var bytes: ByteBuffer { whole ?? ByteBuffer() }

    /// Throws `.tooLarge` one byte past the limit, and `.unavailable` when there is no memory for it now.
    mutating func append(_ chunk: ByteBuffer) throws(HTTPFailure) {
        let held = (whole?.readableBytes ?? 0) + chunk.readableBytes
        guard held <= limit else { throw Self.tooLarge(limit) }
        if let memory, held > Self.freeBytes, !memory.grow(to: Self.weight * held) {
            throw HTTPFailure(
                .unavailable, "The server is busy with other requests", headers: [.retryAfter: "2"],
                closesConnection: true)
        }
        if whole == nil { whole = chunk } else { whole?.writeImmutableBuffer(chunk) }
    }

    static func tooLarge(_ limit: Int) -> HTTPFailure {
        HTTPFailure(.tooLarge, "The body is larger than \(limit) bytes", closesConnection: true)
    }
}
