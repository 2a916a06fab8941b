import Synchronization
import Testing

/// Bounds how many tests of a process are under way: all begin at once otherwise, and with hundreds of them on two
/// processors a test of a connection waits longer for its next step than the times that it is about.
package struct Turns: SuiteTrait, TestTrait, TestScoping {
    package var isRecursive: Bool { true }

    /// Each case of a test waits for its turn; a suite does not, it would wait for its own tests.
    package func scopeProvider(for test: Test, testCase: Test.Case?) -> Turns? {
        test.isSuite || testCase == nil ? nil : self
    }

    package func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        await Self.places.take()
        defer { Self.places.giveBack() }
        try await function()
    }

    private static let places = Places(count: 8)

    private final class Places: Sendable {
        private struct State {
            var free: Int
            var waiting: [CheckedContinuation<Void, Never>] = []
        }
        private let state: Mutex<State>

        init(count: Int) { state = Mutex(State(free: count)) }

        func take() async {
            await withCheckedContinuation { continuation in
                let isFree = state.withLock { state in
                    if state.free > 0 {
                        state.free -= 1
                        return true
                    }
                    state.waiting.append(continuation)
                    return false
                }
                if isFree { continuation.resume() }
            }
        }

        /// Whoever has waited longest goes on.
        func giveBack() {
            let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
                if state.waiting.isEmpty {
                    state.free += 1
                    return nil
                }
                return state.waiting.removeFirst()
            }
            next?.resume()
        }
    }
}

extension Trait where Self == Turns {
    /// For suites about connections and times.
    package static var takingTurns: Turns { Turns() }
}
