import HTTPSupport
import HTTPTypes
import Hummingbird
import Testing

@testable import DICOMData
@testable import DICOMTranslation
@testable import DICOMwebAPI

/// Video goes as it is stored. PS3.18 §8.7.3, Table 8.7.3-5, §8.7.4.
@Suite("Video passed on")
struct VideoTests {
    private static let stream: [UInt8] = Array("....ftypmp42 and what follows of the film".utf8) + [7]
    private static let mp4 = "1.2.840.10008.1.2.4.102"

    /// 300 frames in two fragments.
    private static func routes(_ uid: String) throws -> DICOMwebRoutes {
        var set = SinglePartTests.image(frames: 300)
        set[.pixelData] = DataElement(
            .pixelData, .OB,
            .fragments(EncapsulatedValue(fragments: [Array(stream[..<20]), Array(stream[20...])])))
        return try ResultTests.routes(set, try #require(TransferSyntax(uid: uid))).0
    }

    @Test("Pixel data, bulk data and the rendered instance are the stream, alone, by ranges, with a strong tag")
    func alone() async throws {
        let routes = try Self.routes(Self.mp4)
        for accept in ["video/mp4", "video/*", "*/*", "image/jpeg;q=0.9, video/mp4;q=0.1"] {
            for answer in [
                try await routes.pixelData(SinglePartTests.request(accept: accept)),
                try await routes.bulkData(SinglePartTests.request(accept: accept, path: "7FE00010")),
                try await routes.renderedInstance(SinglePartTests.request(accept: accept)),
            ] {
                #expect(try await SinglePartTests.body(answer) == Self.stream, "\(accept)")
                #expect(answer.headers[.contentType]?.hasPrefix("video/mp4") == true)
                #expect(answer.headers[.contentLength] == String(Self.stream.count))
                #expect(answer.headers[.eTag]?.hasPrefix("W/") == false)
            }
        }
        let part = try await routes.renderedInstance(
            SinglePartTests.request(accept: "video/mp4", [(.range, "bytes=18-22")]))
        #expect(part.status == .partialContent)
        #expect(try await SinglePartTests.body(part) == Array(Self.stream[18...22]))
    }

    @Test("As a part it is one, however many frames the object counts and fragments it has")
    func parts() async throws {
        let routes = try Self.routes(Self.mp4)
        let accept = "multipart/related; type=\"video/mp4\""
        for answer in [
            try await routes.pixelData(SinglePartTests.request(accept: accept)),
            try await routes.bulkData(SinglePartTests.request(accept: accept, path: "7FE00010")),
            try await routes.renderedInstance(SinglePartTests.request(accept: accept)),
        ] {
            #expect(answer.headers[.contentType]?.hasPrefix("multipart/related; type=\"video/mp4\"") == true)
            let body = try await SinglePartTests.body(answer)
            #expect(answer.headers[.contentLength] == String(body.count))
            #expect(ResultTests.parts(body) == [Self.stream])
        }
    }

    @Test(
        "Each family has its type; MPEG-2 is video/mpeg2 as bulk data, taken as video/mpeg too, which it is rendered",
        arguments: [
            ("1.2.840.10008.1.2.4.100", "video/mpeg2", "video/mpeg2"),
            ("1.2.840.10008.1.2.4.101", "video/mpeg", "video/mpeg"),
            ("1.2.840.10008.1.2.4.106", "video/mp4", "video/mp4"),
            ("1.2.840.10008.1.2.4.107", "video/h265", "video/H265"),
        ])
    func types(_ uid: String, _ asked: String, _ type: String) async throws {
        let routes = try Self.routes(uid)
        let answer = try await routes.pixelData(SinglePartTests.request(accept: asked))
        #expect(answer.headers[.contentType] == "\(type);transfer-syntax=\(uid)")
        let rendered = try await routes.renderedInstance(SinglePartTests.request(accept: "video/*"))
        #expect(rendered.headers[.contentType] == (type == "video/mpeg2" ? "video/mpeg" : type))
    }

    @Test("What it is not is 406: pictures, another video, another syntax, frames of it as pictures")
    func refused() async throws {
        let routes = try Self.routes(Self.mp4)
        for accept in ["image/jpeg", "video/mpeg2", "image/*", "video/mp4;transfer-syntax=1.2.840.10008.1.2.4.103"] {
            await #expect(throws: HTTPFailure(.notAcceptable, ""), "\(accept)") {
                try await routes.pixelData(SinglePartTests.request(accept: accept))
            }
        }
        await #expect(throws: HTTPFailure(.notAcceptable, "")) {
            try await routes.renderedInstance(SinglePartTests.request(accept: "image/jpeg"))
        }
        await #expect(throws: HTTPFailure(.notAcceptable, "")) {
            try await routes.renderedFrames(SinglePartTests.request(accept: "*/*", frames: "1"))
        }
    }
}
