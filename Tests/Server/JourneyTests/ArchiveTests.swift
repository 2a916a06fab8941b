import FHIRModel
import Foundation
import NIOHTTP1
import Testing

extension JourneyTests {
    /// A PACS behind the server, played by a second server: what lies there alone is fetched when it is asked for.
    @Suite struct ArchiveTests {
        private static let study = "1.2.826.0.1.3680043.9.26.1"
        private static let parts = [("Accept", "multipart/related; type=\"application/dicom\"; transfer-syntax=*")]

        /// Both servers, each with a client that may do everything.
        private struct Stage: Sendable {
            let pacs: ServerTrait.Context
            let front: ServerTrait.Context

            /// An answer that has waited for a fetch as often as it was told to.
            func get(_ path: String, headers: [(String, String)] = []) async throws -> WebClient.Reply {
                var reply = try await front.web.send(.GET, path, token: front.token, headers: headers)
                for _ in 0..<100 where reply.status == 503 {
                    let seconds = reply.headers.first(name: "Retry-After").flatMap { Int($0) } ?? 1
                    try await Task.sleep(for: .seconds(seconds))
                    reply = try await front.web.send(.GET, path, token: front.token, headers: headers)
                }
                return reply
            }

            /// The states of the copies that are here.
            func copies(_ state: String) async throws -> [(study: String, instances: String)] {
                let reply = try await front.web.send(.GET, "/ops/fetches?state=\(state)", token: front.token)
                guard reply.status == 200 else { throw JourneyFailure("\(reply.status) \(reply.text)") }
                return (try reply.json()["fetches"]?.array ?? []).map {
                    ($0["studyInstanceUID"]?.string ?? "", $0["instances"]?.numberText ?? "")
                }
            }

            /// Ends the PACS.
            func stopPACS() async throws {
                pacs.server.terminate()
                guard try await pacs.server.exitCode() == 0 else { throw JourneyFailure("the PACS did not end well") }
            }
        }

        /// Plays with a PACS that offers these services; it may have ended when `body` returns.
        private static func play(
            offers: String, _ body: @Sendable (Stage) async throws -> Void
        ) async throws {
            let behind = try await ServerFolder.make()
            defer { behind.remove() }
            let folder = try await ServerFolder.make()
            defer { folder.remove() }
            let pacs = try await HilumServer.start(behind, isTLS: false)
            let result: Result<Void, any Error>
            do {
                try await HilumServer.run(folder) { server in
                    try await HilumProgram.must(
                        "peer", "add", behind.path, "--ae", "HILUM", "--host", "127.0.0.1", "--port",
                        "\(server.endpoints.dimse.port)", "--may", "all")
                    try await HilumProgram.must(
                        "peer", "add", folder.path, "--ae", "HILUM", "--host", "127.0.0.1", "--port",
                        "\(pacs.endpoints.dimse.port)", "--may", "store", "--offers", offers, "--archive")
                    try await WebClient.with(pacs) { behindWeb in
                        let behindToken = try await behind.client.token(from: behindWeb)
                        try await WebClient.with(server) { web in
                            let token = try await folder.client.token(from: web)
                            try await body(
                                Stage(
                                    pacs: .init(server: pacs, web: behindWeb, token: behindToken),
                                    front: .init(server: server, web: web, token: token)))
                        }
                    }
                }
                result = .success(())
            } catch { result = .failure(error) }
            pacs.terminate()
            _ = try? await pacs.exitCode()
            try result.get()
        }

        private static func file(_ number: Int) throws -> [UInt8] {
            try Samples.file(study: study, instance: study + ".1.\(number)", byte: UInt8(number))
        }

        @Test(
            "A study that only the PACS has is fetched, retrieved whole, and served after the PACS has ended",
            arguments: ["find,get", "find,move"])
        func fetched(_ offers: String) async throws {
            try await Self.play(offers: offers) { stage in
                let stored = try await stage.pacs.stow([Self.file(1), Self.file(2), Self.file(3)])
                #expect(stored.status == 200, "\(stored.text)")
                // Its instances are found by asking the archive.
                #expect(try await stage.front.visible(study: Self.study) == 3)
                let found = try await stage.front.web.send(
                    .GET, "/dicomweb/studies?StudyInstanceUID=\(Self.study)", token: stage.front.token)
                #expect(found.status == 200 && found.text.contains(Self.study), "\(found.text)")

                // Two at once share one fetch.
                async let first = stage.get("/dicomweb/studies/\(Self.study)", headers: Self.parts)
                async let second = stage.get("/dicomweb/studies/\(Self.study)", headers: Self.parts)
                let (one, other) = try await (first, second)
                #expect(one.status == 200 && other.status == 200, "\(one.text) \(other.text)")
                #expect(one.body.count > 6_000 && other.body.count == one.body.count)
                #expect(try await stage.front.visible(study: Self.study) == 3)
                let whole = try await stage.copies("whole")
                #expect(whole.map(\.study) == [Self.study] && whole.map(\.instances) == ["3"])
                #expect(try await stage.copies("failed").isEmpty)

                try await stage.stopPACS()
                let metadata = try await stage.get("/dicomweb/studies/\(Self.study)/metadata")
                #expect(metadata.status == 200)
                #expect(try metadata.json().array?.count == 3)
                let again = try await stage.get("/dicomweb/studies/\(Self.study)", headers: Self.parts)
                #expect(again.status == 200 && again.body.count == one.body.count)
                let frame = try await stage.get(
                    "/dicomweb/studies/\(Self.study)/series/\(Self.study).1/instances/\(Self.study).1.2/frames/1",
                    headers: [("Accept", "multipart/related; type=\"application/octet-stream\"; transfer-syntax=*")])
                #expect(frame.status == 200)
            }
        }

        @Test("Metadata and frames of what only the PACS has wait for it; what nobody has is not found")
        func waited() async throws {
            try await Self.play(offers: "find,get") { stage in
                #expect(try await stage.pacs.stow([Self.file(1)]).status == 200)
                let frame = try await stage.get(
                    "/dicomweb/studies/\(Self.study)/series/\(Self.study).1/instances/\(Self.study).1.1/frames/1",
                    headers: [("Accept", "multipart/related; type=\"application/octet-stream\"; transfer-syntax=*")])
                #expect(frame.status == 200, "\(frame.text)")
                #expect(
                    try await stage.front.web.send(
                        .GET, "/dicomweb/studies/1.2.3.4", token: stage.front.token
                    ).status == 404)
                try await stage.stopPACS()
                // Whether it has this one cannot be told now.
                let unknown = try await stage.front.web.send(
                    .GET, "/dicomweb/studies/1.2.3.5", token: stage.front.token)
                #expect(unknown.status == 503 && unknown.headers.contains(name: "Retry-After"), "\(unknown.text)")
            }
        }

        @Test("What a modality stores here of a study that was fetched is kept, and told to be so")
        func stored() async throws {
            try await Self.play(offers: "find,get") { stage in
                #expect(try await stage.pacs.stow([Self.file(1), Self.file(2)]).status == 200)
                #expect(try await stage.get("/dicomweb/studies/\(Self.study)/metadata").status == 200)
                #expect(try await stage.front.stow([Self.file(1), Self.file(3)]).status == 200)
                #expect(try await stage.front.visible(study: Self.study) == 3)
                let metadata = try await stage.get("/dicomweb/studies/\(Self.study)/metadata")
                #expect(try metadata.json().array?.count == 3)
            }
        }
    }
}
