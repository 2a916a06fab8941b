import DICOMNetwork
import NIOCore
import Testing

/// PS3.8 Table 9-10 as the side that asks for the association meets it: each cell of each state that it can be in, with
/// what it then does.
@Suite struct RequestorTableTests {
    typealias Machine = AssociationStateMachine

    /// The states of a requestor, and the events that bring it there. Sta2, Sta3, Sta10 and Sta12 are the acceptor's.
    private static let ways: [(Machine.State, [Machine.Event])] = {
        let asked: [Machine.Event] = [.associate(Samples.request()), .transportConfirmed]
        let established = asked + [.pdu(.associateAccept(Samples.accept))]
        let collided = established + [.release, .pdu(.releaseRequest)]
        return [
            (.sta1, []), (.sta4, Array(asked.prefix(1))), (.sta5, asked), (.sta6, established),
            (.sta7, established + [.release]), (.sta8, established + [.pdu(.releaseRequest)]), (.sta9, collided),
            (.sta11, collided + [.releaseResponse]), (.sta13, established + [.abort(.byUser)]),
        ]
    }()

    /// What each action does, by its name in Tables 9-6 to 9-9.
    private static let does: [String: [String]] = [
        "ae1": ["open"], "ae2": ["send RQ"], "ae3": ["accepted"], "ae4": ["rejected", "close"], "ae5": ["start ARTIM"],
        "dt1": ["data"], "dt2": ["indicate data"],
        "ar1": ["send RELEASE-RQ"], "ar2": ["indicate release"], "ar3": ["released", "close"],
        "ar4": ["send RELEASE-RP", "start ARTIM"], "ar5": ["stop ARTIM"], "ar6": ["indicate data"], "ar7": ["data"],
        "ar8": ["indicate collision"], "ar9": ["send RELEASE-RP"],
        "aa1": ["send ABORT", "start ARTIM"], "aa2": ["stop ARTIM", "close"], "aa3": ["indicate abort", "close"],
        "aa4": ["indicate loss"], "aa6": [], "aa7": ["send ABORT"],
        "aa8": ["send ABORT", "indicate provider abort", "start ARTIM"],
    ]

    private func word(_ action: Machine.Action) -> String {
        switch action {
        case .openTransport: "open"
        case .closeTransport: "close"
        case .startARTIM: "start ARTIM"
        case .stopARTIM: "stop ARTIM"
        case .send(.associateRequest): "send RQ"
        case .send(.releaseRequest): "send RELEASE-RQ"
        case .send(.releaseResponse): "send RELEASE-RP"
        case .send(.abort): "send ABORT"
        case .send: "send what is not a requestor's"
        case .sendData: "data"
        case .indicateAssociation: "indicate association"
        case .confirmAssociation: "accepted"
        case .confirmRejection: "rejected"
        case .indicateData: "indicate data"
        case .indicateRelease(let isCollision): isCollision ? "indicate collision" : "indicate release"
        case .confirmRelease: "released"
        case .indicateAbort: "indicate abort"
        case .indicateProviderAbort: "indicate provider abort"
        case .indicateTransportLoss: "indicate loss"
        }
    }

    @Test("PS3.8 Table 9-10: a requestor does in each state what the cell says, and no more where it is blank")
    func cells() {
        for (state, events) in Self.ways {
            for row in AssociationStateMachineTests.table {
                var machine = Machine()
                for event in events { _ = machine.handle(event) }
                #expect(machine.state == state)
                let cell = String(row.cells.split(separator: " ")[Int(state.rawValue) - 1])
                let actions = machine.handle(row.event).map(word)
                #expect(actions == (cell == "." ? [] : Self.does[cell]), "\(row.name) in \(state): \(cell)")
                let next = Machine.Procedure(rawValue: cell).map {
                    AssociationStateMachineTests.next(after: $0, from: state)
                }
                #expect(machine.state == next ?? state, "\(row.name) in \(state): \(cell)")
            }
        }
    }
}
