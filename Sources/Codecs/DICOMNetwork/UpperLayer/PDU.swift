import NIOCore

/// One protocol data unit of the DICOM upper layer. PS3.8 §9.3.
package enum PDU: Sendable, Equatable {
    /// Type 01H. PS3.8 §9.3.2.
    indirect case associateRequest(AssociateRequest)
    /// Type 02H. PS3.8 §9.3.3.
    indirect case associateAccept(AssociateAccept)
    /// Type 03H. PS3.8 §9.3.4.
    case associateReject(AssociateReject)
    /// Type 04H, one or more values. PS3.8 §9.3.5.
    case data([PresentationDataValue])
    /// Type 05H. PS3.8 §9.3.6.
    case releaseRequest
    /// Type 06H. PS3.8 §9.3.7.
    case releaseResponse
    /// Type 07H. PS3.8 §9.3.8.
    case abort(Abort)

    /// The first byte of a PDU. PS3.8 §9.3.1.
    enum TypeCode: UInt8 {
        case associateRequest = 0x01, associateAccept, associateReject, data, releaseRequest, releaseResponse, abort
    }
}

/// One PDV item: a fragment of one message on one presentation context. PS3.8 §9.3.5.1, Annex E.
package struct PresentationDataValue: Sendable, Equatable {
    package var contextID: UInt8
    /// Whether the fragment belongs to the command set (true) or to the data set.
    package var isCommand: Bool
    /// Whether this is the last fragment of its command or data set.
    package var isLast: Bool
    /// The fragment, a slice of the received PDU: no copy was made. May be empty.
    package var fragment: ByteBuffer

    package init(contextID: UInt8, isCommand: Bool, isLast: Bool, fragment: ByteBuffer) {
        self.contextID = contextID
        self.isCommand = isCommand
        self.isLast = isLast
        self.fragment = fragment
    }
}

/// A-ASSOCIATE-RQ. PS3.8 §9.3.2.
package struct AssociateRequest: Sendable, Equatable {
    /// Bit 0 is version 1, the only one there is. PS3.8 Table 9-11.
    package var protocolVersion: UInt16 = 1
    package var calledAETitle: AETitle
    package var callingAETitle: AETitle
    /// Empty when the peer sent none; the acceptor then refuses it as unknown.
    package var applicationContextName = AssociateRequest.dicomApplicationContext
    /// 1 to 128; identifiers are odd and unique.
    package var presentationContexts: [ProposedPresentationContext]
    package var userInformation: UserInformation

    /// The DICOM application context name. PS3.7 §A.2.1.
    package static let dicomApplicationContext = "1.2.840.10008.3.1.1.1"

    package init(
        calledAETitle: AETitle, callingAETitle: AETitle, presentationContexts: [ProposedPresentationContext],
        userInformation: UserInformation
    ) {
        self.calledAETitle = calledAETitle
        self.callingAETitle = callingAETitle
        self.presentationContexts = presentationContexts
        self.userInformation = userInformation
    }
}

/// A-ASSOCIATE-AC. PS3.8 §9.3.3.
package struct AssociateAccept: Sendable, Equatable {
    package var protocolVersion: UInt16 = 1
    /// Sent back as received and not tested by the requestor. PS3.8 Table 9-17.
    package var calledAETitle: AETitle
    /// Sent back as received and not tested by the requestor.
    package var callingAETitle: AETitle
    package var applicationContextName = AssociateRequest.dicomApplicationContext
    /// One result for each proposed context.
    package var presentationContexts: [PresentationContextResult]
    package var userInformation: UserInformation

    package init(
        calledAETitle: AETitle, callingAETitle: AETitle, presentationContexts: [PresentationContextResult],
        userInformation: UserInformation
    ) {
        self.calledAETitle = calledAETitle
        self.callingAETitle = callingAETitle
        self.presentationContexts = presentationContexts
        self.userInformation = userInformation
    }
}

/// A-ASSOCIATE-RJ: result, source and reason as on the wire, unknown values kept. PS3.8 Table 9-21.
package struct AssociateReject: Sendable, Hashable {
    /// 1 permanent, 2 transient.
    package var result: UInt8
    /// 1 service user, 2 service provider (ACSE), 3 service provider (presentation).
    package var source: UInt8
    package var reason: UInt8

    package init(result: UInt8, source: UInt8, reason: UInt8) {
        self.result = result
        self.source = source
        self.reason = reason
    }

    /// Whether the peer says that the same request may succeed later.
    package var isTransient: Bool { result == 2 }

    /// 1/1/1.
    package static let noReason = AssociateReject(result: 1, source: 1, reason: 1)
    /// 1/1/2.
    package static let applicationContextNotSupported = AssociateReject(result: 1, source: 1, reason: 2)
    /// 1/1/3.
    package static let callingAETitleNotRecognized = AssociateReject(result: 1, source: 1, reason: 3)
    /// 1/1/7.
    package static let calledAETitleNotRecognized = AssociateReject(result: 1, source: 1, reason: 7)
    /// 1/2/2.
    package static let protocolVersionNotSupported = AssociateReject(result: 1, source: 2, reason: 2)
    /// 2/3/1.
    package static let temporaryCongestion = AssociateReject(result: 2, source: 3, reason: 1)
    /// 2/3/2.
    package static let localLimitExceeded = AssociateReject(result: 2, source: 3, reason: 2)
}

/// A-ABORT: source and reason as on the wire, unknown values kept. PS3.8 Table 9-26.
package struct Abort: Sendable, Hashable {
    /// 0 service user, 2 service provider.
    package var source: UInt8
    /// Means something only when the source is the provider.
    package var reason: UInt8

    package init(source: UInt8, reason: UInt8) {
        self.source = source
        self.reason = reason
    }

    /// The user of the service ended the association: 0/0.
    package static let byUser = Abort(source: 0, reason: 0)
    package static let reasonNotSpecified = Abort(source: 2, reason: 0)
    package static let unrecognizedPDU = Abort(source: 2, reason: 1)
    package static let unexpectedPDU = Abort(source: 2, reason: 2)
    package static let unrecognizedPDUParameter = Abort(source: 2, reason: 4)
    package static let unexpectedPDUParameter = Abort(source: 2, reason: 5)
    package static let invalidPDUParameterValue = Abort(source: 2, reason: 6)
}
