import Access
import DICOMNetwork
import DICOMTranslation
import Synchronization
import Workflow

/// What became here of the instances of one attempt to fetch a study.
final class FetchTally: Sendable {
    private struct State {
        var stored = 0
        /// Refused for good, of which the archive was told.
        var refused = 0
        /// The same, after it had been told that they were taken.
        var refusedLater = 0
        /// Could not be kept now, by their UIDs, until they come again. Not every archive counts what it is told of one.
        var unkept: Set<String> = []
    }
    private let state = Mutex(State())
    /// What was answered and is not durable yet.
    let window: FetchWindow
    private let arrived: @Sendable (String) -> Void

    init(window: FetchWindow = FetchWindow(), arrived: @escaping @Sendable (String) -> Void) {
        self.window = window
        self.arrived = arrived
    }

    /// An instance is here and durable.
    private func noteKept(_ uid: String) {
        state.withLock { state in
            state.stored += 1
            state.unkept.remove(uid)
        }
        arrived(uid)
    }

    /// - Parameter wasAnswered: whether the archive had been told before that the instance was taken, so that its own
    ///   numbers know nothing of a failure.
    func note(_ failure: IngestFailure, of uid: String, wasAnswered: Bool = false) {
        state.withLock { state in
            switch (failure.isForGood, wasAnswered) {
            case (true, false): state.refused += 1
            case (true, true): state.refusedLater += 1
            case (false, _): state.unkept.insert(uid)
            }
        }
    }

    /// Keeps an instance as a copy of an archive's, and gives the failure that its sender is to be told of; nil for
    /// success, which for most is told before the instance is durable.
    func keep(
        _ described: InstanceIngest.Described, of archive: String, by ingest: InstanceIngest, access: AccessContext
    ) async -> IngestFailure? {
        @Sendable func kept(wasAnswered: Bool) async -> IngestFailure? {
            switch await ingest.keep(described, archive: archive, mayReject: false, access: access) {
            case .stored(let receipt):
                noteKept(receipt.sopInstanceUID)
                return nil
            case .failed(let failure, _):
                note(failure, of: described.instance.sopInstanceUID, wasAnswered: wasAnswered)
                return failure
            }
        }
        let isTaken = await window.submit(bytes: described.instance.size) {
            await kept(wasAnswered: true).map(\.isForGood) ?? true
        }
        return isTaken ? nil : await kept(wasAnswered: false)
    }

    /// How the attempt ended, by the archive's last word, once the window is done. That an instance is refused here,
    /// because other content is kept under its UID or because it is no object that can be read, is nothing that another
    /// attempt mends.
    func end(_ outcome: RetrieveOutcome) -> FetchEnd {
        let (told, later, stored, unkept) = state.withLock {
            ($0.refused, $0.refusedLater, $0.stored, $0.unkept.count)
        }
        let refused = told + later
        switch outcome.status.kind {
        case .success, .warning: break
        case .failure where outcome.status == .subOperationsFailed: break
        case .failure, .pending, .cancel: return .failed(by: outcome.status)
        }
        // Who says A702 without numbers says at least that one failed. PS3.4 Tables C.4-2, C.4-3.
        let failed = max(outcome.progress.failed, outcome.status == .subOperationsFailed ? 1 : 0)
        let lacking = max(0, failed - told)
        if unkept > 0 {
            return .failed("\(unkept) instances could not be kept here: is there room?", mayBeRepeated: true)
        }
        if lacking > 0, stored + refused == 0 {
            let hint = "by C-MOVE: does it reach the DIMSE door here, in clear text or by TLS as that is?"
            return .failed("none of \(lacking) instances came (\(outcome.status)); \(hint)", mayBeRepeated: true)
        }
        if lacking > 0 {
            return .failed("\(lacking) instances did not come (\(outcome.status))", mayBeRepeated: true)
        }
        if stored + refused == 0 { return .failed("it sent nothing", mayBeRepeated: true) }
        return .whole(refused == 0 ? nil : "\(refused) instances were refused here")
    }
}

extension FetchEnd {
    /// What a failure status of a C-GET or C-MOVE tells. Archives use those that say that they cannot process a request
    /// also where they do not reach something, so only what says that they will not is for good.
    static func failed(by status: DIMSEStatus) -> FetchEnd {
        switch status {
        case .moveDestinationUnknown:
            .failed("it does not know this server's AE title as a destination (\(status))", mayBeRepeated: false)
        case .dataSetDoesNotMatchSOPClass, .sopClassNotSupported, .notAuthorized, .unrecognizedOperation:
            .failed("it answers \(status)", mayBeRepeated: false)
        default: .failed("it answers \(status)", mayBeRepeated: true)
        }
    }
}

extension IngestFailure {
    /// Whether the same instance would be refused again.
    var isForGood: Bool {
        switch code {
        case .outOfResources, .storeFailed: false
        case .tooLarge, .headerTooLarge, .notUnderstood, .missingUID, .invalidInstance, .mismatch, .duplicateInstance,
            .valueNotAcceptable, .classNotSupported, .transferSyntaxNotSupported, .classMismatch,
            .notAuthorized:
            true
        }
    }
}
