/// What this side supports for one abstract syntax, as the acceptor of an association.
package struct SupportedAbstractSyntax: Sendable {
    /// Whose order decides between several transfer syntaxes that both sides know.
    package enum Preference: Sendable { case acceptor, requestor }

    /// In order of our preference.
    package var transferSyntaxes: [String]
    package var preference: Preference
    /// The requestor may act as SCU. The default role.
    package var requestorMayBeSCU: Bool
    /// The requestor may act as SCP when it proposes so (C-GET sub-operations, event reports).
    package var requestorMayBeSCP: Bool
    /// The answer to a SOP Class Extended Negotiation item: the proposed bytes, each masked by ours; nil gives none,
    /// which means all defaults. PS3.7 §D.3.3.5, PS3.4 §C.5.
    package var extendedNegotiationMask: [UInt8]?

    package init(
        transferSyntaxes: [String], preference: Preference = .acceptor, requestorMayBeSCU: Bool = true,
        requestorMayBeSCP: Bool = false, extendedNegotiationMask: [UInt8]? = nil
    ) {
        self.transferSyntaxes = transferSyntaxes
        self.preference = preference
        self.requestorMayBeSCU = requestorMayBeSCU
        self.requestorMayBeSCP = requestorMayBeSCP
        self.extendedNegotiationMask = extendedNegotiationMask
    }
}

