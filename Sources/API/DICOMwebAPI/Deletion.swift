import HTTPSupport
import HTTPTypes
import Hummingbird
import Workflow

/// Deletion of a study, a series or an instance, with one of the codes of IHE's rejection notes as its reason. PS3.18 has no
/// such method for studies; what it does is what the receipt of a note does. IHE RAD IOCM.
///
/// What is deleted is in no answer any more, and kept for as long as the site keeps what is rejected, so that it can be put
/// back. Of an archive's study the copy that lies here goes, and the archive's own stays.
extension DICOMwebRoutes {
    /// 204; with `Warning: 299` where an archive has the study still. 400 without a code, 404 for what is not here or may
    /// not be seen, 409 for what cannot be deleted as it is.
    func reject(_ request: APIRequest) async throws -> Response {
        let query = try request.query()
        guard let text = query["code"], let title = RejectionTitle(text) else {
            let known = RejectionTitle.allCases.map { "\($0.code) (\($0.meaning))" }.joined(separator: ", ")
            throw HTTPFailure(.malformed, "a reason is needed: ?code= one of \(known), of the coding scheme DCM")
        }
        func named(_ name: String) -> String? {
            let uid = request.parameters[name]
            return uid.isEmpty ? nil : uid
        }
        let words = query["reason"] ?? ""
        let asked = QuarantineRequest(
            .reject, studyInstanceUID: request.parameters["study"], seriesInstanceUID: named("series"),
            sopInstanceUID: named("instance"), reason: words.isEmpty ? title.meaning : words, title: title)
        do {
            switch try await rejections.reject(asked, access: request.access) {
            case .rejected: return Response(status: .noContent)
            case .letGo(let archive):
                return Response(
                    status: .noContent,
                    headers: [
                        .warning: "299 hilum \"A copy was removed; the archive \(archive) has the study still\""
                    ])
            }
        } catch let refusal as QuarantineService.Refusal {
            switch refusal {
            case .unknown, .isRejected: throw HTTPFailure(.notFound, "not found")
            case .reasonMissing, .reasonTooLong: throw HTTPFailure(.malformed, refusal.description)
            default: throw HTTPFailure(.conflict, refusal.description)
            }
        }
    }
}
