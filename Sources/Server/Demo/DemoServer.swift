import Foundation
import Synchronization

/// The server of the demo: `hilum` itself as child processes, as a user would run it.
final class DemoServer: Sendable {
    /// How long the server may take to say that it is ready.
    static let startLimit = Duration.seconds(60)

    let folder: ServerFolder
    let endpoints: Readiness.Endpoints
    let dimse: Readiness.Endpoints.DICOM
    let mllp: Readiness.Endpoints.HL7
    /// From the start of the process to its line of readiness.
    let startTime: Duration
    private let process: Process

    /// Throws ``DemoFailure`` for a server that lacks a door.
    private init(
        folder: ServerFolder, endpoints: Readiness.Endpoints, startTime: Duration, process: Process
    ) throws {
        guard let dimse = endpoints.dimse, let mllp = endpoints.mllp else {
            throw DemoFailure("the server has no DIMSE or no MLLP door")
        }
        self.dimse = dimse
        self.mllp = mllp
        self.folder = folder
        self.endpoints = endpoints
        self.startTime = startTime
        self.process = process
    }

    /// This very program.
    static var executable: String {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
    }

    static func logFile(_ folder: ServerFolder) -> String { folder.runFolder + "/serve.log" }

    /// Runs a short command to its end and returns what it printed. Throws ``DemoFailure`` when it fails.
    @discardableResult
    static func command(_ words: [String]) async throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: executable)
        process.arguments = words
        process.standardInput = FileHandle.nullDevice
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        let (ends, end) = AsyncStream.makeStream(of: Int32.self)
        process.terminationHandler = { end.yield($0.terminationStatus) }
        try process.run()
        let text = String(decoding: (try output.fileHandleForReading.readToEnd()) ?? Data(), as: UTF8.self)
        let code = await ends.first { _ in true } ?? -1
        guard code == 0 else { throw DemoFailure("hilum \(words.joined(separator: " ")) ended with \(code):\n\(text)") }
        return text
    }

    /// Starts `hilum serve` and waits until it is ready. `ended` is told when the process is gone, whenever that is.
    static func start(
        _ folder: ServerFolder, ended: @escaping @Sendable (Int32) -> Void
    ) async throws -> DemoServer {
        let log = logFile(folder)
        guard FileManager.default.createFile(atPath: log, contents: nil), let errors = FileHandle(forWritingAtPath: log)
        else {
            throw DemoFailure("\(log): cannot be written")
        }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: executable)
        process.arguments = ["serve", folder.path]
        process.standardInput = FileHandle.nullDevice
        process.standardError = errors
        let output = Pipe()
        process.standardOutput = output
        let (lines, line) = AsyncStream.makeStream(of: [UInt8].self)
        // A thread of its own that holds the pipe to its end: a readability handler's source can outlive its descriptor.
        let end = dup(output.fileHandleForReading.fileDescriptor)
        Thread.detachNewThread {
            defer { close(end) }
            var rest: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 4096)
            while true {
                let count = read(end, &buffer, buffer.count)
                guard count > 0 else { break }
                rest += buffer.prefix(count)
                while let mark = rest.firstIndex(of: 0x0A) {
                    line.yield(Array(rest[..<mark]))
                    rest.removeFirst(mark + 1)
                }
            }
            line.finish()
        }
        process.terminationHandler = { ended($0.terminationStatus) }
        let clock = ContinuousClock()
        let begin = clock.now
        try process.run()
        let endpoints = await firstReady(lines)
        guard let endpoints else {
            if process.isRunning { kill(process.processIdentifier, SIGKILL) }
            throw DemoFailure(
                "the server did not become ready within \(DemoNarrator.text(startLimit)); its log ends:\n\(tail(of: log))"
            )
        }
        return try DemoServer(folder: folder, endpoints: endpoints, startTime: clock.now - begin, process: process)
    }

    /// The line of readiness; nil when the output ended or the time is up.
    private static func firstReady(_ lines: AsyncStream<[UInt8]>) async -> Readiness.Endpoints? {
        await withTaskGroup(of: Readiness.Endpoints?.self) { group in
            group.addTask {
                for await line in lines {
                    if let found = try? JSONDecoder().decode(Readiness.Endpoints.self, from: Data(line)), found.ready {
                        return found
                    }
                }
                return nil
            }
            group.addTask {
                try? await Task.sleep(for: startLimit)
                return nil
            }
            let first = await group.next() ?? nil
            group.cancelAll()
            return first
        }
    }

    /// Asks the server to drain and end.
    func terminate() { process.terminate() }

    /// Ends it at once.
    func kill() { Self.kill(process.processIdentifier, SIGKILL) }

    private static func kill(_ process: pid_t, _ signal: Int32) { _ = Foundation.kill(process, signal) }

    /// The last lines of a file.
    static func tail(of path: String, lines: Int = 15) -> String {
        let text = String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
        return text.split(separator: "\n").suffix(lines).joined(separator: "\n")
    }
}
