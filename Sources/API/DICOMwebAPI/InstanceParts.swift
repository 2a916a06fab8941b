import DICOMData
import HTTPSupport
import Hummingbird
import NIOCore
import Workflow

/// The instances of a study or series as the parts of one response: while one is sent, the next ones are read and
/// decrypted on the blob store's threads. In order; never more than ``aheadMax`` beyond the one being sent.
struct InstanceParts: Sendable {
    /// Instances opened ahead; each holds at most `BlobSender.firstBytesMax` bytes.
    static let aheadMax = 4
    /// Parts that lie ready are written together up to this many bytes.
    static let gatheredBytesMax = 256 << 10
    /// Instances that are being made ready at a time of those that are encoded anew, the one being sent among them.
    static let preparedMax = 3

    /// Sends one whole part.
    typealias Sending = @Sendable (inout MultipartFraming, inout any ResponseBodyWriter) async throws -> Void

    let blobs: any BlobStoring
    let files: FileConnection?
    /// What stands before a part that is sent as it is stored.
    let head: @Sendable (Instance, inout MultipartFraming) throws -> ByteBuffer
    /// Whether an instance must be encoded anew.
    let isRecoded: @Sendable (Instance) throws -> Bool
    /// Makes one that is ready to be sent.
    let prepare: @Sendable (Instance) async throws -> Sending
    /// The instances behind one; fewer than `pageCount` on the last page.
    let page: @Sendable (_ after: Instance) async throws -> [Instance]
    let pageCount: Int
    /// Whether a page may be long in coming: then what is at hand is sent first.
    var arrives = false

    /// Starts to open an instance; nil for one that is encoded anew, which reads for itself.
    func open(_ instance: Instance) throws -> OpeningBlob? {
        try isRecoded(instance)
            ? nil : OpeningBlob(instance.blobID, size: instance.size, in: blobs, files: files)
    }

    /// Starts to open the first instances of a page.
    func openAhead(_ instances: [Instance]) throws -> [OpeningBlob?] {
        try instances.prefix(Self.aheadMax).map(open)
    }

    /// Sends all instances, from a first page on, of which the first are being opened, and the end of the body.
    func send(
        _ first: [Instance], opening: [OpeningBlob?], framing: MultipartFraming,
        to writer: inout any ResponseBodyWriter
    ) async throws {
        try await withThrowingTaskGroup(of: [Instance].self) { pages in
            try await withThrowingTaskGroup(of: Prepared.self) { preparing in
                var queue = Queue(instances: first[...], opening: opening[...])
                queue.loads(first, of: self, &pages)
                try await send(&queue, framing, &pages, &preparing, to: &writer)
            }
        }
    }

    private func send(
        _ queue: inout Queue, _ framing: MultipartFraming, _ pages: inout ThrowingTaskGroup<[Instance], any Error>,
        _ preparing: inout ThrowingTaskGroup<Prepared, any Error>, to writer: inout any ResponseBodyWriter
    ) async throws {
        var framing = framing
        var gathered = Gathered()
        while try await queue.fill(of: self, &pages) {
            queue.prepares(of: self, &preparing)
            guard let (instance, opening) = queue.next() else { break }
            guard let opening else {
                try await gathered.flush(to: &writer)
                let sending = try await queue.prepared(instance, of: self, &preparing)
                try await sending(&framing, &writer)
                continue
            }
            let head = try head(instance, &framing)
            let sender = try await opening.value()
            let whole = 0..<instance.size
            if let content = sender.wholeContent(whole) {
                gathered.append([head, content])
                if gathered.byteCount < Self.gatheredBytesMax, queue.isNextReady { continue }
                if !queue.isEmpty { try await gathered.flush(to: &writer) }
            } else {
                try await gathered.flush(to: &writer)
                try await sender.send(whole, before: head, to: &writer)
            }
        }
        gathered.append([framing.end])
        try await gathered.flush(to: &writer)
    }

    /// One that was made ready, by its place in the response.
    private struct Prepared: Sendable {
        let number: Int
        let result: Result<Sending, any Error>
    }

