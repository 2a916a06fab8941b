import DICOMNetwork

/// Why a request of ours had no answer.
package enum SCUError: Error, Sendable, Equatable {
    case rejected(AssociateReject)
    case abortedByPeer(Abort)
    /// This side ended the association, for a fault of the peer or because it was asked to.
    case aborted(Abort)
    case connectionLost
    case timedOut
    /// No accepted presentation context fits: the abstract syntax and, where it matters, the transfer syntax.
    case noPresentationContext(abstractSyntax: String, transferSyntax: String?)
    /// Too many requests wait for their turn on the association.
    case busy
    /// The association was released.
    case released
    /// The data set of a response cannot be read.
    case responseNotUnderstood

    init(_ end: AssociationEnd) {
        switch end {
        case .released: self = .released
        case .rejected(let reject): self = .rejected(reject)
        case .abortedByPeer(let abort): self = .abortedByPeer(abort)
        case .aborted(let abort): self = .aborted(abort)
        case .connectionLost: self = .connectionLost
        case .timedOut: self = .timedOut
        }
    }
}
