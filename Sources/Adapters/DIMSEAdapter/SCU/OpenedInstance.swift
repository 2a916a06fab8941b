import Access
import DICOMData
import DICOMNetwork
import DICOMTranslation
import NIOCore
import Workflow

/// A stored instance that is being sent by C-STORE: its blob is open, and its first bytes are read and decrypted.
struct OpenedInstance: Sendable {
    /// Bytes that are read on opening, so that most objects are whole by then.
    private static let firstBytesMax = 1 << 20

    /// For whom a C-STORE is done. PS3.7 §9.1.1.1.
    struct Originator: Sendable {
        let aeTitle: AETitle
        let messageID: UInt16
    }

    let instance: Instance
    private let reader: any BlobReading
    /// The front of the data set.
    private let first: ByteBuffer
    private var end: Int64 { instance.size }

    /// Throws ``StoreError``.
    static func open(_ instance: Instance, in blobs: any BlobStoring) async throws -> OpenedInstance {
        try await blobs.open(instance.blobID) { try opened(instance, $0) }
    }

    /// The same of a blob that is open. Throws ``StoreError``.
    static func open(_ instance: Instance, reading reader: any BlobReading) async throws -> OpenedInstance {
        try await reader.perform { try opened(instance, reader) }
    }

    /// Blocks.
    private static func opened(_ instance: Instance, _ reader: any BlobReading) throws -> OpenedInstance {
        guard reader.count == instance.size, instance.dataSetOffset <= instance.size else {
            throw StoreError(.corrupt, "a blob is not as long as its row says")
        }
        let count = min(instance.size - instance.dataSetOffset, Int64(firstBytesMax))
        return OpenedInstance(
            instance: instance, reader: reader,
            first: try bytes(reader, instance.dataSetOffset..<instance.dataSetOffset + count))
    }

    /// The accepted context that an instance can be sent on: of its class, as it is stored, or else without compression;
    /// nil without one. PS3.4 §C.4.2.3.1, §C.4.3.3.1.
    ///
    /// - Parameter decodes: whether what is stored with compression can be decoded.
    static func context(
        for instance: Instance, in negotiated: NegotiatedAssociation, byRequestor: Bool, decodes: Bool = false
    ) -> PresentationContext? {
        var native: PresentationContext?
        for context in negotiated.contexts
        where context.abstractSyntax == instance.sopClassUID
            && context.permits(.cStoreRequest, byRequestor: byRequestor)
        {
            if context.transferSyntax == instance.transferSyntaxUID, goesAsStored(instance) { return context }
            guard let stored = TransferSyntax(uid: instance.transferSyntaxUID),
                let syntax = TransferSyntax(uid: context.transferSyntax),
                RecodedDataSet.isPossible(from: stored, to: syntax)
                    || (decodes && PixelTranscoding.decompresses(stored, to: syntax))
            else { continue }
            if native == nil || !syntax.isImplicit { native = context }
        }
        return native
    }

    /// Whether it can be sent in its own transfer syntax. What is to say of another what it is, is made anew, and nothing is
    /// made in big endian or deflated.
    private static func goesAsStored(_ instance: Instance) -> Bool {
        guard instance.subject != nil, let stored = TransferSyntax(uid: instance.transferSyntaxUID) else { return true }
        return !stored.isBigEndian && !stored.isDeflated
    }

    /// Lets so many bytes more be sent, when it is time. Throws `CancellationError`.
    typealias Pace = @Sendable (Int) async throws -> Void

    /// Bytes of decoded frames that are kept between their check and their sending.
    private static let keptBytesMax = 64 << 20

