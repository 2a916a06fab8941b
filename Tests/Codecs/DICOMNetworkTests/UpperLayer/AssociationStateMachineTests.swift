import DICOMNetwork
import NIOCore
import TestSupport
import Testing

/// PS3.8 §9.2, Table 9-10.
@Suite struct AssociationStateMachineTests {
    typealias Machine = AssociationStateMachine

    /// Table 9-10, columns Sta1 to Sta13; a dot is a blank cell. An own transcription, compared with the code's.
    static let table: [(name: String, event: Machine.Event, cells: String)] = [
        ("A-ASSOCIATE request", .associate(Samples.request()), "ae1 . . . . . . . . . . . ."),
        ("transport confirm", .transportConfirmed, ". . . ae2 . . . . . . . . ."),
        (
            "A-ASSOCIATE-AC", .pdu(.associateAccept(Samples.accept)),
            ". aa1 aa8 . ae3 aa8 aa8 aa8 aa8 aa8 aa8 aa8 aa6"
        ),
        (
            "A-ASSOCIATE-RJ", .pdu(.associateReject(.noReason)),
            ". aa1 aa8 . ae4 aa8 aa8 aa8 aa8 aa8 aa8 aa8 aa6"
        ),
        ("transport indication", .transportIndication, "ae5 . . . . . . . . . . . ."),
        (
            "A-ASSOCIATE-RQ", .pdu(.associateRequest(Samples.request())),
            ". ae6 aa8 . aa8 aa8 aa8 aa8 aa8 aa8 aa8 aa8 aa7"
        ),
        ("A-ASSOCIATE response accept", .accept(Samples.accept), ". . ae7 . . . . . . . . . ."),
        ("A-ASSOCIATE response reject", .reject(.noReason), ". . ae8 . . . . . . . . . ."),
        ("P-DATA request", .data(ByteBuffer(bytes: [4])), ". . . . . dt1 . ar7 . . . . ."),
        (
            "P-DATA-TF", .pdu(.data([Samples.value([1])])),
            ". aa1 aa8 . aa8 dt2 ar6 aa8 aa8 aa8 aa8 aa8 aa6"
        ),
        ("A-RELEASE request", .release, ". . . . . ar1 . . . . . . ."),
        ("A-RELEASE-RQ", .pdu(.releaseRequest), ". aa1 aa8 . aa8 ar2 ar8 aa8 aa8 aa8 aa8 aa8 aa6"),
        ("A-RELEASE-RP", .pdu(.releaseResponse), ". aa1 aa8 . aa8 aa8 ar3 aa8 aa8 ar10 ar3 aa8 aa6"),
        ("A-RELEASE response", .releaseResponse, ". . . . . . . ar4 ar9 . . ar4 ."),
        ("A-ABORT request", .abort(.byUser), ". . aa1 aa2 aa1 aa1 aa1 aa1 aa1 aa1 aa1 aa1 ."),
        ("A-ABORT", .pdu(.abort(.byUser)), ". aa2 aa3 . aa3 aa3 aa3 aa3 aa3 aa3 aa3 aa3 aa2"),
        ("transport closed", .transportClosed, ". aa5 aa4 aa4 aa4 aa4 aa4 aa4 aa4 aa4 aa4 aa4 ar5"),
        ("ARTIM expired", .artimExpired, ". aa2 . . . . . . . . . . aa2"),
        (
            "invalid PDU", .invalidPDU(.unrecognizedType(9)),
            ". aa1 aa8 . aa8 aa8 aa8 aa8 aa8 aa8 aa8 aa8 aa7"
        ),
    ]

    /// A machine brought to a state by events alone.
    static func machine(in state: Machine.State) -> Machine {
        var machine = Machine()
        let acceptor: [Machine.Event] = [
            .transportIndication, .pdu(.associateRequest(Samples.request())), .accept(Samples.accept),
        ]
        let requestor: [Machine.Event] = [
            .associate(Samples.request()), .transportConfirmed, .pdu(.associateAccept(Samples.accept)),
        ]
        let events: [Machine.Event] =
            switch state {
            case .sta1: []
            case .sta2: Array(acceptor.prefix(1))
            case .sta3: Array(acceptor.prefix(2))
            case .sta4: Array(requestor.prefix(1))
            case .sta5: Array(requestor.prefix(2))
            case .sta6: acceptor
            case .sta7: requestor + [.release]
            case .sta8: acceptor + [.pdu(.releaseRequest)]
            case .sta9: requestor + [.release, .pdu(.releaseRequest)]
            case .sta10: acceptor + [.release, .pdu(.releaseRequest)]
            case .sta11: requestor + [.release, .pdu(.releaseRequest), .releaseResponse]
            case .sta12: acceptor + [.release, .pdu(.releaseRequest), .pdu(.releaseResponse)]
            case .sta13: acceptor + [.abort(.byUser)]
            }
        for event in events { _ = machine.handle(event) }
        return machine
    }

