import NIOHTTP1
import Synchronization
import Testing

extension JourneyTests {
    /// SIGTERM under load, and the folder afterwards.
    @Suite(.serialized) struct ShutdownTests {
        /// What one writer writes at most, so that the check afterwards stays short.
        private static let writesMax = 60

        /// What the server acknowledged.
        private final class Ledger: Sendable {
            private let state = Mutex((studies: [String](), patients: [String]()))
            func study(_ uid: String) { state.withLock { $0.studies.append(uid) } }
            func patient(_ value: String) { state.withLock { $0.patients.append(value) } }
            var count: Int { state.withLock { $0.studies.count + $0.patients.count } }
            var all: (studies: [String], patients: [String]) { state.withLock { $0 } }
        }

        @Test(
            "SIGTERM lets a STOW in flight finish and ends with 0; all that was acknowledged is there after a restart")
        func drain() async throws {
            let folder = try await ServerFolder.make()
            defer { folder.remove() }
            let ledger = Ledger()
            let server = try await HilumServer.start(folder, isTLS: false)
            do {
                try await WebClient.with(server) { web in try await Self.load(server, web, ledger) }
            } catch {
                server.terminate()
                _ = try? await server.exitCode()
                throw error
            }
            #expect(try await server.exitCode() == 0, "\(folder.logTail)")
            #expect(ledger.count >= 20)
            #expect(ledger.all.studies.contains("1.2.40"))
            let doctor = try await HilumProgram.run(["doctor", folder.path])
            #expect(doctor.code == 0)
            #expect(doctor.text.contains("no problems"), "\(doctor.text)")

            try await HilumServer.run(folder) { server in
                try await WebClient.with(server) { web in
                    let token = try await folder.client.token(from: web)
                    let context = ServerTrait.Context(server: server, web: web, token: token)
                    for study in ledger.all.studies {
                        #expect(try await context.visible(study: study) == 1, "study \(study)")
                        let reply = try await web.send(.GET, "/dicomweb/studies/\(study)", token: token)
                        #expect(reply.status == 200, "study \(study)")
                        #expect(reply.body.count > 20_000, "study \(study)")
                    }
                    for patient in ledger.all.patients {
                        #expect(try await context.patients("urn:journey", patient) == 1, "patient \(patient)")
                    }
                }
            }
        }

        /// Writers on two doors, SIGTERM in their midst, and a STOW of which half was sent before it.
        private static func load(_ server: HilumServer, _ web: WebClient, _ ledger: Ledger) async throws {
            let token = try await server.folder.client.token(from: web)
            let context = ServerTrait.Context(server: server, web: web, token: token)
            let file = try Samples.file(study: "1.2.40", instance: "1.2.40.1", pixelBytes: 20_000)
            let body = Samples.multipart([file])
            let head =
                "POST /dicomweb/studies HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(token)\r\n"
                + "Content-Type: multipart/related; type=\"application/dicom\"; boundary=cut\r\n"
                + "Content-Length: \(body.count)\r\n\r\n"
            try await withThrowingTaskGroup(of: Void.self) { group in
                let enough = Promised<Bool>()
                for writer in 1...4 {
                    group.addTask {
                        for number in 1...Self.writesMax {
                            guard try await write(context, writer, number, ledger) else { break }
                            if ledger.count >= 20 { enough.set(true) }
                        }
                        enough.set(true)
                    }
                }
                group.addTask {
                    let answer = try await Wire.connect(port: server.httpPort) { wire in
                        try await wire.send(Array(head.utf8) + body.prefix(10_000))
                        _ = await enough.value(within: HilumServer.patience)
                        server.terminate()
                        try await untilClosed(server)
                        try await wire.send(body.dropFirst(10_000))
                        return await wire.httpAnswer()
                    }
                    #expect(answer.status == 200, "the STOW in flight: \(answer.text)")
                    if answer.status == 200 { ledger.study("1.2.40") }
                }
                try await group.waitForAll()
            }
        }

        /// One write, noted when acknowledged; false once the server takes no more.
        private static func write(_ context: ServerTrait.Context, _ writer: Int, _ number: Int, _ ledger: Ledger)
            async throws -> Bool
        {
            if writer.isMultiple(of: 2) {
                let study = "1.2.41.\(writer).\(number)"
                let file = try Samples.file(study: study, instance: study + ".1", pixelBytes: 20_000)
                guard let reply = try? await context.stow([file]), reply.status == 200 else { return false }
                ledger.study(study)
            } else {
                let value = "LOAD-\(writer)-\(number)"
                guard let reply = try? await context.fhir(.POST, "/Patient", Samples.patient(value)),
                    reply.status == 201
                else { return false }
                ledger.patient(value)
            }
            return true
        }

        /// Waits until the listener takes no new connection.
        private static func untilClosed(_ server: HilumServer) async throws {
            let end = ContinuousClock.now + HilumServer.patience
            while ContinuousClock.now < end {
                let isOpen = (try? await Wire.connect(port: server.httpPort) { _ in true }) ?? false
                if !isOpen { return }
            }
            throw JourneyFailure("the HTTP listener stayed open after SIGTERM")
        }

        @Test("A second serve on a folder that is served is refused in words, and the first goes on")
        func secondServe() async throws {
            let folder = try await ServerFolder.make()
            defer { folder.remove() }
            try await HilumServer.run(folder) { server in
                let second = try await HilumProgram.run(["serve", folder.path, "--plain-loopback"])
                #expect(second.code != 0)
                #expect(second.text.contains("another") || second.text.contains("already"), "\(second.text)")
                try await WebClient.with(server) { web in
                    let metadata = try await web.send(.GET, "/fhir/metadata")
                    #expect(metadata.status == 200)
                }
            }
        }

        @Test("A folder that `hilum init` did not make is refused in words")
        func refusedStarts() async throws {
            let nowhere = try await HilumProgram.run(["serve", "/nowhere/at/all"])
            #expect(nowhere.code != 0)
            #expect(nowhere.text.contains("hilum init"), "\(nowhere.text)")
        }
    }
}