    /// Sends it, and gives the peer's status. `header` brings the stored header, for another transfer syntax and for what
    /// is to say of another what it is.
    /// Throws ``SCUError``, ``StoreError``, and what ``PixelTranscoding`` throws, before anything is sent.
    func store(
        on context: PresentationContext, by invoker: OperationInvoker, originator: Originator?, pace: Pace? = nil,
        transcoding: PixelTranscoding? = nil, header: @Sendable () async throws -> InstanceHeader?
    ) async throws -> DIMSEStatus {
        let instance = instance
        let makeCommand = { @Sendable (messageID: UInt16) in
            CommandSet.cStoreRequest(
                messageID: messageID, sopClassUID: instance.sopClassUID, sopInstanceUID: instance.sopInstanceUID,
                moveOriginator: originator.map { ($0.aeTitle, $0.messageID) })
        }
        guard context.transferSyntax == instance.transferSyntaxUID, instance.subject == nil else {
            // Computes in proportion to the header or the pixels: not on the event loop that its caller may run on.
            return try await withTaskExecutorPreference(globalConcurrentExecutor) {
                try await storeRecoded(
                    on: context, by: invoker, pace: pace, transcoding: transcoding, header: header, makeCommand)
            }
        }
        let begun = instance.dataSetOffset + Int64(first.readableBytes)
        try await pace?(first.readableBytes)
        guard begun < end else { return try await invoker.status(context, first, makeCommand) }
        return try await store(on: context, by: invoker, makeCommand) { writer, parts in
            try await parts.write(first)
            try await send(begun..<end, swappingBy: 1, &parts, writer, pace)
        }
    }

    /// Sends it in another transfer syntax than it is stored in, or saying of another what it is.
    private func storeRecoded(
        on context: PresentationContext, by invoker: OperationInvoker, pace: Pace?, transcoding: PixelTranscoding?,
        header: @Sendable () async throws -> InstanceHeader?, _ makeCommand: @escaping @Sendable (UInt16) -> CommandSet
    ) async throws -> DIMSEStatus {
        let isDeflated = TransferSyntax(uid: instance.transferSyntaxUID)?.isDeflated == true
        if isDeflated, instance.subject == nil {
            return try await store(on: context, by: invoker, makeCommand) { writer, parts in
                try await sendInflated(&parts, writer, pace)
            }
        }
        guard let stored = try await header(), let syntax = TransferSyntax(uid: context.transferSyntax) else {
            throw StoreError(.notFound, "an instance is gone")
        }
        if let transcoding, PixelTranscoding.decompresses(try transferSyntax(), to: syntax) {
            let decoded = try await Self.decoded {
                try await transcoding.instance(try StoredHeader(stored), in: syntax, from: reader)
            }
            return try await store(decoded, on: context, by: invoker, pace: pace, makeCommand)
        }
        let known = try StoredHeader(stored)
        // A deflated one is small enough to be changed in memory, or is not sent.
        let reservation = transcoding?.reservation() ?? MemoryBudget.unlimited.reservation()
        defer { reservation.release() }
        let dataSet =
            isDeflated
            ? try await InstanceRewriting.inflated(known, from: reader, holding: reservation) : known.dataSet
        let recoded = try await RecodedDataSet(
            dataSet, of: isDeflated ? .explicitVRLittleEndian : known.transferSyntax, in: syntax
        ) { range in
            try await reader.read(offset: range.lowerBound, length: range.count)
        }
        return try await store(recoded, on: context, by: invoker, pace: pace, makeCommand)
    }

    private func transferSyntax() throws -> TransferSyntax {
        guard let syntax = TransferSyntax(uid: instance.transferSyntaxUID) else {
            throw StoreError(.corrupt, "a stored instance names an unknown transfer syntax")
        }
        return syntax
    }

    /// An instance without compression, every frame of it known to be sound: half a data set cannot be taken back.
    static func decoded(
        _ make: @Sendable () async throws -> TranscodedInstance
    ) async throws -> TranscodedInstance {
        try await withTaskExecutorPreference(globalConcurrentExecutor) {
            var decoded = try await make()
            try await decoded.check(keeping: Self.keptBytesMax)
            return decoded
        }
    }

    /// Sends it decoded, and gives the peer's status.
    func store(
        _ decoded: TranscodedInstance, on context: PresentationContext, by invoker: OperationInvoker, pace: Pace?,
        _ makeCommand: @escaping @Sendable (UInt16) -> CommandSet
    ) async throws -> DIMSEStatus {
        try await store(on: context, by: invoker, makeCommand) { writer, parts in
            try await decoded.send { piece in try await send(piece, &parts, writer, pace) }
        }
    }

