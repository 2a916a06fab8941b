import Access
import DICOMData
import DICOMNetwork
import DICOMTranslation

/// The sink that stores what comes as if it had been sent here: durable and registered before it is answered.
package struct IngestSink: InstanceSink {
    private let ingest: InstanceIngest
    private let access: AccessContext

    /// - Parameter access: who fetches.
    package init(ingest: InstanceIngest, access: AccessContext) {
        self.ingest = ingest
        self.access = access
    }

    package func begin(_ head: InstanceHead) throws -> any InstanceWriting {
        Writing(
            ingest: ingest, access: access, head: head,
            incoming: try ingest.begin(
                transferSyntax: head.transferSyntax, sopClassUID: head.sopClassUID,
                sopInstanceUID: head.sopInstanceUID, sourceAETitle: head.sender.value))
    }

    private struct Writing: InstanceWriting {
        let ingest: InstanceIngest
        let access: AccessContext
        let head: InstanceHead
        let incoming: IncomingInstance

        func append(_ bytes: UnsafeRawBufferPointer) throws { try incoming.append(bytes) }

        func finish() async -> DIMSEStatus {
            let outcome = await ingest.finish(
                incoming, expectedClassUID: head.sopClassUID, expectedInstanceUID: head.sopInstanceUID,
                receivedFrom: head.sender.value, access: access)
            return switch outcome {
            case .stored: .success
            case .failed(let failure, _): DIMSEStatus(rawValue: failure.status)
            }
        }

        func abort() { ingest.abort(incoming) }
    }
}
