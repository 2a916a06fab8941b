import DICOMNetwork
import NIOCore

/// Values that the tests share.
enum Samples {
    static let implicit = "1.2.840.10008.1.2"
    static let explicit = "1.2.840.10008.1.2.1"
    static let verification = "1.2.840.10008.1.1"
    static let ctImageStorage = "1.2.840.10008.5.1.4.1.1.2"
    static let worklist = "1.2.840.10008.5.1.4.31"

    static func title(_ text: String) -> AETitle {
        guard let title = AETitle(text) else { preconditionFailure("not a title: \(text)") }
        return title
    }

    static func request(contexts: [ProposedPresentationContext]? = nil) -> AssociateRequest {
        AssociateRequest(
            calledAETitle: title("HILUM"), callingAETitle: title("CT1"),
            presentationContexts: contexts ?? [
                ProposedPresentationContext(id: 1, abstractSyntax: verification, transferSyntaxes: [implicit]),
                ProposedPresentationContext(
                    id: 3, abstractSyntax: ctImageStorage, transferSyntaxes: [explicit, implicit]),
            ],
            userInformation: UserInformation(
                maximumLength: 16384, implementationClassUID: "1.2.3.4", implementationVersionName: "TEST"))
    }

    /// With every sub-item there is.
    static var fullRequest: AssociateRequest {
        var request = request()
        request.userInformation.asynchronousOperationsWindow = AsynchronousOperationsWindow(invoked: 4, performed: 0)
        request.userInformation.roleSelections = [RoleSelection(sopClassUID: ctImageStorage, scu: false, scp: true)]
        request.userInformation.extendedNegotiations = [
            ExtendedNegotiation(sopClassUID: worklist, information: [1, 0, 1])
        ]
        request.userInformation.commonExtendedNegotiations = [
            CommonExtendedNegotiation(
                sopClassUID: ctImageStorage, serviceClassUID: "1.2.840.10008.4.2",
                relatedGeneralSOPClassUIDs: ["1.2.3", "1.2.33"]),
            CommonExtendedNegotiation(sopClassUID: worklist, serviceClassUID: "1.2"),
        ]
        request.userInformation.userIdentity = UserIdentity(
            kind: 2, positiveResponseRequested: true, primary: Array("user".utf8), secondary: Array("secret".utf8))
        return request
    }

    static var accept: AssociateAccept {
        var information = UserInformation(maximumLength: 0, implementationClassUID: "1.2.5")
        information.userIdentityResponse = [1, 2, 3]
        information.asynchronousOperationsWindow = AsynchronousOperationsWindow(invoked: 1, performed: 1)
        return AssociateAccept(
            calledAETitle: title("HILUM"), callingAETitle: title("CT1"),
            presentationContexts: [
                PresentationContextResult(id: 1, result: .acceptance, transferSyntax: implicit),
                PresentationContextResult(id: 3, result: .transferSyntaxesNotSupported, transferSyntax: explicit),
            ], userInformation: information)
    }

    static func value(
        _ bytes: [UInt8], context: UInt8 = 1, isCommand: Bool = false, isLast: Bool = true
    ) -> PresentationDataValue {
        PresentationDataValue(
            contextID: context, isCommand: isCommand, isLast: isLast, fragment: ByteBuffer(bytes: bytes))
    }

    static var pdus: [PDU] {
        [
            .associateRequest(fullRequest), .associateRequest(request()), .associateAccept(accept),
            .associateReject(.localLimitExceeded),
            .data([value([1, 2, 3, 4], isCommand: true), value([], context: 3), value([9], isLast: false)]),
            .releaseRequest, .releaseResponse, .abort(.invalidPDUParameterValue),
        ]
    }
}

/// All that a decoder makes of bytes that come in the given pieces.
func decode(_ pieces: [ArraySlice<UInt8>], limits: NetworkLimits = NetworkLimits()) -> (pdus: [PDU], error: PDUError?) {
    var decoder = PDUDecoder(limits: limits)
    var buffer = ByteBuffer()
    var pdus: [PDU] = []
    var failure: PDUError?
    for piece in pieces {
        buffer.writeBytes(piece)
        do throws(PDUError) {
            while let pdu = try decoder.next(from: &buffer) { pdus.append(pdu) }
        } catch {
            failure = error
        }
        buffer.discardReadBytes()
    }
    return (pdus, failure)
}

func decode(_ bytes: [UInt8], limits: NetworkLimits = NetworkLimits()) -> (pdus: [PDU], error: PDUError?) {
    decode([bytes[...]], limits: limits)
}
