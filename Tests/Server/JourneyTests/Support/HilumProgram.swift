import Foundation

/// What went wrong around a test, in a sentence.
struct JourneyFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// The built `hilum`, as the build folder holds it.
enum HilumProgram {
    /// How a short command ended, and what it printed on both outputs.
    struct Ending: Sendable {
        let code: Int32
        let text: String
    }

    /// The executable beside the test bundle. Throws ``JourneyFailure`` when it was not built.
    static func path() throws -> String {
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        let starts = [own, CommandLine.arguments.first ?? ""].filter { !$0.isEmpty }
        for start in starts {
            // The bundle is an executable on Linux and a folder with one inside elsewhere: look a few folders up.
            var folder = URL(fileURLWithPath: start).deletingLastPathComponent()
            for _ in 0..<4 {
                let candidate = folder.appendingPathComponent("hilum").path
                var isFolder: ObjCBool = false
                if FileManager.default.fileExists(atPath: candidate, isDirectory: &isFolder), !isFolder.boolValue {
                    return candidate
                }
                folder.deleteLastPathComponent()
            }
        }
        throw JourneyFailure("no `hilum` beside \(starts.joined(separator: " or ")): build it with `swift build` first")
    }

    /// Runs a command to its end.
    static func run(_ words: [String]) async throws -> Ending { try await run(try path(), words) }

    /// Runs any program to its end.
    static func run(_ program: String, _ words: [String]) async throws -> Ending {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = words
        process.standardInput = FileHandle.nullDevice
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        let (ends, end) = AsyncStream.makeStream(of: Int32.self)
        process.terminationHandler = { end.yield($0.terminationStatus) }
        try process.run()
        let text = String(decoding: (try output.fileHandleForReading.readToEnd()) ?? Data(), as: UTF8.self)
        return Ending(code: await ends.first { _ in true } ?? -1, text: text)
    }

    /// Runs a command that must end with 0; what it printed.
    @discardableResult
    static func must(_ words: String...) async throws -> String { try await must(words) }

    @discardableResult
    static func must(_ words: [String]) async throws -> String {
        let ending = try await run(words)
        guard ending.code == 0 else {
            throw JourneyFailure("hilum \(words.joined(separator: " ")) ended with \(ending.code):\n\(ending.text)")
        }
        return ending.text
    }
}
