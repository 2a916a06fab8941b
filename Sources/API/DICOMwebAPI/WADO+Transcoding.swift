import Access
import DICOMData
import DICOMPixels
import DICOMTranslation
import HTTPSupport
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import PixelCodecs
import Workflow

/// Instances and frames in another transfer syntax than their own. PS3.18 §8.7.3.
///
/// The first frame is made before the answer begins, so that what cannot be made is a status; a frame behind it that
/// cannot be made breaks the body.
extension DICOMwebRoutes {
    var transcoding: PixelTranscoding { PixelTranscoding(pixels, memory: memory) }

    /// A stored instance with its first frame made.
    struct Made: Sendable {
        let instance: TranscodedInstance
        let sender: BlobSender

        /// The Part 10 file up to its data set.
        func meta() throws -> [UInt8] {
            try FileMeta(
                sopClassUID: instance.sopClassUID, sopInstanceUID: instance.sopInstanceUID,
                transferSyntax: instance.transferSyntax
            ).encoded()
        }

        func send(to writer: inout any ResponseBodyWriter) async throws {
            try await writer.write(ByteBuffer(bytes: try meta()))
            try await instance.send { piece in
                switch piece {
                case .bytes(let bytes): if !bytes.isEmpty { try await writer.write(ByteBuffer(bytes: bytes)) }
                case .stored(let range, let wordSize):
                    try await sender.send(range, swappingBy: wordSize, to: &writer)
                }
            }
        }
    }

    /// - Parameter form: where it names no transfer syntax, an image that is kept with loss is not made: throws
    ///   `PixelCodecError.unsupported`, as for what cannot be. PS3.18 §8.7.3.4.
    private func made(
        _ instance: Instance, as syntax: TransferSyntax, _ form: DICOMwebMediaType.InstanceForm, _ request: APIRequest
    ) async throws -> Made {
        let target = Target(
            study: instance.studyInstanceUID, series: instance.seriesInstanceUID, instance: instance.sopInstanceUID)
        guard let stored = try await page(target, after: nil, request).first else {
            throw HTTPFailure(.notFound, "there is no such instance")
        }
        let header = try StoredHeader(stored)
        // Of what does not say that nothing was lost, the transfer syntax is all that tells of it.
        if form.wanted == .standard, DICOMwebMediaType.mayLose(header.transferSyntax),
            header.dataSet.string(.lossyImageCompression) != "00"
        {
            throw PixelCodecError.unsupported("an image that may be kept with loss")
        }
        let sender = try await BlobSender.open(stored.instance.blobID, in: blobs, range: 0..<0, files: request.files)
        let made = try await transcoding.instance(header, in: syntax, from: sender.reader)
        return Made(instance: made, sender: sender)
    }

    /// One instance transcoded. Throws what kept it from being made.
    func retrieveTranscoded(
        _ instance: Instance, as syntax: TransferSyntax, _ form: DICOMwebMediaType.InstanceForm, _ request: APIRequest
    ) async throws -> Response {
        let permit = try await gate.permit()
        let part =
            form.isMultipart
            ? nil : SinglePart(madeOf: [instance], form: "application/dicom;transfer-syntax=\(syntax.uid)")
        let wanted = part?.wanted(by: request) ?? .whole
        // Another tag may be that of what is sent instead.
        if wanted != .failed, let refusal = try await refusal(of: part, wanted, "retrieve", request) { return refusal }
        let made = try await withTaskExecutorPreference(globalConcurrentExecutor) {
            try await self.made(instance, as: syntax, form, request)
        }
        if let refusal = try await refusal(of: part, wanted, "retrieve", request) { return refusal }
        try await record("retrieve", request)
        return try response(made, of: instance, isMultipart: form.isMultipart, part?.headers ?? [:], permit)
    }