    /// The state after each action; nil stays. PS3.8 Tables 9-6 to 9-9.
    static func next(after procedure: Machine.Procedure, from state: Machine.State) -> Machine.State {
        switch procedure {
        case .ae1: .sta4
        case .ae2: .sta5
        case .ae3, .ae7, .dt1, .dt2: .sta6
        case .ae4, .ar3, .ar5, .aa2, .aa3, .aa4, .aa5: .sta1
        case .ae5: .sta2
        case .ae6: .sta3
        case .ae8, .ar4, .aa1, .aa6, .aa7, .aa8: .sta13
        case .ar1, .ar6: .sta7
        case .ar2, .ar7: .sta8
        case .ar8: .sta9
        case .ar9: .sta11
        case .ar10: .sta12
        }
    }

    @Test("PS3.8 Table 9-10: every state is reached by events, and every cell names its action and next state")
    func everyCell() {
        for state in Machine.State.allCases {
            let start = Self.machine(in: state)
            #expect(start.state == state)
            for row in Self.table {
                let cell = row.cells.split(separator: " ")[Int(state.rawValue) - 1]
                let procedure = Machine.procedure(for: row.event, in: state)
                #expect(procedure?.rawValue ?? "." == cell, "\(row.name) in \(state)")
                var machine = start
                let actions = machine.handle(row.event)
                if let procedure {
                    #expect(machine.state == Self.next(after: procedure, from: state), "\(row.name) in \(state)")
                } else {
                    #expect(machine.state == state, "\(row.name) in \(state)")
                    #expect(actions.isEmpty, "\(row.name) in \(state)")
                }
            }
        }
    }

