import NIOCore

/// One association, as PS3.8 §9.2 describes it: events in, actions out, nothing done here.
///
/// The owner (a channel handler) turns what happens on its socket and in its user into ``Event``s, calls
/// ``handle(_:)``, and performs the returned ``Action``s in their order before it handles the next event.
///
///     acceptor:   .transportIndication, .pdu(.associateRequest) -> .indicateAssociation
///                 .accept(_:) or .reject(_:) -> .send(pdu)
///     requestor:  .associate(_:) -> .openTransport, then .transportConfirmed -> .send(pdu), .pdu -> .confirmAssociation
///     both:       .pdu(.data) -> .indicateData; .data(buffer) -> .sendData(buffer)
///                 .pdu(.releaseRequest) -> .indicateRelease, .releaseResponse -> .send(pdu), .startARTIM
///
/// A PDU or socket event that the table leaves blank for the state (bytes after the end, for example) and a request of
/// our own user that came too late both give no action: ask ``permitsData`` before preparing data.
package struct AssociationStateMachine: Sendable {
    /// Sta1 to Sta13. PS3.8 Tables 9-1 to 9-5.
    package enum State: UInt8, Sendable, CaseIterable {
        case sta1 = 1, sta2, sta3, sta4, sta5, sta6, sta7, sta8, sta9, sta10, sta11, sta12, sta13
    }

    /// What can happen to an association. PS3.8 §9.2.1 and the rows of Table 9-10.
    package enum Event: Sendable {
        /// A-ASSOCIATE request of the local user; the PDU is sent once the transport is open.
        case associate(AssociateRequest)
        /// The transport connection that ``Action/openTransport`` asked for is open.
        case transportConfirmed
        /// A peer opened a transport connection to us.
        case transportIndication
        /// A-ASSOCIATE response of the local user, positive.
        case accept(AssociateAccept)
        /// A-ASSOCIATE response of the local user, negative.
        case reject(AssociateReject)
        /// P-DATA request of the local user: one or more whole P-DATA-TF PDUs, encoded.
        case data(ByteBuffer)
        /// A-RELEASE request of the local user.
        case release
        /// A-RELEASE response of the local user.
        case releaseResponse
        /// A-ABORT request of the local user. Source 0 where the application asks; source 2 where this side found
        /// fault with the peer's data above the PDU layer.
        case abort(Abort)
        /// A PDU of the peer.
        case pdu(PDU)
        /// Bytes of the peer that are no PDU.
        case invalidPDU(PDUError)
        /// The transport connection is closed, by whomever.
        case transportClosed
        case artimExpired
    }

    /// What the owner has to do, in order.
    package enum Action: Sendable, Equatable {
        case openTransport
        case closeTransport
        /// Starts the ARTIM timer, anew when it runs. PS3.8 §9.1.4.
        case startARTIM
        case stopARTIM
        case send(PDU)
        /// Writes these bytes, whole PDUs, as they are.
        case sendData(ByteBuffer)
        /// A-ASSOCIATE indication: answer with ``Event/accept(_:)`` or ``Event/reject(_:)``.
        indirect case indicateAssociation(AssociateRequest)
        /// A-ASSOCIATE confirmation, positive.
        indirect case confirmAssociation(AssociateAccept)
        /// A-ASSOCIATE confirmation, negative.
        case confirmRejection(AssociateReject)
        /// P-DATA indication.
        case indicateData([PresentationDataValue])
        /// A-RELEASE indication: answer with ``Event/releaseResponse``. In a collision both sides have asked; the
        /// acceptor of the association may answer only once ``confirmRelease`` has come. PS3.8 §9.2.3 AR-8.
        case indicateRelease(isCollision: Bool)
        /// A-RELEASE confirmation.
        case confirmRelease
        /// A-ABORT (source 0) or A-P-ABORT (else) indication: the peer ended the association.
        case indicateAbort(Abort)
        /// A-P-ABORT indication: this side ended the association for that fault of the peer.
        case indicateProviderAbort(Abort)
        /// A-P-ABORT indication: the connection went away.
        case indicateTransportLoss
    }

    package private(set) var state = State.sta1
    /// Whether this side asked for the association; decides a release collision.
    package private(set) var isRequestor = false
    /// Held between the request and the transport connection.
    private var pendingRequest: AssociateRequest?

    package init() {}

    /// Whether P-DATA may be sent now: Sta6 or Sta8.
    package var permitsData: Bool { state == .sta6 || state == .sta8 }
    /// Whether nothing can follow on this connection: Sta1 or Sta13.
    package var isOver: Bool { state == .sta1 || state == .sta13 }

    /// Takes one event, changes the state, and says what to do. Empty where Table 9-10 is blank.
    package mutating func handle(_ event: Event) -> [Action] {
        guard let procedure = Self.procedure(for: event, in: state) else { return [] }
        return perform(procedure, event)
    }

    /// The actions of PS3.8 Tables 9-6 to 9-9 with their next states.
    private mutating func perform(_ procedure: Procedure, _ event: Event) -> [Action] {
        switch (procedure, event) {
        case (.dt2, .pdu(.data(let values))):
            return [.indicateData(values)]
        case (.ar6, .pdu(.data(let values))):
            return [.indicateData(values)]
        case (.dt1, .data(let bytes)), (.ar7, .data(let bytes)):
            return [.sendData(bytes)]

        case (.ae1, .associate(let request)):
            isRequestor = true
            pendingRequest = request
            return to(.sta4, [.openTransport])
        case (.ae2, _):
            guard let request = pendingRequest else { return [] }
            pendingRequest = nil
            return to(.sta5, [.send(.associateRequest(request))])
        case (.ae3, .pdu(.associateAccept(let accept))):
            return to(.sta6, [.confirmAssociation(accept)])
        case (.ae4, .pdu(.associateReject(let reject))):
            return to(.sta1, [.confirmRejection(reject), .closeTransport])
        case (.ae5, _):
            isRequestor = false
            return to(.sta2, [.startARTIM])
        case (.ae6, .pdu(.associateRequest(let request))):
            // The one ground on which the provider itself refuses: bit 0 is protocol version 1. PS3.8 Table 9-11.
            guard request.protocolVersion & 1 == 1 else {
                return to(.sta13, [.stopARTIM, .send(.associateReject(.protocolVersionNotSupported)), .startARTIM])
            }
            return to(.sta3, [.stopARTIM, .indicateAssociation(request)])
        case (.ae7, .accept(let accept)):
            return to(.sta6, [.send(.associateAccept(accept))])
        case (.ae8, .reject(let reject)):
            return to(.sta13, [.send(.associateReject(reject)), .startARTIM])

        case (.ar1, _): return to(.sta7, [.send(.releaseRequest)])
        case (.ar2, _): return to(.sta8, [.indicateRelease(isCollision: false)])
        case (.ar3, _): return to(.sta1, [.confirmRelease, .closeTransport])
        case (.ar4, _): return to(.sta13, [.send(.releaseResponse), .startARTIM])
        case (.ar5, _): return to(.sta1, [.stopARTIM])
        case (.ar8, _): return to(isRequestor ? .sta9 : .sta10, [.indicateRelease(isCollision: true)])
        case (.ar9, _): return to(.sta11, [.send(.releaseResponse)])
        case (.ar10, _): return to(.sta12, [.confirmRelease])

        case (.aa1, .abort(let abort)): return to(.sta13, [.send(.abort(abort)), .startARTIM])
        // The table has the service user as the source here, also for a fault of the peer in Sta2.
        case (.aa1, _): return to(.sta13, [.send(.abort(.byUser)), .startARTIM])
        case (.aa2, _):
            pendingRequest = nil
            return to(.sta1, [.stopARTIM, .closeTransport])
        case (.aa3, .pdu(.abort(let abort))):
            return to(.sta1, [.indicateAbort(abort), .closeTransport])
        case (.aa4, _):
            pendingRequest = nil
            return to(.sta1, [.indicateTransportLoss])
        case (.aa5, _): return to(.sta1, [.stopARTIM])
        case (.aa6, _): return []
        case (.aa7, _): return [.send(.abort(Self.fault(of: event)))]
        case (.aa8, _):
            let abort = Self.fault(of: event)
            return to(.sta13, [.send(.abort(abort)), .indicateProviderAbort(abort), .startARTIM])
        // A procedure is only ever named for the event it takes its values from.
        default:
            return []
        }
    }

    private mutating func to(_ next: State, _ actions: [Action]) -> [Action] {
        state = next
        return actions
    }

    /// The A-ABORT for an event that the peer should not have caused.
    private static func fault(of event: Event) -> Abort {
        if case .invalidPDU(let error) = event { return error.abort }
        return .unexpectedPDU
    }
}