    /// What is to be sent, and what of it is being opened.
    private struct Queue {
        var instances: ArraySlice<Instance>
        /// Of the first instances.
        var opening: ArraySlice<OpeningBlob?>
        var isLoading = false
        /// How many were taken, and how many of all were looked at whether they have to be made ready.
        private var taken = 0
        private var seen = 0
        private var prepared: [Int: Result<Sending, any Error>] = [:]
        /// There was no memory for several at a time: no more are made ready ahead.
        private var isShort = false

        init(instances: ArraySlice<Instance>, opening: ArraySlice<OpeningBlob?>) {
            self.instances = instances
            self.opening = opening
        }

        var isEmpty: Bool { instances.isEmpty && !isLoading }
        var isNextReady: Bool { opening.first.map { $0?.isDone ?? false } ?? false }

        /// Starts to load the page behind one, unless that was the last.
        mutating func loads(
            _ page: [Instance], of parts: InstanceParts, _ pages: inout ThrowingTaskGroup<[Instance], any Error>
        ) {
            guard page.count >= parts.pageCount, let last = page.last else { return }
            isLoading = true
            pages.addTask { try await parts.page(last) }
        }

        /// Takes the next page when it is needed and opens ahead; false at the end.
        mutating func fill(
            of parts: InstanceParts, _ pages: inout ThrowingTaskGroup<[Instance], any Error>
        ) async throws -> Bool {
            while isLoading, parts.arrives ? instances.isEmpty : instances.count <= InstanceParts.aheadMax {
                let page = try await pages.next() ?? []
                isLoading = false
                instances += page
                loads(page, of: parts, &pages)
            }
            while opening.count < min(instances.count, InstanceParts.aheadMax) {
                opening.append(try parts.open(instances[instances.startIndex + opening.count]))
            }
            return !instances.isEmpty
        }

        mutating func next() -> (Instance, OpeningBlob?)? {
            guard let instance = instances.popFirst(), let blob = opening.popFirst() else { return nil }
            taken += 1
            return (instance, blob)
        }

        /// Starts to make ready what of the next ones is encoded anew.
        mutating func prepares(of parts: InstanceParts, _ group: inout ThrowingTaskGroup<Prepared, any Error>) {
            while seen < taken + min(opening.count, isShort ? 1 : InstanceParts.preparedMax) {
                let (number, ahead) = (seen, seen - taken)
                seen += 1
                guard opening[opening.startIndex + ahead] == nil else { continue }
                let instance = instances[instances.startIndex + ahead]
                group.addTask {
                    do { return Prepared(number: number, result: .success(try await parts.prepare(instance))) } catch {
                        return Prepared(number: number, result: .failure(error))
                    }
                }
            }
        }

        /// The one that was taken last, once it is ready.
        mutating func prepared(
            _ instance: Instance, of parts: InstanceParts, _ group: inout ThrowingTaskGroup<Prepared, any Error>
        ) async throws -> Sending {
            while true {
                if let result = prepared.removeValue(forKey: taken - 1) {
                    if case .failure(let error as StoreError) = result, error.code == .unavailable {
                        return try await preparedAlone(instance, of: parts, &group)
                    }
                    return try result.get()
                }
                guard let next = try await group.next() else { throw CancellationError() }
                prepared[next.number] = next.result
            }
        }

        /// Makes one ready for which there was no memory beside others: those behind it are given up until their turn.
        private mutating func preparedAlone(
            _ instance: Instance, of parts: InstanceParts, _ group: inout ThrowingTaskGroup<Prepared, any Error>
        ) async throws -> Sending {
            isShort = true
            while let next = try await group.next() { prepared[next.number] = next.result }
            prepared = prepared.mapValues { _ in .failure(StoreError(.unavailable, "no memory beside another")) }
            return try await parts.prepare(instance)
        }
    }

    /// Bytes that are written in one step.
    private struct Gathered {
        private var buffers: [ByteBuffer] = []
        private(set) var byteCount = 0

        mutating func append(_ parts: [ByteBuffer]) {
            buffers += parts
            byteCount += parts.reduce(0) { $0 + $1.readableBytes }
        }

        mutating func flush(to writer: inout any ResponseBodyWriter) async throws {
            guard !buffers.isEmpty else { return }
            let parts = buffers
            buffers = []
            byteCount = 0
            try await writer.write(contentsOf: parts)
        }
    }
}
