import Access
import Basics
import HTTPSupport
import HTTPTypes
import NIOCore
import NIOPosix
import Synchronization

/// Threads of their own for hashing passwords, which takes memory and tenths of a second each: never done where
/// connections are served or where tasks run.
///
/// Where there are not processors enough for all, a hashing gets a tenth of what another thread gets: sign-ins wait for
/// who reads and writes, not the other way round. As many hashings as there are threads go on at once, some wait, and who
/// comes then is told to come again. Of those that wait few are of one address, and some places are for browsers that have
/// signed in here before: who guesses from many addresses does not keep them out.
package final class PasswordThreads: Sendable {
    package struct Limits: Sendable, Hashable {
        /// Each takes 32 MiB while it hashes, and the caches of its processor with them: half of the processors at most.
        package var threads = max(1, System.coreCount / 2)
        /// Hashings that wait or go on, beside those of known browsers.
        package var strangersMax = 24
        /// The same of one address block.
        package var perAddressMax = 4
        /// The same of known browsers.
        package var knownMax = 24
        /// Who has waited longer is told to come again, and nothing is hashed for who may have gone.
        package var waitMax: Duration = .seconds(10)
        package init() {}
    }

    private struct State {
        var strangers: [String: Int] = [:]
        var strangersCount = 0
        var known = 0
        var isStarted = false
        var isClosed = false
    }

    private let pool: NIOThreadPool
    private let limits: Limits
    private let state = Mutex(State())

    /// The threads begin with the first hashing.
    package init(_ limits: Limits = Limits()) {
        self.limits = limits
        pool = NIOThreadPool(numberOfThreads: limits.threads)
    }

    /// What a body makes on one of the threads. Throws `.unavailable` with Retry-After where too many wait.
    /// - Parameters:
    ///   - address: of who asks.
    ///   - isKnown: whether the browser has signed in to the account before.
    func run<Value: Sendable>(
        from address: String?, isKnown: Bool, _ body: @escaping @Sendable () throws -> Value
    ) async throws -> Value {
        let block = AddressBlock(address).description
        guard enter(block, isKnown) else { throw Self.crowded }
        defer { leave(block, isKnown) }
        let (arrival, waitMax) = (ContinuousClock.now, limits.waitMax)
        return try await pool.runIfActive {
            if ContinuousClock.now - arrival > waitMax { throw Self.crowded }
            ThreadWeight.low.take()
            return try body()
        }
    }

    private static let crowded = HTTPFailure(
        .unavailable, "Too many people sign in at this moment; try again", headers: [.retryAfter: "5"])

    private func enter(_ block: String, _ isKnown: Bool) -> Bool {
        state.withLock { state in
            guard !state.isClosed else { return false }
            if !state.isStarted {
                state.isStarted = true
                pool.start()
            }
            if isKnown {
                guard state.known < limits.knownMax else { return false }
                state.known += 1
                return true
            }
            let count = state.strangers[block] ?? 0
            guard count < limits.perAddressMax, state.strangersCount < limits.strangersMax else { return false }
            state.strangers[block] = count + 1
            state.strangersCount += 1
            return true
        }
    }

    private func leave(_ block: String, _ isKnown: Bool) {
        state.withLock { state in
            if isKnown {
                state.known -= 1
                return
            }
            state.strangersCount -= 1
            let count = (state.strangers[block] ?? 1) - 1
            state.strangers[block] = count > 0 ? count : nil
        }
    }

    /// Ends the threads; what still asks is refused.
    package func close() async {
        let isStarted = state.withLock { state in
            state.isClosed = true
            return state.isStarted
        }
        if isStarted { try? await pool.shutdownGracefully() }
    }
}
