import Synchronization

/// The audit trail as the doors see it, where refusals of strangers do not have a row each without bound: the first of
/// an address block have one, further ones are counted and become one row for the block when an interval is over.
///
/// Whoever sends nonsense a thousand times a second so costs as many rows as one who does it ten times. All other
/// records pass as they are. What is counted when the process dies between two intervals is lost; the first rows are not.
package final class RefusalLedger: AuditTrail {
    private struct Sum {
        var rows = 0
        /// By reason, which is one of our own words.
        var counts: [String: Int] = [:]
    }
    private struct State {
        var sums: [AddressBlock: Sum] = [:]
        /// Rows that were kept singly since the interval began.
        var rows = 0
        /// Of blocks beyond those that are told apart.
        var others = Sum()
    }
    /// What was counted in an interval.
    package struct Summary: Sendable, Hashable {
        /// Address blocks with a row of their own now.
        package var addresses = 0
        /// Refusals without a row of their own.
        package var refusals = 0
    }

    /// Reasons that are told apart for a block; ours are fewer.
    private static let reasonsMax = 32

    private let trail: any AuditTrail
    private let limits: StrangerLimits
    private let state = Mutex(State())

    package init(_ trail: any AuditTrail, limits: StrangerLimits = StrangerLimits()) {
        self.trail = trail
        self.limits = limits
    }

    package func record(_ record: AuditRecord) async throws {
        if keepsRow(record) { try await trail.record(record) }
    }

    package func record(_ record: AuditRecord, completion: @escaping @Sendable (_ isKept: Bool) -> Void) {
        if keepsRow(record) { trail.record(record, completion: completion) } else { completion(true) }
    }

    /// Whether a record has a row of its own; else it has been counted.
    private func keepsRow(_ record: AuditRecord) -> Bool {
        guard record.principal.kind == .anonymous, record.outcome != .success else { return true }
        let block = AddressBlock(record.sourceAddress)
        return state.withLock { state in
            let isKnown = state.sums[block] != nil || state.sums.count < limits.rowsMax
            var sum = isKnown ? state.sums[block] ?? Sum() : state.others
            defer { if isKnown { state.sums[block] = sum } else { state.others = sum } }
            if isKnown, sum.rows < limits.rowsPerAddress, state.rows < limits.rowsMax {
                sum.rows += 1
                state.rows += 1
                return true
            }
            let reason = record.detail ?? record.interaction
            sum.counts[
                sum.counts.count < Self.reasonsMax || sum.counts[reason] != nil ? reason : "other", default: 0] += 1
            return false
        }
    }

    /// Ends an interval: writes the row of each block of which something was counted, and begins anew. What cannot be
    /// written is counted on.
    package func sumUp(requestID: String) async -> Summary {
        let ended = state.withLock { state in
            defer { state = State() }
            return state
        }
        var summary = Summary()
        var all = ended.sums.map { ($0.key.description, $0.value) }
        all.append(("other addresses", ended.others))
        for (address, sum) in all.sorted(by: { $0.0 < $1.0 }) where !sum.counts.isEmpty {
            let count = sum.counts.values.reduce(0, +)
            let reasons = sum.counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
            let detail =
                "\(count) more refused: " + reasons.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
            let access = AccessContext(
                principal: .anonymous, scopes: [], requestID: requestID, sourceAddress: address)
            do {
                try await trail.record(
                    AuditRecord(
                        category: .security, interaction: "refusals", action: .execute, outcome: .minorFailure,
                        access: access, detail: String(detail.prefix(1000))))
                summary.addresses += 1
                summary.refusals += count
            } catch {
                restore(sum, of: address)
            }
        }
        return summary
    }

    private func restore(_ sum: Sum, of address: String) {
        state.withLock { state in
            for (reason, count) in sum.counts {
                // The block of its own text is itself.
                if address == "other addresses" {
                    state.others.counts[reason, default: 0] += count
                } else {
                    state.sums[AddressBlock(text: address), default: Sum()].counts[reason, default: 0] += count
                }
            }
        }
    }
}
