import Foundation
import Glibc
import Synchronization

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

/// Holds a command to a rate, so that a server that runs beside it keeps its disk.
final class Pace: Sendable {
    private let mebibytesPerSecond: Int
    private let begun = ContinuousClock.now
    private let taken = Atomic64()

    /// More than any disk writes.
    static let mebibytesMax = 1 << 20

    /// - Parameter mebibytesPerSecond: 0 for no bound.
    init(mebibytesPerSecond: Int) { self.mebibytesPerSecond = mebibytesPerSecond }

    /// What so many bytes take at a rate; nothing at one of 0.
    /// - Parameter mebibytesPerSecond: up to ``mebibytesMax``.
    static func time(of bytes: Int64, mebibytesPerSecond: Int) -> Duration {
        let rate = Int64(min(max(0, mebibytesPerSecond), mebibytesMax)) << 20
        guard rate > 0 else { return .zero }
        // Of bytes that are many the product with a million has no room in 64 bits.
        let (seconds, rest) = bytes.quotientAndRemainder(dividingBy: rate)
        return .seconds(seconds) + .microseconds(rest * 1_000_000 / rate)
    }

    /// Holds up the calling thread until the bytes are due. For threads that may block.
    func take(_ bytes: Int) {
        let sum = taken.add(Int64(bytes))
        let wait = begun + Self.time(of: sum, mebibytesPerSecond: mebibytesPerSecond) - .now
        guard wait > .zero else { return }
        _ = poll(nil, 0, CInt(min(wait / .milliseconds(1), 60_000)))
    }
}

/// A counter that threads share.
private final class Atomic64: Sendable {
    private let value = Mutex<Int64>(0)
    func add(_ amount: Int64) -> Int64 {
        value.withLock {
            $0 += amount
            return $0
        }
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
