import Access
import DICOMData
import DICOMRendering
import DICOMTranslation
import HTTPSupport
import HTTPTypes
import Hummingbird
import NIOCore
import Workflow

/// Retrieve rendered instances and frames, as a browser shows them. PS3.18 §10.4.1.1.3.
///
/// Who may see an instance, and what is written into the audit trail, is as for its frames. What an archive alone has is
/// fetched as for metadata.
extension DICOMwebRoutes {
    // MARK: Studies and series

    func renderedInstances(_ request: APIRequest) async throws -> Response {
        let target = try target(request)
        let query = try RenderedQuery(request.query())
        let wishes = try RenderedWishes(request)
        let first = try await firstPage(target, request)
        guard !first.isEmpty else {
            throw HTTPFailure(.notFound, "there is no such \(target.series == nil ? "study" : "series")")
        }
        let permit = try await gate.permit()
        var parts = RenderedParts(routes: self, first: first, wishes: wishes, query: query, access: request.access) {
            last in
            try await page(target, after: last.place, request)
        }
        // The first part tells the type of the whole, and what is wrong with a wish.
        guard let part = try await parts.next() else { throw RenderedType.notAcceptable(parts.available) }
        try await record("rendered", request)
        let framing = MultipartFraming(boundary: newBoundary())
        let contentType = framing.contentType(ofParts: part.type.mediaType)
        return .stream(contentType: contentType) { [parts] writer in
            defer { withExtendedLifetime(permit) {} }
            var (parts, framing) = (parts, framing)
            var next: RenderedParts.Part? = part
            while let part = next {
                try await writer.write(contentsOf: [part.head(in: &framing), ByteBuffer(bytes: part.bytes)])
                next = try await parts.next()
            }
            try await writer.write(framing.end)
        }
    }

    // MARK: One instance

    func renderedInstance(_ request: APIRequest) async throws -> Response {
        let target = try target(request)
        let query = try RenderedQuery(request.query())
        let wishes = try RenderedWishes(request)
        guard let stored = try await firstPage(target, request).first else {
            throw HTTPFailure(.notFound, "there is no such instance")
        }
        let header = try StoredHeader(stored)
        let content = RenderedContent(header)
        guard let (type, isMultipart) = RenderedType.best(of: content.types, wishes) else {
            throw RenderedType.notAcceptable(content.types)
        }
        switch content {
        case .image(let count) where type == .gif && count > 1 && !isMultipart:
            return try await animation(header, count, query, request)
        case .image(let count):
            // Parts for all frames; who asks for one picture gets the one in the middle.
            let numbers = isMultipart ? Array(1...max(1, count)) : nil
            return try await pictures(header, numbers, type, isMultipart: isMultipart, query, request)
        case .state:
            return try await referenced(by: header, type, isMultipart: isMultipart, query, request)
        case .selection where type.isPicture:
            return try await referenced(by: header, type, isMultipart: isMultipart, query, request)
        case .report, .selection:
            let report = ReportDocument(header.dataSet)
            let text = type == .html ? report?.html : report?.plainText
            guard let text else { throw RenderedType.notAcceptable([]) }
            let (headers, unchanged) = Self.validators(header.instance, type, isMultipart: isMultipart, query, request)
            try await record("rendered", request)
            return unchanged ?? answer(Array(text.utf8), header.instance, type, isMultipart: isMultipart, headers)
        case .document: return try await document(header, isMultipart: isMultipart, query, request)
        case .video:
            return try await video(
                header, type.contentType, isMultipart: isMultipart, at: "rendered", "rendered", request)
        case .nothing: throw RenderedType.notAcceptable([])
        }
    }

    // MARK: Frames

    func renderedFrames(_ request: APIRequest) async throws -> Response {
        let target = try target(request)
        let numbers = try frameNumbers(request)
        let query = try RenderedQuery(request.query())
        let wishes = try RenderedWishes(request)
        guard let stored = try await firstPage(target, request).first else {
            throw HTTPFailure(.notFound, "there is no such instance")
        }
        guard stored.instance.numberOfFrames > 0 else { throw HTTPFailure(.notFound, "this instance has no frames") }
        let header = try StoredHeader(stored)
        let content = RenderedContent(header)
        guard let (type, isMultipart) = RenderedType.best(of: content.types, wishes) else {
            throw RenderedType.notAcceptable(content.types)
        }
        if case .image(let count) = content, let number = numbers.first(where: { $0 > count }) {
            throw HTTPFailure(.notFound, "there is no frame \(number)")
        }
        if case .video = content {
            throw HTTPFailure(.notAcceptable, "frames of video have no form of their own; ask for the instance")
        }
        return try await pictures(
            header, numbers, type, isMultipart: isMultipart || numbers.count > 1, query, request)
    }

