import Glibc
import PixelCodecs

/// One process that is ready for frames, and the way to it. Whoever lets go of it ends the process.
///
/// Nothing of it changes once it is there. Its calls block, and belong to one frame at a time: ``PixelWorkers`` takes
/// it from a list and puts it back.
final class PixelWorker: Sendable {
    /// What protects the process: the bits of `hilum_sandbox_enter`.
    let protection: UInt8
    private let configuration: PixelWorkersConfiguration
    private let process: SpawnedProcess

    /// Starts a process and waits until it is ready. Throws `.unavailable`.
    init(_ configuration: PixelWorkersConfiguration) throws(PixelWorkerError) {
        let process = try SpawnedProcess(configuration.arguments)
        do throws(PixelChannel.Failure) {
            let hello = try process.channel.receive(until: .now + configuration.startTime)
            guard case .ready(let protection) = PixelMessage.Reply(hello) else { throw .nonsense }
            self.protection = protection
        } catch {
            let why = Self.error(error, process.end())
            throw PixelWorkerError(.unavailable, "a process for pixels did not start: \(why.description)")
        }
        self.configuration = configuration
        self.process = process
    }

    /// The process lives and has said nothing that it was not asked for.
    var isReady: Bool { process.channel.isQuiet }

    /// Decodes, encodes or converts one frame: the reply, which may be a refusal, and the bytes that belong to it. Behind an
    /// error the process is gone.
    func exchange(
        _ request: PixelMessage.Request, _ bytes: [UInt8]
    ) throws(PixelWorkerError) -> (reply: PixelMessage.Reply, bytes: [UInt8]) {
        let channel = process.channel
        do throws(PixelChannel.Failure) {
            try channel.store(bytes)
            try channel.send(request.encoded)
            let message = try channel.receive(until: .now + configuration.frameTime)
            guard let reply = PixelMessage.Reply(message), let count = bytesOf(reply, to: request) else {
                throw .nonsense
            }
            let answer = try channel.load(count)
            if max(bytes.count, count) > configuration.keptBytes { channel.clear() }
            return (reply, answer)
        } catch {
            throw Self.error(error, process.end())
        }
    }

    /// Bytes in shared memory that belong to a reply; nil where it is none to this request. What a process says is
    /// checked like any peer's word.
    private func bytesOf(_ reply: PixelMessage.Reply, to request: PixelMessage.Request) -> Int? {
        let bytesMax = configuration.limits.sharedBytes
        switch (request, reply) {
        case (.decode(let image, _, let options, _), .decoded(let shape, let bytes, _)):
            let isWhole = shape.byteCount == bytes && bytes <= bytesMax
            return isWhole && image.decodes(to: shape, options) ? bytes : nil
        case (.encode, .encoded(_, _, let bytes, _)): return bytes <= bytesMax ? bytes : nil
        case (.convert(let asked, _, _, _), .decoded(let shape, let bytes, _)):
            return shape == asked && shape.byteCount == bytes && bytes <= bytesMax ? bytes : nil
        case (_, .refused): return 0
        default: return nil
        }
    }

    /// Ends the process and waits for that; it cannot be used any more.
    func end() { _ = process.end() }

    private static func error(_ failure: PixelChannel.Failure, _ signal: Int32?) -> PixelWorkerError {
        switch failure {
        case .late: PixelWorkerError(.late, "no answer in time")
        case .ended: PixelWorkerError(.died, signal.map { "ended by signal \($0)" } ?? "ended by itself")
        case .nonsense: PixelWorkerError(.died, "an answer that is none")
        case .system(let code): PixelWorkerError(.died, "errno \(code)")
        }
    }
}
