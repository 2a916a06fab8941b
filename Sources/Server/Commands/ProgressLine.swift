import Foundation
import Glibc

/// How far a long command has come: a bar on a terminal, a line every few seconds elsewhere; on standard error, so that
/// standard output holds the result alone.
final class ProgressLine {
    private let title: String
    private let total: Int64
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private let interval: Duration
    private var told: ContinuousClock.Instant?

    /// - Parameter total: items there are; 0 when that is not known.
    init(_ title: String, total: Int64) {
        self.title = title
        self.total = total
        interval = isatty(STDERR_FILENO) == 1 ? .milliseconds(200) : .seconds(5)
    }

    func tell(_ done: Int64, bytes: Int64) {
        let now = ContinuousClock.now
        if let told, now - told < interval { return }
        told = now
        write(done, bytes, end: isTerminal ? "" : "\n")
    }

    func end(_ done: Int64, bytes: Int64) { write(done, bytes, end: "\n") }

    private func write(_ done: Int64, _ bytes: Int64, end: String) {
        let count = total > 0 ? "\(done) of \(total)" : "\(done)"
        var text = "\(title): \(count), \(bytes >> 20) MiB"
        if isTerminal, total > 0 {
            let filled = Self.filled(done, of: total)
            text =
                "[" + String(repeating: "#", count: filled) + String(repeating: ".", count: 30 - filled) + "] " + text
        }
        // Over what was there before.
        if isTerminal { text = "\r" + text }
        FileHandle.standardError.write(Data((text + end).utf8))
    }

    /// Of the bar's 30 places.
    /// - Parameter total: more than 0.
    static func filled(_ done: Int64, of total: Int64) -> Int {
        Int(30 * (Double(min(max(0, done), total)) / Double(total)))
    }
}

/// Prints a command's result for programs.
enum JSONResult {
    static func print(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
        FileHandle.standardOutput.write(try encoder.encode(value) + Data("\n".utf8))
    }
}
