import HTTPSupport
import Hummingbird
import Testing

@testable import DICOMData
@testable import DICOMTranslation
@testable import DICOMwebAPI

/// All pixel data of a study or series. PS3.18 §10.4.1.1.6, §10.4.3.3.6.
@Suite("Pixel data of studies and series")
struct PixelDataPartsTests {
    private typealias Rendered = RenderedTests
    private static let jpeg: [UInt8] = [0xFF, 0xD8, 0xFF, 0xD9]
    private static let film: [UInt8] = Array("....ftypmp42 film".utf8) + [0]

    private static func encapsulated(_ frames: [[UInt8]]) -> DataSet {
        var set = Rendered.image(frames.map { _ in Rendered.one })
        set[.pixelData] = DataElement(
            .pixelData, .OB, .fragments(EncapsulatedValue(fragments: frames)))
        return set
    }

    /// A report, two native frames, two compressed ones, and a film; the last one in a series of its own.
    private static func routes() throws -> DICOMwebRoutes {
        try Rendered.routes([
            .init(set: Rendered.report(), uid: "1.1", sopClass: UID.basicTextSRStorage),
            .init(set: Rendered.image([Rendered.one, Rendered.two]), uid: "1.2"),
            .init(set: encapsulated([jpeg, jpeg]), uid: "1.3", syntax: .jpegBaseline),
            .init(
                set: encapsulated([film]), series: "1.2.3.2", uid: "1.4",
                syntax: try #require(TransferSyntax(uid: "1.2.840.10008.1.2.4.102"))),
        ])
    }

    private static func location(_ uid: String, series: String = "1.2.3.1") -> String {
        "https://h/dicomweb/studies/1.2.3/series/\(series)/instances/\(uid)/bulkdata/7FE00010"
    }

    @Test("Each comes as it is had by itself, in order; what has no pixel data is left out")
    func study() async throws {
        let response = try await Self.routes().pixelDataOfAll(Rendered.request("*/*", series: ""))
        #expect(
            response.headers[.contentType] == "multipart/related; type=\"application/octet-stream\"; boundary=bound")
        let parts = try await Rendered.parts(response)
        #expect(parts.map(\.content) == [Rendered.one + Rendered.two, Self.jpeg, Self.jpeg, Self.film])
        #expect(
            parts.map(\.place) == [
                Self.location("1.2"), Self.location("1.3"), Self.location("1.3"),
                Self.location("1.4", series: "1.2.3.2"),
            ])
        #expect(
            parts.map { $0.type.prefix { $0 != ";" } } == [
                "application/octet-stream", "image/jpeg", "image/jpeg", "video/mp4",
            ])
    }

    @Test("Of a wanted type is what has it, stored or transcoded; the first part tells the type of the whole")
    func types() async throws {
        let routes = try Self.routes()
        let jpeg = "multipart/related; type=\"image/jpeg\"; transfer-syntax=1.2.840.10008.1.2.4.50"
        let film = "multipart/related; type=\"video/mp4\""
        let stored = try await Rendered.parts(try await routes.pixelDataOfAll(Rendered.request(film, series: "")))
        #expect(stored.map(\.content) == [Self.film])
        let rle = try await routes.pixelDataOfAll(
            Rendered.request("multipart/related; type=\"image/dicom-rle\"", series: "1.2.3.1"))
        #expect(rle.headers[.contentType]?.contains("image/dicom-rle") == true)
        // The JPEG frames hold no picture, which ends the body: none of it looks whole.
        await #expect(throws: (any Error).self) { _ = try await Rendered.parts(rle) }
        let native = try await Rendered.parts(
            try await routes.pixelDataOfAll(Rendered.request(jpeg, series: "")))
        #expect(native.count == 4)
        #expect(native.prefix(2).map(\.place).allSatisfy { $0.contains("/instances/1.2/frames/") })
        #expect(native.suffix(2).map(\.content) == [Self.jpeg, Self.jpeg])
    }

    @Test("406 where nothing has a wanted type, 404 without pixel data and without a study")
    func refused() async throws {
        let routes = try Self.routes()
        // One value alone cannot be those of several instances.
        for accept in ["text/plain", "application/octet-stream", "multipart/related; type=\"image/jpeg\""] {
            await #expect(throws: HTTPFailure(.notAcceptable, ""), "\(accept)") {
                try await routes.pixelDataOfAll(Rendered.request(accept, series: "1.2.3.2"))
            }
        }
        let reports = try Rendered.routes([
            .init(set: Rendered.report(), uid: "1.1", sopClass: UID.basicTextSRStorage)
        ])
        await #expect(throws: HTTPFailure(.notFound, "")) {
            try await reports.pixelDataOfAll(Rendered.request("*/*", series: ""))
        }
        await #expect(throws: HTTPFailure(.notFound, "")) {
            try await routes.pixelDataOfAll(Rendered.request("*/*", series: "1.2.3.9"))
        }
    }

    @Test("A series of more instances than a page comes to its end, big endian and deflated ones in little endian")
    func pages() async throws {
        let count = DICOMwebRoutes.batch + 3
        var words = SinglePartTests.image(frames: 2, bits: 16)
        words.set(.patientID, string: "P2")
        let routes = try Rendered.routes(
            (0..<count).map { number in
                switch number {
                case 0: .init(set: words, uid: "1.\(number + 1000)", syntax: .explicitVRBigEndian)
                case 1:
                    .init(
                        set: SinglePartTests.image(), uid: "1.\(number + 1000)",
                        syntax: .deflatedExplicitVRLittleEndian)
                default: .init(set: Rendered.image([Rendered.one]), uid: "1.\(number + 1000)")
                }
            })
        let parts = try await Rendered.parts(
            try await routes.pixelDataOfAll(
                Rendered.request("multipart/related; type=\"application/octet-stream\"")))
        #expect(parts.count == count)
        #expect(parts[0].content == SinglePartTests.pixels && parts[1].content == SinglePartTests.pixels)
        #expect(parts.dropFirst(2).allSatisfy { $0.content == Rendered.one })
    }
}
