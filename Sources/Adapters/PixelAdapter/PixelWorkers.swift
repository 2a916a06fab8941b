import DICOMData
import DICOMPixels
import Logging
import NIOPosix
import PixelCodecs
import Synchronization

/// Decodes and encodes frames in processes of their own, a few at a time.
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
        var idle: [PixelWorker]
        /// Frames that have a process or wait for one.
        var frames = 0
        var isClosed = false
        /// The lack of a sandbox was told.
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
        state = Mutex(State(idle: (0..<configuration.processes).map { _ in PixelWorker(configuration) }))
    }

    package var counts: Counts { state.withLock { $0.counts } }

    package func decode(
        _ frame: [UInt8], _ image: ImagePixel, transferSyntax: TransferSyntax, options: DecodingOptions
    ) async throws -> NativeFrame {
        try configuration.pixels.check(image, codestreamBytes: frame.count)
        let request = PixelMessage.Request.decode(image, transferSyntax, options, bytes: frame.count)
        let (reply, bytes) = try await exchange(request, frame)
        guard case .decoded(let shape, _, _) = reply, let decoded = shape.frame(bytes) else {
            throw PixelWorkerError(.died, "an answer to another question")
        }
        return decoded
    }

    package func encode(
        _ frame: NativeFrame, as transferSyntax: TransferSyntax, options: EncodingOptions
    ) async throws -> EncodedFrame {
        let request = PixelMessage.Request.encode(.init(frame), transferSyntax, options, bytes: frame.bytes.count)
        let (reply, bytes) = try await exchange(request, frame.bytes)
        guard case .encoded(let photometric, let isLossy, _, _) = reply else {
            throw PixelWorkerError(.died, "an answer to another question")
        }
        return EncodedFrame(bytes: bytes, photometricInterpretation: photometric, isLossy: isLossy)
    }

    /// Lets frames in work come to their end, and ends the processes.
    package func close() async {
        state.withLock { $0.isClosed = true }
        try? await threads.shutdownGracefully()
        for worker in state.withLock({ $0.idle }) { worker.stop() }
    }

    private func exchange(
        _ request: PixelMessage.Request, _ bytes: [UInt8]
    ) async throws -> (PixelMessage.Reply, [UInt8]) {
        try state.withLock { state in
            guard !state.isClosed else { throw PixelWorkerError(.unavailable, "the pool is closed") }
            guard state.frames < configuration.processes + configuration.waitingMax else {
                state.counts.busy += 1
                throw PixelWorkerError(.busy, "\(state.frames) frames wait: try again in a moment")
            }
            state.frames += 1
        }
        defer { state.withLock { $0.frames -= 1 } }
        return try await threads.runIfActive { [self] in
            // As many workers as threads: there is one.
            guard let worker = state.withLock({ $0.idle.popLast() }) else {
                throw PixelWorkerError(.unavailable, "no process is free")
            }
            let before = worker.starts
            defer {
                state.withLock { state in
                    state.counts.starts += worker.starts - before
                    state.idle.append(worker)
                }
            }
            do {
                let result = try worker.exchange(request, bytes)
                state.withLock { $0.counts.frames += 1 }
                tell(worker.protection)
                return result
            } catch let error as PixelWorkerError {
                note(error)
                throw error
            } catch {
                state.withLock { $0.counts.refused += 1 }
                throw error
            }
        }
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
