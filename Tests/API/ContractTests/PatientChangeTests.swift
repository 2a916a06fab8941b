import Access
import HTTPSupport
import HTTPTypes
import Hummingbird
import NIOCore
import SQLStore
import Synchronization
import Testing
import Workflow

/// What is retrieved after a patient's record was changed or merged, over a real store. PS3.18 §10.4, IHE RAD-12.
@Suite struct PatientChangeTests {
    private static let access = AccessContext(
        principal: Principal(kind: .client, id: "c"), scopes: ["system/*.cruds"].compactMap { Scope($0) },
        requestID: "r")
    private static let authorities = AssigningAuthorities(
        authorities: [], defaultPatientSystem: "urn:example:patient",
        defaultAccessionSystem: "urn:example:accession")
    private static let study = "1.2.826.0.77"

    private final class Body: Sendable {
        let bytes = Mutex<[UInt8]>([])

        struct Writer: ResponseBodyWriter {
            let body: Body
            mutating func write(_ buffer: ByteBuffer) async throws {
                body.bytes.withLock { $0 += buffer.readableBytesView }
            }
            consuming func finish(_ trailingHeaders: HTTPFields?) async throws {}
        }
    }

    private static func text(
        _ groups: [RouteGroup], _ operation: String, _ accept: String, query: String = ""
    ) async throws -> String {
        let route = try #require(groups.flatMap(\.routes).first { $0.operationID == operation })
        let parameters =
            query.isEmpty ? [("study", study), ("series", study + ".1"), ("instance", study + ".1.1")] : []
        let response = try await route.handler(
            APIRequest(
                method: .get, path: "/", rawQuery: query, headers: [.accept: accept],
                parameters: PathParameters(parameters), access: access))
        let body = Body()
        try await response.body.write(Body.Writer(body: body))
        return String(decoding: body.bytes.withLock { $0 }, as: UTF8.self)
    }

    private static func store(_ groups: [RouteGroup]) async throws {
        let route = try #require(groups.flatMap(\.routes).first { $0.operationID == "storeInstances" })
        let image = SmallImage.bytes(study: study, name: "Doe^Jane", number: "100", modality: "CT")
        let head = "--cut\r\nContent-Type: application/dicom\r\n\r\n"
        let response = try await route.handler(
            APIRequest(
                method: .post, path: "/dicomweb/studies",
                headers: [.contentType: "multipart/related; type=\"application/dicom\"; boundary=cut"],
                body: RequestBody(
                    buffer: ByteBuffer(bytes: Array(head.utf8) + image + Array("\r\n--cut--\r\n".utf8))),
                access: access))
        #expect(response.status == .ok)
    }

    private static func update(_ number: String, _ family: String) -> PatientUpdate {
        let number = Identifier(system: "urn:example:patient", value: number, kind: .medicalRecord)
        var update = PatientUpdate(identifiers: [number])
        update.names = .set([HumanName(family: family, given: ["Jane"])])
        return update
    }

    private static func work(
        _ store: RelationalStore, _ body: @escaping @Sendable (any UnitOfWork) throws -> Void
    ) async throws {
        try await (store as any WorkflowStore).write(.server(requestID: "t"), body)
    }

    @Test(
        "R15: after an update and a merge metadata and object say the same patient, and neither says the former alone",
        arguments: ServedRoutes.databases)
    func changes(_ kind: SQLDialect) async throws {
        try await ServedRoutes.with(kind, authorities: Self.authorities) { groups, store in
            try await Self.work(store) { _ = try PatientService().apply(Self.update("100", "Doe"), in: $0) }
            try await Self.store(groups)
            let forms = [
                ("retrieveInstanceMetadata", "application/dicom+json"), ("retrieveInstance", "application/dicom"),
                ("retrieveStudy", "multipart/related; type=\"application/dicom\""),
            ]
            for (operation, accept) in forms {
                let text = try await Self.text(groups, operation, accept)
                #expect(text.contains("Doe^Jane") && !text.contains("Smith"), "\(operation)")
            }
            try await Self.work(store) { _ = try PatientService().apply(Self.update("100", "Smith"), in: $0) }
            for (operation, accept) in forms {
                let text = try await Self.text(groups, operation, accept)
                #expect(text.contains("Smith^Jane"), "\(operation)")
            }
            let prior = [Identifier(system: "urn:example:patient", value: "100", kind: .medicalRecord)]
            try await Self.work(store) {
                _ = try PatientService().merge(prior: prior, into: Self.update("MERGED7", "Jones"), in: $0)
            }
            for (operation, accept) in forms {
                let text = try await Self.text(groups, operation, accept)
                #expect(text.contains("Jones^Jane") && text.contains("MERGED7"), "\(operation)")
                #expect(!text.contains("Smith"), "\(operation)")
            }
        }
    }

    @Test(
        "PS3.18 §10.6: after a merge a search by either number finds the study, and says whose it is now",
        arguments: ServedRoutes.databases)
    func searches(_ kind: SQLDialect) async throws {
        try await ServedRoutes.with(kind, authorities: Self.authorities) { groups, store in
            try await Self.work(store) { _ = try PatientService().apply(Self.update("100", "Doe"), in: $0) }
            try await Self.store(groups)
            func found(_ operation: String, _ query: String) async throws -> String {
                try await Self.text(groups, operation, "application/dicom+json", query: query)
            }
            let searches = ["searchStudies", "searchSeries", "searchInstances"]
            for search in searches {
                #expect(try await found(search, "PatientID=100").contains("Doe^Jane"), "\(search)")
                #expect(try await found(search, "PatientID=MERGED7") == "[]", "\(search)")
            }
            let prior = [Identifier(system: "urn:example:patient", value: "100", kind: .medicalRecord)]
            try await Self.work(store) {
                _ = try PatientService().merge(prior: prior, into: Self.update("MERGED7", "Jones"), in: $0)
            }
            for search in searches {
                for query in [
                    "PatientID=100", "PatientID=MERGED7", "PatientName=Jones*", "PatientName=doe^jane",
                    "PatientID=MERGED7&PatientName=Jones^Jane&includefield=all",
                ] {
                    let text = try await found(search, query)
                    #expect(text.contains("Jones^Jane") && text.contains("MERGED7"), "\(search) \(query)")
                }
                #expect(try await !found(search, "PatientID=100").contains("Doe"), "\(search)")
                #expect(try await found(search, "PatientID=MERGED8") == "[]", "\(search)")
            }
        }
    }
}
