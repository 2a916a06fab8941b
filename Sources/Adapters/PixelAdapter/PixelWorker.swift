import CPixelSandbox
import Glibc
import PixelCodecs

/// One process and the way to it. All calls block and belong to one thread at a time.
///
/// `@unchecked Sendable`: ``PixelWorkers`` hands it to one frame at a time, by a list under a lock.
final class PixelWorker: @unchecked Sendable {
    private let configuration: PixelWorkersConfiguration
    private var running: (pid: pid_t, channel: PixelChannel)?
    /// What protects the process that runs: the bits of `hilum_sandbox_enter`.
    private(set) var protection: UInt8 = 0
    /// Processes that were started so far.
    private(set) var starts = 0

    init(_ configuration: PixelWorkersConfiguration) { self.configuration = configuration }

    /// Decodes or encodes one frame: the reply, and the bytes that belong to it. Throws ``PixelCodecError`` and
    /// ``PixelWorkerError``; behind the latter the process is gone, and the next frame has a new one.
    func exchange(
        _ request: PixelMessage.Request, _ bytes: [UInt8]
    ) throws -> (reply: PixelMessage.Reply, bytes: [UInt8]) {
        guard bytes.count <= configuration.sharedBytes else {
            throw PixelCodecError.tooLarge(limit: "sharedBytes", value: bytes.count)
        }
        let channel = try started()
        let result: (reply: PixelMessage.Reply, bytes: [UInt8])
        let retires: Bool
        do throws(PixelChannel.Failure) {
            try channel.store(bytes)
            try channel.send(request.encoded)
            let message = try channel.receive(until: .now + configuration.frameTime)
            guard let reply = PixelMessage.Reply(message) else { throw .nonsense }
            var count = 0
            switch reply {
            case .ready: throw .nonsense
            case .decoded(let shape, let bytes, let last):
                // The product of small numbers, or none: what the process says is checked like any peer's word.
                guard bytes <= configuration.sharedBytes, shape.isOf(bytes) else { throw .nonsense }
                (count, retires) = (bytes, last)
            case .encoded(_, _, let bytes, let last):
                guard bytes <= configuration.sharedBytes else { throw .nonsense }
                (count, retires) = (bytes, last)
            case .refused(_, let last): retires = last
            }
            result = (reply, try channel.load(count))
            if max(bytes.count, count) > configuration.keptBytes { channel.clear() }
        } catch {
            throw ended(error)
        }
        if retires { stop() }
        if case .refused(let error, _) = result.reply { throw error }
        return result
    }

    /// The channel to a process that is ready.
    private func started() throws -> PixelChannel {
        if let running { return running.channel }
        let memory = hilum_sandbox_memory()
        guard memory >= 0 else { throw PixelWorkerError(.unavailable, "no shared memory: errno \(errno)") }
        var ends: [Int32] = [-1, -1]
        let error = hilum_sandbox_channel(&ends)
        guard error == 0 else {
            close(memory)
            throw PixelWorkerError(.unavailable, "no socket pair: errno \(error)")
        }
        var pid: pid_t = 0
        let spawned = Self.withStrings(configuration.arguments) { arguments in
            Self.withStrings(Self.environment) { environment in
                hilum_sandbox_spawn(&pid, configuration.program[0], arguments, environment, ends[1], memory)
            }
        }
        close(ends[1])
        let channel = PixelChannel(descriptor: ends[0], memory: memory)
        guard spawned == 0 else {
            close(ends[0])
            close(memory)
            throw PixelWorkerError(.unavailable, "\(configuration.program[0]) cannot be started: errno \(spawned)")
        }
        starts += 1
        running = (pid, channel)
        do throws(PixelChannel.Failure) {
            let hello = try channel.receive(until: .now + configuration.startTime)
            guard case .ready(let protection) = PixelMessage.Reply(hello) else { throw .nonsense }
            self.protection = protection
        } catch {
            throw PixelWorkerError(.unavailable, "a process for pixels did not start: \(ended(error).description)")
        }
        return channel
    }

    /// Ends the process after a failure, and says what it was.
    private func ended(_ failure: PixelChannel.Failure) -> PixelWorkerError {
        let signal = stop()
        switch failure {
        case .late: return PixelWorkerError(.late, "no answer in time")
        case .ended: return PixelWorkerError(.died, signal.map { "ended by signal \($0)" } ?? "ended by itself")
        case .nonsense: return PixelWorkerError(.died, "an answer that is none")
        case .system(let code): return PixelWorkerError(.died, "errno \(code)")
        }
    }

    /// Ends the process, if one runs; the signal that it had died of, 9 where it still ran.
    @discardableResult
    func stop() -> Int32? {
        guard let running else { return nil }
        self.running = nil
        close(running.channel.descriptor)
        close(running.channel.memory)
        kill(running.pid, SIGKILL)
        var status: Int32 = 0
        while waitpid(running.pid, &status, 0) < 0, errno == EINTR {}
        return status & 0x7F == 0 ? nil : status & 0x7F
    }

    deinit { stop() }

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

extension PixelMessage.FrameShape {
    /// Whether a frame of this shape has so many bytes.
    func isOf(_ bytes: Int) -> Bool {
        guard (1...0xFFFF).contains(rows), (1...0xFFFF).contains(columns), (1...16).contains(samplesPerPixel),
            (1...8).contains(sampleBytes)
        else { return false }
        return rows * columns * samplesPerPixel * sampleBytes == bytes
    }
}
