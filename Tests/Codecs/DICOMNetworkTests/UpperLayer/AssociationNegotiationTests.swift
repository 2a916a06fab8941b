import DICOMNetwork
import Testing

/// PS3.8 §9.3.2 to §9.3.4, PS3.7 Annex D.
@Suite struct AssociationNegotiationTests {
    private let policy = AcceptorPolicy(
        aeTitles: [Samples.title("HILUM")],
        abstractSyntaxes: [
            Samples.verification: SupportedAbstractSyntax(transferSyntaxes: [Samples.implicit]),
            Samples.ctImageStorage: SupportedAbstractSyntax(
                transferSyntaxes: [Samples.implicit, Samples.explicit], preference: .requestor),
            Samples.worklist: SupportedAbstractSyntax(
                transferSyntaxes: [Samples.explicit, Samples.implicit], extendedNegotiationMask: [0, 1, 1]),
        ], implementationClassUID: "1.2.9", implementationVersionName: "HILUM")

    private func accepted(
        _ request: AssociateRequest, _ policy: AcceptorPolicy? = nil
    ) throws -> (accept: AssociateAccept, association: NegotiatedAssociation) {
        guard case .accept(let accept, let association) = (policy ?? self.policy).decide(request, standing: .welcome)
        else { throw PDUError.valueCount(0) }
        return (accept, association)
    }

    @Test("PS3.8 Table 9-21: the grounds of rejection, the first in order counting")
    func rejections() throws {
        var request = Samples.request()
        #expect(policy.decide(request, standing: .unknownCaller) == .reject(.callingAETitleNotRecognized))
        #expect(policy.decide(request, standing: .overLimit) == .reject(.localLimitExceeded))
        request.calledAETitle = Samples.title("OTHER")
        #expect(policy.decide(request, standing: .unknownCaller) == .reject(.calledAETitleNotRecognized))
        request.applicationContextName = "1.2.3"
        #expect(policy.decide(request, standing: .unknownCaller) == .reject(.applicationContextNotSupported))
        #expect(AssociateReject.callingAETitleNotRecognized == AssociateReject(result: 1, source: 1, reason: 3))
        #expect(AssociateReject.localLimitExceeded.isTransient)
    }

    @Test("PS3.8 §D.1: a maximum length of 1024 or without limit is served, 1023 is not")
    func smallMaximumLength() throws {
        var request = Samples.request()
        for (length, sent): (UInt32?, UInt32) in [(1024, 1024), (0, 131072), (nil, 131072), (1 << 31, 131072)] {
            request.userInformation.maximumLength = length
            #expect(try accepted(request).association.sendLengthMax == sent)
        }
        request.userInformation.maximumLength = 1023
        #expect(policy.decide(request, standing: .welcome) == .reject(.noReason))
        #expect(policy.decide(Samples.request(contexts: []), standing: .welcome) == .reject(.noReason))
    }

