import DICOMData
import DICOMTranslation
import HTTPSupport
import HTTPTypes
import Hummingbird
import NIOCore
import PixelCodecs
import Workflow

/// One instance by itself: from memory, by ranges, or made. PS3.18 §10.4.1.1.1.
extension DICOMwebRoutes {
    /// One instance: its row is enough unless it must be re-coded.
    func retrieveOne(_ target: Target, _ request: APIRequest) async throws -> Response {
        let rows = try await present(
            study: target.study, sopInstanceUID: target.instance, request, instance: { $0 },
            read: { try await instances(target, after: nil, limit: 1, request) })
        guard let instance = rows.first else {
            throw HTTPFailure(.notFound, "there is no such instance")
        }
        let wishes = try accept(request)
        if let wish = Self.zipWish(wishes, stored: [try transferSyntax(of: instance)], isSingle: true) {
            return try await archive(target, wish, [instance], nil, request)
        }
        let stored = try transferSyntax(of: instance)
        var refusal: (any Error)?
        for form in try forms(of: instance, wishes) {
            guard case .transcoded(let syntax) = form.way(of: stored) else {
                return try await retrieveUntouched(instance, form, request)
            }
            do {
                return try await retrieveTranscoded(instance, as: syntax, form, request)
            } catch let error where form.wanted == .standard && Self.isOfTheFrame(error) {
                return try await retrieveUntouched(instance, form, isTried: true, request)
            } catch let error as PixelCodecError {
                refusal = refusal ?? error
            }
        }
        throw refusal ?? Self.notAcceptable(instance)
    }

    /// One instance whose pixels are not touched.
    ///
    /// - Parameter isTried: whether transcoding was tried, and failed.
    private func retrieveUntouched(
        _ instance: Instance, _ form: DICOMwebMediaType.InstanceForm, isTried: Bool = false, _ request: APIRequest
    ) async throws -> Response {
        let envelope = try envelope(of: instance, form, isTried: isTried)
        let part = envelope.singlePart(of: instance)
        let wanted = part?.wanted(by: request) ?? .whole
        if let refusal = try await refusal(of: part, wanted, "retrieve", request) { return refusal }
        if envelope.isRecoded {
            try await record("retrieve", request)
            return .stream(contentType: envelope.contentType, headers: part?.headers ?? [:]) { writer in
                try await gate.withPermit {
                    if let before = envelope.before { try await writer.write(before) }
                    try await sendRecoded(instance, request, &writer)
                    if let after = envelope.after { try await writer.write(after) }
                }
            }
        }
        let permit = try await gate.permit()
        let portion = part?.portion(wanted)
        let range = portion?.range ?? 0..<instance.size
        let sender = try await recorded("retrieve", request) {
            try await BlobSender.open(instance.blobID, in: blobs, range: range, files: request.files)
        }
        return .stream(
            contentType: envelope.contentType, contentLength: envelope.length(around: range.count),
            status: portion?.status ?? .ok, headers: portion?.headers ?? [:], isBrief: true
        ) { writer in
            defer { withExtendedLifetime(permit) {} }
            try await sender.send(range, before: envelope.before, after: envelope.after, to: &writer)
        }
    }