    @Test("AE-5, AE-6, AE-7: an acceptor starts ARTIM, stops it at the request, answers and moves data")
    func acceptor() {
        var machine = Machine()
        #expect(machine.handle(.transportIndication) == [.startARTIM])
        #expect(
            machine.handle(.pdu(.associateRequest(Samples.request())))
                == [.stopARTIM, .indicateAssociation(Samples.request())])
        #expect(!machine.permitsData)
        #expect(machine.handle(.accept(Samples.accept)) == [.send(.associateAccept(Samples.accept))])
        #expect(machine.permitsData)
        #expect(!machine.isRequestor)
        let values = [Samples.value([1, 2])]
        #expect(machine.handle(.pdu(.data(values))) == [.indicateData(values)])
        #expect(machine.handle(.data(ByteBuffer(bytes: [4]))) == [.sendData(ByteBuffer(bytes: [4]))])
        #expect(machine.handle(.pdu(.releaseRequest)) == [.indicateRelease(isCollision: false)])
        #expect(machine.permitsData)
        #expect(machine.handle(.releaseResponse) == [.send(.releaseResponse), .startARTIM])
        #expect(machine.isOver)
        #expect(machine.handle(.transportClosed) == [.stopARTIM])
    }

    @Test("AE-1 to AE-4: a requestor opens the transport, then asks; a rejection closes")
    func requestor() {
        var machine = Machine()
        #expect(machine.handle(.associate(Samples.request())) == [.openTransport])
        #expect(machine.handle(.transportConfirmed) == [.send(.associateRequest(Samples.request()))])
        var rejected = machine
        #expect(
            rejected.handle(.pdu(.associateReject(.localLimitExceeded)))
                == [.confirmRejection(.localLimitExceeded), .closeTransport])
        #expect(machine.handle(.pdu(.associateAccept(Samples.accept))) == [.confirmAssociation(Samples.accept)])
        #expect(machine.handle(.release) == [.send(.releaseRequest)])
        #expect(machine.handle(.pdu(.releaseResponse)) == [.confirmRelease, .closeTransport])
    }

    @Test("AE-6: a request without protocol version 1 is rejected 1/2/2 by the provider")
    func protocolVersion() {
        var request = Samples.request()
        request.protocolVersion = 2
        var machine = Self.machine(in: .sta2)
        #expect(
            machine.handle(.pdu(.associateRequest(request)))
                == [.stopARTIM, .send(.associateReject(.protocolVersionNotSupported)), .startARTIM])
        #expect(machine.state == .sta13)
        request.protocolVersion = 3
        machine = Self.machine(in: .sta2)
        #expect(machine.handle(.pdu(.associateRequest(request))).count == 2)
        #expect(machine.state == .sta3)
    }

    @Test("AR-8 to AR-10: in a release collision the requestor answers first, the acceptor after its confirmation")
    func releaseCollision() {
        var requestor = Self.machine(in: .sta7)
        #expect(requestor.handle(.pdu(.releaseRequest)) == [.indicateRelease(isCollision: true)])
        #expect(requestor.state == .sta9)
        #expect(requestor.handle(.releaseResponse) == [.send(.releaseResponse)])
        #expect(requestor.handle(.pdu(.releaseResponse)) == [.confirmRelease, .closeTransport])

        var acceptor = Self.machine(in: .sta6)
        _ = acceptor.handle(.release)
        #expect(acceptor.handle(.pdu(.releaseRequest)) == [.indicateRelease(isCollision: true)])
        #expect(acceptor.state == .sta10)
        #expect(acceptor.handle(.releaseResponse).isEmpty)
        #expect(acceptor.handle(.pdu(.releaseResponse)) == [.confirmRelease])
        #expect(acceptor.handle(.releaseResponse) == [.send(.releaseResponse), .startARTIM])
    }

    @Test("AA-8: a PDU out of place is A-ABORT 2/2, bytes that are no PDU carry the reason of their fault")
    func abortReasons() {
        var machine = Self.machine(in: .sta6)
        #expect(
            machine.handle(.pdu(.associateAccept(Samples.accept)))
                == [.send(.abort(.unexpectedPDU)), .indicateProviderAbort(.unexpectedPDU), .startARTIM])
        machine = Self.machine(in: .sta6)
        #expect(machine.handle(.invalidPDU(.unrecognizedType(9))).first == .send(.abort(.unrecognizedPDU)))
        machine = Self.machine(in: .sta6)
        #expect(machine.handle(.invalidPDU(.valueCount(0))).first == .send(.abort(.invalidPDUParameterValue)))
        machine = Self.machine(in: .sta6)
        #expect(
            machine.handle(.abort(.invalidPDUParameterValue))
                == [.send(.abort(.invalidPDUParameterValue)), .startARTIM])
        // AA-1 in Sta2: the table has the service user as the source.
        machine = Self.machine(in: .sta2)
        #expect(machine.handle(.invalidPDU(.unrecognizedType(9))) == [.send(.abort(.byUser)), .startARTIM])
        // AA-7: a late request is answered, and the wait goes on.
        machine = Self.machine(in: .sta13)
        #expect(machine.handle(.pdu(.associateRequest(Samples.request()))) == [.send(.abort(.unexpectedPDU))])
        #expect(machine.handle(.artimExpired) == [.stopARTIM, .closeTransport])
    }

    @Test("AA-3, AA-4: an abort of the peer and a lost connection reach the user")
    func peerEnds() {
        var machine = Self.machine(in: .sta6)
        #expect(
            machine.handle(.pdu(.abort(.reasonNotSpecified)))
                == [.indicateAbort(.reasonNotSpecified), .closeTransport])
        machine = Self.machine(in: .sta6)
        #expect(machine.handle(.transportClosed) == [.indicateTransportLoss])
        machine = Self.machine(in: .sta2)
        #expect(machine.handle(.transportClosed) == [.stopARTIM])
    }

    @Test("Any order of events: no trap, and every abort or release request of the peer meets an end")
    func anyOrder() {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("AssociationStateMachineTests.anyOrder seed \(seed)")
        var random = SeededGenerator(seed: seed)
        for _ in 0..<500 {
            var machine = Machine()
            for _ in 0..<40 {
                guard let row = Self.table.randomElement(using: &random) else { return }
                let before = machine.state
                let actions = machine.handle(row.event)
                if actions.contains(.closeTransport) { #expect(machine.state == .sta1, "seed \(seed)") }
                if machine.state == .sta13, before != .sta13 { #expect(actions.contains(.startARTIM), "seed \(seed)") }
                if case .transportClosed = row.event { #expect(machine.state == .sta1, "seed \(seed)") }
            }
        }
    }
}