    @Test("PS3.8 §9.3.3.2: each context gets its own result, several of one class too")
    func contexts() throws {
        let request = Samples.request(contexts: [
            ProposedPresentationContext(id: 1, abstractSyntax: "1.9.9", transferSyntaxes: [Samples.implicit]),
            ProposedPresentationContext(id: 3, abstractSyntax: Samples.ctImageStorage, transferSyntaxes: ["1.9"]),
            ProposedPresentationContext(id: 5, abstractSyntax: Samples.ctImageStorage, transferSyntaxes: []),
            ProposedPresentationContext(
                id: 7, abstractSyntax: Samples.ctImageStorage, transferSyntaxes: [Samples.explicit, Samples.implicit]),
            ProposedPresentationContext(
                id: 9, abstractSyntax: Samples.ctImageStorage, transferSyntaxes: [Samples.implicit]),
            ProposedPresentationContext(
                id: 255, abstractSyntax: Samples.worklist, transferSyntaxes: [Samples.implicit, Samples.explicit]),
        ])
        let (accept, association) = try accepted(request)
        #expect(
            accept.presentationContexts.map(\.result) == [
                .abstractSyntaxNotSupported, .transferSyntaxesNotSupported, .transferSyntaxesNotSupported, .acceptance,
                .acceptance, .acceptance,
            ])
        #expect(association.contexts.map(\.id) == [7, 9, 255])
        // The requestor's order for storage, ours for the worklist.
        #expect(association.context(id: 7)?.transferSyntax == Samples.explicit)
        #expect(association.context(id: 255)?.transferSyntax == Samples.explicit)
        #expect(association.context(id: 3) == nil)
        #expect(try NegotiatedAssociation(request, accept).contexts == association.contexts)
    }

    @Test("PS3.7 §D.3.3.4: roles are granted only as proposed; a class left without a role is user rejection")
    func roles() throws {
        var request = Samples.request()
        request.userInformation.roleSelections = [
            RoleSelection(sopClassUID: Samples.ctImageStorage, scu: false, scp: true),
            RoleSelection(sopClassUID: "1.9.9", scu: true, scp: true),
        ]
        let (accept, association) = try accepted(request)
        #expect(
            accept.userInformation.roleSelections == [
                RoleSelection(sopClassUID: Samples.ctImageStorage, scu: false, scp: false)
            ])
        #expect(accept.presentationContexts.map(\.result) == [.acceptance, .userRejection])
        #expect(association.contexts.map(\.id) == [1])

        var generous = policy
        generous.abstractSyntaxes[Samples.ctImageStorage]?.requestorMayBeSCP = true
        let granted = try accepted(request, generous)
        #expect(granted.association.context(id: 3)?.requestorIsSCP == true)
        #expect(granted.association.context(id: 3)?.requestorIsSCU == false)
        #expect(try NegotiatedAssociation(request, granted.accept).contexts == granted.association.contexts)
        // Not proposed: not granted.
        #expect(try accepted(Samples.request(), generous).association.context(id: 3)?.requestorIsSCP == false)
    }

    @Test("PS3.7 §D.3.3.3, §D.3.3.5, §D.3.3.7: window 1/1 if asked, extended bytes masked, no identity response")
    func userInformation() throws {
        let (accept, _) = try accepted(Samples.fullRequest)
        let information = accept.userInformation
        #expect(information.asynchronousOperationsWindow == AsynchronousOperationsWindow(invoked: 1, performed: 1))
        #expect(
            information.extendedNegotiations == [
                ExtendedNegotiation(sopClassUID: Samples.worklist, information: [0, 0, 1])
            ])
        #expect(information.userIdentityResponse == nil)
        #expect(information.maximumLength == 131072)
        #expect(try accepted(Samples.request()).accept.userInformation.asynchronousOperationsWindow == nil)
    }

    @Test("An acceptance that answers what was not asked is refused by the requestor")
    func dishonestAcceptance() throws {
        let request = Samples.request()
        var (accept, _) = try accepted(request)
        accept.presentationContexts[0].id = 99
        #expect(throws: PDUError.contextIDInvalid(99, offset: 0)) { try NegotiatedAssociation(request, accept) }
        (accept, _) = try accepted(request)
        accept.presentationContexts[1].transferSyntax = "1.9"
        #expect(throws: PDUError.self) { try NegotiatedAssociation(request, accept) }
        (accept, _) = try accepted(request)
        accept.userInformation.maximumLength = 12
        #expect(throws: PDUError.self) { try NegotiatedAssociation(request, accept) }
    }

    @Test("PS3.5 §6.2: AE titles of 1 to 16 characters without backslash; padding does not count, case does")
    func titles() {
        #expect(AETitle("") == nil)
        #expect(AETitle("   ") == nil)
        #expect(AETitle("A\\B") == nil)
        #expect(AETitle("A\nB") == nil)
        #expect(AETitle("1234567890123456") != nil)
        #expect(AETitle("12345678901234567") == nil)
        #expect(AETitle(" CT 1 ")?.value == "CT 1")
        #expect(AETitle("ct") != AETitle("CT"))
    }
}