    /// One instance whose row is in memory, of a size that is made ready at once, as it is stored.
    func instanceFromMemory(_ request: APIRequest) -> MemoryAnswer? {
        guard request.rawQuery.isEmpty, !SinglePart.isConditional(request), let target = try? target(request),
            let series = target.series,
            let uid = target.instance,
            let instance = index.remembered(
                studyInstanceUID: target.study, seriesInstanceUID: series, sopInstanceUID: uid,
                access: request.access), instance.size <= BlobSender.firstBytesMax,
            let wishes = try? accept(request), let syntax = try? transferSyntax(of: instance),
            Self.zipWish(wishes, stored: [syntax], isSingle: true) == nil,
            let form = try? forms(of: instance, wishes).first, form.way(of: syntax) == .stored,
            let envelope = try? envelope(of: instance, form), !envelope.isRecoded, let permit = gate.permitNow()
        else { return nil }
        if instance.archive != nil { fetch?.use(target.study) }
        let preparation = BlobSender.pieces(
            of: instance.blobID, count: Int(instance.size), in: blobs, files: request.files, before: envelope.before,
            after: envelope.after)
        var headers = envelope.singlePart(of: instance)?.headers ?? [:]
        headers[.contentType] = envelope.contentType
        return MemoryAnswer(
            status: .ok, headers: headers,
            body: .prepared(count: envelope.length(around: Int(instance.size)), preparation),
            record: Self.auditRecord("retrieve", request), permit: permit,
            holds: { [index, access = request.access] in
                index.remembered(
                    studyInstanceUID: target.study, seriesInstanceUID: series, sopInstanceUID: uid, access: access)
                    == instance
            })
    }

    /// The instances of ``instanceFromMemory(_:)``, which the right to read ImagingStudy opens.
    struct InstanceFromMemory: AnsweringFromMemory {
        let routes: DICOMwebRoutes
        func resourceType(of request: APIRequest) -> String { "ImagingStudy" }
        func answer(to request: APIRequest) -> MemoryAnswer? { routes.instanceFromMemory(request) }
    }

    /// What stands around one instance in a response.
    struct Envelope {
        var contentType: String
        var isRecoded: Bool
        var before: ByteBuffer?
        var after: ByteBuffer?

        func length(around count: Int) -> Int {
            (before?.readableBytes ?? 0) + count + (after?.readableBytes ?? 0)
        }

        /// Nil where it is one of several parts: their boundary is never the same twice.
        func singlePart(of instance: Instance) -> SinglePart? {
            if before != nil { return nil }
            return isRecoded
                ? SinglePart(madeOf: [instance], form: contentType)
                : SinglePart(stored: instance, form: contentType, count: instance.size)
        }
    }

    /// At least one. Throws `.notAcceptable`.
    private func forms(
        of instance: Instance, _ wishes: [DICOMwebMediaType.Wish]
    ) throws -> [DICOMwebMediaType.InstanceForm] {
        let stored = try transferSyntax(of: instance)
        let forms = DICOMwebMediaType.instanceForms(wishes, stored: [stored], isSingle: true)
        guard !forms.isEmpty else { throw Self.notAcceptable(instance) }
        return forms
    }

    static func notAcceptable(_ instance: Instance) -> HTTPFailure {
        let explicit = TransferSyntax.explicitVRLittleEndian
        let stored = TransferSyntax(uid: instance.transferSyntaxUID) ?? explicit
        let isDecoded = PixelTranscoding.isPossible(from: stored, to: explicit)
        let sent = DICOMwebMediaType.mustRecode(stored) ? explicit : stored
        return HTTPFailure(
            .notAcceptable,
            "available: application/dicom; transfer-syntax=\(sent.uid)"
                + (isDecoded ? ", application/dicom; transfer-syntax=\(explicit.uid)" : ""))
    }

    private func envelope(
        of instance: Instance, _ form: DICOMwebMediaType.InstanceForm, isTried: Bool = false
    ) throws -> Envelope {
        let stored = try transferSyntax(of: instance)
        // What is to say of another what it is, is made anew.
        let isRecoded = form.way(of: stored, isTried: isTried) != .stored || instance.subject != nil
        let syntax = isRecoded ? StoredHeader.remadeSyntax(of: stored) : stored
        guard form.isMultipart else {
            return Envelope(contentType: "application/dicom;transfer-syntax=\(syntax.uid)", isRecoded: isRecoded)
        }
        var framing = MultipartFraming(boundary: newBoundary())
        return Envelope(
            contentType: framing.contentType(ofParts: Self.dicom), isRecoded: isRecoded,
            before: partHead(of: instance, syntax, in: &framing), after: framing.end)
    }
}
