import Access
import Synchronization
import Workflow

/// The workflow's store in memory: a unit works on a copy that takes the place of the state when it succeeds.
package final class MemoryStore: WorkflowStore {
    package struct State: Sendable {
        package var content = MemoryState()
        /// Thrown by writes, once there were as many as `writesBeforeFailure`.
        package var failure: StoreError?
        package var writesBeforeFailure = 0
        package var writes = 0
        /// Thrown by reads.
        package var readFailure: StoreError?
    }
    package let state = Mutex(State())
    /// Called at the end of each writing unit with what it told.
    package let concluding = Mutex<(@Sendable ([DomainEvent], any UnitOfWork) throws -> Void)?>(nil)
    private let entropy = SeededEntropy()

    package init(time: UTCInstant = UTCInstant(microseconds: 1_000_000)) {
        state.withLock { $0.content.time = time }
    }

    package func write<T: Sendable>(
        _ access: AccessContext, _ body: @escaping @Sendable (any UnitOfWork) throws -> T
    ) async throws -> T {
        try state.withLock { state in
            if let failure = state.failure, state.writes >= state.writesBeforeFailure { throw failure }
            let unit = MemoryUnit(state.content, entropy: entropy, access: access)
            let result = try body(unit)
            let told = unit.state.events.dropFirst(state.content.events.count)
            try concluding.withLock { $0 }?(Array(told), unit)
            state.content = unit.state
            state.writes += 1
            return result
        }
    }

    package func read<T: Sendable>(
        _ access: AccessContext, _ body: @escaping @Sendable (any UnitOfWork) throws -> T
    ) async throws -> T {
        try state.withLock { state in
            if let failure = state.readFailure { throw failure }
            return try body(MemoryUnit(state.content, entropy: entropy, access: access))
        }
    }

    /// What is kept.
    package var content: MemoryState { state.withLock { $0.content } }
    package var patients: [Patient] { content.patients }
    package var visits: [Visit] { content.visits }
    package var orders: [ImagingOrder] { content.orders }
    package var reports: [Report] { content.reports }
    package var journal: [JournaledMessage] { content.messages }
    package var unknownAuthorities: Set<UnknownAuthority> { content.unknownAuthorities }

    package func change(_ body: (inout MemoryState) -> Void) { state.withLock { body(&$0.content) } }
    package func advance(bySeconds seconds: Int64) { change { $0.time = $0.time.advanced(bySeconds: seconds) } }
}
