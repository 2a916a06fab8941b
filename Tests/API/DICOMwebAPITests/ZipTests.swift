import Access
import HTTPSupport
import HTTPTypes
import Hummingbird
import Testing
import Workflow

@testable import DICOMData
@testable import DICOMTranslation
@testable import DICOMwebAPI

/// Studies, series and instances as archives. PS3.18 §8.6.1.3, §10.4.4.
@Suite("Retrieval as application/zip")
struct ZipTests {
    private static func archive(_ response: Response) async throws -> [(name: String, content: [UInt8])] {
        let bytes = try await SinglePartTests.body(response)
        func number(_ at: Int, _ count: Int) -> Int {
            bytes[at..<at + count].reversed().reduce(0) { $0 << 8 | Int($1) }
        }
        let end = bytes.count - 22
        try #require(end >= 0 && number(end, 4) == 0x0605_4B50)
        var files: [(name: String, content: [UInt8])] = []
        var at = number(end + 16, 4)
        for _ in 0..<number(end + 10, 2) {
            try #require(number(at, 4) == 0x0201_4B50)
            let (name, extra) = (number(at + 28, 2), number(at + 30, 2))
            let isLarge = extra > 0
            let text = String(decoding: bytes[at + 46..<at + 46 + name], as: UTF8.self)
            let extraAt = at + 46 + name + 4
            let count = isLarge ? number(extraAt, 8) : number(at + 24, 4)
            let head = isLarge ? number(extraAt + 16, 8) : number(at + 42, 4)
            try #require(number(head, 4) == 0x0403_4B50)
            let start = head + 30 + number(head + 26, 2) + number(head + 28, 2)
            files.append((text, Array(bytes[start..<start + count])))
            at += 46 + name + extra
        }
        return files
    }

    private static func request(_ accept: String, isStudy: Bool = true) -> APIRequest {
        ResultTests.request(accept: accept, isStudy: isStudy)
    }

    private static func routes(_ syntax: TransferSyntax = .explicitVRLittleEndian) throws -> DICOMwebRoutes {
        let set = SinglePartTests.image()
        return try ResultTests.routes(of: [("1.2.3", set, syntax), ("1.2.4", set, .explicitVRLittleEndian)]).0
    }

    @Test(
        "A file for each instance, as it is stored, named by UIDs; the body has no length and a name to be kept under")
    func study() async throws {
        let routes = try Self.routes()
        let response = try await routes.retrieve(Self.request("application/zip"))
        #expect(response.headers[.contentType] == "application/zip")
        #expect(response.headers[.contentLength] == nil)
        #expect(response.headers[.contentDisposition] == "attachment; filename=\"1.2.3.zip\"")
        let files = try await Self.archive(response)
        #expect(files.map(\.name) == ["1.2.3/1.2.3/1.2.3.dcm", "1.2.3/1.2.3/1.2.4.dcm"])
        let one = try await routes.retrieve(Self.request("application/dicom", isStudy: false))
        #expect(try await SinglePartTests.body(one) == files[0].content)
        let alone = try await Self.archive(try await routes.retrieve(Self.request("application/zip", isStudy: false)))
        #expect(alone.map(\.name) == ["1.2.3/1.2.3/1.2.3.dcm"] && alone[0].content == files[0].content)
    }

    @Test("What may not travel by HTTP as it is stored is re-coded, and what is asked for transcoded")
    func forms() async throws {
        let recoded = try await Self.archive(
            try await Self.routes(.implicitVRLittleEndian).retrieve(Self.request("application/zip")))
        #expect(recoded.count == 2 && recoded.allSatisfy { $0.content[128..<132].elementsEqual("DICM".utf8) })
        #expect(
            recoded.allSatisfy {
                String(decoding: $0.content.prefix(400), as: UTF8.self).contains("1.2.840.10008.1.2.1\0")
            })
        let rle = try await Self.archive(
            try await Self.routes().retrieve(Self.request("application/zip; transfer-syntax=1.2.840.10008.1.2.5")))
        #expect(
            rle.allSatisfy {
                String(decoding: $0.content.prefix(400), as: UTF8.self).contains(TransferSyntax.rleLossless.uid)
            })
        await #expect(throws: HTTPFailure(.notAcceptable, "")) {
            try await Self.routes().retrieve(Self.request("application/zip; transfer-syntax=1.2.3"))
        }
    }

    @Test("An archive is given to who wants it most: neither for */* nor where parts are wanted more")
    func wishes() async throws {
        let routes = try Self.routes()
        for (accept, isZip) in [
            ("application/zip, multipart/related; type=\"application/dicom\"", true),
            ("multipart/related; type=\"application/dicom\", application/zip;q=0.5", false),
            ("*/*", false), ("text/plain, application/zip;q=0.1", true),
        ] {
            let type = try await routes.retrieve(Self.request(accept)).headers[.contentType]
            #expect((type == "application/zip") == isZip, "\(accept)")
        }
    }

    @Test("An object that cannot be read breaks the body: nothing ends the archive")
    func broken() async throws {
        let trail = Silent()
        let routes = RetrieveTests.routes(
            MemoryBlobs(["a": [UInt8](repeating: 1, count: 600_000)], damagedFrom: 0), trail,
            BulkResponseGate(limit: 1))
        let response = try await routes.retrieve(
            SinglePartTests.request(accept: "application/zip"))
        let log = BodyLog()
        await #expect(throws: StoreError.self) { try await response.body.write(BodyLog.Writer(log: log)) }
        #expect(!log.bytes.contains([0x50, 0x4B, 0x05, 0x06]))
    }

    private struct Silent: AuditTrail {
        func record(_ record: AuditRecord) async throws {}
    }

    @Test("Names are UIDs, or there is none")
    func names() throws {
        let stored = try ResultTests.routes(SinglePartTests.image()).1.stored[0].instance
        #expect(try DICOMwebRoutes.name(stored, "1.2") == "1.2.3/1.2.3/1.2.dcm")
        for bad in ["", "..", "1/2", "../../x", "1..2", "C:1"] {
            #expect(throws: StoreError.self) { try DICOMwebRoutes.name(stored, bad) }
        }
    }
}
