import ArgumentParser
import DICOMData
import Foundation
import Logging
import PixelAdapter
import PixelCodecs

/// `hilum pixels`: the process in which a server reads foreign pixels. Started by the server, not by people.
///
/// With `--decode` it reads files instead, so that other programs can compare; see ``PixelTrial``.
struct PixelsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pixels", abstract: "Read pixels for a server (started by it).", shouldDisplay: false)

    @Option(help: "Address space beyond the program, bytes.") var memoryBytes = PixelProcess.Limits().memoryBytes
    @Option(help: "Bytes of one frame.") var sharedBytes = PixelProcess.Limits().sharedBytes
    @Option(help: "Processor time, seconds.") var cpuSeconds = PixelProcess.Limits().cpuSeconds
    @Option(help: "Memory from which on the process is replaced, bytes.")
    var residentBytes = PixelProcess.Limits().residentBytes
    @Option(help: "Samples of a frame, or of the part that is decoded.")
    var samplesMax = PixelLimits.default.samplesMax
    @Option(help: "Samples of a frame of which a part is decoded.")
    var wholeSamplesMax = PixelLimits.default.wholeSamplesMax
    @Option(help: "Bytes of a compressed frame.") var codestreamBytesMax = PixelLimits.default.codestreamBytesMax
    @Option(help: "Scans of a JPEG.") var scansMax = PixelLimits.default.scansMax
    @Option(help: "Tiles of a JPEG 2000 codestream.") var tilesMax = PixelLimits.default.tilesMax
    @Option(help: "Code-blocks of a large JPEG 2000 codestream.") var blocksMax = PixelLimits.default.blocksMax

    @Flag(help: "Try what the sandbox forbids: exit 0 if nothing passes.") var probe = false
    @Option(help: "A file to decode, as NAME=PATH; may be given again.") var decode: [String] = []
    @Option(help: "Where decoded and encoded frames are written.") var folder = "."
    @Flag(help: "Colour as RGB.") var rgb = false
    @Option(help: "Halvings of both sides.") var reduction = 0
    @Option(name: .customLong("as"), help: "Encode each frame again in this transfer syntax.") var target: String?
    @Option(help: "Decode in so many processes instead of this one.") var workers = 0
    @Option(help: "Frames of a file at most.") var framesMax = 8

    /// Answers a server on the calling thread until it is gone, where the words are those of a process for pixels; gives
    /// its exit code, nil for any other command.
    static func serve(_ arguments: [String]) -> Int32? {
        guard arguments.count > 1, arguments[1] == configuration.commandName,
            let command = try? parse(Array(arguments.dropFirst(2))), command.decode.isEmpty
        else { return nil }
        return command.probe ? PixelProcess.probe(command.limits) : PixelProcess.run(command.limits)
    }

    private var limits: PixelProcess.Limits {
        var limits = PixelProcess.Limits()
        limits.memoryBytes = memoryBytes
        limits.sharedBytes = sharedBytes
        limits.cpuSeconds = cpuSeconds
        limits.residentBytes = residentBytes
        limits.pixels = PixelLimits(
            samplesMax: samplesMax, codestreamBytesMax: codestreamBytesMax, scansMax: scansMax, tilesMax: tilesMax,
            wholeSamplesMax: wholeSamplesMax, blocksMax: blocksMax)
        return limits
    }

    /// Compares; without files to read the process has served already, see ``serve(_:)``.
    func run() async throws {
        let files = try decode.map { item in
            let parts = item.split(separator: "=", maxSplits: 1)
            guard parts.count == 2 else { throw ValidationError("\(item): give NAME=PATH") }
            return (name: String(parts[0]), path: String(parts[1]))
        }
        var syntax: TransferSyntax?
        if let target {
            guard let known = TransferSyntax(uid: target) else {
                throw ValidationError("\(target) is no transfer syntax: give its UID, as 1.2.840.10008.1.2.4.80")
            }
            syntax = known
        }
        var pool: PixelWorkers?
        if workers > 0 {
            var configuration = PixelWorkersConfiguration()
            configuration.processes = workers
            configuration.limits = limits
            pool = PixelWorkers(configuration, logger: Logger(label: "hilum.pixels"))
        }
        let trial = PixelTrial(
            folder: folder, options: DecodingOptions(reduction: reduction, wantsRGB: rgb), target: syntax,
            encoding: EncodingOptions(), framesMax: framesMax, codec: pool ?? DirectPixelCoding(limits: limits.pixels))
        for file in files { await trial.run(file.path, name: file.name) }
        await pool?.close()
    }
}
