extension AssociationStateMachine {
    /// The names of the actions in PS3.8 Tables 9-6 to 9-9.
    package enum Procedure: String, Sendable, CaseIterable {
        case ae1, ae2, ae3, ae4, ae5, ae6, ae7, ae8
        case dt1, dt2
        case ar1, ar2, ar3, ar4, ar5, ar6, ar7, ar8, ar9, ar10
        case aa1, aa2, aa3, aa4, aa5, aa6, aa7, aa8
    }

    /// PS3.8 Table 9-10: the action for an event in a state; nil where the cell is blank.
    package static func procedure(for event: Event, in state: State) -> Procedure? {
        switch event {
        case .pdu(let pdu): procedure(for: pdu, in: state)
        case .invalidPDU: onPeerFault(in: state, sta13: .aa7)
        case .associate: state == .sta1 ? .ae1 : nil
        case .transportConfirmed: state == .sta4 ? .ae2 : nil
        case .transportIndication: state == .sta1 ? .ae5 : nil
        case .accept: state == .sta3 ? .ae7 : nil
        case .reject: state == .sta3 ? .ae8 : nil
        case .data: state == .sta6 ? .dt1 : state == .sta8 ? .ar7 : nil
        case .release: state == .sta6 ? .ar1 : nil
        case .releaseResponse:
            switch state {
            case .sta8, .sta12: .ar4
            case .sta9: .ar9
            default: nil
            }
        case .abort:
            switch state {
            case .sta4: .aa2
            case .sta3, .sta5, .sta6, .sta7, .sta8, .sta9, .sta10, .sta11, .sta12: .aa1
            case .sta1, .sta2, .sta13: nil
            }
        case .transportClosed:
            switch state {
            case .sta1: nil
            case .sta2: .aa5
            case .sta13: .ar5
            case .sta3, .sta4, .sta5, .sta6, .sta7, .sta8, .sta9, .sta10, .sta11, .sta12: .aa4
            }
        case .artimExpired: state == .sta2 || state == .sta13 ? .aa2 : nil
        }
    }

    private static func procedure(for pdu: PDU, in state: State) -> Procedure? {
        switch (pdu, state) {
        case (.associateRequest, .sta2): .ae6
        case (.associateAccept, .sta5): .ae3
        case (.associateReject, .sta5): .ae4
        case (.data, .sta6): .dt2
        case (.data, .sta7): .ar6
        case (.releaseRequest, .sta6): .ar2
        case (.releaseRequest, .sta7): .ar8
        case (.releaseResponse, .sta7), (.releaseResponse, .sta11): .ar3
        case (.releaseResponse, .sta10): .ar10
        case (.abort, .sta2), (.abort, .sta13): .aa2
        case (.abort, .sta1), (.abort, .sta4): nil
        case (.abort, _): .aa3
        case (.associateRequest, _): onPeerFault(in: state, sta13: .aa7)
        default: onPeerFault(in: state, sta13: .aa6)
        }
    }

    /// The rule for a PDU that has no place in the state. No PDU can come in Sta1 and Sta4: no connection is open.
    private static func onPeerFault(in state: State, sta13: Procedure) -> Procedure? {
        switch state {
        case .sta1, .sta4: nil
        case .sta2: .aa1
        case .sta13: sta13
        case .sta3, .sta5, .sta6, .sta7, .sta8, .sta9, .sta10, .sta11, .sta12: .aa8
        }
    }
}
