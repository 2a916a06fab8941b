import Access
import DICOMData
import DICOMPixels
import DICOMTranslation
import HTTPSupport
import HTTPTypes
import Hummingbird
import NIOCore
import Workflow

/// Retrieve instances, metadata, frames and bulk data. PS3.18 §10.4.
extension DICOMwebRoutes {
    /// Rows taken from the index at a time while streaming.
    static let batch = 100
    private static let dicom = MediaType(type: "application", subtype: "dicom")
    private static let octets = MediaType(type: "application", subtype: "octet-stream")

    /// The UIDs of a URL.
    private struct Target {
        var study: String
        var series: String?
        var instance: String?
    }

    private func target(_ request: APIRequest) throws -> Target {
        func uid(_ name: String) throws -> String? {
            let text = request.parameters[name]
            if text.isEmpty { return nil }
            guard UID.isSafe(text) else { throw HTTPFailure(.malformed, "the \(name) in the URL is no UID") }
            return text
        }
        return Target(study: try uid("study") ?? "", series: try uid("series"), instance: try uid("instance"))
    }

    private func page(_ target: Target, after: String?, _ request: APIRequest) async throws -> [InstanceHeader] {
        try await index.headers(
            studyInstanceUID: target.study, seriesInstanceUID: target.series, sopInstanceUID: target.instance,
            after: after,
            limit: Self.batch, access: request.access)
    }

    private func accept(_ request: APIRequest) throws -> [DICOMwebMediaType.Wish] {
        try DICOMwebMediaType.wishes(try request.query()["accept"] ?? request.headers[.accept])
    }

    // MARK: Instances. §10.4.1.1

    func retrieve(_ request: APIRequest) async throws -> Response {
        let target = try target(request)
        if target.instance != nil { return try await retrieveOne(target, request) }
        let first = try await instances(target, after: nil, request)
        guard !first.isEmpty else {
            throw HTTPFailure(.notFound, "there is no such \(target.series == nil ? "study" : "series")")
        }
        let syntaxes = try first.map { try transferSyntax(of: $0) }
        guard let form = DICOMwebMediaType.instanceForm(try accept(request), stored: syntaxes, isSingle: false),
            form.isMultipart
        else {
            throw HTTPFailure(
                .notAcceptable, "available: multipart/related; type=\"application/dicom\"; transfer-syntax=*")
        }
        let parts = instanceParts(target, recodes: form.isRecoded, request)
        // Before anything is opened: what is read ahead is bounded by the responses that may be sent at a time.
        let permit = try await gate.permit()
        let opening = try parts.openAhead(first)
        try await record("retrieve", request)
        let framing = MultipartFraming(boundary: newBoundary())
        return .stream(contentType: framing.contentType(ofParts: Self.dicom), isBrief: true) { writer in
            defer { withExtendedLifetime(permit) {} }
            try await parts.send(first, opening: opening, framing: framing, to: &writer)
        }
    }

    /// The parts of a study or series.
    private func instanceParts(_ target: Target, recodes: Bool, _ request: APIRequest) -> InstanceParts {
        let isRecoded: @Sendable (Instance) throws -> Bool = { instance in
            let stored = try transferSyntax(of: instance)
            return DICOMwebMediaType.mustRecode(stored)
                || (recodes && !stored.isEncapsulated && stored != .explicitVRLittleEndian)
        }
        return InstanceParts(
            blobs: blobs, files: request.files,
            head: { instance, framing in
                let syntax = try isRecoded(instance) ? .explicitVRLittleEndian : try transferSyntax(of: instance)
                return partHead(of: instance, syntax, in: &framing)
            }, isRecoded: isRecoded, sendRecoded: { try await sendRecoded($0, request, &$1) },
            page: { try await instances(target, after: $0.sopInstanceUID, request) }, pageCount: Self.batch)
    }