    /// Sends what is written part by part, and gives the peer's status.
    private func store(
        on context: PresentationContext, by invoker: OperationInvoker,
        _ makeCommand: @escaping @Sendable (UInt16) -> CommandSet,
        _ content: @escaping @Sendable (DataSetWriter, inout PartStream) async throws -> Void
    ) async throws -> DIMSEStatus {
        try await invoker.invoke(
            context,
            content: { writer in
                var parts = PartStream(writer)
                try await content(writer, &parts)
                try await parts.finish()
            }, makeCommand
        ).last?.message.status ?? .processingFailure
    }

    private func send(
        _ piece: RecodedDataSet.Piece, _ parts: inout PartStream, _ writer: DataSetWriter, _ pace: Pace?
    ) async throws {
        switch piece {
        case .bytes(let bytes):
            // A frame may be large: no part is.
            for start in stride(from: 0, to: bytes.count, by: writer.partBytes) {
                let part = bytes[start..<min(start + writer.partBytes, bytes.count)]
                try await pace?(part.count)
                try await parts.write(ByteBuffer(bytes: part))
            }
        case .stored(let range, let size): try await send(range, swappingBy: size, &parts, writer, pace)
        }
    }

    /// Sends another form of it, and gives the peer's status. Throws ``SCUError`` and ``StoreError``.
    func store(
        _ recoded: RecodedDataSet, on context: PresentationContext, by invoker: OperationInvoker, pace: Pace?,
        _ makeCommand: @escaping @Sendable (UInt16) -> CommandSet
    ) async throws -> DIMSEStatus {
        try await store(on: context, by: invoker, makeCommand) { writer, parts in
            for piece in recoded.pieces { try await send(piece, &parts, writer, pace) }
        }
    }

    private func send(
        _ range: Range<Int64>, swappingBy size: Int, _ parts: inout PartStream, _ writer: DataSetWriter, _ pace: Pace?
    ) async throws {
        var position = range.lowerBound
        // Whole words in each part.
        let partBytes = Int64(max(8, writer.partBytes & ~7))
        while position < range.upperBound {
            let next = min(position + partBytes, range.upperBound)
            let part = try await reader.perform { [position] in
                try Self.bytes(reader, position..<next, swappingBy: size)
            }
            try await pace?(part.readableBytes)
            try await parts.write(part)
            position = next
        }
    }

    /// The data set of a deflated instance, inflated by a window of it.
    private func sendInflated(_ parts: inout PartStream, _ writer: DataSetWriter, _ pace: Pace?) async throws {
        var stream = try InflateStream()
        var position = instance.dataSetOffset
        while !stream.isAtEnd {
            if stream.needsInput {
                let input = try await reader.read(offset: position, length: InflateStream.inputBytesMax)
                guard !input.isEmpty else { throw StoreError(.corrupt, "a deflated data set has no end") }
                position += Int64(input.count)
                stream.feed(input)
            }
            var part = ByteBufferAllocator().buffer(capacity: writer.partBytes)
            let count = try part.writeWithUnsafeMutableBytes(minimumWritableBytes: writer.partBytes) { target in
                try stream.read(into: UnsafeMutableRawBufferPointer(rebasing: target[..<writer.partBytes]))
            }
            if count > 0 {
                try await pace?(count)
                try await parts.write(part)
            }
        }
    }

    /// Reads a range. Blocks.
    private static func bytes(
        _ reader: any BlobReading, _ range: Range<Int64>, swappingBy size: Int = 1
    ) throws -> ByteBuffer {
        var buffer = ByteBufferAllocator().buffer(capacity: range.count)
        try buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: range.count) { target in
            let target = UnsafeMutableRawBufferPointer(rebasing: target[..<range.count])
            try reader.fill(target, at: range.lowerBound)
            if size > 1, range.count >= size {
                for start in stride(from: 0, through: range.count - size, by: size) {
                    var word = UnsafeMutableRawBufferPointer(rebasing: target[start..<start + size])
                    word.reverse()
                }
            }
            return range.count
        }
        return buffer
    }
}
