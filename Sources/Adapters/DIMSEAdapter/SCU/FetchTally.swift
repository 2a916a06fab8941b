import DICOMNetwork
import DICOMTranslation
import Synchronization
import Workflow

/// What became here of the instances of one attempt to fetch a study.
final class FetchTally: Sendable {
    private struct State {
        var stored = 0
        var refused = 0
    }
    private let state = Mutex(State())
    private let arrived: @Sendable (String) -> Void

    init(arrived: @escaping @Sendable (String) -> Void) { self.arrived = arrived }

    func note(_ outcome: InstanceIngest.Outcome) {
        switch outcome {
        case .stored(let receipt):
            state.withLock { $0.stored += 1 }
            arrived(receipt.sopInstanceUID)
        case .failed(let failure, _) where failure.isForGood: state.withLock { $0.refused += 1 }
        case .failed: break
        }
    }

    /// How the attempt ended, by the archive's last word. That an instance is refused here, because other content is
    /// kept under its UID or because it is no object that can be read, is nothing that another attempt mends.
    func end(_ outcome: RetrieveOutcome) -> FetchEnd {
        let (stored, refused) = state.withLock { ($0.stored, $0.refused) }
        switch outcome.status.kind {
        case .success, .warning: break
        case .failure where outcome.status == .subOperationsFailed: break
        case .failure, .pending, .cancel: return .failed(by: outcome.status)
        }
        // Who says A702 without numbers says at least that one failed. PS3.4 Tables C.4-2, C.4-3.
        let failed = max(outcome.progress.failed, outcome.status == .subOperationsFailed ? 1 : 0)
        let lacking = failed - refused
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
            .valueNotAcceptable, .classNotSupported, .transferSyntaxNotSupported:
            true
        }
    }
}