    private func sendRecoded(
        _ instance: Instance, _ request: APIRequest, _ writer: inout any ResponseBodyWriter
    ) async throws {
        let target = Target(
            study: instance.studyInstanceUID, series: instance.seriesInstanceUID, instance: instance.sopInstanceUID)
        guard let stored = try await page(target, after: nil, request).first else {
            throw HTTPFailure(.notFound, "there is no such instance")
        }
        // Decoding and encoding are work, which a connection's event loop has no time for.
        try await withTaskExecutorPreference(globalConcurrentExecutor) {
            try await RetrievedInstance(instance: stored.instance, blobs: blobs, files: request.files)
                .sendRecoded(try StoredHeader(stored), to: &writer)
        }
    }

    private func partHead(
        of instance: Instance, _ syntax: TransferSyntax, in framing: inout MultipartFraming
    ) -> ByteBuffer {
        framing.partHead([
            ("Content-Type", "application/dicom;transfer-syntax=\(syntax.uid)"),
            ("Content-Location", instanceURL(instance)),
        ])
    }

    /// One instance: its row is enough unless it must be re-coded.
    private func retrieveOne(_ target: Target, _ request: APIRequest) async throws -> Response {
        guard let instance = try await instances(target, after: nil, limit: 1, request).first else {
            throw HTTPFailure(.notFound, "there is no such instance")
        }
        let envelope = try envelope(of: instance, request)
        if envelope.isRecoded {
            try await record("retrieve", request)
            return .stream(contentType: envelope.contentType) { writer in
                try await gate.withPermit {
                    if let before = envelope.before { try await writer.write(before) }
                    try await sendRecoded(instance, request, &writer)
                    if let after = envelope.after { try await writer.write(after) }
                }
            }
        }
        let permit = try await gate.permit()
        let whole = 0..<instance.size
        let sender = try await recorded("retrieve", request) {
            try await BlobSender.open(instance.blobID, in: blobs, range: whole, files: request.files)
        }
        return .stream(
            contentType: envelope.contentType, contentLength: envelope.length(with: instance), isBrief: true
        ) { writer in
            defer { withExtendedLifetime(permit) {} }
            try await sender.send(whole, before: envelope.before, after: envelope.after, to: &writer)
        }
    }

    /// One instance whose row is in memory, of a size that is made ready at once, as it is stored.
    func instanceFromMemory(_ request: APIRequest) -> MemoryAnswer? {
        guard request.rawQuery.isEmpty, let target = try? target(request), let series = target.series,
            let uid = target.instance,
            let instance = index.remembered(
                studyInstanceUID: target.study, seriesInstanceUID: series, sopInstanceUID: uid,
                access: request.access), instance.size <= BlobSender.firstBytesMax,
            let envelope = try? envelope(of: instance, request), !envelope.isRecoded, let permit = gate.permitNow()
        else { return nil }
        let preparation = BlobSender.pieces(
            of: instance.blobID, count: Int(instance.size), in: blobs, files: request.files, before: envelope.before,
            after: envelope.after)
        return MemoryAnswer(
            status: .ok, headers: [.contentType: envelope.contentType],
            body: .prepared(count: envelope.length(with: instance), preparation),
            record: Self.auditRecord("retrieve", request), permit: permit)
    }

    /// What stands around one instance in a response.
    private struct Envelope {
        var contentType: String
        var isRecoded: Bool
        var before: ByteBuffer?
        var after: ByteBuffer?

        func length(with instance: Instance) -> Int {
            (before?.readableBytes ?? 0) + Int(instance.size) + (after?.readableBytes ?? 0)
        }
    }

    private func envelope(of instance: Instance, _ request: APIRequest) throws -> Envelope {
        let stored = try transferSyntax(of: instance)
        guard let form = DICOMwebMediaType.instanceForm(try accept(request), stored: [stored], isSingle: true) else {
            throw HTTPFailure(.notAcceptable, "available: application/dicom; transfer-syntax=\(stored.uid)")
        }
        let syntax = form.isRecoded ? TransferSyntax.explicitVRLittleEndian : stored
        guard form.isMultipart else {
            return Envelope(
                contentType: "application/dicom;transfer-syntax=\(syntax.uid)", isRecoded: form.isRecoded)
        }
        var framing = MultipartFraming(boundary: newBoundary())
        return Envelope(
            contentType: framing.contentType(ofParts: Self.dicom), isRecoded: form.isRecoded,
            before: partHead(of: instance, syntax, in: &framing), after: framing.end)
    }

