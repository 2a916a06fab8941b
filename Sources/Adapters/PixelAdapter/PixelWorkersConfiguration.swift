import NIOCore
import PixelCodecs

/// How foreign pixels are read: how many processes, and what each may use.
package struct PixelWorkersConfiguration: Sendable {
    /// Processes at a time; each is started when it is first needed.
    package var processes: Int
    /// Frames that wait for a process, at most; more are refused as busy.
    package var waitingMax: Int
    /// Time for one frame, from the moment a process has it.
    package var frameTime: Duration
    /// Time for a process to start.
    package var startTime: Duration
    /// Address space of a process beyond its program.
    package var memoryBytes: Int
    /// Bytes of one frame in shared memory, compressed or not.
    package var sharedBytes: Int
    /// Shared memory that a process keeps between two frames.
    package var keptBytes: Int
    /// Processor time of a process: from half of it on it is replaced between two frames.
    package var cpuSeconds: Int
    /// Memory from which on a process is replaced between two frames.
    package var residentBytes: Int
    package var pixels: PixelLimits
    /// The program and its first arguments. It is this one, as `hilum pixels`.
    package var program: [String]

    package init() {
        processes = max(2, System.coreCount / 2)
        waitingMax = 256
        frameTime = .seconds(30)
        startTime = .seconds(30)
        memoryBytes = 3 << 30
        sharedBytes = 1 << 29
        keptBytes = 32 << 20
        cpuSeconds = 1_200
        residentBytes = 256 << 20
        pixels = .default
        program = ["/proc/self/exe", "pixels"]
    }

    /// What the process is told.
    var arguments: [String] {
        program + [
            "--memory-bytes", "\(memoryBytes)", "--shared-bytes", "\(sharedBytes)", "--cpu-seconds", "\(cpuSeconds)",
            "--resident-bytes", "\(residentBytes)",
            "--samples-max", "\(pixels.samplesMax)", "--codestream-bytes-max", "\(pixels.codestreamBytesMax)",
            "--scans-max", "\(pixels.scansMax)", "--tiles-max", "\(pixels.tilesMax)",
        ]
    }
}
