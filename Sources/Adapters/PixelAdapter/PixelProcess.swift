import CPixelSandbox
import Glibc
import PixelCodecs

/// The process that reads foreign pixels: `hilum pixels`, started by ``PixelWorkers`` with its channel as descriptor 0
/// and the shared memory as descriptor 3.
///
/// It has no network, no files and no way to get either: what a codec is made to do by a hostile frame ends here. A trap,
/// a fault or a limit ends the process and costs that frame alone.
package enum PixelProcess {
    /// What the process may use. See ``PixelWorkersConfiguration`` for the meaning.
    package struct Limits: Sendable {
        package var memoryBytes: Int
        package var sharedBytes: Int
        package var cpuSeconds: Int
        package var residentBytes: Int
        package var pixels: PixelLimits

        package init(
            memoryBytes: Int, sharedBytes: Int, cpuSeconds: Int, residentBytes: Int, pixels: PixelLimits
        ) {
            self.memoryBytes = memoryBytes
            self.residentBytes = residentBytes
            self.sharedBytes = sharedBytes
            self.cpuSeconds = cpuSeconds
            self.pixels = pixels
        }
    }

    /// Enters the sandbox and answers requests until the server is gone. The exit code: 0, or 1 for a channel that is
    /// none.
    package static func run(_ limits: Limits) -> Int32 {
        serve(PixelChannel(descriptor: 0, memory: 3), limits, protection: enter(limits))
    }

    private static func enter(_ limits: Limits) -> UInt8 {
        var wanted = hilum_sandbox_limits(
            addressBytes: UInt64(max(0, limits.memoryBytes)), fileBytes: UInt64(max(0, limits.sharedBytes)),
            cpuSeconds: UInt64(max(1, limits.cpuSeconds)), descriptors: 8)
        return UInt8(truncatingIfNeeded: hilum_sandbox_enter(&wanted))
    }

    /// Enters the sandbox and tries what it forbids, for a test: bits of what passed all the same (see
    /// `hilum_sandbox_probe`), 0 where nothing did, 128 where this kernel has no filter of system calls.
    package static func probe(_ limits: Limits) -> Int32 {
        let protection = enter(limits)
        return protection & 2 == 0 ? 128 : hilum_sandbox_probe()
    }

    /// Answers requests on a channel.
    static func serve(_ channel: PixelChannel, _ limits: Limits, protection: UInt8) -> Int32 {
        do throws(PixelChannel.Failure) {
            try channel.send(PixelMessage.Reply.ready(protection: protection).encoded)
            while true {
                let message = try channel.receive()
                guard let request = PixelMessage.Request(message) else { return 1 }
                try channel.send(try answer(request, channel, limits).encoded)
            }
        } catch {
            return error == .ended ? 0 : 1
        }
    }

    private static func answer(
        _ request: PixelMessage.Request, _ channel: PixelChannel, _ limits: Limits
    ) throws(PixelChannel.Failure) -> PixelMessage.Reply {
        let asked =
            switch request {
            case .decode(_, _, _, let bytes), .encode(_, _, _, let bytes): bytes
            }
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
                result = (
                    .decoded(.init(frame), bytes: frame.bytes.count, retires: isWorn(limits)), frame.bytes
                )
            case .encode(let shape, let syntax, let options, _):
                guard let frame = shape.frame(bytes) else { throw .malformed("bytes that are not the frame's") }
                let coded = try FrameEncoder.encode(frame, as: syntax, options: options, limits: limits.pixels)
                result = (
                    .encoded(
                        photometricInterpretation: coded.photometricInterpretation, isLossy: coded.isLossy,
                        bytes: coded.bytes.count, retires: isWorn(limits)), coded.bytes
                )
            }
            guard result.out.count <= limits.sharedBytes else {
                throw .tooLarge(limit: "sharedBytes", value: result.out.count)
            }
        } catch {
            return .refused(error, retires: isWorn(limits))
        }
        try channel.store(result.out)
        return result.reply
    }

    /// A process that has had half of its processor time, or was once large, is replaced between two frames: the memory
    /// of one mammogram is not kept by each process for the rest of the day.
    private static func isWorn(_ limits: Limits) -> Bool {
        var usage = rusage()
        guard getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 else { return false }
        let seconds = Int(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
        // In KiB.
        return seconds >= limits.cpuSeconds / 2 || usage.ru_maxrss >= limits.residentBytes >> 10
    }
}
