import DICOMData
import DICOMNetwork
import Synchronization

/// The C-STORE sub-operations of one C-GET or C-MOVE, counted. PS3.4 §C.4.2.1.6 to §C.4.2.1.9.
final class SubOperations: Sendable {
    struct Counts: Sendable, Hashable {
        var remaining: Int
        var completed = 0
        var failed = 0
        var warning = 0
    }

    private struct State {
        var counts: Counts
        var failed: [String] = []
    }
    private let state: Mutex<State>

    init(_ total: Int) { state = Mutex(State(counts: Counts(remaining: total))) }

    var counts: Counts { state.withLock { $0.counts } }

    /// Notes the end of one; nil is one that could not be done at all.
    func note(_ sopInstanceUID: String, _ status: DIMSEStatus?) {
        state.withLock { state in
            state.counts.remaining -= 1
            switch status?.kind {
            case .success: state.counts.completed += 1
            case .warning: state.counts.warning += 1
            case .pending, .cancel, .failure, nil:
                state.counts.failed += 1
                state.failed.append(sopInstanceUID)
            }
        }
    }

    /// The status of the final response: B000 when some failed or had a warning, A702 when all failed.
    /// PS3.4 Table C.4-2, C.4-3.
    func finalStatus(isCancelled: Bool) -> DIMSEStatus {
        let counts = counts
        if isCancelled, counts.remaining > 0 { return .cancelled }
        if counts.failed + counts.warning == 0 { return .success }
        return counts.completed + counts.warning == 0 ? .subOperationsFailed : .subOperationsWarning
    }

    /// The identifier of the final response: Failed SOP Instance UID List (0008,0058); nil when none failed.
    ///
    /// A UI value of Explicit VR has 65,534 bytes at most, about a thousand UIDs: what does not fit is left out, and the
    /// count of failures tells that it is.
    func failedList() -> DataSet? {
        let failed = state.withLock { $0.failed }
        guard !failed.isEmpty else { return nil }
        var bytes = 0
        let listed = failed.prefix { uid in
            bytes += uid.utf8.count + 1
            return bytes <= 0xFFFE
        }
        var set = DataSet()
        set.set(.failedSOPInstanceUIDList, strings: Array(listed))
        return set
    }
}

extension SubOperations.Counts {
    /// Writes the counters into a response; `remaining` stands in pending and cancelled ones only.
    func write(into command: inout CommandSet, isFinal: Bool) {
        func number(_ count: Int) -> UInt16 { UInt16(clamping: count) }
        if !isFinal { command.set(.numberOfRemainingSuboperations, uint16: number(remaining)) }
        command.set(.numberOfCompletedSuboperations, uint16: number(completed))
        command.set(.numberOfFailedSuboperations, uint16: number(failed))
        command.set(.numberOfWarningSuboperations, uint16: number(warning))
    }
}
