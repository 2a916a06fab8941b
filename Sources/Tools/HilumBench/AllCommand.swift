import ArgumentParser
import Foundation

/// The whole benchmark: starts servers and bounds as children on loopback, and writes the table of results.
struct AllCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "all", abstract: "Run every comparison (the default). Ends with 0 also where a goal is missed.")

    @Option(help: "Seconds of each measurement.") var seconds = 3.0
    @Option(help: "Rounds of bound and ours; their medians count.") var rounds = 3
    @Option(help: "The file to write the results to.") var out = "conformance/bench/RESULTS.md"
    @Option(help: "An existing folder on the disk to measure; temporary files are made and removed in it.")
    var folder = FileManager.default.temporaryDirectory.path
    @Option(
        help: """
            Only the stages whose name holds this word: start, store, stow, wado-encrypted, wado-plain, fhir, \
            transaction, mllp, sending.
            """)
    var only: [String] = []

    @Option(help: "A folder of transaction Bundles (*.json), such as Synthea's, to load and to time.")
    var bundles: String?

    func validate() throws {
        guard (0.1...30).contains(seconds) else { throw ValidationError("--seconds is from 0.1 to 30") }
        guard (1...9).contains(rounds) else { throw ValidationError("--rounds is from 1 to 9") }
    }

    func run() async throws {
        signal(SIGPIPE, SIG_IGN)
        let work = folder + "/hilum-bench-\(getpid())"
        try FileManager.default.createDirectory(
            atPath: work, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        let signals = LiveChildren.endOnSignal(removing: work)
        defer {
            for source in signals { source.cancel() }
            try? FileManager.default.removeItem(atPath: work)
        }
        await spread(work)
        let machine = Machine(folder: work)
        print("\(machine.line)\n\(rounds) rounds of \(seconds) s; medians\n")
        var run = BenchRun(folder: work, seconds: seconds, rounds: rounds, only: only, bundles: bundles)
        var failure: (any Error)?
        do { try await run.all() } catch { failure = error }
        let table = ResultTable(measurements: run.measurements, facts: run.facts, machine: machine, run: run)
        print("\n" + table.text)
        if let failure { throw failure }
        if only.isEmpty {
            let place = URL(fileURLWithPath: out).deletingLastPathComponent()
            try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
            try table.markdown.write(toFile: out, atomically: true, encoding: .utf8)
            print("written to \(out)")
        }
    }

    /// Lets the folders below `folder` begin in parts of the disk of their own. An ext4 without a journal looks, for
    /// five minutes, at each inode that was deleted whenever it makes one in the same part: what was deleted before
    /// would be paid for by either side, as chance has it. Other file systems know no such flag, and need none.
    private func spread(_ folder: String) async {
        guard let program = try? ChildProcess.find("chattr") else { return }
        _ = try? await ChildProcess(program, ["+T", folder], log: folder + "/chattr.log").all()
    }
}
