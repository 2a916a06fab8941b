import Access
import DICOMNetwork
import NIOCore
import Synchronization
import Workflow

/// One association as the services see it.
package final class AssociationInfo: Sendable {
    /// Joins log lines and audit rows of the association.
    package let id: String
    package let calledAETitle: AETitle
    package let callingAETitle: AETitle
    package let access: AccessContext
    /// What the peer may do here.
    package let roles: Set<Peer.Role>
    /// Names of the archives that stand behind the called title; nil for all, empty for none.
    package let archives: Set<String>?

    package init(
        id: String, calledAETitle: AETitle, callingAETitle: AETitle, access: AccessContext,
        roles: Set<Peer.Role> = [], archives: Set<String>? = nil
    ) {
        self.roles = roles
        self.archives = archives
        self.id = id
        self.calledAETitle = calledAETitle
        self.callingAETitle = callingAETitle
        self.access = access
    }
}

/// One request of a peer.
package struct DIMSERequest: Sendable {
    package let message: DIMSEMessage
    package let context: PresentationContext
    package let association: AssociationInfo
    /// Asks the peer on the same association.
    package let invoker: OperationInvoker?
    package init(
        message: DIMSEMessage, context: PresentationContext, association: AssociationInfo,
        invoker: OperationInvoker? = nil
    ) {
        self.message = message
        self.context = context
        self.association = association
        self.invoker = invoker
    }
}

/// A DIMSE service, registered by the abstract syntaxes it provides.
package protocol ServiceClassProvider: Sendable {
    /// By abstract syntax UID.
    var abstractSyntaxes: [String: SupportedAbstractSyntax] { get }
    /// What a peer must be configured to do to use it.
    var role: Peer.Role { get }
    /// The same where this side is to be the SCU: the peer proposes to be SCP. nil when it never is.
    var roleAsSCU: Peer.Role? { get }
    /// Starts the work on a request, before its data set. Called on the event loop: must not block.
    func begin(_ request: DIMSERequest) -> any ServiceOperation
    /// The association is about to end, or has ended, and no operation is under way.
    func associationEnds(_ association: AssociationInfo) async
}

extension ServiceClassProvider {
    package var roleAsSCU: Peer.Role? { nil }
    package func associationEnds(_ association: AssociationInfo) async {}
}

/// The work on one request. First the data set, fragment by fragment on the event loop; then `perform` in async code;
/// or `abandon` instead, when the association ends before the data set does.
package protocol ServiceOperation: Sendable {
    /// The next bytes of the data set. Synchronous writes into the page cache are all that may block here. A failure
    /// is remembered and answered by `perform`; the rest of the data set is then passed over.
    func receive(_ bytes: UnsafeRawBufferPointer)
    /// Answers the request: pending responses if any, then one final one. When it returns without a final response,
    /// or throws, the peer is told 0110H.
    func perform(_ responder: Responder) async throws
    /// Whether `perform` runs on the connection's event loop: for work that is nearly all waiting, with one answer. What
    /// computes, or answers many times, would keep other connections, and its own C-CANCEL, from being read.
    var staysOnEventLoop: Bool { get }
    /// Undoes what `receive` did.
    func abandon()
}

extension ServiceOperation {
    package var staysOnEventLoop: Bool { false }
}

/// How an operation answers.
package struct Responder: Sendable {
    private let respond: @Sendable (CommandSet, ByteBuffer?) -> EventLoopFuture<Void>
    private let request: DIMSEMessage
    private let cancellation: CancellationFlag

    init(
        request: DIMSEMessage, cancellation: CancellationFlag,
        respond: @escaping @Sendable (CommandSet, ByteBuffer?) -> EventLoopFuture<Void>
    ) {
        self.request = request
        self.cancellation = cancellation
        self.respond = respond
    }

    /// Whether this responder is that of the operation which the flag was made for.
    func belongs(to flag: CancellationFlag) -> Bool { cancellation === flag }

    /// Whether the peer sent C-CANCEL, or is gone: stop and answer FE00H.
    package var isCancelled: Bool { cancellation.isSet }

    /// Sends one response; returns once it went to the socket, so that a slow peer slows its answers down. Throws when
    /// the association has ended. `comment` must not carry patient data.
    package func send(
        _ status: DIMSEStatus, dataSet: [UInt8]? = nil, comment: String? = nil,
        amending: (inout CommandSet) -> Void = { _ in }
    ) async throws {
        var command = CommandSet.response(
            to: request, status: status, hasDataSet: dataSet != nil, errorComment: comment)
        amending(&command)
        try await respond(command, dataSet.map { ByteBuffer(bytes: $0) }).get()
    }
}

/// A flag that one side sets and the other reads.
final class CancellationFlag: Sendable {
    private let value = Atomic<Bool>(false)
    var isSet: Bool { value.load(ordering: .acquiring) }
    func set() { value.store(true, ordering: .releasing) }
}

/// Answers one status, whatever the data set holds.
struct FixedAnswer: ServiceOperation {
    let status: DIMSEStatus
    var staysOnEventLoop: Bool { true }
    func receive(_ bytes: UnsafeRawBufferPointer) {}
    func perform(_ responder: Responder) async throws { try await responder.send(status) }
    func abandon() {}
}