/// How an acceptor answers A-ASSOCIATE-RQ: a pure function of the request and what it is told of the peer.
package struct AcceptorPolicy: Sendable {
    /// The titles we answer to; empty answers to any.
    package var aeTitles: Set<AETitle>
    /// By abstract syntax UID.
    package var abstractSyntaxes: [String: SupportedAbstractSyntax]
    package var maximumLength: UInt32
    package var implementationClassUID: String
    package var implementationVersionName: String

    package init(
        aeTitles: Set<AETitle>, abstractSyntaxes: [String: SupportedAbstractSyntax],
        maximumLength: UInt32 = NetworkLimits().dataPDULengthOffered, implementationClassUID: String,
        implementationVersionName: String
    ) {
        self.aeTitles = aeTitles
        self.abstractSyntaxes = abstractSyntaxes
        self.maximumLength = maximumLength
        self.implementationClassUID = implementationClassUID
        self.implementationVersionName = implementationVersionName
    }

    /// What the owner knows of the peer beyond its request.
    package enum Standing: Sendable {
        case welcome
        /// The calling AE title is not on the list, or not from this address or certificate. RJ 1/1/3.
        case unknownCaller
        /// The user behind it is not who it says, or says nothing where it must. RJ 1/1/1. PS3.7 §D.3.3.7.
        case unknownUser
        /// Too many associations, in all or with this peer. RJ 2/3/2.
        case overLimit
    }

    /// What the requestor of an association is on a context. PS3.7 §D.3.3.4.
    package enum RequestorRole: Sendable { case scu, scp }

    package enum Decision: Sendable, Equatable {
        case accept(AssociateAccept, NegotiatedAssociation)
        case reject(AssociateReject)
    }

    /// Decides; the first ground in this order counts: application context, called title, calling title, user, limits.
    ///
    /// An association of which no context was accepted is accepted all the same: the requestor reads the reason of
    /// each context. One that proposes none has nothing to say and is refused, as is a maximum length that is too
    /// small to serve. PS3.8 §9.3.4, Table 9-21.
    ///
    /// - Parameters:
    ///   - identityResponse: what a verified user is answered; nil where the request asks for no answer.
    ///   - permits: whether the caller may have a role for an abstract syntax that is supported; contexts on which it
    ///     may have none get the result "user rejection". PS3.8 Table 9-18.
    package func decide(
        _ request: AssociateRequest, standing: Standing, identityResponse: [UInt8]? = nil,
        permits: (_ abstractSyntax: String, RequestorRole) -> Bool = { _, _ in true }
    ) -> Decision {
        guard request.applicationContextName == AssociateRequest.dicomApplicationContext else {
            return .reject(.applicationContextNotSupported)
        }
        guard request.calledAETitle.isValid, aeTitles.isEmpty || aeTitles.contains(request.calledAETitle) else {
            return .reject(.calledAETitleNotRecognized)
        }
        guard request.callingAETitle.isValid, standing != .unknownCaller else {
            return .reject(.callingAETitleNotRecognized)
        }
        guard standing != .unknownUser else { return .reject(.noReason) }
        guard standing != .overLimit else { return .reject(.localLimitExceeded) }
        let peerLength = request.userInformation.maximumLength ?? 0
        guard !request.presentationContexts.isEmpty, peerLength == 0 || peerLength >= NetworkLimits.peerPDULengthMin
        else { return .reject(.noReason) }
        return accepted(request, identityResponse, permits)
    }

    private func accepted(
        _ request: AssociateRequest, _ identityResponse: [UInt8]?, _ permits: (String, RequestorRole) -> Bool
    ) -> Decision {
        let proposedRoles = Dictionary(
            request.userInformation.roleSelections.map { ($0.sopClassUID, $0) }, uniquingKeysWith: { first, _ in first }
        )
        var results: [PresentationContextResult] = []
        var contexts: [PresentationContext] = []
        for proposal in request.presentationContexts {
            let (result, context) = answer(
                to: proposal, role: proposedRoles[proposal.abstractSyntax], permits)
            results.append(result)
            if let context { contexts.append(context) }
        }
        var information = UserInformation(
            maximumLength: maximumLength, implementationClassUID: implementationClassUID,
            implementationVersionName: implementationVersionName)
        information.userIdentityResponse = identityResponse
        // One operation at a time: never more than proposed, and 0 (without limit) is more than 1. PS3.7 §D.3.3.3.
        if request.userInformation.asynchronousOperationsWindow != nil {
            information.asynchronousOperationsWindow = AsynchronousOperationsWindow(invoked: 1, performed: 1)
        }
        for role in proposedRoles.values.sorted(by: { $0.sopClassUID < $1.sopClassUID }) {
            guard let support = abstractSyntaxes[role.sopClassUID] else { continue }
            information.roleSelections.append(granted(role, by: support, permits))
        }
        for proposal in request.userInformation.extendedNegotiations {
            guard let mask = abstractSyntaxes[proposal.sopClassUID]?.extendedNegotiationMask else { continue }
            information.extendedNegotiations.append(
                ExtendedNegotiation(
                    sopClassUID: proposal.sopClassUID, information: zip(proposal.information, mask).map { $0 & $1 }))
        }
        let accept = AssociateAccept(
            calledAETitle: request.calledAETitle, callingAETitle: request.callingAETitle,
            presentationContexts: results, userInformation: information)
        return .accept(
            accept,
            NegotiatedAssociation(
                calledAETitle: request.calledAETitle, callingAETitle: request.callingAETitle, contexts: contexts,
                peer: request.userInformation, extendedNegotiations: information.extendedNegotiations))
    }

    /// One proposed context; several contexts of one abstract syntax are answered each by itself.
    private func answer(
        to proposal: ProposedPresentationContext, role: RoleSelection?, _ permits: (String, RequestorRole) -> Bool
    ) -> (PresentationContextResult, PresentationContext?) {
        func refused(_ result: PresentationContextResult.Result) -> (PresentationContextResult, PresentationContext?) {
            let syntax = proposal.transferSyntaxes.first ?? AcceptorPolicy.implicitVRLittleEndian
            return (PresentationContextResult(id: proposal.id, result: result, transferSyntax: syntax), nil)
        }
        guard let support = abstractSyntaxes[proposal.abstractSyntax] else {
            return refused(.abstractSyntaxNotSupported)
        }
        let proposed = role ?? RoleSelection(sopClassUID: proposal.abstractSyntax, scu: true, scp: false)
        let roles = granted(proposed, by: support, permits)
        guard roles.scu || roles.scp else { return refused(.userRejection) }
        let known =
            switch support.preference {
            case .acceptor: support.transferSyntaxes.first { proposal.transferSyntaxes.contains($0) }
            case .requestor: proposal.transferSyntaxes.first { support.transferSyntaxes.contains($0) }
            }
        guard let known else { return refused(.transferSyntaxesNotSupported) }
        return (
            PresentationContextResult(id: proposal.id, result: .acceptance, transferSyntax: known),
            PresentationContext(
                id: proposal.id, abstractSyntax: proposal.abstractSyntax, transferSyntax: known,
                requestorIsSCU: roles.scu, requestorIsSCP: roles.scp)
        )
    }

    /// Only what was proposed may be granted. PS3.7 §D.3.3.4.
    private func granted(
        _ role: RoleSelection, by support: SupportedAbstractSyntax, _ permits: (String, RequestorRole) -> Bool
    ) -> RoleSelection {
        RoleSelection(
            sopClassUID: role.sopClassUID,
            scu: role.scu && support.requestorMayBeSCU && permits(role.sopClassUID, .scu),
            scp: role.scp && support.requestorMayBeSCP && permits(role.sopClassUID, .scp))
    }

    static let implicitVRLittleEndian = "1.2.840.10008.1.2"
}