    /// Frames of one instance. `numbers` are nil for the frame that stands for all.
    private func pictures(
        _ header: StoredHeader, _ numbers: [Int]?, _ type: RenderedType, isMultipart: Bool, _ query: RenderedQuery,
        _ request: APIRequest
    ) async throws -> Response {
        let sample = try await sample(for: header, numbers, query, request.access)
        let (fields, unchanged) = Self.validators(
            header.instance, type, isMultipart: isMultipart, sample: sample, query, request)
        if let unchanged {
            try await record("rendered", request)
            return unchanged
        }
        var headers = fields
        let permit = try await gate.permit()
        let pictures = try await RenderedInstance(header, blobs: blobs, pixels: pixels, memory: memory)
        var form = RenderedInstance.Form(type: type, query: query)
        form.patient = try await named(header, query, request.access)
        form.defaultWindow = try await defaultWindow(of: pictures, numbers, query, request.access, sample)
        let number = numbers?.first ?? pictures.representative
        // Rendered before the head is sent: what is wrong with a frame or a wish is said by the status.
        let first = try await pictures.file(number, form)
        try await record("rendered", request)
        guard isMultipart else {
            headers[.contentLocation] = "\(instanceURL(header.instance))/frames/\(number)/rendered"
            return .bytes(first, contentType: type.contentType, headers: headers)
        }
        let rest = (numbers ?? []).dropFirst()
        let framing = MultipartFraming(boundary: newBoundary())
        let base = instanceURL(header.instance)
        return .stream(contentType: framing.contentType(ofParts: type.mediaType), headers: headers) { [form] writer in
            defer { withExtendedLifetime(permit) {} }
            var framing = framing
            var part = RenderedParts.Part(type: type, location: "\(base)/frames/\(number)/rendered", bytes: first)
            try await writer.write(contentsOf: [part.head(in: &framing), ByteBuffer(bytes: part.bytes)])
            for number in rest {
                part.location = "\(base)/frames/\(number)/rendered"
                part.bytes = try await pictures.file(number, form)
                try await writer.write(contentsOf: [part.head(in: &framing), ByteBuffer(bytes: part.bytes)])
            }
            try await writer.write(framing.end)
        }
    }

    /// All frames of an instance as one animated GIF. Table 8.7.4-1.
    private func animation(
        _ header: StoredHeader, _ count: Int, _ query: RenderedQuery, _ request: APIRequest
    ) async throws -> Response {
        let permit = try await gate.permit()
        let pictures = try await RenderedInstance(header, blobs: blobs, pixels: pixels, memory: memory)
        var form = RenderedInstance.Form(type: .gif, query: query)
        form.patient = try await named(header, query, request.access)
        form.defaultWindow = try await defaultWindow(of: pictures, Array(1...count), query, request.access)
        let first = try await pictures.animated(1, isFirst: true, form)
        try await record("rendered", request)
        return .stream(contentType: RenderedType.gif.contentType) { [form] writer in
            defer { withExtendedLifetime(permit) {} }
            try await writer.write(ByteBuffer(bytes: first))
            for number in 2...count {
                try await writer.write(ByteBuffer(bytes: pictures.animated(number, isFirst: false, form)))
            }
            try await writer.write(ByteBuffer(bytes: GIFEncoder.end))
        }
    }

    /// An encapsulated PDF as it was encapsulated. PS3.3 §C.24.2.
    private func document(
        _ header: StoredHeader, isMultipart: Bool, _ query: RenderedQuery, _ request: APIRequest
    ) async throws -> Response {
        let (headers, unchanged) = Self.validators(header.instance, .pdf, isMultipart: isMultipart, query, request)
        if let unchanged {
            try await record("rendered", request)
            return unchanged
        }
        let permit = try await gate.permit()
        let bytes = try await encapsulated(header)
        try await record("rendered", request)
        defer { withExtendedLifetime(permit) {} }
        return answer(bytes, header.instance, .pdf, isMultipart: isMultipart, headers)
    }

