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
    static let dicom = MediaType(type: "application", subtype: "dicom")
    static let octets = MediaType(type: "application", subtype: "octet-stream")

    /// The UIDs of a URL.
    struct Target {
        var study: String
        var series: String?
        var instance: String?
    }

    func target(_ request: APIRequest) throws -> Target {
        func uid(_ name: String) throws -> String? {
            let text = request.parameters[name]
            if text.isEmpty { return nil }
            guard UID.isSafe(text) else { throw HTTPFailure(.malformed, "the \(name) in the URL is no UID") }
            return text
        }
        return Target(study: try uid("study") ?? "", series: try uid("series"), instance: try uid("instance"))
    }

    func page(_ target: Target, after: Instance.Place?, _ request: APIRequest) async throws -> [InstanceHeader] {
        try await index.headers(
            studyInstanceUID: target.study, seriesInstanceUID: target.series, sopInstanceUID: target.instance,
            after: after,
            limit: Self.batch, access: request.access)
    }

    /// The first page, once it is here.
    func firstPage(_ target: Target, _ request: APIRequest) async throws -> [InstanceHeader] {
        try await present(
            study: target.study, sopInstanceUID: target.instance, request, instance: \.instance,
            read: { try await page(target, after: nil, request) })
    }

    func accept(_ request: APIRequest) throws -> [DICOMwebMediaType.Wish] {
        try DICOMwebMediaType.wishes(try request.query()["accept"] ?? request.headers[.accept])
    }

    // MARK: Instances. §10.4.1.1

    func retrieve(_ request: APIRequest) async throws -> Response {
        let target = try target(request)
        if target.instance != nil { return try await retrieveOne(target, request) }
        let (first, arriving) = try await firstInstances(target, request)
        guard !first.isEmpty else {
            throw HTTPFailure(.notFound, "there is no such \(target.series == nil ? "study" : "series")")
        }
        let syntaxes = try first.map { try transferSyntax(of: $0) }
        let wishes = try accept(request)
        if let wish = Self.zipWish(wishes, stored: syntaxes, isSingle: false) {
            return try await archive(target, wish, first, arriving, request)
        }
        guard
            let form = DICOMwebMediaType.instanceForms(wishes, stored: syntaxes, isSingle: false)
                .first(where: \.isMultipart)
        else {
            throw HTTPFailure(
                .notAcceptable, "available: multipart/related; type=\"application/dicom\"; transfer-syntax=*")
        }
        let parts = instanceParts(target, form, arriving, request)
        // Before anything is opened: what is read ahead is bounded by the responses that may be sent at a time.
        let permit = try await (arriving == nil ? gate : arrivingGate).permit()
        let opening = try parts.openAhead(first)
        try await record("retrieve", request)
        let framing = MultipartFraming(boundary: newBoundary())
        return .stream(contentType: framing.contentType(ofParts: Self.dicom), isBrief: arriving == nil) { writer in
            defer { withExtendedLifetime(permit) {} }
            try await parts.send(first, opening: opening, framing: framing, to: &writer)
        }
    }

    /// The first instances of a study or series, and where the others come from while they are fetched. Of what is kept
    /// here no archive is asked.
    private func firstInstances(
        _ target: Target, _ request: APIRequest
    ) async throws -> (first: [Instance], arriving: ArrivingInstances?) {
        let here = try await instances(target, after: nil, request)
        guard let fetch, here.isEmpty || here.contains(where: { $0.archive != nil }) else { return (here, nil) }
        guard let progress = try await arriving(target.study, request) else {
            return (try await instances(target, after: nil, request), nil)
        }
        let coming = ArrivingInstances(progress, pageCount: Self.batch) { uid, after in
            var one = target
            one.instance = uid
            return try await instances(one, after: after, request)
        }
        return (try await coming.first(within: .seconds(fetch.rule.waitSeconds)), coming)
    }

    /// The parts of a study or series.
    private func instanceParts(
        _ target: Target, _ form: DICOMwebMediaType.InstanceForm, _ arriving: ArrivingInstances?, _ request: APIRequest
    ) -> InstanceParts {
        InstanceParts(
            blobs: blobs, files: request.files,
            head: { instance, framing in partHead(of: instance, try transferSyntax(of: instance), in: &framing) },
            isRecoded: { try $0.subject != nil || form.way(of: transferSyntax(of: $0)) != .stored },
            prepare: { instance in
                if case .transcoded(let syntax) = form.way(of: try transferSyntax(of: instance)) {
                    return try await transcoded(instance, as: syntax, form, request)
                }
                return recoded(instance, request)
            },
            page: {
                if let arriving { return try await arriving.next() }
                return try await instances(target, after: $0.place, request)
            }, pageCount: arriving == nil ? Self.batch : 1, arrives: arriving != nil)
    }

    /// A part made anew; nothing of it is read before it is sent.
    func recoded(_ instance: Instance, _ request: APIRequest) -> InstanceParts.Sending {
        { framing, writer in
            let syntax = StoredHeader.remadeSyntax(of: try transferSyntax(of: instance))
            try await writer.write(partHead(of: instance, syntax, in: &framing))
            try await sendRecoded(instance, request, &writer)
        }
    }

    func sendRecoded(
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

    func partHead(
        of instance: Instance, _ syntax: TransferSyntax, in framing: inout MultipartFraming
    ) -> ByteBuffer {
        framing.partHead([
            ("Content-Type", "application/dicom;transfer-syntax=\(syntax.uid)"),
            ("Content-Location", instanceURL(instance)),
        ])
    }

    /// What `open` gives, opened while the audit row becomes durable; nothing can be sent before it is.
    func recorded<Value: Sendable>(
        _ interaction: String, _ request: APIRequest, while open: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        try await withThrowingTaskGroup(of: Value.self) { group in
            group.addTask(operation: open)
            try await record(interaction, request)
            guard let opened = try await group.next() else { throw CancellationError() }
            return opened
        }
    }

    func instances(
        _ target: Target, after: Instance.Place?, limit: Int = batch, _ request: APIRequest
    ) async throws -> [Instance] {
        try await index.instances(
            studyInstanceUID: target.study, seriesInstanceUID: target.series, sopInstanceUID: target.instance,
            after: after, limit: limit, access: request.access)
    }

    func transferSyntax(of instance: Instance) throws -> TransferSyntax {
        guard let syntax = TransferSyntax(uid: instance.transferSyntaxUID) else {
            throw StoreError(.corrupt, "a stored instance names an unknown transfer syntax")
        }
        return syntax
    }

    func instanceURL(_ instance: Instance) -> String {
        "\(baseURL)/studies/\(instance.studyInstanceUID)/series/\(instance.seriesInstanceUID)/instances/\(instance.sopInstanceUID)"
    }

    // MARK: Metadata. §10.4.1.1.2

    func metadata(_ request: APIRequest) async throws -> Response {
        let target = try target(request)
        let form = try ResultForm(request)
        let first = try await firstPage(target, request)
        guard !first.isEmpty else { throw HTTPFailure(.notFound, "there is nothing at this URL") }
        let stream = ResultForm.Stream(form, isSingle: target.instance != nil, boundary: newBoundary())
        let part = Self.singlePart(ofMetadata: first, target, stream)
        let wanted = part?.wanted(by: request) ?? .whole
        if let refusal = try await refusal(of: part, wanted, "metadata", request) { return refusal }
        try await record("metadata", request)
        let parts = MetadataParts(
            encode: { try metadata(of: $0, in: &$1, to: &$2) },
            page: { try await page(target, after: $0.instance.place, request) }, pageCount: Self.batch)
        return .stream(contentType: stream.contentType, headers: part?.headers ?? [:]) { writer in
            try await gate.withPermit { try await parts.send(first, in: stream, to: &writer) }
        }
    }

    /// Nil for parts, and where more instances may follow than were read.
    private static func singlePart(
        ofMetadata first: [InstanceHeader], _ target: Target, _ stream: ResultForm.Stream
    ) -> SinglePart? {
        guard first.count < batch, !stream.contentType.hasPrefix("multipart") else { return nil }
        return SinglePart(
            madeOf: first.map(\.instance), form: stream.contentType,
            life: target.instance == nil ? .changing : .immutable)
    }

    /// All attributes; large values, pixel data always, by a URI that this server answers: the path of the element.
    private func metadata(
        of stored: InstanceHeader, in stream: inout ResultForm.Stream, to buffer: inout ByteBuffer
    ) throws {
        let header = try StoredHeader(stored)
        var dataSet = header.dataSet
        dataSet.set(.availableTransferSyntaxUID, string: header.transferSyntax.uid)
        let base = instanceURL(stored.instance)
        try stream.write(dataSet, to: &buffer) { path, element in
            guard case .external = element.value else { return nil }
            return "\(base)/bulkdata/\(path)"
        }
    }

    // MARK: Frames. §10.4.1.1.6

    /// The frames that a URL names. Throws `.malformed`.
    func frameNumbers(_ request: APIRequest) throws(HTTPFailure) -> [Int] {
        var numbers: [Int] = []
        for text in request.parameters["frames"].split(separator: ",", omittingEmptySubsequences: false) {
            guard let number = Int(text), number >= 1 else {
                throw HTTPFailure(.malformed, "frames are numbers from 1, separated by commas")
            }
            numbers.append(number)
        }
        guard numbers.count <= 10_000 else { throw HTTPFailure(.malformed, "too many frames are asked for at once") }
        return numbers
    }

    func frames(_ request: APIRequest) async throws -> Response {
        let target = try target(request)
        let numbers = try frameNumbers(request)
        guard let stored = try await firstPage(target, request).first else {
            throw HTTPFailure(.notFound, "there is no such instance")
        }
        let header = try StoredHeader(stored)
        guard stored.instance.numberOfFrames > 0 else { throw HTTPFailure(.notFound, "this instance has no frames") }
        let canMake = Self.transcodes(header)
        let forms = DICOMwebMediaType.frameForms(
            try accept(request), stored: header.transferSyntax, frames: numbers.count, canMake: canMake)
        guard let first = forms.first else {
            throw HTTPFailure(
                .notAcceptable, DICOMwebMediaType.availableFrames(stored: header.transferSyntax, canMake: canMake))
        }
        let source = try await FrameSource(header, blobs: blobs, memory: memory)
        let frames = try numbers.map { try source.frame($0) }
        if first.transcoded != nil {
            return try await transcodedFrames(zip(numbers, frames).map { $0 }, forms, source, header, request)
        }
        return try await storedFrames(zip(numbers, frames).map { $0 }, first, source, header, request)
    }

    /// Frames as they are stored, native ones in little endian.
    func storedFrames(
        _ frames: [(number: Int, frame: PixelDataLayout.Frame)], _ form: DICOMwebMediaType.FrameForm,
        _ source: FrameSource, _ header: StoredHeader, _ request: APIRequest
    ) async throws -> Response {
        guard form.isMultipart else {
            return try await single(
                frames[0].frame, named: "frame \(frames[0].number)", form.contentType, source, header, "frames", request
            )
        }
        let permit = try await gate.permit()
        let sender = try await recorded("frames", request) {
            try await source.open(header.instance, in: blobs, first: frames[0].frame, files: request.files)
        }
        let base = instanceURL(header.instance)
        let framing = MultipartFraming(boundary: newBoundary())
        let inner = MediaType(form.contentType).map { MediaType(type: $0.type, subtype: $0.subtype) } ?? Self.octets
        return .stream(contentType: framing.contentType(ofParts: inner), isBrief: true) { writer in
            defer { withExtendedLifetime(permit) {} }
            var framing = framing
            for (number, frame) in frames {
                let head = framing.partHead([
                    ("Content-Type", form.contentType), ("Content-Location", "\(base)/frames/\(number)"),
                ])
                try await Self.working(source.isWork) {
                    try await source.send(frame, from: sender, before: head, to: &writer)
                }
            }
            try await writer.write(framing.end)
        }
    }

    /// Runs what computes away from the connection's event loop.
    static func working(_ isWork: Bool, _ body: () async throws -> Void) async throws {
        if isWork {
            try await withTaskExecutorPreference(globalConcurrentExecutor) { try await body() }
        } else {
            try await body()
        }
    }
}
