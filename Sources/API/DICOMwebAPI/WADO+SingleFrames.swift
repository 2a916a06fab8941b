import DICOMData
import DICOMPixels
import DICOMTranslation
import HTTPSupport
import HTTPTypes
import Hummingbird
import Workflow

/// One frame, or one encapsulated value field, that is the whole answer: with a tag, and by ranges where it leaves as it
/// is stored. PS3.18 §10.4.1.1.5, §10.4.1.1.6; RFC 9110 §14.
extension DICOMwebRoutes {
    /// - Parameters:
    ///   - name: tells it apart from what else of the instance is sent as the same type.
    ///   - interaction: of its audit row.
    func single(
        _ frame: PixelDataLayout.Frame, named name: String, _ contentType: String, _ source: FrameSource,
        _ header: StoredHeader, _ interaction: String, _ request: APIRequest
    ) async throws -> Response {
        let instance = header.instance
        let form = "\(name) \(contentType)"
        let isStored = source.isSentAsStored(frame)
        let part =
            isStored
            ? SinglePart(stored: instance, form: form, count: Int64(frame.sentByteCount))
            : SinglePart(madeOf: [instance], form: form)
        let wanted = part.wanted(by: request)
        if let refusal = try await refusal(of: part, wanted, interaction, request) { return refusal }
        let permit = try await gate.permit()
        guard case .part = wanted else {
            let sender = try await recorded(interaction, request) {
                try await source.open(instance, in: blobs, first: frame, files: request.files)
            }
            return .stream(
                contentType: contentType, contentLength: frame.sentByteCount, headers: part.headers, isBrief: true
            ) { writer in
                defer { withExtendedLifetime(permit) {} }
                try await Self.working(source.isWork) { try await source.send(frame, from: sender, to: &writer) }
            }
        }
        let portion = part.portion(wanted)
        let ranges = FrameSource.ranges(portion.range, of: frame)
        let sender = try await recorded(interaction, request) {
            try await BlobSender.open(
                instance.blobID, in: blobs, range: ranges.first ?? 0..<0, files: request.files)
        }
        return .stream(
            contentType: contentType, contentLength: portion.range.count, status: portion.status,
            headers: portion.headers, isBrief: true
        ) { writer in
            defer { withExtendedLifetime(permit) {} }
            for range in ranges { try await sender.send(range, to: &writer) }
        }
    }
}
