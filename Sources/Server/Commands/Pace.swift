import ArgumentParser
import Glibc
import Synchronization

/// Holds a command to a rate, so that a server that runs beside it keeps its disk.
final class Pace: Sendable {
    private let bytesPerSecond: Int64
    private let begun = ContinuousClock.now
    private let taken = Atomic64()

    /// What `--mib-per-second` may say; 0 for no bound.
    static let mebibytesPerSecondRange = 0...1_000_000

    /// - Parameter mebibytesPerSecond: within ``mebibytesPerSecondRange``.
    init(mebibytesPerSecond: Int) { bytesPerSecond = Int64(mebibytesPerSecond) << 20 }

    /// Throws a `ValidationError` for a rate that is none.
    static func check(mebibytesPerSecond: Int) throws {
        guard mebibytesPerSecondRange.contains(mebibytesPerSecond) else {
            throw ValidationError("--mib-per-second: 0 to \(mebibytesPerSecondRange.upperBound); 0 for no bound")
        }
    }

    /// How long so many bytes take, of any number: an archive has more of them than microseconds of it would fit.
    ///
    /// - Parameter bytesPerSecond: more than 0, of ``mebibytesPerSecondRange`` at most.
    static func time(of bytes: Int64, bytesPerSecond: Int64) -> Duration {
        let (seconds, rest) = bytes.quotientAndRemainder(dividingBy: bytesPerSecond)
        return .seconds(seconds) + .microseconds(rest * 1_000_000 / bytesPerSecond)
    }

    /// Holds up the calling thread until the bytes are due. For threads that may block.
    func take(_ bytes: Int) {
        let sum = taken.add(Int64(bytes))
        guard bytesPerSecond > 0 else { return }
        let due = begun + Self.time(of: sum, bytesPerSecond: bytesPerSecond)
        let wait = due - .now
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
