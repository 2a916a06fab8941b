import Dispatch
import Foundation

/// The life of one demo: the story beside the server's process and the user's Ctrl-C.
struct DemoRun: Sendable {
    let folder: ServerFolder
    /// The folder was made for this run and goes with it.
    let isTemporary: Bool
    /// Ends after the story instead of leaving the server running.
    let isOnce: Bool
    let ownFiles: DemoOwnFiles
    let narrator = DemoNarrator()

    /// How long the server may take to drain.
    static let stopLimit = Duration.seconds(60)

    private enum Event: Sendable {
        case played(DemoFailure?)
        case signal
        case exited(Int32)
        case stopLimitReached
    }

    /// Throws ``DemoFailure`` when an answer was wrong or the server ended badly.
    func run() async throws {
        narrator.line("Hilum \(HilumVersion.text): one imaging order through every door, on loopback")
        narrator.line()
        let clock = ContinuousClock()
        let begin = clock.now
        let (events, event) = AsyncStream.makeStream(of: Event.self)
        let signals = Self.signals { event.yield(.signal) }
        defer { for signal in signals { signal.cancel() } }
        var failure: DemoFailure?
        do {
            let setup = DemoSetup(folder: folder, narrator: narrator, senders: ownFiles.senders)
            try await setup.makeFolder()
            let archive = try await DemoArchive.start(in: folder.path)
            defer { archive?.stop() }
            let server = try await setup.startServer { event.yield(.exited($0)) }
            let http = try DemoHTTPClient(
                base: server.endpoints.http, authorityFile: folder.authorityCertificateFile)
            failure = await watch(server, archive, http, events: events, event: event)
            await http.close()
        } catch {
            failure = error as? DemoFailure ?? DemoFailure("\(error)")
        }
        if let failure {
            if FileManager.default.fileExists(atPath: DemoServer.logFile(folder)) {
                narrator.line("\nThe folder is kept to look at: \(folder.path) (log: \(DemoServer.logFile(folder)))")
            }
            throw failure
        }
        if isTemporary { try? FileManager.default.removeItem(atPath: folder.path) }
        narrator.line(
            "\nThe server drained and ended with 0\(isOnce ? "; the demo took \(DemoNarrator.text(clock.now - begin))" : "")."
        )
    }

    /// Plays the story and waits for the server's end; what went wrong, if anything.
    private func watch(
        _ server: DemoServer, _ archive: DemoArchive?, _ http: DemoHTTPClient, events: AsyncStream<Event>,
        event: AsyncStream<Event>.Continuation
    ) async -> DemoFailure? {
        await withTaskGroup(of: Void.self) { group in
            var failure: DemoFailure?
            var isStopping = false
            func stop() {
                guard !isStopping else { return }
                isStopping = true
                server.terminate()
                group.addTask {
                    try? await Task.sleep(for: Self.stopLimit)
                    event.yield(.stopLimitReached)
                }
            }
            let ris = DemoRIS()
            group.addTask { await ris.listen() }
            let app = DemoApp(http)
            group.addTask { await app.listen() }
            group.addTask { event.yield(.played(await play(server, ris, archive, app, http))) }
            for await next in events {
                switch next {
                case .played(let found):
                    failure = failure ?? (isStopping ? nil : found)
                    if isOnce || failure != nil { stop() }
                case .signal: stop()
                case .stopLimitReached:
                    failure =
                        failure
                        ?? DemoFailure("the server did not end within \(DemoNarrator.text(Self.stopLimit)) of SIGTERM")
                    server.kill()
                case .exited(let code):
                    if !isStopping || code != 0 {
                        let tail = DemoServer.tail(of: DemoServer.logFile(folder))
                        failure =
                            failure
                            ?? DemoFailure(
                                "the server ended with \(code)\(isStopping ? "" : " by itself"); its log ends:\n\(tail)"
                            )
                    }
                    group.cancelAll()
                    return failure
                }
            }
            return failure
        }
    }

    private func play(
        _ server: DemoServer, _ ris: DemoRIS, _ archive: DemoArchive?, _ app: DemoApp, _ http: DemoHTTPClient
    ) async -> DemoFailure? {
        do {
            try await app.open()
            try await DemoSetup(folder: folder, narrator: narrator, senders: []).add(ris)
            var story = try DemoStory(
                server: server, narrator: narrator, ownFiles: ownFiles, ris: ris, archive: archive, app: app, http: http
            )
            try await story.play()
            narrator.line()
            narrator.line("All \(story.times.count) stages are played:")
            for (number, stage) in story.times.enumerated() {
                narrator.line("  \(number + 1)  \(DemoNarrator.text(stage.time))  \(stage.title)")
            }
            if !isOnce {
                let farewell = DemoFarewell(story: story)
                try farewell.writeFollowUp()
                narrator.line(farewell.text)
            }
            return nil
        } catch {
            return error as? DemoFailure ?? DemoFailure("\(error)")
        }
    }

    /// Ctrl-C and SIGTERM as events instead of an end.
    private static func signals(_ seen: @escaping @Sendable () -> Void) -> [any DispatchSourceSignal] {
        [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { seen() }
            source.resume()
            return source
        }
    }
}
