import Foundation
import Synchronization

/// `hilum serve` as a child process, from its line of readiness to its exit code.
final class HilumServer: Sendable {
    /// The line of readiness.
    struct Endpoints: Codable, Sendable {
        struct HL7: Codable, Sendable {
            var port: Int
            var tls: Bool
        }
        struct DICOM: Codable, Sendable {
            var port: Int
            var ae: String
            var tls: Bool
        }
        struct Door: Codable, Sendable {
            var `protocol`: String
            var port: Int
            var tls: String
        }
        var ready: Bool
        var http: String
        var dimse: DICOM
        var mllp: HL7
        var doors: [Door]
    }

    /// How long a start or a drain may take.
    static let patience = Duration.seconds(180)

    let folder: ServerFolder
    let endpoints: Endpoints
    private let process: Process
    private let ending: Promised<Int32>

    private init(folder: ServerFolder, endpoints: Endpoints, process: Process, ending: Promised<Int32>) {
        self.folder = folder
        self.endpoints = endpoints
        self.process = process
        self.ending = ending
    }

    var httpPort: Int { endpoints.http.split(separator: ":").last.flatMap { Int($0) } ?? 0 }

    /// Starts the server and waits for its line; throws ``JourneyFailure`` with the log's end when none comes.
    static func start(_ folder: ServerFolder, isTLS: Bool) async throws -> HilumServer {
        _ = FileManager.default.createFile(atPath: folder.logFile, contents: nil)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try HilumProgram.path())
        process.arguments = ["serve", folder.path] + (isTLS ? [] : ["--plain-loopback"])
        process.standardInput = FileHandle.nullDevice
        process.standardError = FileHandle(forWritingAtPath: folder.logFile)
        let output = Pipe()
        process.standardOutput = output
        let line = Promised<Endpoints?>()
        // A thread of its own that holds the pipe to its end: a readability handler's source can outlive its descriptor.
        let end = dup(output.fileHandleForReading.fileDescriptor)
        Thread.detachNewThread {
            defer { close(end) }
            var text: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 4096)
            var isTold = false
            while true {
                let count = read(end, &buffer, buffer.count)
                guard count > 0 else { break }
                text += buffer.prefix(count)
                guard !isTold, let mark = text.firstIndex(of: 0x0A) else { continue }
                isTold = true
                line.set(try? JSONDecoder().decode(Endpoints.self, from: Data(text[..<mark])))
            }
            if !isTold { line.set(nil) }
        }
        let ending = Promised<Int32>()
        process.terminationHandler = { ending.set($0.terminationStatus) }
        try process.run()
        guard let found = await line.value(within: patience), let endpoints = found, endpoints.ready else {
            kill(process.processIdentifier, SIGKILL)
            throw JourneyFailure("hilum serve did not become ready; its log ends:\n\(folder.logTail)")
        }
        return HilumServer(folder: folder, endpoints: endpoints, process: process, ending: ending)
    }

    /// SIGTERM: asks it to let work end and to go.
    func terminate() { kill(process.processIdentifier, SIGTERM) }

    /// SIGHUP: asks it to read certificates again.
    func hangUp() { kill(process.processIdentifier, SIGHUP) }

    /// SIGKILL: whatever is under way stays as it is.
    func killAtOnce() async {
        kill(process.processIdentifier, SIGKILL)
        _ = await ending.value(within: Self.patience)
    }

    /// The exit code. Throws ``JourneyFailure`` when the server does not end; it is killed then.
    func exitCode() async throws -> Int32 {
        if let code = await ending.value(within: Self.patience) { return code }
        kill(process.processIdentifier, SIGKILL)
        throw JourneyFailure("hilum did not end within \(Self.patience) of SIGTERM; its log ends:\n\(folder.logTail)")
    }

    /// Starts a server in a folder, plays, and requires that SIGTERM ends it with 0.
    static func run<T: Sendable>(
        _ folder: ServerFolder, isTLS: Bool = false, _ body: @Sendable (HilumServer) async throws -> T
    ) async throws -> T {
        let server = try await start(folder, isTLS: isTLS)
        let result: T
        do {
            result = try await body(server)
        } catch {
            server.terminate()
            _ = try? await server.exitCode()
            throw error
        }
        server.terminate()
        let code = try await server.exitCode()
        guard code == 0 else {
            throw JourneyFailure("hilum serve ended with \(code) at SIGTERM; its log ends:\n\(folder.logTail)")
        }
        return result
    }
}

/// A value that is set once and awaited by any number of tasks.
final class Promised<Value: Sendable>: Sendable {
    private struct State {
        var value: Value?
        var waiters: [AsyncStream<Value>.Continuation] = []
    }
    private let state = Mutex(State())

    /// The first value stays.
    func set(_ value: Value) {
        let waiters = state.withLock { state -> [AsyncStream<Value>.Continuation] in
            guard state.value == nil else { return [] }
            state.value = value
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.yield(value) }
    }

    /// The value, or nil when it does not come in time.
    func value(within limit: Duration) async -> Value? {
        let (stream, continuation) = AsyncStream.makeStream(of: Value.self)
        let known = state.withLock { state -> Value? in
            if state.value == nil { state.waiters.append(continuation) }
            return state.value
        }
        if let known { return known }
        return await withTaskGroup(of: Value?.self) { group in
            group.addTask { await stream.first { _ in true } }
            group.addTask {
                try? await Task.sleep(for: limit)
                return nil
            }
            let first = await group.next() ?? nil
            group.cancelAll()
            return first
        }
    }
}
