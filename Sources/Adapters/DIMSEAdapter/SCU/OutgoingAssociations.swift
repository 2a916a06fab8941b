import DICOMNetwork
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Synchronization
import Workflow

/// The associations that this side asks for: opened when they are needed, kept for a while when they were used, given to
/// one user at a time, as many with one peer and in all as there may be.
package final class OutgoingAssociations: Sendable {
    package struct Limits: Sendable, Hashable {
        /// In all.
        package var associationsMax = 64
        /// With one peer for which nothing else is said.
        package var associationsPerPeerMax = 8
        /// How long one is kept for others to use; zero keeps none. Short, for a peer that serves one association at a
        /// time has none for others meanwhile.
        package var idle: TimeAmount = .seconds(1)
        /// How long a user waits for a place who says nothing else.
        package var wait: TimeAmount = .seconds(60)
        /// What a peer has to agree to the end of an association: it answers at once, or is away.
        package var release: TimeAmount = .seconds(2)
        package init() {}
    }

    /// An association in the hands of one user.
    package struct Lease: Sendable {
        package let association: SCUAssociation
        /// It was used before. The peer may have ended it meanwhile: that its first request fails tells nothing.
        package let isReused: Bool
    }

    typealias Pool = AssociationPool<SCUAssociation>
    typealias Proposals = [(abstractSyntax: String, transferSyntaxes: [String])]

    private struct State {
        var pool: Pool
        var waiters: [Int: CheckedContinuation<Pool.Grant, any Error>] = [:]
        var lastNumber = 0
        var isClosed = false
    }

    private let limits: Limits
    private let group: any EventLoopGroup
    private let logger: Logger
    private let state: Mutex<State>

    package init(
        limits: Limits = Limits(), group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
        logger: Logger = Logger(label: "dimse.scu")
    ) {
        self.limits = limits
        self.group = group
        self.logger = logger
        state = Mutex(State(pool: Pool(placesMax: limits.associationsMax)))
    }

    /// Associations in use, kept, and waited for.
    var counts: (used: Int, idle: Int, waiting: Int) {
        state.withLock { ($0.pool.usedCount, $0.pool.idleCount, $0.pool.waitingCount) }
    }

    /// Does `body` with an association of its own. It is kept for others afterwards where nothing is under way on it,
    /// nothing was to be served on it, and it was not opened with a user identity, which may not last.
    ///
    /// - Parameters:
    ///   - contexts: as for ``SCUAssociation/open(_:contexts:terms:group:)``.
    ///   - wait: for a place; nil for that of the limits.
    ///   - time: for all of it: a place, the connection, the association, `body`. Then it is aborted.
    ///   - mayRepeat: whether `body` may be done again, where an association that was kept turns out to be gone.
    ///
    /// Throws ``SCUError``, NIO's error when no connection could be opened, and what `body` throws. The cancellation of
    /// the task, and an interruption of the terms, abort the association.
    package func with<Value: Sendable>(
        _ destination: SCUAssociation.Destination, contexts: [(abstractSyntax: String, transferSyntaxes: [String])],
        terms: SCUAssociation.Terms = SCUAssociation.Terms(), wait: TimeAmount? = nil, within time: TimeAmount? = nil,
        mayRepeat: Bool = false, _ body: (Lease) async throws -> Value
    ) async throws -> Value {
        let interruption = terms.interruption ?? Interruption()
        let hasRunOut = CancellationFlag()
        let deadline = time.map { time in
            group.any().scheduleTask(in: time) {
                hasRunOut.set()
                interruption.interrupt()
            }
        }
        defer { deadline?.cancel() }
        do {
            return try await withTaskCancellationHandler {
                try await use(
                    destination, contexts, terms, interruption, wait ?? limits.wait, mayRepeat, body)
            } onCancel: {
                interruption.interrupt()
            }
        } catch {
            throw hasRunOut.isSet ? SCUError.timedOut : error
        }
    }

    private func use<Value: Sendable>(
        _ destination: SCUAssociation.Destination, _ contexts: Proposals, _ terms: SCUAssociation.Terms,
        _ interruption: Interruption, _ wait: TimeAmount, _ mayRepeat: Bool, _ body: (Lease) async throws -> Value
    ) async throws -> Value {
        let request = request(destination, contexts, terms)
        let grant = try await place(request, wait, interruption)
        let lease: Lease
        if case .idle(_, let association) = grant, await association.invoker.isIdle {
            lease = Lease(association: association, isReused: true)
            interruption.follow(association.channel)
        } else {
            do {
                // The peer counts it until it has agreed to its end.
                if case .place(let givenUp?) = grant { await givenUp.release(within: limits.release) }
                var terms = terms
                terms.interruption = interruption
                lease = Lease(
                    association: try await SCUAssociation.open(
                        destination, contexts: contexts, terms: terms, group: group), isReused: false)
                if request.mayBeKept { watch(lease.association) }
            } catch {
                leave(request, keeping: nil)
                throw error
            }
        }
        let result: Result<Value, any Error>
        do { result = .success(try await body(lease)) } catch { result = .failure(error) }
        interruption.leave()
        await giveBack(lease, request, mayBeKept: request.mayBeKept && !interruption.isInterrupted)
        if mayRepeat, lease.isReused, !interruption.isInterrupted, case .failure(let error as SCUError) = result,
            error.isEndByPeer
        {
            // Those that were kept with it are given up: the next one is new.
            return try await use(destination, contexts, terms, interruption, wait, false, body)
        }
        return try result.get()
    }

    /// What makes associations stand in for one another: how the peer is called and what was agreed on. One that is not
    /// kept, for its user or for what is served on it, is not had from those that are.
    private func request(
        _ destination: SCUAssociation.Destination, _ contexts: Proposals, _ terms: SCUAssociation.Terms
    ) -> Pool.Request {
        var kind = [
            destination.callingAETitle.value, destination.tls.map { "\(ObjectIdentifier($0))" } ?? "",
            destination.pinned?.fingerprint ?? "", "\(destination.sendLengthMax ?? 0)",
        ]
        kind += contexts.map { ([$0.abstractSyntax] + $0.transferSyntaxes).joined(separator: "\\") }
        kind += terms.roles.map { "\($0)" } + terms.extendedNegotiations.map { "\($0)" }
        return Pool.Request(
            peer: Pool.Peer(
                host: destination.host, port: destination.port, calledAETitle: destination.calledAETitle.value),
            kind: kind.joined(separator: "\n"),
            mayBeKept: terms.services.isEmpty && destination.identity == nil && limits.idle > .zero,
            placesMax: max(1, destination.associationsMax ?? limits.associationsPerPeerMax))
    }

    // MARK: places

    private func place(
        _ request: Pool.Request, _ wait: TimeAmount, _ interruption: Interruption
    ) async throws -> Pool.Grant {
        let number = nextNumber()
        interruption.follow { self.giveUp(number, .cancelled) }
        let overdue = group.any().scheduleTask(in: wait) { self.giveUp(number, .noPlace) }
        defer { overdue.cancel() }
        return try await withCheckedThrowingContinuation { continuation in
            let now = state.withLock { state -> Result<Pool.Grant, any Error>? in
                guard !state.isClosed, !interruption.isInterrupted else { return .failure(SCUError.cancelled) }
                if let grant = state.pool.ask(request, number: number) { return .success(grant) }
                state.waiters[number] = continuation
                return nil
            }
            if let now { continuation.resume(with: now) }
            // An interruption that came in between found nobody waiting.
            if interruption.isInterrupted { giveUp(number, .cancelled) }
        }
    }

    private func nextNumber() -> Int {
        state.withLock { state in
            state.lastNumber += 1
            return state.lastNumber
        }
    }

    private func giveUp(_ number: Int, _ error: SCUError) {
        let (waiter, served) = state.withLock { state -> (CheckedContinuation<Pool.Grant, any Error>?, [Served]) in
            guard let grants = state.pool.withdraw(number) else { return (nil, []) }
            return (state.waiters.removeValue(forKey: number), Self.waiters(grants, &state))
        }
        waiter?.resume(throwing: error)
        for (waiter, grant) in served { waiter.resume(returning: grant) }
    }

    private func leave(_ request: Pool.Request, keeping association: (number: Int, SCUAssociation)?) {
        let served = state.withLock { state in
            Self.waiters(state.pool.leave(request, keeping: association), &state)
        }
        for (waiter, grant) in served { waiter.resume(returning: grant) }
    }

    private typealias Served = (CheckedContinuation<Pool.Grant, any Error>, Pool.Grant)

    private static func waiters(_ grants: [(Int, Pool.Grant)], _ state: inout State) -> [Served] {
        grants.compactMap { number, grant in state.waiters.removeValue(forKey: number).map { ($0, grant) } }
    }

    // MARK: what is kept

    private func giveBack(_ lease: Lease, _ request: Pool.Request, mayBeKept: Bool) async {
        let association = lease.association
        guard await association.invoker.isIdle else {
            await association.abort()
            leave(request, keeping: nil)
            // What the peer did to one that was kept it has likely done to the others.
            if lease.isReused { await giveUpIdle(of: request.peer) }
            return
        }
        guard mayBeKept, !state.withLock({ $0.isClosed }) else {
            await association.release(within: limits.release)
            return leave(request, keeping: nil)
        }
        let number = nextNumber()
        leave(request, keeping: (number, association))
        let exchange = association.invoker.exchange
        exchange.eventLoop.execute {
            // It may have ended before it was there to be taken out.
            guard exchange.value.end == nil else { return self.remove(association.channel) }
            exchange.eventLoop.scheduleTask(in: self.limits.idle) { self.retire(number) }
        }
    }

    /// Sees to it that one which ends is not kept. Once for each, for one may be used for days.
    private func watch(_ association: SCUAssociation) {
        let (exchange, channel) = (association.invoker.exchange, association.channel)
        exchange.eventLoop.execute { exchange.value.endFuture.whenComplete { _ in self.remove(channel) } }
    }

    private func remove(_ channel: any Channel) {
        let served = state.withLock { state in
            Self.waiters(state.pool.remove { $0.channel === channel }, &state)
        }
        for (waiter, grant) in served { waiter.resume(returning: grant) }
    }

    /// Releases one that nobody used for its time. The peer counts it until it has agreed to its end: so long it keeps
    /// its place. On its event loop.
    private func retire(_ number: Int) {
        guard let (association, request) = state.withLock({ $0.pool.retire(number) }) else { return }
        let exchange = association.invoker.exchange
        let overdue = exchange.eventLoop.scheduleTask(in: self.limits.release) { exchange.value.abort() }
        exchange.value.release().whenComplete { _ in
            overdue.cancel()
            self.leave(request, keeping: nil)
        }
    }

    private func giveUpIdle(of peer: Pool.Peer?) async {
        let (removed, served) = state.withLock { state -> ([SCUAssociation], [Served]) in
            let (removed, grants) = state.pool.removeIdle(of: peer)
            return (removed, Self.waiters(grants, &state))
        }
        for (waiter, grant) in served { waiter.resume(returning: grant) }
        await withDiscardingTaskGroup { group in
            for association in removed { group.addTask { await association.release(within: self.limits.release) } }
        }
    }
}

extension OutgoingAssociations: Service, CustomStringConvertible {
    /// Waits for the end of the server; then nobody is given an association any more, and those that are kept are
    /// released.
    package func run() async throws {
        try? await gracefulShutdown()
        await close()
    }

    /// The end, at once.
    func close() async {
        let waiting = state.withLock { state in
            state.isClosed = true
            state.pool.withdrawAll()
            defer { state.waiters = [:] }
            return state.waiters
        }
        for waiter in waiting.values { waiter.resume(throwing: SCUError.cancelled) }
        await giveUpIdle(of: nil)
    }

    package var description: String { "outgoing associations" }
}
