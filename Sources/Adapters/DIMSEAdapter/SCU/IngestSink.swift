import Access
import DICOMData
import DICOMNetwork
import DICOMTranslation

/// The sink that stores what comes as if it had been sent here: durable and registered before it is answered.
package struct IngestSink: InstanceSink {
    private let ingest: InstanceIngest
    private let access: AccessContext
    private let archive: String?
    private let ended: @Sendable (InstanceIngest.Outcome) -> Void

    /// - Parameters:
    ///   - access: who fetches.
    ///   - archive: of which archive's instances what comes is copies; nil for what is to be kept.
    ///   - ended: told what became of each instance that came whole, before its sender is.
    package init(
        ingest: InstanceIngest, access: AccessContext, archive: String? = nil,
        ended: @escaping @Sendable (InstanceIngest.Outcome) -> Void = { _ in }
    ) {
        self.ingest = ingest
        self.access = access
        self.archive = archive
        self.ended = ended
    }

    package func begin(_ head: InstanceHead) throws -> any InstanceWriting {
        Writing(
            sink: self, head: head,
            incoming: try ingest.begin(
                transferSyntax: head.transferSyntax, sopClassUID: head.sopClassUID,
                sopInstanceUID: head.sopInstanceUID, sourceAETitle: head.sender.value))
    }

    private struct Writing: InstanceWriting {
        let sink: IngestSink
        let head: InstanceHead
        let incoming: IncomingInstance

        func append(_ bytes: UnsafeRawBufferPointer) throws { try incoming.append(bytes) }

        func finish() async -> DIMSEStatus {
            let archive = sink.archive
            let outcome = await sink.ingest.finish(
                incoming, expectedClassUID: head.sopClassUID, expectedInstanceUID: head.sopInstanceUID,
                receivedFrom: head.sender.value, archive: { _ in archive }, access: sink.access)
            sink.ended(outcome)
            return switch outcome {
            case .stored: .success
            case .failed(let failure, _): DIMSEStatus(rawValue: failure.status)
            }
        }

        func abort() { sink.ingest.abort(incoming) }
    }
}
