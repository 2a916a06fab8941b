import Access
import FHIRModel
import HTTPSupport
import HTTPTypes
import Hummingbird
import NIOCore
import Testing

@testable import SQLStore

/// What the routes leave in the audit trail of a real store. reliability-security §2.3.
@Suite struct AuditTests {
    private static let access = AccessContext(
        principal: Principal(kind: .client, id: "auditor"), scopes: ["system/*.cruds"].compactMap { Scope($0) },
        requestID: "r-1")

    /// Members of the rows so far, as they are kept.
    private static func rows(_ store: RelationalStore, _ members: String...) async throws -> [[String]] {
        let records = try await store.database.read { connection in
            try AuditChain.rows(after: 0, limit: 10_000, connection).map(\.record)
        }
        return try records.map { record in
            let root = try JSONDocument(parsing: record, limits: .stored).root
            return members.map { root[$0]?.string ?? root[$0]?.numberText ?? "-" }
        }
    }

    @Test("STOW-RS: a part that is no DICOM and one that ends early each leave a row with the reason")
    func refusedInstances() async throws {
        try await ServedRoutes.with { groups, store in
            let route = try #require(groups.flatMap(\.routes).first { $0.operationID == "storeInstances" })
            var body: [UInt8] = []
            for part in ["this is no DICOM", String(repeating: "\u{0}", count: 128) + "DICM"] {
                body += Array("--cut\r\nContent-Type: application/dicom\r\n\r\n\(part)\r\n".utf8)
            }
            body += Array("--cut--\r\n".utf8)
            let before = try await Self.rows(store).count
            let response = try await route.handler(
                APIRequest(
                    method: .post, path: "/dicomweb/studies",
                    headers: [.contentType: "multipart/related; type=\"application/dicom\"; boundary=cut"],
                    body: RequestBody(buffer: ByteBuffer(bytes: body)), access: Self.access))
            #expect(response.status == .conflict)
            let rows = try await Self.rows(store, "category", "interaction", "outcome", "detail", "principal")
            #expect(
                rows.dropFirst(before)
                    == [[String]](repeating: ["transfer", "store", "4", "notUnderstood", "auditor"], count: 2)[...])
        }
    }
}
