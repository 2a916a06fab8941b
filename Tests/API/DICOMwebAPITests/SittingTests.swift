import Access
import HTTPSupport
import HTTPTypes
import Hummingbird
import NIOCore
import Synchronization
import Testing

@testable import DICOMwebAPI

/// What a viewer reads of a series is one event of the audit trail, whatever it asks for of its instances. Decision 0065.
@Suite("One event for the instances of a series")
struct SittingTests {
    private typealias Fixture = RenderedTests

    private final class Trail: AuditTrail {
        struct Full: Error {}
        private let state = Mutex<(rows: [String], isFull: Bool)>(([], false))
        var rows: [String] { state.withLock { $0.rows } }
        func fill(_ isFull: Bool) { state.withLock { $0.isFull = isFull } }
        func record(_ record: AuditRecord) async throws {
            try state.withLock { state in
                if state.isFull { throw Full() }
                state.rows.append("\(record.interaction) \(record.entity ?? "-")")
            }
        }
    }

    private static func request(
        _ accept: String? = nil, instance: String = "", frames: String = "", token: String? = "t-1"
    ) -> APIRequest {
        var headers = HTTPFields()
        headers[.accept] = accept
        let parameters = [
            ("study", Fixture.study), ("series", "1.2.3.1"), ("instance", instance), ("frames", frames),
        ]
        return APIRequest(
            method: .get, path: "/", headers: headers,
            parameters: PathParameters(parameters.filter { !$0.1.isEmpty }),
            access: AccessContext(
                principal: Principal(kind: .client, id: "c"), scopes: [], requestID: "r", sourceAddress: "192.0.2.1",
                tokenID: token))
    }

    private static func routes(_ trail: Trail) throws -> DICOMwebRoutes {
        try Fixture.routes(
            ["1.1", "1.2"].map { Fixture.Object(set: Fixture.image([Fixture.one]), uid: $0) },
            SittingLedger(trail))
    }

    private static let images = "instances study:1.2.3 series:1.2.3.1"

    @Test("Objects, frames, pictures and thumbnails of a series are one row, which names no instance")
    func oneRow() async throws {
        let trail = Trail()
        let routes = try Self.routes(trail)
        for uid in ["1.1", "1.2"] {
            _ = try await routes.thumbnail(Self.request(instance: uid))
            _ = try await routes.renderedInstance(Self.request("image/png", instance: uid))
            _ = try await routes.renderedFrames(Self.request("image/png", instance: uid, frames: "1"))
            _ = try await routes.frames(Self.request("multipart/related", instance: uid, frames: "1"))
            _ = try await routes.retrieve(Self.request("application/dicom", instance: uid))
            _ = try await routes.pixelData(Self.request("multipart/related", instance: uid))
        }
        #expect(trail.rows == [Self.images])
        // By another token it is another event.
        _ = try await routes.retrieve(Self.request("application/dicom", instance: "1.1", token: "t-2"))
        #expect(trail.rows == [Self.images, Self.images])
    }

    @Test("Metadata is an event of its own, and a whole series has a row each time")
    func others() async throws {
        let trail = Trail()
        let routes = try Self.routes(trail)
        _ = try await routes.retrieve(Self.request("application/dicom", instance: "1.1"))
        for _ in 0..<2 {
            _ = try await routes.metadata(Self.request("application/dicom+json"))
            _ = try await routes.metadata(Self.request("application/dicom+json", instance: "1.1"))
            _ = try await routes.retrieve(Self.request("multipart/related; type=\"application/dicom\""))
            _ = try await routes.renderedInstances(Self.request("multipart/related; type=\"image/png\""))
            _ = try await routes.thumbnail(Self.request())
        }
        let whole = ["retrieve", "rendered", "thumbnail"].map { $0 + " study:1.2.3 series:1.2.3.1" }
        #expect(trail.rows == [Self.images, "metadata study:1.2.3 series:1.2.3.1"] + whole + whole)
    }

    @Test("Without the row of the event nothing is given, and the next read tries again")
    func failure() async throws {
        let trail = Trail()
        let routes = try Self.routes(trail)
        trail.fill(true)
        for _ in 0..<2 {
            await #expect(throws: Trail.Full.self) {
                try await routes.retrieve(Self.request("application/dicom", instance: "1.1"))
            }
        }
        trail.fill(false)
        for _ in 0..<2 { _ = try await routes.retrieve(Self.request("application/dicom", instance: "1.1")) }
        #expect(trail.rows == [Self.images])
    }
}
