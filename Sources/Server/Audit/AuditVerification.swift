import Foundation
import SQLStore

/// What checking the audit trail has found: its chain, what was cut from it, and the checkpoints outside of it.
struct AuditVerification: Sendable {
    /// The rows in the database, and the first and last of them.
    private(set) var rows: Int64 = 0
    private(set) var first: Int64 = 0
    private(set) var last = AuditChain.Link.start
    /// Checkpoints that a row has confirmed.
    private(set) var confirmed = 0
    /// The row up to which rows were exported and cut; nil when none were.
    private(set) var cut: AuditCheckpoint?
    private(set) var problems: [String] = []
    /// What is no problem but worth saying.
    private(set) var notes: [String] = []

    /// Checks everything of one database.
    /// - Parameters:
    ///   - checkpoints: those of the folder, in order.
    ///   - unread: lines of that file that are no checkpoints.
    ///   - others: those of logs and exports, held against the rows as well.
    ///   - key: nil when it cannot be read: signatures are not checked then, which is a problem.
    ///   - progress: told the number of each thousandth row.
    static func run(
        _ connection: any SQLConnection, checkpoints: [AuditCheckpoint], unread: Int = 0,
        others: [AuditCheckpoint] = [], key: AuditKey?, progress: (Int64) -> Void = { _ in }
    ) throws -> AuditVerification {
        var result = AuditVerification()
        let signed = result.signed(checkpoints + others, key)
        if unread > 0 { result.problems.append("\(unread) lines of the checkpoint file are no checkpoints") }
        var wanted: [Int64: [AuditCheckpoint]] = [:]
        for checkpoint in signed where checkpoint.kind != .cut {
            wanted[checkpoint.number, default: []].append(checkpoint)
        }

        var start = AuditChain.Link.start
        if let cut = try AuditChain.lastCut(connection) {
            guard let checkpoint = AuditCheckpoint(cut.checkpoint), checkpoint.kind == .cut,
                checkpoint.link == cut.link, key.map({ checkpoint.isSigned(by: $0) }) ?? false
            else {
                result.problems.append("the rows up to \(cut.link.number) were removed without a signed checkpoint")
                return result
            }
            result.cut = checkpoint
            start = cut.link
        }
        var broken: [AuditCheckpoint] = []
        result.first = start.number + 1
        do {
            result.last = try AuditChain.walk(after: start, connection) { link in
                result.rows += 1
                if link.number % 1_000 == 0 { progress(link.number) }
                for checkpoint in wanted.removeValue(forKey: link.number) ?? [] {
                    if checkpoint.hash == link.hash { result.confirmed += 1 } else { broken.append(checkpoint) }
                }
            }
        } catch let error as SQLStoreError where error.code == .corrupt {
            result.problems.append(error.message)
            return result
        }
        // Rows below the cut are in the export; those above the last row are gone.
        let missing = wanted.filter { $0.key > start.number }.values.flatMap { $0 }
        result.judge(missing, broken, order: checkpoints)
        if checkpoints.isEmpty, result.last.number > 0 {
            result.problems.append("there is no checkpoint, so nothing shows whether rows were cut from the end")
        }
        return result
    }

    private mutating func signed(_ checkpoints: [AuditCheckpoint], _ key: AuditKey?) -> [AuditCheckpoint] {
        guard let key else {
            problems.append("the audit key cannot be read, so no checkpoint can be checked")
            return []
        }
        let signed = checkpoints.filter { $0.isSigned(by: key) }
        if signed.count < checkpoints.count {
            problems.append("\(checkpoints.count - signed.count) checkpoints are not signed by the key \(key.id)")
        }
        return signed
    }

    /// Contradictions before the last acceptance are known to the operator.
    private mutating func judge(
        _ missing: [AuditCheckpoint], _ broken: [AuditCheckpoint], order: [AuditCheckpoint]
    ) {
        let accepted = order.lastIndex { $0.kind == .accepted }
        let known = accepted.map { Set(order[..<$0]) } ?? []
        let lost = missing.filter { !known.contains($0) }.max { $0.number < $1.number }
        if let lost {
            problems.append(
                "the trail ends at row \(last.number), but a checkpoint of \(Self.text(lost.time)) knows row \(lost.number): rows were removed from the end, or an older copy was put back"
            )
        }
        if let changed = broken.filter({ !known.contains($0) }).min(by: { $0.number < $1.number }) {
            problems.append(
                "row \(changed.number) is not the one that a checkpoint of \(Self.text(changed.time)) knows: the trail was made anew, or an older copy was put back"
            )
        }
        let count = (missing + broken).filter { known.contains($0) }.count
        if count > 0 { notes.append("\(count) checkpoints name rows whose loss was accepted") }
    }

    static func text(_ microseconds: Int64) -> String {
        Date(timeIntervalSince1970: Double(microseconds) / 1_000_000).formatted(.iso8601)
    }

    /// One sentence.
    var summary: String {
        var text = "\(rows) rows, chain unbroken, \(confirmed) checkpoints confirmed"
        if let cut { text += ", rows up to \(cut.number) exported and cut" }
        return text
    }
}
