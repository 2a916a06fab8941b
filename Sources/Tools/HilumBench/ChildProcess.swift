import Foundation

/// A child of the benchmark, ended by its process id.
final class ChildProcess {
    private let process = Process()
    private let output = Pipe()
    private var unread: [UInt8] = []

    var pid: pid_t { process.processIdentifier }

    /// Starts a program with its standard error in `log`.
    init(_ program: String, _ words: [String], log: String) throws {
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = words
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        if !FileManager.default.fileExists(atPath: log) {
            _ = FileManager.default.createFile(atPath: log, contents: nil)
        }
        guard let errors = FileHandle(forWritingAtPath: log) else { throw BenchFailure("\(log): cannot be written") }
        _ = try errors.seekToEnd()
        process.standardError = errors
        process.terminationHandler = { LiveChildren.remove($0.processIdentifier) }
        do { try process.run() } catch { throw BenchFailure("\(program): \(error)") }
        LiveChildren.add(process.processIdentifier)
        // One that has ended before it was added.
        if !process.isRunning { LiveChildren.remove(process.processIdentifier) }
    }

    /// The next line that the child prints. Throws ``BenchFailure`` when none comes in time.
    func line(within milliseconds: Int32 = 30_000) throws -> String {
        let descriptor = output.fileHandleForReading.fileDescriptor
        while true {
            if let end = unread.firstIndex(of: 0x0A) {
                defer { unread.removeFirst(end + 1) }
                return String(decoding: unread[..<end], as: UTF8.self)
            }
            var wait = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&wait, 1, milliseconds) > 0 else {
                throw BenchFailure("\(name) said nothing for \(milliseconds) ms")
            }
            var piece = [UInt8](repeating: 0, count: 4096)
            let count = read(descriptor, &piece, piece.count)
            guard count > 0 else { throw BenchFailure("\(name) ended before it was ready") }
            unread += piece[..<count]
        }
    }

    /// What the child prints until it ends by itself, and its exit code.
    func all() async throws -> (text: String, code: Int32) {
        let rest = try output.fileHandleForReading.readToEnd() ?? Data()
        while process.isRunning { try await Task.sleep(for: .milliseconds(2)) }
        return (String(decoding: unread + rest, as: UTF8.self), process.terminationStatus)
    }

    /// SIGTERM, and SIGKILL for one that does not end within ten seconds.
    func end() async {
        guard process.isRunning else { return }
        process.terminate()
        let clock = ContinuousClock()
        let limit = clock.now + .seconds(10)
        while process.isRunning, clock.now < limit { try? await Task.sleep(for: .milliseconds(10)) }
        if process.isRunning { kill(pid, SIGKILL) }
    }

    private var name: String { process.executableURL?.lastPathComponent ?? "a child" }

    /// A program on the PATH or in the places for servers. Throws ``BenchFailure``.
    static func find(_ name: String) throws -> String {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        for folder in path.split(separator: ":").map(String.init) + ["/usr/sbin", "/usr/local/sbin"] {
            if FileManager.default.isExecutableFile(atPath: folder + "/" + name) { return folder + "/" + name }
        }
        throw BenchFailure("\(name) is not installed: run docker/setup.sh bench")
    }

    /// This very program.
    static var own: String {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
    }
}
