import Synchronization

/// The audit trail as the doors see it, where what somebody reads of one series in one sitting is one row: the reads of its
/// instances, and those of its metadata. Decision 0065; PS3.15 §A.5.3.6 to §A.5.3.7.
///
/// A record that ``AuditRecord/coversSitting`` is kept before the first read is answered, as every row is. Further ones that
/// are the same but for their request come of the same event, as long as it is remembered: ``sittingSeconds`` at most. One
/// without a token, and all other records, have their own row each. A row that could not be kept stands for nothing.
/// What is remembered ends with the process, with whatever makes a series another patient's, and with every emergency.
package final class SittingLedger: AuditTrail {
    /// For how long a row stands for the reads behind it, from when it was asked for. In seconds.
    package static let sittingSeconds: Int64 = 600
    /// Rows that are remembered, at most; of more the ones that began first have another row.
    package static let sittingsMax = 10_000

    package typealias Completion = @Sendable (_ isKept: Bool) -> Void

    /// A row that is being kept.
    private struct Beginning {
        let emergencies: UInt64
        let links: UInt64
        /// Further reads of the same event, which wait for the row.
        var waiting: [Completion] = []
    }

    /// A row that is durable.
    private struct Sitting {
        let began: ContinuousClock.Instant
        let links: UInt64
    }

    private struct State {
        var beginning: [AuditRecord: Beginning] = [:]
        var recent: [AuditRecord: Sitting] = [:]
        /// Begun before those in `recent`.
        var older: [AuditRecord: Sitting] = [:]
        /// How often everything was forgotten.
        var emergencies: UInt64 = 0
    }

    /// What a record is to the others of its kind.
    private enum Place {
        /// Its row is there.
        case covered
        /// Its row is being kept: the completion will be called.
        case waiting
        /// It is the first one: its row is to be kept, and told to ``end(_:_:isKept:)``.
        case first(ContinuousClock.Instant)
        /// It has its own row, for which nobody waits.
        case single
    }

    private let trail: any AuditTrail
    private let links: @Sendable () -> UInt64
    private let look: @Sendable (@escaping Completion) -> Void
    private let now: @Sendable () -> ContinuousClock.Instant
    private let state = Mutex(State())

    /// - Parameters:
    ///   - links: rises with whatever may make a series another patient's.
    ///   - look: calls with whether all is known that other processes have written until now. The commit of a row finds that
    ///     out for who waits for it, and where there is none this is asked instead.
    ///   - now: a clock that is never set.
    package init(
        _ trail: any AuditTrail, links: @escaping @Sendable () -> UInt64 = { 0 },
        look: @escaping @Sendable (@escaping Completion) -> Void = { $0(true) },
        now: @escaping @Sendable () -> ContinuousClock.Instant = { ContinuousClock.now }
    ) {
        self.trail = trail
        self.links = links
        self.look = look
        self.now = now
    }

    package func record(_ record: AuditRecord) async throws {
        guard let event = Self.event(record) else {
            try await trail.record(record)
            return heed(record)
        }
        // What waits and is told that there is no row tries by itself, and learns why.
        let place = await withCheckedContinuation { continuation in
            let place = take(event) { continuation.resume(returning: $0 ? Place.covered : .single) }
            if case .waiting = place { return }
            continuation.resume(returning: place)
        }
        switch place {
        case .covered, .waiting: return
        case .single: try await trail.record(record)
        case .first(let began):
            do { try await trail.record(record) } catch {
                end(event, began, isKept: false)
                throw error
            }
            end(event, began, isKept: true)
        }
    }

    /// As of every trail. For a record whose row is there already ``init(_:links:look:now:)``'s `look` decides: whoever
    /// answers from memory must not be behind what other processes have written.
    package func record(_ record: AuditRecord, completion: @escaping Completion) {
        guard let event = Self.event(record) else {
            return trail.record(record) { [self] isKept in
                if isKept { heed(record) }
                completion(isKept)
            }
        }
        switch take(event, completion) {
        case .waiting: return
        case .covered: look(completion)
        case .single: trail.record(record, completion: completion)
        case .first(let began):
            trail.record(record) { [self] isKept in
                end(event, began, isKept: isKept)
                completion(isKept)
            }
        }
    }

    /// By what the reads of one event are the same; nil for a record that has its own row.
    private static func event(_ record: AuditRecord) -> AuditRecord? {
        guard record.coversSitting, record.outcome == .success, record.tokenID != nil else { return nil }
        var event = record
        event.requestID = ""
        return event
    }

    /// Behind a row of an emergency nothing is covered by a row before it.
    private func heed(_ record: AuditRecord) {
        guard record.interaction == AuditRecord.breakGlass else { return }
        state.withLock { state in
            state.emergencies += 1
            (state.recent, state.older) = ([:], [:])
        }
    }

    private func take(_ event: AuditRecord, _ completion: @escaping Completion) -> Place {
        // Before the row is kept, so that it is not taken for one of what is changed meanwhile.
        let (links, time) = (links(), now())
        return state.withLock { state in
            if let sitting = state.recent[event] ?? state.older[event], sitting.links == links,
                time < sitting.began.advanced(by: .seconds(Self.sittingSeconds))
            {
                return .covered
            }
            guard let beginning = state.beginning[event] else {
                state.beginning[event] = Beginning(emergencies: state.emergencies, links: links)
                return .first(time)
            }
            guard beginning.emergencies == state.emergencies, beginning.links == links else { return .single }
            state.beginning[event]?.waiting.append(completion)
            return .waiting
        }
    }

    private func end(_ event: AuditRecord, _ began: ContinuousClock.Instant, isKept: Bool) {
        let waiting = state.withLock { state -> [Completion] in
            guard let beginning = state.beginning.removeValue(forKey: event) else { return [] }
            if isKept, beginning.emergencies == state.emergencies {
                state.recent[event] = Sitting(began: began, links: beginning.links)
                if state.recent.count >= Self.sittingsMax / 2 { (state.older, state.recent) = (state.recent, [:]) }
            }
            return beginning.waiting
        }
        for completion in waiting { completion(isKept) }
    }
}
