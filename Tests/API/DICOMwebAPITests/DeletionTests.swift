import Access
import DICOMTranslation
import HTTPSupport
import HTTPTypes
import Hummingbird
import PixelCodecs
import Synchronization
import TestSupport
import Testing
import Workflow

@testable import DICOMwebAPI

/// Deletion by HTTP: what is asked of the desk, and what its answers mean. IHE RAD IOCM.
@Suite struct DeletionTests {
    private final class Desk: RejectionDesk {
        let asked = Mutex<[QuarantineRequest]>([])
        let answer: Result<RejectionOutcome, QuarantineService.Refusal>
        init(_ answer: Result<RejectionOutcome, QuarantineService.Refusal>) { self.answer = answer }
        func reject(_ request: QuarantineRequest, access: AccessContext) async throws -> RejectionOutcome {
            asked.withLock { $0.append(request) }
            return try answer.get()
        }
    }

    private static func delete(
        _ query: String, _ desk: Desk, _ parameters: [(String, String)] = [("study", "1.2")]
    ) async throws -> (status: Int, warning: String?) {
        let blobs = MemoryBlobs([:])
        let routes = DICOMwebRoutes(
            index: NoIndex(), blobs: blobs, pixels: DirectPixelCoding(),
            ingest: InstanceIngest(
                store: NoStore(), blobs: blobs,
                authorities: AssigningAuthorities(
                    authorities: [], defaultPatientSystem: "urn:p", defaultAccessionSystem: "urn:a")),
            audit: NoTrail(), baseURL: "https://h/dicomweb", gate: BulkResponseGate(limit: 1), rejections: desk,
            newBoundary: { "bound" })
        let request = APIRequest(
            method: .delete, path: "/", rawQuery: query, headers: [:], parameters: PathParameters(parameters),
            access: AccessContext(principal: Principal(kind: .client, id: "c"), scopes: [], requestID: "r"))
        let response = try await routes.reject(request)
        return (response.status.code, response.headers[.warning])
    }

    @Test("Without a code of the four nothing is deleted: 400")
    func code() async throws {
        let desk = Desk(.success(.rejected))
        for query in ["", "code=", "code=113000", "code=113001%5E99X", "reason=x"] {
            await #expect(throws: HTTPFailure(.malformed, "")) { _ = try await Self.delete(query, desk) }
        }
        #expect(desk.asked.withLock { $0.isEmpty })
    }

    @Test("The code goes with its words, or with the caller's; the path says what")
    func asked() async throws {
        let desk = Desk(.success(.rejected))
        #expect(try await Self.delete("code=113001", desk) == (204, nil))
        _ = try await Self.delete(
            "code=113037%5EDCM&reason=wrong%20side", desk, [("study", "1.2"), ("series", "1.3"), ("instance", "1.4")])
        #expect(
            desk.asked.withLock { $0 } == [
                QuarantineRequest(
                    .reject, studyInstanceUID: "1.2", reason: "Rejected for Quality Reasons", title: .quality),
                QuarantineRequest(
                    .reject, studyInstanceUID: "1.2", seriesInstanceUID: "1.3", sopInstanceUID: "1.4",
                    reason: "wrong side", title: .patientSafety),
            ])
    }

    @Test("What an archive has still is said; unknown is 404, an archive's part 409, a reason too long 400")
    func answers() async throws {
        let gone = try await Self.delete("code=113039", Desk(.success(.letGo(archive: "PACS"))))
        #expect(gone.status == 204)
        #expect(gone.warning?.contains("PACS") == true)
        let expected: [(QuarantineService.Refusal, HTTPFailure.Code)] = [
            (.unknown, .notFound), (.isRejected, .notFound), (.ofArchive, .conflict), (.reasonTooLong, .malformed),
        ]
        for (refusal, code) in expected {
            await #expect(throws: HTTPFailure(code, "")) {
                _ = try await Self.delete("code=113001", Desk(.failure(refusal)))
            }
        }
    }
}
