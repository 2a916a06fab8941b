import ArgumentParser
import Foundation

/// `hilum-bench`: Hilum against what this machine can do at most, as ratios from one run.
@main
struct HilumBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hilum-bench", abstract: "Measure Hilum against the bounds of this machine.",
        subcommands: [AllCommand.self, CostsCommand.self, BoundHTTPCommand.self, BoundMLLPCommand.self],
        defaultSubcommand: AllCommand.self)
}

/// Something that could not be run; a missed goal is none.
struct BenchFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }

    /// With the words of `errno`.
    static func system(_ what: String) -> BenchFailure {
        BenchFailure("\(what): \(String(cString: strerror(errno)))")
    }
}