    private func response(
        _ made: Made, of instance: Instance, isMultipart: Bool, _ headers: HTTPFields,
        _ permit: BulkResponseGate.Permit
    ) throws -> Response {
        let syntax = made.instance.transferSyntax
        let meta = try made.meta().count
        guard isMultipart else {
            return .stream(
                contentType: "application/dicom;transfer-syntax=\(syntax.uid)",
                contentLength: made.instance.count.map { meta + Int($0) }, headers: headers
            ) { writer in
                defer { withExtendedLifetime(permit) {} }
                try await made.send(to: &writer)
            }
        }
        var framing = MultipartFraming(boundary: newBoundary())
        let (head, end) = (partHead(of: instance, syntax, in: &framing), framing.end)
        return .stream(
            contentType: framing.contentType(ofParts: Self.dicom),
            contentLength: made.instance.count.map { head.readableBytes + meta + Int($0) + end.readableBytes }
        ) { writer in
            defer { withExtendedLifetime(permit) {} }
            try await writer.write(head)
            try await made.send(to: &writer)
            try await writer.write(end)
        }
    }

    /// One instance of several. What cannot be made is sent as it is stored, which its part says: an origin server may do
    /// so, and the others are not held up by it. PS3.18 §8.7.3.4.
    func transcoded(
        _ instance: Instance, as syntax: TransferSyntax, _ form: DICOMwebMediaType.InstanceForm, _ request: APIRequest
    ) async throws -> InstanceParts.Sending {
        if let made = try await madeIfPossible(instance, as: syntax, form, request) {
            return { framing, writer in
                try await writer.write(partHead(of: instance, syntax, in: &framing))
                try await withTaskExecutorPreference(globalConcurrentExecutor) { try await made.send(to: &writer) }
            }
        }
        let stored = try transferSyntax(of: instance)
        if instance.subject != nil || form.way(of: stored, isTried: true) != .stored {
            return recoded(instance, request)
        }
        return { framing, writer in
            let whole = 0..<instance.size
            let sender = try await BlobSender.open(instance.blobID, in: blobs, range: whole, files: request.files)
            try await sender.send(whole, before: partHead(of: instance, stored, in: &framing), to: &writer)
        }
    }

    /// One instance of several with its first frame made; nil where that cannot be.
    func madeIfPossible(
        _ instance: Instance, as syntax: TransferSyntax, _ form: DICOMwebMediaType.InstanceForm, _ request: APIRequest
    ) async throws -> Made? {
        do {
            return try await withTaskExecutorPreference(globalConcurrentExecutor) {
                try await self.made(instance, as: syntax, form, request)
            }
        } catch let error where Self.isOfTheFrame(error) {
            request.logger.log(
                level: form.wanted == .standard ? .debug : .info,
                "an instance is sent as it is stored: it cannot be transcoded",
                metadata: ["instance": "\(instance.sopInstanceUID)", "why": "\(error)"])
            return nil
        }
    }

    /// Whether another frame may fare better: not where nothing can be decoded now.
    static func isOfTheFrame(_ error: any Error) -> Bool {
        if let failure = error as? any PixelCodingFailure { return !failure.isTemporary }
        return error is PixelCodecError
    }

    // MARK: Frames

    /// Which transfer syntaxes the frames of an instance can be transcoded to.
    static func transcodes(_ header: StoredHeader) -> (TransferSyntax) -> Bool {
        { (try? transcoder(header, to: $0)) != nil }
    }

    static func transcoder(
        _ header: StoredHeader, to syntax: TransferSyntax
    ) throws(PixelCodecError) -> ObjectTranscoder {
        let stored = header.transferSyntax
        return try ObjectTranscoder(
            header.dataSet, from: stored.isDeflated ? .explicitVRLittleEndian : stored, to: syntax)
    }

