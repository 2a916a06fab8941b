import DICOMNetwork
import NIOCore

/// How an association, or the wait for one, came to its end.
enum AssociationEnd: Sendable, Equatable {
    /// Both sides agreed.
    case released
    /// The acceptor refused.
    case rejected(AssociateReject)
    /// The peer aborted.
    case abortedByPeer(Abort)
    /// This side aborted.
    case aborted(Abort)
    /// The connection went away.
    case connectionLost
    /// A timer of this side ran out.
    case timedOut
}

/// The service user above one ``AssociationHandler``: the acceptor's or the requestor's half of DIMSE.
///
/// Lives on the handler's event loop; every call comes from there.
protocol AssociationUser: AnyObject {
    /// The handler is in its pipeline and stays valid until ``associationEnded(_:)``.
    func attach(_ handler: AssociationHandler)
    /// A-ASSOCIATE indication: answer with `accept` or `reject`, now or later.
    func associationRequested(_ request: AssociateRequest)
    /// A-ASSOCIATE confirmation, checked against the request.
    func associationAccepted(_ association: NegotiatedAssociation)
    /// A whole command; its data set, if any, follows.
    func received(_ message: DIMSEMessage)
    /// The next bytes of the data set of the last command.
    func received(dataSet fragment: ByteBuffer, isLast: Bool)
    /// A-RELEASE indication: answer with `respondToRelease`, now or later.
    func releaseRequested()
    /// Whether this side is at work for the peer, so that the peer's silence is no fault.
    var isWorking: Bool { get }
    /// Called once, last.
    func associationEnded(_ end: AssociationEnd)
}
