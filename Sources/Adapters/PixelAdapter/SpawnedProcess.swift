import CPixelSandbox
import Glibc

/// A process of `hilum pixels` and our end of what it was given. There is one owner, and where that lets go the process
/// is ended and its descriptors are closed: neither they nor its number can be used for what comes behind it.
struct SpawnedProcess: ~Copyable, Sendable {
    let channel: PixelChannel
    private let pid: pid_t

    /// Starts `arguments[0]` with a channel and shared memory. Throws `.unavailable`.
    init(_ arguments: [String]) throws(PixelWorkerError) {
        let memory = hilum_sandbox_memory()
        guard memory >= 0 else { throw PixelWorkerError(.unavailable, "no shared memory: errno \(errno)") }
        var ends: [Int32] = [-1, -1]
        let error = hilum_sandbox_channel(&ends)
        guard error == 0 else {
            close(memory)
            throw PixelWorkerError(.unavailable, "no socket pair: errno \(error)")
        }
        var pid: pid_t = 0
        let spawned = Self.withStrings(arguments) { words in
            Self.withStrings(Self.environment) { environment in
                hilum_sandbox_spawn(&pid, arguments[0], words, environment, ends[1], memory)
            }
        }
        close(ends[1])
        guard spawned == 0 else {
            close(ends[0])
            close(memory)
            throw PixelWorkerError(.unavailable, "\(arguments[0]) cannot be started: errno \(spawned)")
        }
        channel = PixelChannel(descriptor: ends[0], memory: memory)
        self.pid = pid
    }

    /// Ends the process and waits for that: the signal that it had died of, 9 where it still ran, nil where it ended by
    /// itself.
    func end() -> Int32? {
        kill(pid, SIGKILL)
        var info = siginfo_t()
        // It is left to be waited for, so that its number stays its own until the owner lets go.
        while waitid(P_PID, id_t(pid), &info, WEXITED | WNOWAIT) < 0 {
            guard errno == EINTR else { return nil }
        }
        return Int(info.si_code) == Int(CLD_EXITED) ? nil : info._sifields._sigchld.si_status
    }

    deinit {
        close(channel.descriptor)
        close(channel.memory)
        kill(pid, SIGKILL)
        while waitpid(pid, nil, 0) < 0, errno == EINTR {}
    }

    /// What a process may know: where its libraries are. A crash is told by its end, not by a trace.
    private static var environment: [String] {
        let path = getenv("LD_LIBRARY_PATH").map { ["LD_LIBRARY_PATH=" + String(cString: $0)] } ?? []
        return path + ["SWIFT_BACKTRACE=enable=no"]
    }

    private static func withStrings<Result>(
        _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
    ) -> Result {
        var copies: [UnsafeMutablePointer<CChar>?] = strings.map { strdup($0) }
        copies.append(nil)
        defer { for copy in copies { free(copy) } }
        return copies.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { preconditionFailure("a list with an end has an address") }
            return body(base)
        }
    }
}
