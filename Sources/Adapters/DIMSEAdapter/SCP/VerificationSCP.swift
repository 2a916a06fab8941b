import DICOMData
import DICOMNetwork
import Workflow

/// C-ECHO. PS3.4 Annex A, PS3.7 §9.1.5.
package struct VerificationSCP: ServiceClassProvider {
    package init() {}

    /// Who may ask whether this server is there.
    package var role: Peer.Role { .echo }

    package var abstractSyntaxes: [String: SupportedAbstractSyntax] {
        [
            UID.verification: SupportedAbstractSyntax(transferSyntaxes: [
                TransferSyntax.implicitVRLittleEndian.uid, TransferSyntax.explicitVRLittleEndian.uid,
                TransferSyntax.explicitVRBigEndian.uid,
            ])
        ]
    }

    package func begin(_ request: DIMSERequest) -> any ServiceOperation {
        FixedAnswer(status: request.message.field == .cEchoRequest ? .success : .unrecognizedOperation)
    }
}
