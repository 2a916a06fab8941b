import DICOMTranslation
import HTTPSupport
import Hummingbird
import NIOCore
import Workflow

/// The metadata of a study, series or instance on its way into one response: while one piece is sent, the next ones are
/// encoded and the next rows read. In order, and no more ahead than the bounds below say, however slow the peer is.
/// PS3.18 §10.4.1.1.2.
struct MetadataParts: Sendable {
    /// Bytes of headers that are encoded as one piece; one instance at least. As JSON they are some times as many.
    static let pieceBytes = 32 << 10
    /// Pieces that are being encoded or wait to be sent.
    static let aheadMax = 4
    /// Bytes of headers of all of these, unless it is one alone.
    static let aheadBytesMax = 1 << 20
    /// Rows are read ahead while the headers that wait have fewer bytes.
    static let waitingBytesMax = 1 << 20

    /// Writes the metadata of one instance behind what is in the buffer.
    let encode: @Sendable (InstanceHeader, inout ResultForm.Stream, inout ByteBuffer) throws -> Void
    /// The rows behind one.
    let page: @Sendable (InstanceHeader) async throws -> [InstanceHeader]
    /// Rows of one reading; fewer say that there are no more.
    let pageCount: Int

    private enum Done: Sendable {
        case page([InstanceHeader])
        case piece(Int, ByteBuffer)
    }

    /// Sends the metadata of `first`, which is not empty, and of all behind it. Throws what encoding, reading and writing do;
    /// part of it may have been sent by then, so that the response must not be ended.
    func send(
        _ first: [InstanceHeader], in stream: ResultForm.Stream, to writer: inout any ResponseBodyWriter
    ) async throws {
        try await withThrowingTaskGroup(of: Done.self) { group in
            var queue = Queue(first, pageCount)
            var ready: [Int: ByteBuffer] = [:]
            while true {
                if let last = queue.pageToRead() { group.addTask { .page(try await page(last)) } }
                while let (number, instances) = queue.pieceToEncode() {
                    let stream = number == 0 ? stream : stream.continued
                    group.addTask { .piece(number, try encoded(instances, in: stream)) }
                }
                if let piece = ready.removeValue(forKey: queue.sent) {
                    try await writer.write(piece)
                    queue.hasSent()
                    continue
                }
                if queue.isEmpty { break }
                switch try await group.next() {
                case .page(let instances): queue.append(instances)
                case .piece(let number, let bytes): ready[number] = bytes
                case nil: throw CancellationError()
                }
            }
        }
        try await writer.write(stream.continued.end)
    }

    private func encoded(_ instances: [InstanceHeader], in stream: ResultForm.Stream) throws -> ByteBuffer {
        var stream = stream
        var buffer = ByteBuffer()
        for instance in instances { try encode(instance, &stream, &buffer) }
        return buffer
    }

    /// What is to be read, encoded and sent.
    private struct Queue {
        private let pageCount: Int
        private var waiting: [InstanceHeader] = []
        /// How many of `waiting` are being encoded or were.
        private var taken = 0
        private var waitingBytes = 0
        /// Behind which more are to be read; nil once all were.
        private var last: InstanceHeader?
        private var isReading = false
        /// Bytes of headers of the pieces that are not sent yet, by their numbers.
        private var ahead: [Int: Int] = [:]
        private var begun = 0
        /// Pieces that were sent, which is the number of the next one.
        private(set) var sent = 0

        init(_ first: [InstanceHeader], _ pageCount: Int) {
            self.pageCount = pageCount
            append(first)
        }

        var isEmpty: Bool { taken == waiting.count && !isReading && last == nil && ahead.isEmpty }

        mutating func append(_ page: [InstanceHeader]) {
            isReading = false
            waiting.removeFirst(taken)
            taken = 0
            waiting += page
            waitingBytes += page.reduce(0) { $0 + $1.header.count }
            last = page.count < pageCount ? nil : page.last
        }

        /// The row behind which the next page is to be read now.
        mutating func pageToRead() -> InstanceHeader? {
            guard !isReading, waitingBytes < MetadataParts.waitingBytesMax, let last else { return nil }
            isReading = true
            return last
        }

        /// The next piece with its number, where there is room for it.
        mutating func pieceToEncode() -> (number: Int, instances: [InstanceHeader])? {
            guard taken < waiting.count, ahead.count < MetadataParts.aheadMax else { return nil }
            var (end, bytes) = (taken + 1, waiting[taken].header.count)
            guard ahead.isEmpty || ahead.values.reduce(bytes, +) <= MetadataParts.aheadBytesMax else { return nil }
            while end < waiting.count, bytes + waiting[end].header.count <= MetadataParts.pieceBytes {
                bytes += waiting[end].header.count
                end += 1
            }
            defer {
                (taken, begun) = (end, begun + 1)
                waitingBytes -= bytes
            }
            ahead[begun] = bytes
            return (begun, Array(waiting[taken..<end]))
        }

        mutating func hasSent() {
            ahead[sent] = nil
            sent += 1
        }
    }
}
