import Synchronization

/// The bytes that peers may make this process hold, in sum over all doors.
///
/// What grows with a peer's bytes (a header, a frame, a body, an inflated object) holds a ``MemoryReservation`` and asks
/// it before it grows. Whoever is told no gives the transient answer of its protocol, or waits without holding more.
package final class MemoryBudget: Sendable {
    private struct State {
        var used = 0
        var peak = 0
        var refusals = 0
        /// Bytes given back since ``takeReturned()`` was asked last.
        var returned = 0
    }

    /// Bytes that may be held at a time.
    package let bytesMax: Int
    private let state = Mutex(State())

    /// - Parameter bytesMax: at least 1.
    package init(bytesMax: Int = 512 << 20) { self.bytesMax = max(1, bytesMax) }

    /// A budget that never says no, for what has none.
    package static var unlimited: MemoryBudget { MemoryBudget(bytesMax: .max) }

    /// Bytes held now.
    package var used: Int { state.withLock { $0.used } }
    /// The most bytes that were held at a time.
    package var peak: Int { state.withLock { $0.peak } }
    /// How often a reservation was told no.
    package var refusals: Int { state.withLock { $0.refusals } }

    /// A reservation of no bytes yet.
    package func reservation() -> MemoryReservation { MemoryReservation(self) }

    /// Bytes given back since the last call: when they are many, the allocator can be asked to give them back too.
    package func takeReturned() -> Int {
        state.withLock { state in
            defer { state.returned = 0 }
            return state.returned
        }
    }

    /// - Parameter isLast: whether no smaller request follows a no.
    fileprivate func take(_ bytes: Int, isLast: Bool) -> Bool {
        state.withLock { state in
            guard bytes <= bytesMax - state.used else {
                if isLast { state.refusals += 1 }
                return false
            }
            state.used += bytes
            state.peak = max(state.peak, state.used)
            return true
        }
    }

    fileprivate func give(_ bytes: Int) {
        state.withLock { state in
            state.used -= bytes
            state.returned += bytes
        }
    }
}

/// Bytes of a ``MemoryBudget`` that one holder has; given back at the latest when it is released.
package final class MemoryReservation: Sendable {
    /// Growing by less than this asks for this much: a lock for each MiB, and not for each read.
    package static let stepBytes = 256 << 10

    private let budget: MemoryBudget
    private let bytes = Mutex(0)

    fileprivate init(_ budget: MemoryBudget) { self.budget = budget }

    deinit { release() }

    /// Bytes reserved.
    package var count: Int { bytes.withLock { $0 } }

    /// Makes sure that `needed` bytes are reserved, in steps; false when they are not to be had, and then holds what it
    /// held. Never shrinks.
    package func grow(to needed: Int) -> Bool {
        bytes.withLock { bytes in
            guard needed > bytes else { return true }
            let (sum, isOver) = needed.addingReportingOverflow(Self.stepBytes - 1)
            let target = isOver ? needed : sum / Self.stepBytes * Self.stepBytes
            if budget.take(target - bytes, isLast: target == needed) {
                bytes = target
                return true
            }
            // The last bytes of a budget are not lost to rounding.
            guard target != needed, budget.take(needed - bytes, isLast: true) else { return false }
            bytes = needed
            return true
        }
    }

    /// Gives all back.
    package func release() {
        bytes.withLock { bytes in
            if bytes > 0 { budget.give(bytes) }
            bytes = 0
        }
    }
}
