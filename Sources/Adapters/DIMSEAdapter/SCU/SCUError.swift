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
    /// The peer has more to say than the request has room for; it was told to stop.
    case responsesOverLimit
    /// The request was given up before it went out.
    case cancelled
    /// The peer did not confirm the user identity that it was to confirm.
    case identityNotConfirmed
    /// As many associations as there may be are in use, and none became free in time.
    case noPlace
    /// The peer answers with a failure. The comment is its own, for a log.
    case failed(DIMSEStatus, comment: String?)

    /// Whether the same may succeed later without anybody having changed anything: not where the peer refuses what this
    /// side is or asks for. PS3.8 Table 9-21.
    package var isTransient: Bool {
        switch self {
        case .rejected(let reject): reject.isTransient
        case .abortedByPeer, .aborted, .connectionLost, .timedOut, .busy, .released, .cancelled, .noPlace: true
        case .noPresentationContext, .responseNotUnderstood, .responsesOverLimit, .identityNotConfirmed: false
        case .failed(let status, _): DIMSEFailure(status).isTransient
        }
    }

    /// Whether the peer has ended the association, in order or not.
    var isEndByPeer: Bool {
        switch self {
        case .abortedByPeer, .connectionLost, .released: true
        default: false
        }
    }

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