    /// Frames in the first form that can be made.
    func transcodedFrames(
        _ frames: [(number: Int, frame: PixelDataLayout.Frame)], _ forms: [DICOMwebMediaType.FrameForm],
        _ source: FrameSource, _ header: StoredHeader, _ request: APIRequest
    ) async throws -> Response {
        var permit: BulkResponseGate.Permit? = try await gate.permit()
        var refusal: PixelCodecError?
        for form in forms {
            guard let syntax = form.transcoded else {
                permit = nil
                return try await storedFrames(frames, form, source, header, request)
            }
            let part =
                form.isMultipart
                ? nil
                : SinglePart(madeOf: [header.instance], form: "frame \(frames[0].number) \(form.contentType)")
            let wanted = part?.wanted(by: request) ?? .whole
            if let refusal = try await self.refusal(of: part, wanted, "frames", request) { return refusal }
            do {
                let work = FrameWork(
                    source: source,
                    sender: try await source.open(
                        header.instance, in: blobs, first: frames[0].frame, files: request.files),
                    transcoder: try Self.transcoder(header, to: syntax), transcoding: transcoding,
                    isSingle: frames.count == 1)
                let first = try await withTaskExecutorPreference(globalConcurrentExecutor) {
                    try await work.frame(frames[0].frame)
                }
                try await record("frames", request)
                return response(
                    frames, first, work, form, instanceURL(header.instance), part?.headers ?? [:], permit)
            } catch let error as PixelCodecError {
                refusal = refusal ?? error
            }
        }
        throw refusal ?? PixelCodecError.unsupported("this frame")
    }

    private func response(
        _ frames: [(number: Int, frame: PixelDataLayout.Frame)], _ first: ByteBuffer, _ work: FrameWork,
        _ form: DICOMwebMediaType.FrameForm, _ base: String, _ headers: HTTPFields,
        _ permit: BulkResponseGate.Permit?
    ) -> Response {
        guard form.isMultipart else {
            return .stream(
                contentType: form.contentType, contentLength: first.readableBytes, headers: headers, isBrief: true
            ) { writer in
                defer { withExtendedLifetime(permit) {} }
                try await writer.write(first)
            }
        }
        let framing = MultipartFraming(boundary: newBoundary())
        let inner = MediaType(form.contentType).map { MediaType(type: $0.type, subtype: $0.subtype) } ?? Self.octets
        return .stream(contentType: framing.contentType(ofParts: inner)) { writer in
            defer { withExtendedLifetime(permit) {} }
            var framing = framing
            var content = first
            for index in frames.indices {
                let head = framing.partHead([
                    ("Content-Type", form.contentType),
                    ("Content-Location", "\(base)/frames/\(frames[index].number)"),
                ])
                guard index + 1 < frames.count else {
                    try await writer.write(contentsOf: [head, content, framing.end])
                    break
                }
                async let next = work.frame(frames[index + 1].frame)
                try await writer.write(contentsOf: [head, content])
                content = try await next
            }
        }
    }

    /// Reads frames and has them made.
    struct FrameWork: Sendable {
        let source: FrameSource
        let sender: BlobSender?
        let transcoder: ObjectTranscoder
        let transcoding: PixelTranscoding
        /// In memory at a time.
        private let count: Int
        private let reservation: MemoryReservation

        init(
            source: FrameSource, sender: BlobSender?, transcoder: ObjectTranscoder, transcoding: PixelTranscoding,
            isSingle: Bool
        ) {
            count = isSingle ? 1 : 2
            self.source = source
            self.sender = sender
            self.transcoder = transcoder
            self.transcoding = transcoding
            reservation = transcoding.reservation()
        }

        func frame(_ frame: PixelDataLayout.Frame) async throws -> ByteBuffer {
            try transcoding.reserve(
                count, like: frame, nativeBytes: transcoder.nativeFrameBytes, in: reservation)
            let bytes = try await source.content(of: frame, from: sender)
            return ByteBuffer(bytes: try await transcoder.frame(bytes, by: transcoding.pixels).bytes)
        }
    }
}
