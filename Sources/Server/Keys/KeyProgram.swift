import BlobStore
import Cryptography
import Foundation
import Glibc
import Workflow

/// A program of the site that hands out the master key, or wraps and unwraps by a key that it does not hand out: the hook
/// for key management services and PKCS#11 devices.
///
/// It is started by its absolute path, without a shell. Keys pass by its standard input and output alone, never in its
/// words or its environment. What it writes to standard error goes to ours. It has a limited time, and what it prints a
/// limited length.
struct KeyProgram: Sendable {
    let path: String
    private let words: [String]

    /// Seconds after which it is ended.
    static let secondsMax = 20
    /// Bytes of one answer.
    private static let outputBytesMax = StoreKeyFile.wrappedBytesMax

    /// - Parameter command: the path and the words behind it.
    init(_ command: [String]) {
        path = command.first ?? ""
        words = Array(command.dropFirst())
    }

    var place: String { "program \(path)" }

    /// What it prints. Blocks.
    func printed() throws -> [UInt8] { try run([], []) }

    // MARK: Running

    private func failure(_ why: String) -> StoreError { StoreError(.unavailable, "\(place) \(why)") }

    /// Throws `StoreError(.misuse)` for a file that others may change, `.notFound` without one.
    private func checkFile() throws {
        // Of what a link leads to.
        let attributes = try? FileManager.default.attributesOfItem(
            atPath: URL(fileURLWithPath: path).resolvingSymlinksInPath().path)
        guard let attributes, let mode = attributes[.posixPermissions] as? Int else {
            throw StoreError(.notFound, "\(place) is not there, or cannot be looked at")
        }
        guard attributes[.type] as? FileAttributeType == .typeRegular, access(path, X_OK) == 0 else {
            throw StoreError(.misuse, "\(place) is no program that this user may run")
        }
        guard mode & 0o022 == 0 else {
            throw StoreError(.misuse, "\(place) may be changed by others than its owner: chmod go-w \(path)")
        }
    }

    /// Blocks, at most ``secondsMax`` seconds.
    private func run(_ further: [String], _ input: [UInt8]) throws -> [UInt8] {
        try checkFile()
        // Sockets, since writing to one whose reader has gone can be asked not to raise a signal.
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        var (given, answered): ([Int32], [Int32]) = ([-1, -1], [-1, -1])
        defer { for descriptor in given + answered where descriptor >= 0 { close(descriptor) } }
        guard socketpair(AF_UNIX, kind, 0, &given) == 0, socketpair(AF_UNIX, kind, 0, &answered) == 0 else {
            throw failure("could not be started: \(String(cString: strerror(errno)))")
        }
        let end = ContinuousClock.now + .seconds(Self.secondsMax)
        let process = try start(words + further, input: given[1], output: answered[1])
        for descriptor in [given[1], answered[1]] { close(descriptor) }
        (given[1], answered[1]) = (-1, -1)
        // At most 16 KiB, which a socket takes at once.
        _ = input.withUnsafeBytes { send(given[0], $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        shutdown(given[0], Int32(SHUT_WR))
        let answer = Self.read(answered[0], until: end)
        guard let status = Self.ending(of: process, until: answer == nil ? .now : end) else {
            throw failure(
                "did not answer in \(Self.secondsMax) seconds, or with more than \(Self.outputBytesMax) bytes")
        }
        guard status == 0 else { throw failure("ended with \(status): see what it says above") }
        guard let answer, !answer.isEmpty else { throw failure("printed nothing") }
        return answer
    }

    /// Starts it in a process group of its own, with our environment and standard error. Gives its process id.
    private func start(_ words: [String], input: Int32, output: Int32) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        var attributes = posix_spawnattr_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        posix_spawn_file_actions_adddup2(&actions, input, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
        posix_spawnattr_setpgroup(&attributes, 0)
        var arguments = ([path] + words).map { strdup($0) } + [nil]
        var environment = ProcessInfo.processInfo.environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for text in arguments + environment { free(text) } }
        var process: pid_t = 0
        var code = posix_spawn(&process, path, &actions, &attributes, &arguments, &environment)
        // Whoever has just written it may not have closed it yet, or a process that was being started holds it open.
        for _ in 0..<50 where code == ETXTBSY {
            _ = poll(nil, 0, 20)
            code = posix_spawn(&process, path, &actions, &attributes, &arguments, &environment)
        }
        guard code == 0 else { throw failure("could not be started: \(String(cString: strerror(code)))") }
        return process
    }

    /// How it ended; nil when it had to be ended, with all that it had started.
    private static func ending(of process: pid_t, until end: ContinuousClock.Instant) -> Int32? {
        var status: Int32 = 0
        while true {
            let ended = waitpid(process, &status, WNOHANG)
            if ended == process { break }
            if ended < 0, errno != EINTR { return -1 }
            if ContinuousClock.now >= end {
                kill(-process, SIGKILL)
                while waitpid(process, &status, 0) < 0, errno == EINTR {}
                return nil
            }
            _ = poll(nil, 0, 5)
        }
        // WIFEXITED and WEXITSTATUS; a signal counts above 128, as shells have it.
        let signal = status & 0x7F
        return signal == 0 ? status >> 8 & 0xFF : 128 + signal
    }

    /// All that comes until the other end is closed; nil when it is too much or too late.
    private static func read(_ descriptor: Int32, until end: ContinuousClock.Instant) -> [UInt8]? {
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let left = (end - .now) / .milliseconds(1)
            guard left > 0 else { return nil }
            var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let ready = poll(&waiting, 1, Int32(left) + 1)
            if ready < 0, errno == EINTR { continue }
            guard ready > 0 else { return nil }
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { return nil }
            if count == 0 { return answer }
            answer += buffer[..<count]
            guard answer.count <= outputBytesMax else { return nil }
        }
    }
}

/// One that wraps and unwraps: it is given the key of `store.keys`, and keeps none of ours.
extension KeyProgram: MasterKeyWrapping {
    var kind: StoreKeyFile.Slot.Kind { .program }

    func wrap(_ key: [UInt8], of ring: [UInt8], _ entropy: any Entropy) throws -> StoreKeyFile.Slot {
        let wrapped = try run(["wrap"], key)
        return StoreKeyFile.Slot(kind: .program, id: Array(SHA256.digest(wrapped).prefix(8)), wrapped: wrapped)
    }

    /// Any slot of a program may be this one's: only the device knows.
    func unwrap(_ slot: StoreKeyFile.Slot, of ring: [UInt8]) throws -> [UInt8]? {
        guard slot.kind == .program else { return nil }
        let key = try run(["unwrap"], slot.wrapped)
        guard key.count == MasterKey.bytes else {
            throw failure("gave \(key.count) bytes where it was to unwrap \(MasterKey.bytes)")
        }
        return key
    }
}