    /// What `open` gives, opened while the audit row becomes durable; nothing can be sent before it is.
    private func recorded<Value: Sendable>(
        _ interaction: String, _ request: APIRequest, while open: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        try await withThrowingTaskGroup(of: Value.self) { group in
            group.addTask(operation: open)
            try await record(interaction, request)
            guard let opened = try await group.next() else { throw CancellationError() }
            return opened
        }
    }

    private func instances(
        _ target: Target, after: String?, limit: Int = batch, _ request: APIRequest
    ) async throws -> [Instance] {
        try await index.instances(
            studyInstanceUID: target.study, seriesInstanceUID: target.series, sopInstanceUID: target.instance,
            after: after, limit: limit, access: request.access)
    }

    private func transferSyntax(of instance: Instance) throws -> TransferSyntax {
        guard let syntax = TransferSyntax(uid: instance.transferSyntaxUID) else {
            throw StoreError(.corrupt, "a stored instance names an unknown transfer syntax")
        }
        return syntax
    }

    private func instanceURL(_ instance: Instance) -> String {
        "\(baseURL)/studies/\(instance.studyInstanceUID)/series/\(instance.seriesInstanceUID)/instances/\(instance.sopInstanceUID)"
    }

    // MARK: Metadata. §10.4.1.1.2

    func metadata(_ request: APIRequest) async throws -> Response {
        let target = try target(request)
        let contentType = try Self.searchType(request)
        let first = try await page(target, after: nil, request)
        guard !first.isEmpty else { throw HTTPFailure(.notFound, "there is nothing at this URL") }
        try await record("metadata", request)
        return .stream(contentType: contentType) { writer in
            try await gate.withPermit {
                var batch = first
                var mark: [UInt8] = [UInt8(ascii: "[")]
                while let last = batch.last {
                    for stored in batch {
                        try await writer.write(ByteBuffer(bytes: mark + (try metadata(of: stored))))
                        mark = [UInt8(ascii: ",")]
                    }
                    batch =
                        batch.count < Self.batch
                        ? [] : try await page(target, after: last.instance.sopInstanceUID, request)
                }
                try await writer.write(ByteBuffer(string: "]"))
            }
        }
    }

    /// All attributes; large values by a URI that this server answers.
    private func metadata(of stored: InstanceHeader) throws -> [UInt8] {
        let header = try StoredHeader(stored)
        var dataSet = header.dataSet
        dataSet.set(.availableTransferSyntaxUID, string: header.transferSyntax.uid)
        let base = instanceURL(stored.instance)
        return try DICOMJSON.encode(dataSet) { path, element in
            guard case .external = element.value else { return nil }
            // Compressed and deflated pixels are reached as frames.
            let isFrames =
                element.tag.isPixelData && (header.transferSyntax.isEncapsulated || header.transferSyntax.isDeflated)
            return isFrames ? "\(base)/frames/1" : "\(base)/bulkdata/\(path)"
        }
    }

    // MARK: Frames. §10.4.1.1.3