    /// The bytes of an encapsulated document, without the one that makes them even. Throws `.tooLarge` beyond what is
    /// brought into memory.
    func encapsulated(_ header: StoredHeader) async throws -> [UInt8] {
        guard let element = header.dataSet[.encapsulatedDocument] else { throw RenderedType.notAcceptable([]) }
        var bytes: [UInt8]
        switch element.value {
        case .bytes(let value): bytes = value
        case .external(let value):
            guard let length = value.length, length <= FrameSource.movedBytesMax else {
                throw HTTPFailure(.tooLarge, "the document is too large to be rendered; ask for its bulk data")
            }
            let range = value.offset..<value.offset + length
            if header.transferSyntax.isDeflated {
                bytes = try await InflatedObject(header.instance, in: blobs).bytes(range)
            } else {
                bytes = try await blobs.open(header.instance.blobID).read(
                    offset: Int64(range.lowerBound), length: length)
                guard bytes.count == length else {
                    throw StoreError(.corrupt, "a document is shorter than its index says")
                }
            }
        case .items, .fragments: throw RenderedType.notAcceptable([])
        }
        if let length = header.dataSet.int(.encapsulatedDocumentLength), (0...bytes.count).contains(length) {
            bytes.removeLast(bytes.count - length)
        } else if bytes.last == 0 {
            bytes.removeLast()
        }
        return bytes
    }

    /// One body, alone or as the only part.
    private func answer(
        _ bytes: [UInt8], _ instance: Instance, _ type: RenderedType, isMultipart: Bool, _ headers: HTTPFields
    ) -> Response {
        guard isMultipart else { return .bytes(bytes, contentType: type.contentType, headers: headers) }
        var framing = MultipartFraming(boundary: newBoundary())
        let part = RenderedParts.Part(type: type, location: "\(instanceURL(instance))/rendered", bytes: bytes)
        var body = part.head(in: &framing)
        body.writeBytes(bytes)
        body.writeImmutableBuffer(framing.end)
        return .buffer(body, contentType: framing.contentType(ofParts: type.mediaType), headers: headers)
    }

    /// Of what is no picture.
    private static func textHeaders(_ query: RenderedQuery) -> HTTPFields {
        var headers = HTTPFields()
        if let warning = query.warning { headers[.warning] = "299 hilum \"\(warning)\"" }
        return headers
    }

    /// Who is written into the corner of pictures of an instance: the registered patient that it is linked to, who may
    /// be another than it names; whom it names where nothing contradicts that. nil for nobody.
    func named(_ header: StoredHeader, _ query: RenderedQuery, _ access: AccessContext) async throws -> DataSet? {
        guard query.annotations.contains(.patient) else { return nil }
        switch try await index.patient(of: header.instance, access: access) {
        case .linked(let patient): return WorklistItem(authorities: ingest.authorities).patient(patient)
        case .asSent: return header.dataSet
        case .uncertain: return nil
        }
    }

    // MARK: Entity tags

    /// The fields of an answer about one instance, and the whole answer to who has it already, or means another. Several
    /// parts have no tag, for their boundary is never the same twice, nor has a picture on which a patient is named: that
    /// changes with the patient. One that is shown by the window of its series may be another when that is.
    static func validators(
        _ instance: Instance, _ type: RenderedType, isMultipart: Bool, life: SinglePart.Life = .immutable,
        sample: SeriesSample? = nil, _ query: RenderedQuery, _ request: APIRequest
    ) -> (headers: HTTPFields, unchanged: Response?) {
        var fields = type.isPicture ? HTTPFields() : Self.textHeaders(query)
        if isMultipart || type.isPicture && !query.annotations.isEmpty { return (fields, nil) }
        // The URI service has the frame in its query, and the query of the resource that it is made of.
        let form = [
            type.rawValue, request.path, request.parameters["frames"], request.rawQuery, sample?.tag ?? "",
        ]
        let part = SinglePart(
            madeOf: [instance], form: form.joined(separator: "\n"), life: sample == nil ? life : .changing)
        fields.append(contentsOf: part.headers)
        let wanted = part.wanted(by: request)
        if wanted == .notModified { return (fields, .empty(.notModified, headers: fields)) }
        return (fields, part.refusal(wanted, requestID: request.requestID))
    }

    // MARK: Errors

    /// What cannot be rendered, as an answer.
    static func failure(ofRendering error: any Error) -> HTTPFailure? {
        guard let error = error as? RenderingError else { return nil }
        return switch error {
        case .noImage, .unsupported: HTTPFailure(.notAcceptable, error.description)
        case .regionOutside: HTTPFailure(.malformed, error.description)
        case .tooLarge: HTTPFailure(.tooLarge, error.description)
        }
    }
}
