import Foundation

/// Programs of the system that are started by their names.
enum SystemProgram {
    /// The first that may be run of a name in the folders of `PATH`.
    static func inPath(_ name: String) -> String? {
        (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin").split(separator: ":").map { "\($0)/\(name)" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }
}
