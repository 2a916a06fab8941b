import DICOMNetwork
import Workflow

extension DeliveryOutcome {
    /// What it means for a delivery that there is no association with a peer: a peer that does not want to speak now is
    /// left alone for a while with all that waits for it, also where it says "permanent", for what it refuses is mended
    /// by its operator or ours.
    static func noAssociation(_ error: any Error, with peer: String) -> DeliveryOutcome {
        switch error {
        case SCUError.rejected(let reject) where reject.isTransient:
            .overloaded("\(peer) rejects the association, \(reject)", retryAfterSeconds: nil)
        case SCUError.rejected(let reject): .unreachable("\(peer) rejects the association, \(reject)")
        case SCUError.noPlace: .transient("as many associations with \(peer) as there may be are in use")
        case SCUError.noPresentationContext: .unreachable("\(peer) accepts no context for this service")
        case SCUError.identityNotConfirmed: .unreachable("\(peer) does not confirm our user identity")
        case SCUError.cancelled: .transient("given up before it was sent")
        case is SCUError: .unreachable("no association with \(peer)")
        case is ProposedIdentity.TooLong: .transient("the user identity for \(peer) is too long")
        case let error as ProposedIdentity.Unavailable: .unreachable("no user identity for \(peer): \(error)")
        default: .unreachable("no connection to \(peer)")
        }
    }

    /// What the status of an operation at a peer means for its delivery. PS3.7 Annex C.
    static func answered(_ status: DIMSEStatus, by peer: String, to operation: String) -> DeliveryOutcome {
        switch status.kind {
        case .success, .warning: .delivered
        case .pending, .cancel, .failure:
            DIMSEFailure(status).isTransient
                ? .transient("\(peer) answers \(status) to \(operation)")
                : .permanent("\(peer) answers \(status) to \(operation)")
        }
    }
}
