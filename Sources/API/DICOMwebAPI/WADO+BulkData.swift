import Access
import DICOMData
import DICOMPixels
import DICOMTranslation
import HTTPSupport
import HTTPTypes
import Hummingbird
import NIOCore
import Workflow

/// What lies outside of metadata: one value, or the frames of encapsulated pixel data. PS3.18 §10.4.1.1.5.
extension DICOMwebRoutes {
    func bulkData(_ request: APIRequest) async throws -> Response {
        let target = try target(request)
        guard let path = ElementPath(text: request.parameters["path"]) else {
            throw HTTPFailure(.malformed, "bulk data is named by hexadecimal tags and item numbers, such as 00420011")
        }
        guard let stored = try await firstPage(target, request).first else {
            throw HTTPFailure(.notFound, "there is no such instance")
        }
        let header = try StoredHeader(stored)
        guard let element = header.dataSet.element(at: path), case .external(let value) = element.value else {
            throw HTTPFailure(.notFound, "this instance has no such bulk data")
        }
        let wishes = try accept(request)
        if path.steps.isEmpty, path.tag == .pixelData,
            let type = DICOMwebMediaType.videoForm(wishes, stored: header.transferSyntax)
        {
            return try await video(
                header, type.contentType, isMultipart: type.isMultipart, at: "bulkdata/\(path)", "bulkdata", request)
        }
        if value.isEncapsulated { return try await fragments(value, path, header, wishes, request) }
        guard let wish = wishes.first(where: { $0.media.includes(Self.octets) }) else {
            throw HTTPFailure(.notAcceptable, "available: application/octet-stream")
        }
        return try await self.value(value, element.vr, path, header, isMultipart: wish.isMultipart, request)
    }

    /// One value as octets in little endian.
    func value(
        _ value: ExternalValue, _ vr: VR, _ path: ElementPath, _ header: StoredHeader, isMultipart: Bool,
        _ request: APIRequest
    ) async throws -> Response {
        // The pixels of a deflated object have their place in what it inflates to.
        guard let length = value.length ?? (path.steps.isEmpty ? header.inflatedPixelData?.length : nil) else {
            throw HTTPFailure(.notFound, "this instance has no such bulk data")
        }
        let instance = header.instance
        let isDeflated = header.transferSyntax.isDeflated
        let size = header.transferSyntax.isBigEndian ? vr.wordSize : 1
        // Words that are turned round are not sent by halves.
        let part = SinglePart(
            stored: instance, form: "bulkdata \(path)", count: size == 1 ? Int64(length) : nil)
        let isAlone = isDeflated || !isMultipart
        let wanted = isAlone ? part.wanted(by: request) : .whole
        if let refusal = try await refusal(of: part, wanted, "bulkdata", request) { return refusal }
        let portion = part.portion(wanted)
        let (status, headers) = isAlone ? (portion.status, portion.headers) : (.ok, [:])
        var range = Int64(value.offset)..<Int64(value.offset) + Int64(length)
        if case .part = wanted {
            range = range.lowerBound + portion.range.lowerBound..<range.lowerBound + portion.range.upperBound
        }
        let permit = try await gate.permit()
        if isDeflated {
            let inflated = try await recorded("bulkdata", request) {
                try await InflatedObject(instance, in: blobs)
            }
            // Its offsets count inflated bytes.
            return .stream(
                contentType: Self.octets.essence, contentLength: range.count, status: status, headers: headers
            ) { [range] writer in
                defer { withExtendedLifetime(permit) {} }
                try await inflated.send(Int(range.lowerBound)..<Int(range.upperBound), to: &writer)
            }
        }
        var framing = MultipartFraming(boundary: newBoundary())
        let contentType = isAlone ? Self.octets.essence : framing.contentType(ofParts: Self.octets)
        let before = isAlone ? nil : framing.partHead(partFields(of: instance, path))
        let after = isAlone ? nil : framing.end
        let sender = try await recorded("bulkdata", request) { [range] in
            try await BlobSender.open(instance.blobID, in: blobs, range: range, files: request.files)
        }
        return .stream(
            contentType: contentType,
            contentLength: (before?.readableBytes ?? 0) + range.count + (after?.readableBytes ?? 0), status: status,
            headers: headers, isBrief: true
        ) { [range] writer in
            defer { withExtendedLifetime(permit) {} }
            try await sender.send(range, swappingBy: size, before: before, after: after, to: &writer)
        }
    }

    /// The head of a part that is a value, with the URI that the metadata has for it. §10.4.3.3.5.
    private func partFields(of instance: Instance, _ path: ElementPath) -> [(String, String)] {
        [("Content-Type", Self.octets.essence), ("Content-Location", "\(instanceURL(instance))/bulkdata/\(path)")]
    }

    /// Encapsulated pixel data, of the image or of one in an item (an icon): all frames, each as a part, without item
    /// headers. Octets that are no parts cannot say where frames end, so of several frames the value field is sent as it
    /// stands in the file. §8.7.3.3.2.
    func fragments(
        _ value: ExternalValue, _ path: ElementPath, _ header: StoredHeader, _ wishes: [DICOMwebMediaType.Wish],
        _ request: APIRequest
    ) async throws -> Response {
        let source = try await FrameSource(of: value, at: path, header, blobs: blobs, memory: memory)
        let frames = source.layout.allFrames
        guard let first = frames.first else { throw HTTPFailure(.notFound, "this pixel data has no frames") }
        let syntax = header.transferSyntax
        var form = DICOMwebMediaType.frameForm(wishes, stored: syntax, frames: frames.count)
        if form == nil, let octets = wishes.first(where: { $0.media.includes(Self.octets) }) {
            form = .init(
                contentType: "\(Self.octets.essence);transfer-syntax=\(syntax.uid)", isMultipart: octets.isMultipart)
        }
        guard let form else {
            throw HTTPFailure(
                .notAcceptable,
                "available: multipart/related; type=\"\(syntax.frameMediaType ?? Self.octets.essence)\"; "
                    + "transfer-syntax=\(syntax.uid)")
        }
        // Who wants no parts gets one frame by itself, whatever else would be taken.
        let isSingle = frames.count == 1 && (!form.isMultipart || !wishes.contains { $0.isMultipart })
        guard form.isMultipart, !isSingle else {
            let field = PixelDataLayout.Frame(ofField: value.offset..<value.offset + (value.length ?? 0))
            return try await single(
                isSingle ? first : field, named: "bulkdata \(path)", form.contentType, source, header, "bulkdata",
                request)
        }
        let permit = try await gate.permit()
        let sender = try await recorded("bulkdata", request) {
            try await source.open(header.instance, in: blobs, first: first, files: request.files)
        }
        let uri = "\(instanceURL(header.instance))/bulkdata/\(path)"
        let framing = MultipartFraming(boundary: newBoundary())
        let inner = MediaType(form.contentType).map { MediaType(type: $0.type, subtype: $0.subtype) } ?? Self.octets
        return .stream(contentType: framing.contentType(ofParts: inner), isBrief: true) { writer in
            defer { withExtendedLifetime(permit) {} }
            var framing = framing
            for frame in frames {
                let head = framing.partHead([("Content-Type", form.contentType), ("Content-Location", uri)])
                try await source.send(frame, from: sender, before: head, to: &writer)
            }
            try await writer.write(framing.end)
        }
    }
}
