/// What both sides agreed on.
package struct NegotiatedAssociation: Sendable, Equatable {
    package let calledAETitle: AETitle
    package let callingAETitle: AETitle
    /// The accepted contexts, in the order of their proposal.
    package let contexts: [PresentationContext]
    /// The longest P-DATA-TF to send, bytes: what the peer takes, at most our own bound. PS3.8 §D.1.
    package private(set) var sendLengthMax: UInt32
    package let peerImplementationClassUID: String
    package let peerImplementationVersionName: String?
    /// The answers of the acceptor.
    package let extendedNegotiations: [ExtendedNegotiation]
    /// The acceptor's answer to a user identity: nil when it gave none. PS3.7 §D.3.3.7.2.
    package let userIdentityResponse: [UInt8]?

    init(
        calledAETitle: AETitle, callingAETitle: AETitle, contexts: [PresentationContext], peer: UserInformation,
        extendedNegotiations: [ExtendedNegotiation], userIdentityResponse: [UInt8]? = nil
    ) {
        self.calledAETitle = calledAETitle
        self.callingAETitle = callingAETitle
        self.contexts = contexts
        let length = peer.maximumLength ?? 0
        sendLengthMax =
            length == 0
            ? NetworkLimits.dataPDULengthSentMax
            : max(NetworkLimits.peerPDULengthMin, min(length, NetworkLimits.dataPDULengthSentMax))
        peerImplementationClassUID = peer.implementationClassUID
        peerImplementationVersionName = peer.implementationVersionName
        self.extendedNegotiations = extendedNegotiations
        self.userIdentityResponse = userIdentityResponse
    }

    /// The requestor's view, once the acceptance came.
    ///
    /// Throws `.contextIDInvalid` for a result that was not asked for, `.itemInvalid` for a transfer syntax that was
    /// not proposed and for a maximum length too small to serve: the owner then aborts with `PDUError.abort`.
    package init(_ request: AssociateRequest, _ accept: AssociateAccept) throws(PDUError) {
        let peerLength = accept.userInformation.maximumLength ?? 0
        guard peerLength == 0 || peerLength >= NetworkLimits.peerPDULengthMin else {
            throw .itemInvalid(type: ItemType.maximumLength, offset: 0)
        }
        let proposals = Dictionary(request.presentationContexts.map { ($0.id, $0) }, uniquingKeysWith: { a, _ in a })
        let proposedRoles = Dictionary(
            request.userInformation.roleSelections.map { ($0.sopClassUID, $0) }, uniquingKeysWith: { a, _ in a })
        let grantedRoles = Dictionary(
            accept.userInformation.roleSelections.map { ($0.sopClassUID, $0) }, uniquingKeysWith: { a, _ in a })
        var contexts: [PresentationContext] = []
        for result in accept.presentationContexts {
            guard let proposal = proposals[result.id] else { throw .contextIDInvalid(result.id, offset: 0) }
            guard result.result == .acceptance else { continue }
            guard proposal.transferSyntaxes.contains(result.transferSyntax) else {
                throw .itemInvalid(type: ItemType.transferSyntax, offset: 0)
            }
            let uid = proposal.abstractSyntax
            // Without an answer to a proposal the default roles hold. PS3.7 §D.3.3.4.2.
            let (proposed, granted) = (proposedRoles[uid], grantedRoles[uid])
            let negotiated = proposed != nil && granted != nil
            contexts.append(
                PresentationContext(
                    id: result.id, abstractSyntax: uid, transferSyntax: result.transferSyntax,
                    requestorIsSCU: negotiated ? proposed?.scu == true && granted?.scu == true : true,
                    requestorIsSCP: negotiated && proposed?.scp == true && granted?.scp == true))
        }
        self.init(
            calledAETitle: request.calledAETitle, callingAETitle: request.callingAETitle, contexts: contexts,
            peer: accept.userInformation, extendedNegotiations: accept.userInformation.extendedNegotiations,
            userIdentityResponse: accept.userInformation.userIdentityResponse)
    }

    /// Sends no longer P-DATA-TF than this, bytes, whatever the peer takes.
    package mutating func send(atMost length: UInt32) {
        sendLengthMax = max(NetworkLimits.peerPDULengthMin, min(sendLengthMax, length))
    }

    package func context(id: UInt8) -> PresentationContext? { contexts.first { $0.id == id } }

    /// The first accepted context of an abstract syntax on which the requestor is SCU, of that transfer syntax if named.
    package func context(abstractSyntax: String, transferSyntax: String? = nil) -> PresentationContext? {
        contexts.first {
            $0.abstractSyntax == abstractSyntax && $0.requestorIsSCU
                && (transferSyntax == nil || $0.transferSyntax == transferSyntax)
        }
    }
}
