import FHIRModel
import NIOHTTP1
import Testing

extension JourneyTests {
    /// PS3.18 §10.4 to §10.6 over a socket.
    @Suite(.server, .serialized) struct DICOMwebBadInputTests {
        let context: ServerTrait.Context

        init() throws { context = try ServerTrait.context() }

        private static let type = "multipart/related; type=\"application/dicom\""

        private static func items(_ reply: WebClient.Reply, _ tag: String) throws -> [JSONValue] {
            try reply.json()[tag]?["Value"]?.array ?? []
        }
        /// FailureReason (0008,1197) of each item.
        private static func reasons(_ reply: WebClient.Reply, _ tag: String) throws -> [String?] {
            try items(reply, tag).map { $0["00081197"]?["Value"]?[0]?.numberText }
        }

        @Test(
            "RFC 2046 §5.1.1: no boundary, one of 71 characters and a body that is never closed are 400 and leave nothing"
        )
        func multipart() async throws {
            let part = try Samples.file(study: "1.2.10", instance: "1.2.10.1")
            let long = String(repeating: "b", count: 71)
            #expect(try await context.stow(body: Samples.multipart([part]), type: Self.type).status == 400)
            #expect(
                try await context.stow(
                    body: Samples.multipart([part], boundary: long), type: Self.type + "; boundary=\(long)"
                ).status == 400)
            #expect(try await context.stow(body: Samples.multipart([part], isClosed: false)).status == 400)
            #expect(try await context.stow(body: Samples.multipart([part], boundary: "other")).status == 400)
            #expect(try await context.stow(body: []).status == 400)
            #expect(try await context.stow(body: part, type: "text/plain").status == 415)
            #expect(try await context.visible(study: "1.2.10") == 0)
            let atLimit = String(repeating: "b", count: 70)
            #expect(
                try await context.stow(
                    body: Samples.multipart([part], boundary: atLimit), type: Self.type + "; boundary=\(atLimit)"
                ).status == 200)
            #expect(try await context.visible(study: "1.2.10") == 1)
            #expect(try await context.allDoorsServe())
        }

        @Test(
            "PS3.18 Table 10.5.3-1: a part that is no DICOM beside a good one is 202, with its failure and the good one stored"
        )
        func mixed() async throws {
            let good = try Samples.file(study: "1.2.11", instance: "1.2.11.1")
            let reply = try await context.stow([good, Array("this is no DICOM".utf8)])
            #expect(reply.status == 202, "\(reply.text)")
            #expect(try Self.items(reply, "00081199").count == 1)
            // Cannot understand, PS3.18 Table I.2-2: C000 as a number.
            #expect(try Self.reasons(reply, "0008119A") == ["49152"])
            #expect(try await context.visible(study: "1.2.11") == 1)
        }

        @Test("A Part 10 file cut anywhere is refused and leaves nothing")
        func truncated() async throws {
            let whole = try Samples.file(study: "1.2.12", instance: "1.2.12.1")
            for count in [1, 131, 132, 140, 200, 400, whole.count - 2000, whole.count - 1] {
                let reply = try await context.stow([Array(whole.prefix(count))])
                #expect(reply.status == 409, "\(count) bytes: \(reply.text)")
            }
            #expect(try await context.visible(study: "1.2.12") == 0)
            #expect(try await context.stow([whole]).status == 200)
        }

        @Test(
            "The same instance again is 200; the same UID with other pixels is 409 and the stored one stays as it was")
        func duplicates() async throws {
            let first = try Samples.file(study: "1.2.13", instance: "1.2.13.1")
            let path = "/dicomweb/studies/1.2.13/series/1.2.13.1/instances/1.2.13.1"
            let accept = [("Accept", "application/dicom; transfer-syntax=*")]
            #expect(try await context.stow([first]).status == 200)
            let before = try await context.web.send(.GET, path, token: context.token, headers: accept)
            #expect(before.status == 200)
            #expect(before.body.suffix(2000) == first.suffix(2000))
            #expect(try await context.stow([first]).status == 200)
            let conflict = try await context.stow([Samples.file(study: "1.2.13", instance: "1.2.13.1", byte: 8)])
            #expect(conflict.status == 409)
            #expect(try Self.items(conflict, "00081198").count == 1)
            let after = try await context.web.send(.GET, path, token: context.token, headers: accept)
            #expect(after.body == before.body)
            #expect(try await context.visible(study: "1.2.13") == 1)
        }

        @Test("PS3.18 §10.5.1: an instance of another study than the URL's is refused and not stored")
        func otherStudy() async throws {
            let file = try Samples.file(study: "1.2.14", instance: "1.2.14.1")
            let reply = try await context.stow([file], study: "1.2.999")
            #expect(reply.status == 409)
            #expect(try Self.items(reply, "00081198").count == 1)
            #expect(try await context.visible(study: "1.2.14") == 0)
            #expect(try await context.visible(study: "1.2.999") == 0)
            #expect(try await context.stow([file], study: "1.2.x").status == 400)
        }

        @Test("Frames 0 and beyond the last, bad UIDs, unknown attributes and bad values are 400 or 404")
        func targets() async throws {
            #expect(try await context.stow([Samples.file(study: "1.2.15", instance: "1.2.15.1")]).status == 200)
            let instance = "/dicomweb/studies/1.2.15/series/1.2.15.1/instances/1.2.15.1"
            let cases: [(String, Int)] = [
                (instance + "/frames/0", 400), (instance + "/frames/2", 404), (instance + "/frames/1,2", 404),
                (instance + "/frames/-1", 400), (instance + "/frames/99999999999999999999", 400),
                (instance + "/frames/x", 400), ("/dicomweb/studies/1.2.x/metadata", 400),
                ("/dicomweb/studies/" + String(repeating: "1", count: 65), 400), ("/dicomweb/studies/9.9.9", 404),
                ("/dicomweb/studies/..%2f..%2fetc", 400), ("/dicomweb/studies?Nonsense=1", 400),
                ("/dicomweb/studies?StudyDate=soon", 400), ("/dicomweb/studies?limit=-1", 400),
                ("/dicomweb/studies?offset=99999999999999999999", 400),
                ("/dicomweb/studies?includefield=Nonsense", 400),
                (instance + "/bulkdata/..", 400),
            ]
            for (path, status) in cases {
                let head = "GET \(path) HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(context.token)\r\n\r\n"
                let answer = try await Wire.http(context.server, head)
                #expect(answer.status == status, "\(path): \(answer.text)")
            }
            let frame = try await context.web.send(
                .GET, instance + "/frames/1", token: context.token,
                headers: [("Accept", "multipart/related; type=\"application/octet-stream\"")])
            #expect(frame.status == 200)
            #expect(try await context.allDoorsServe())
        }
    }
}
