import CPixelSandbox
import Glibc
import PixelCodecs

/// The process that reads foreign pixels: `hilum pixels`, started by ``PixelWorkers`` with its channel as descriptor 0
/// and the shared memory as descriptor 3.
///
/// It has no network, no files and no way to get either: what a codec is made to do by a hostile frame ends here. A trap,
/// a fault or a limit ends the process and costs that frame alone.
package struct PixelProcess {
    /// What the process may use.
    package struct Limits: Sendable, Equatable {
        /// Address space of the process beyond its program.
        package var memoryBytes = 3 << 30
        /// Bytes of one frame in shared memory, compressed or not.
        package var sharedBytes = 1 << 29
        /// Processor time of the process, in seconds: from half of it on it is replaced between two frames.
        package var cpuSeconds = 1_200
        /// Memory from which on the process is replaced between two frames.
        package var residentBytes = 256 << 20
        package var pixels = PixelLimits.default

        package init() {}
    }

    let channel: PixelChannel
    let limits: Limits
    /// Tells the memory of the process: what `hilum_sandbox_statm` gave.
    let statm: Int32

    /// Enters the sandbox and answers requests until the server is gone. The exit code: 0, or 1 for a channel that is
    /// none.
    package static func run(_ limits: Limits) -> Int32 {
        let process = PixelProcess(
            channel: PixelChannel(descriptor: 0, memory: 3), limits: limits, statm: hilum_sandbox_statm())
        return process.serve(protection: process.enter())
    }

    private func enter() -> UInt8 {
        var wanted = hilum_sandbox_limits(
            addressBytes: UInt64(max(0, limits.memoryBytes)), fileBytes: UInt64(max(0, limits.sharedBytes)),
            cpuSeconds: UInt64(max(1, limits.cpuSeconds)), descriptors: 8)
        return UInt8(truncatingIfNeeded: hilum_sandbox_enter(&wanted, statm))
    }

    /// Enters the sandbox and tries what it forbids, for a test: bits of what passed all the same (see
    /// `hilum_sandbox_probe`), 0 where nothing did, 128 where this kernel has no filter of system calls.
    package static func probe(_ limits: Limits) -> Int32 {
        let parent = getppid()
        let process = PixelProcess(
            channel: PixelChannel(descriptor: 0, memory: 3), limits: limits, statm: hilum_sandbox_statm())
        return process.enter() & 2 == 0 ? 128 : hilum_sandbox_probe(parent)
    }

    /// Answers requests on the channel.
    func serve(protection: UInt8) -> Int32 {
        do throws(PixelChannel.Failure) {
            try channel.send(PixelMessage.Reply.ready(protection: protection).encoded)
            while true {
                let message = try channel.receive()
                guard let request = PixelMessage.Request(message) else { return 1 }
                try channel.send(try answer(request).encoded)
            }
        } catch {
            return error == .ended ? 0 : 1
        }
    }

    private func answer(_ request: PixelMessage.Request) throws(PixelChannel.Failure) -> PixelMessage.Reply {
        let asked = request.bytes
        guard asked <= limits.sharedBytes else {
            return .refused(.tooLarge(limit: "sharedBytes", value: asked), retires: false)
        }
        let bytes = try channel.load(asked)
        let result: (reply: PixelMessage.Reply, out: [UInt8])
        do throws(PixelCodecError) {
            switch request {
            case .decode(let image, let syntax, let options, _):
                let frame = try FrameDecoder.decode(
                    bytes, image, transferSyntax: syntax, options: options, limits: limits.pixels)
                result = (.decoded(frame.shape, bytes: frame.bytes.count, retires: isWorn), frame.bytes)
            case .encode(let shape, let syntax, let options, _):
                guard let frame = NativeFrame(shape, bytes: bytes) else {
                    throw .malformed("bytes that are not the frame's")
                }
                let coded = try FrameEncoder.encode(frame, as: syntax, options: options, limits: limits.pixels)
                result = (
                    .encoded(
                        photometricInterpretation: coded.photometricInterpretation, isLossy: coded.isLossy,
                        bytes: coded.bytes.count, retires: isWorn), coded.bytes
                )
            case .convert(let shape, let profile, let target, _):
                guard profile <= bytes.count, target <= bytes.count - profile,
                    let frame = NativeFrame(shape, bytes: Array(bytes[(profile + target)...]))
                else { throw .malformed("bytes that are not the frame's") }
                let converted = try ColourConversion.convert(
                    frame, from: Array(bytes[..<profile]), to: Array(bytes[profile..<profile + target]),
                    limits: limits.pixels)
                result = (
                    .decoded(converted.shape, bytes: converted.bytes.count, retires: isWorn), converted.bytes
                )
            }
            guard result.out.count <= limits.sharedBytes else {
                throw .tooLarge(limit: "sharedBytes", value: result.out.count)
            }
        } catch {
            return .refused(error, retires: isWorn)
        }
        try channel.store(result.out)
        return result.reply
    }

    /// A process that has had half of its processor time, or has become large, is replaced between two frames: the
    /// memory of one mammogram is not kept by each process for the rest of the day.
    private var isWorn: Bool {
        if hilum_sandbox_resident(statm) >= UInt64(max(0, limits.residentBytes)) { return true }
        var usage = rusage()
        guard getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 else { return false }
        return Int(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) >= limits.cpuSeconds / 2
    }
}
