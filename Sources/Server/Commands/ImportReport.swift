import ArgumentParser
import FHIRResources
import Foundation
import Workflow

/// An import as a command tells of it.
struct ImportSummary: Codable, Equatable {
    var id: String
    var owner: String
    var state: String
    var startedAt: String
    var endedAt: String?
    var files: Int
    var filesDone: Int
    var created: Int64
    var updated: Int64
    var unchanged: Int64
    var refused: Int64
    var failure: String?

    init(_ job: ImportJob) {
        id = job.id.value
        owner = job.ownerID
        state = job.state.rawValue
        startedAt = job.createdAt.instantText
        endedAt = job.finishedAt?.instantText
        files = job.inputs
        filesDone = job.inputsDone
        created = job.tally.created
        updated = job.tally.updated
        unchanged = job.tally.unchanged
        refused = job.tally.refused
        failure = job.failure
    }

    var text: String {
        [
            id, startedAt, owner, state, "\(filesDone) of \(files) files", counts, failure,
        ].compactMap(\.self).joined(separator: "\t")
    }

    var counts: String { "\(created) created, \(updated) updated, \(unchanged) unchanged, \(refused) refused" }
}

/// Tells how far an import has come, and what was refused.
final class ImportReport {
    private let progress: ProgressLine
    private let errors: FileHandle?
    private let isQuiet: Bool
    private var done: [Int: Int64] = [:]
    private var job: ImportJob?

    /// - Parameters:
    ///   - total: bytes of all files; 0 where that is not known.
    ///   - errors: the path of a file that is written anew.
    ///   - isQuiet: whether outcomes are told nowhere.
    init(total: Int64, errors: String?, isQuiet: Bool) throws {
        progress = ProgressLine("bytes imported", total: total)
        self.isQuiet = isQuiet
        guard let errors else {
            self.errors = nil
            return
        }
        guard FileManager.default.createFile(atPath: errors, contents: nil, attributes: [.posixPermissions: 0o600]),
            let file = FileHandle(forWritingAtPath: errors)
        else { throw ValidationError("\(errors): cannot be written") }
        self.errors = file
    }

    func tell(_ job: ImportJob, _ input: ImportInput, _ outcomes: [[UInt8]]) {
        self.job = job
        done[input.place] = input.offset
        let bytes = done.values.reduce(0, +)
        progress.tell(bytes, bytes: bytes)
        if isQuiet { return }
        for outcome in outcomes {
            (errors ?? .standardError).write(Data(outcome + [0x0A]))
        }
    }

    func end(_ job: ImportJob, isDryRun: Bool, json: Bool) throws {
        let bytes = done.values.reduce(0, +)
        progress.end(bytes, bytes: bytes)
        try errors?.close()
        let summary = ImportSummary(job)
        if json { return try JSONResult.print(summary) }
        print((isDryRun ? "nothing was kept; it would be: " : "") + summary.counts)
        if let failure = job.failure { print(MessageCommand.printable(failure)) }
    }
}
