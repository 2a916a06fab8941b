import DICOMData
import DICOMPixels
import Logging
import NIOPosix
import PixelCodecs
import Synchronization

/// Decodes and encodes frames, and converts their colours, in processes of their own, a few at a time.
///
/// A frame that kills its process, or takes too long, is an error for that frame; the next one has a new process. The
/// server's own memory never holds a codec's state. Threads wait for the processes, as many as there are processes, so
/// that neither an event loop nor Swift's own threads do.
package final class PixelWorkers: PixelCoding {
    private let configuration: PixelWorkersConfiguration
    private let logger: Logger
    private let threads: NIOThreadPool
    private let state: Mutex<State>

    private struct State {
        /// Processes without a frame.
        var idle: [PixelWorker] = []
        /// Frames that have a process or wait for one.
        var frames = 0
        var isClosed = false
        /// What protects a process was looked at, and told where it is not all.
        var hasTold = false
        var counts = Counts()
    }

    /// How often what happened, since the start.
    package struct Counts: Sendable, Equatable {
        package var frames = 0
        package var refused = 0
        package var died = 0
        package var late = 0
        package var busy = 0
        package var starts = 0
    }

    package init(_ configuration: PixelWorkersConfiguration = PixelWorkersConfiguration(), logger: Logger) {
        precondition(configuration.processes >= 1 && !configuration.program.isEmpty)
        self.configuration = configuration
        self.logger = logger
        threads = NIOThreadPool(numberOfThreads: configuration.processes)
        threads.start()
        state = Mutex(State())
    }

    package var counts: Counts { state.withLock { $0.counts } }

    package func decode(
        _ frame: [UInt8], _ image: ImagePixel, transferSyntax: TransferSyntax, options: DecodingOptions
    ) async throws -> NativeFrame {
        try configuration.limits.pixels.check(
            image, codestreamBytes: frame.count,
            region: FrameDecoder.decodesRegions(of: transferSyntax) ? options.region : nil)
        if !transferSyntax.isEncapsulated {
            // No codec sees native pixels: our own code only sorts them, in less time than they take to a process and back.
            return try await withTaskExecutorPreference(globalConcurrentExecutor) {
                [limits = configuration.limits.pixels] in
                try FrameDecoder.decode(frame, image, transferSyntax: transferSyntax, options: options, limits: limits)
            }
        }
        let request = PixelMessage.Request.decode(image, transferSyntax, options, bytes: frame.count)
        let (reply, bytes) = try await exchange(request, frame)
        guard case .decoded(let shape, _, _) = reply, let decoded = NativeFrame(shape, bytes: bytes) else {
            throw PixelWorkerError(.died, "an answer to another question")
        }
        return decoded
    }

    package func encode(
        _ frame: NativeFrame, as transferSyntax: TransferSyntax, options: EncodingOptions
    ) async throws -> EncodedFrame {
        let request = PixelMessage.Request.encode(frame.shape, transferSyntax, options, bytes: frame.bytes.count)
        let (reply, bytes) = try await exchange(request, frame.bytes)
        guard case .encoded(let photometric, let isLossy, _, _) = reply else {
            throw PixelWorkerError(.died, "an answer to another question")
        }
        return EncodedFrame(bytes: bytes, photometricInterpretation: photometric, isLossy: isLossy)
    }

    package func convert(
        _ frame: NativeFrame, from profile: [UInt8], to target: [UInt8]
    ) async throws -> NativeFrame {
        // The profile is foreign, and it is a library that reads it.
        let bytes = profile + target + frame.bytes
        let request = PixelMessage.Request.convert(
            frame.shape, profile: profile.count, target: target.count, bytes: bytes.count)
        let (reply, out) = try await exchange(request, bytes)
        guard case .decoded(let shape, _, _) = reply, let converted = NativeFrame(shape, bytes: out) else {
            throw PixelWorkerError(.died, "an answer to another question")
        }
        return converted
    }

    /// Lets frames in work come to their end, refuses those that wait, and ends the processes.
    package func close() async {
        let idle = state.withLock { state in
            state.isClosed = true
            defer { state.idle = [] }
            return state.idle
        }
        // The end of a process is waited for, which is for the threads.
        try? await threads.runIfActive { for worker in idle { worker.end() } }
        try? await threads.shutdownGracefully()
    }

    private func exchange(
        _ request: PixelMessage.Request, _ bytes: [UInt8]
    ) async throws -> (PixelMessage.Reply, [UInt8]) {
        guard bytes.count <= configuration.limits.sharedBytes else {
            throw PixelCodecError.tooLarge(limit: "sharedBytes", value: bytes.count)
        }
        try state.withLock { state in
            guard !state.isClosed else { throw Self.closed }
            guard state.frames < configuration.processes + configuration.waitingMax else {
                state.counts.busy += 1
                throw PixelWorkerError(.busy, "\(state.frames) frames wait: try again in a moment")
            }
            state.frames += 1
        }
        defer { state.withLock { $0.frames -= 1 } }
        do {
            return try await threads.runIfActive { [self] in
                let answer = try answer(request, bytes)
                if case .refused(let error, _) = answer.reply { throw error }
                return answer
            }
        } catch is CancellationError where state.withLock({ $0.isClosed }) {
            throw Self.closed
        }
    }

    private static let closed = PixelWorkerError(.unavailable, "the pool is closed")

    /// What a process says to a frame. Blocks.
    private func answer(
        _ request: PixelMessage.Request, _ bytes: [UInt8]
    ) throws(PixelWorkerError) -> (reply: PixelMessage.Reply, bytes: [UInt8]) {
        guard !state.withLock({ $0.isClosed }) else { throw Self.closed }
        do throws(PixelWorkerError) {
            let worker = try readyWorker()
            let answer = try worker.exchange(request, bytes)
            state.withLock { state in
                if !answer.reply.retires, !state.isClosed { state.idle.append(worker) }
                if case .refused = answer.reply { state.counts.refused += 1 } else { state.counts.frames += 1 }
            }
            return answer
        } catch {
            note(error)
            throw error
        }
    }

    /// A process for the next frame: one without a frame, else a new one. There are never more than threads.
    private func readyWorker() throws(PixelWorkerError) -> PixelWorker {
        // One that ended while it had no frame is not the next one's concern.
        while let idle = state.withLock({ $0.idle.popLast() }) {
            if idle.isReady { return idle }
        }
        let worker = try PixelWorker(configuration)
        state.withLock { $0.counts.starts += 1 }
        tell(worker.protection)
        return worker
    }

    private func note(_ error: PixelWorkerError) {
        state.withLock { state in
            switch error.code {
            case .late: state.counts.late += 1
            case .died: state.counts.died += 1
            case .busy, .unavailable: break
            }
        }
        logger.warning("a frame could not be read", metadata: ["why": "\(error.description)"])
    }

    /// Once: a kernel without filters of system calls, or limits that could not be set.
    private func tell(_ protection: UInt8) {
        let isFirst = state.withLock { state in
            defer { state.hasTold = true }
            return !state.hasTold
        }
        guard isFirst, protection != 3 else { return }
        logger.warning(
            "foreign pixels are read in a process with less protection than usual",
            metadata: [
                "limits": protection & 1 != 0 ? "in force" : "missing",
                "system calls": protection & 2 != 0 ? "filtered" : "not filtered",
            ])
    }
}
