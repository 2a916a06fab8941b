import NIOCore
import PixelCodecs

/// How foreign pixels are read: how many processes, and what each may use.
package struct PixelWorkersConfiguration: Sendable {
    /// Processes at a time; each is started when it is first needed.
    package var processes = max(2, System.coreCount / 2)
    /// Frames that wait for a process, at most; more are refused as busy.
    package var waitingMax = 256
    /// Time for one frame, from the moment a process has it.
    package var frameTime = Duration.seconds(30)
    /// Time for a process to start.
    package var startTime = Duration.seconds(30)
    /// Shared memory that a process keeps between two frames.
    package var keptBytes = 32 << 20
    package var limits = PixelProcess.Limits()
    /// The program and its first arguments. It is this one, as `hilum pixels`.
    package var program = ["/proc/self/exe", "pixels"]

    package init() {}

    /// What the process is told.
    var arguments: [String] {
        let pixels = limits.pixels
        return program + [
            "--memory-bytes", "\(limits.memoryBytes)", "--shared-bytes", "\(limits.sharedBytes)",
            "--cpu-seconds", "\(limits.cpuSeconds)", "--resident-bytes", "\(limits.residentBytes)",
            "--samples-max", "\(pixels.samplesMax)", "--codestream-bytes-max", "\(pixels.codestreamBytesMax)",
            "--scans-max", "\(pixels.scansMax)", "--tiles-max", "\(pixels.tilesMax)",
            "--whole-samples-max", "\(pixels.wholeSamplesMax)", "--blocks-max", "\(pixels.blocksMax)",
        ]
    }
}
