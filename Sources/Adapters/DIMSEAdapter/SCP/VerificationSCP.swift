import DICOMData
import DICOMNetwork

/// C-ECHO. PS3.4 Annex A, PS3.7 §9.1.5.
package struct VerificationSCP: ServiceClassProvider {
    package init() {}

    package var abstractSyntaxes: [String: SupportedAbstractSyntax] {
        [
            UID.verification: SupportedAbstractSyntax(transferSyntaxes: [
                TransferSyntax.implicitVRLittleEndian.uid, TransferSyntax.explicitVRLittleEndian.uid,
                TransferSyntax.explicitVRBigEndian.uid,
            ])
        ]
    }

    package func begin(_ request: ServiceRequest) -> any ServiceOperation {
        FixedAnswer(status: request.message.field == .cEchoRequest ? .success : .unrecognizedOperation)
    }
}