    func frames(_ request: APIRequest) async throws -> Response {
        let target = try target(request)
        let numbers = try request.parameters["frames"].split(separator: ",", omittingEmptySubsequences: false).map {
            text in
            guard let number = Int(text), number >= 1 else {
                throw HTTPFailure(.malformed, "frames are numbers from 1, separated by commas")
            }
            return number
        }
        guard numbers.count <= 10_000 else { throw HTTPFailure(.malformed, "too many frames are asked for at once") }
        guard let stored = try await page(target, after: nil, request).first else {
            throw HTTPFailure(.notFound, "there is no such instance")
        }
        let header = try StoredHeader(stored)
        guard stored.instance.numberOfFrames > 0 else { throw HTTPFailure(.notFound, "this instance has no frames") }
        guard
            let form = DICOMwebMediaType.frameForm(
                try accept(request), stored: header.transferSyntax, frames: numbers.count)
        else {
            let type = header.transferSyntax.frameMediaType ?? "application/octet-stream"
            throw HTTPFailure(
                .notAcceptable,
                "available: multipart/related; type=\"\(type)\"; transfer-syntax=\(header.transferSyntax.uid)")
        }
        let source = try await FrameSource(header, blobs: blobs)
        let frames = try numbers.map { try source.frame($0) }
        let permit = try await gate.permit()
        let sender = try await recorded("frames", request) {
            try await source.open(stored.instance, in: blobs, first: frames[0], files: request.files)
        }
        guard form.isMultipart else {
            return .stream(
                contentType: form.contentType, contentLength: frames[0].bitOffset == 0 ? frames[0].byteCount : nil,
                isBrief: true
            ) { writer in
                defer { withExtendedLifetime(permit) {} }
                try await source.send(frames[0], from: sender, to: &writer)
            }
        }
        let base = instanceURL(stored.instance)
        let framing = MultipartFraming(boundary: newBoundary())
        let inner = MediaType(form.contentType).map { MediaType(type: $0.type, subtype: $0.subtype) } ?? Self.octets
        return .stream(contentType: framing.contentType(ofParts: inner), isBrief: true) { writer in
            defer { withExtendedLifetime(permit) {} }
            var framing = framing
            for (number, frame) in zip(numbers, frames) {
                let head = framing.partHead([
                    ("Content-Type", form.contentType), ("Content-Location", "\(base)/frames/\(number)"),
                ])
                try await source.send(frame, from: sender, before: head, to: &writer)
            }
            try await writer.write(framing.end)
        }
    }

    // MARK: Bulk data. §10.4.1.1.5

    func bulkData(_ request: APIRequest) async throws -> Response {
        let target = try target(request)
        guard let path = ElementPath(text: request.parameters["path"]) else {
            throw HTTPFailure(.malformed, "bulk data is named by hexadecimal tags and item numbers, such as 00420011")
        }
        guard let stored = try await page(target, after: nil, request).first else {
            throw HTTPFailure(.notFound, "there is no such instance")
        }
        let header = try StoredHeader(stored)
        guard let element = header.dataSet.element(at: path), case .external(let value) = element.value,
            let length = value.length,
            !value.isEncapsulated
        else { throw HTTPFailure(.notFound, "this instance has no such bulk data") }
        let wishes = try accept(request)
        guard let wish = wishes.first(where: { $0.media.includes(Self.octets) }) else {
            throw HTTPFailure(.notAcceptable, "available: application/octet-stream")
        }
        if header.transferSyntax.isDeflated {
            try await record("bulkdata", request)
            let inflated = try await RetrievedInstance(instance: stored.instance, blobs: blobs, files: nil)
                .inflated(header)
            guard let bytes = inflated.element(at: path)?.bytes else {
                throw HTTPFailure(.notFound, "this instance has no such bulk data")
            }
            return .bytes(bytes, contentType: "application/octet-stream")
        }
        let size = header.transferSyntax.isBigEndian ? element.vr.wordSize : 1
        let range = Int64(value.offset)..<Int64(value.offset) + Int64(length)
        var framing = MultipartFraming(boundary: newBoundary())
        let contentType = wish.isMultipart ? framing.contentType(ofParts: Self.octets) : Self.octets.essence
        let before = wish.isMultipart ? framing.partHead([("Content-Type", Self.octets.essence)]) : nil
        let after = wish.isMultipart ? framing.end : nil
        let permit = try await gate.permit()
        let sender = try await recorded("bulkdata", request) {
            try await BlobSender.open(stored.instance.blobID, in: blobs, range: range, files: request.files)
        }
        return .stream(
            contentType: contentType,
            contentLength: (before?.readableBytes ?? 0) + range.count + (after?.readableBytes ?? 0), isBrief: true
        ) { writer in
            defer { withExtendedLifetime(permit) {} }
            try await sender.send(range, swappingBy: size, before: before, after: after, to: &writer)
        }
    }
}
