import Access
import DICOMData
import DICOMNetwork
import DICOMTranslation

/// The sink that stores what comes as copies of an archive's. All of it is durable and registered once the window of the
/// tally is done; the archive may be told before that.
struct IngestSink: InstanceSink {
    private let ingest: InstanceIngest
    private let access: AccessContext
    private let archive: String
    private let tally: FetchTally

    /// - Parameters:
    ///   - access: who fetches.
    ///   - archive: of which archive's instances what comes is copies.
    ///   - tally: told what became of each instance that came whole.
    init(ingest: InstanceIngest, access: AccessContext, archive: String, tally: FetchTally) {
        self.ingest = ingest
        self.access = access
        self.archive = archive
        self.tally = tally
    }

    func begin(_ head: InstanceHead) throws -> any InstanceWriting {
        try noting(head) { () throws(IngestFailure) in
            Writing(
                sink: self, head: head,
                incoming: try ingest.begin(
                    transferSyntax: head.transferSyntax, sopClassUID: head.sopClassUID,
                    sopInstanceUID: head.sopInstanceUID, sourceAETitle: head.sender.value))
        }
    }

    /// Tells the tally of a failure, and throws it.
    private func noting<Value>(
        _ head: InstanceHead, _ work: () throws(IngestFailure) -> Value
    ) throws(IngestFailure) -> Value {
        do throws(IngestFailure) { return try work() } catch {
            tally.note(error, of: head.sopInstanceUID)
            throw error
        }
    }

    private struct Writing: InstanceWriting {
        let sink: IngestSink
        let head: InstanceHead
        let incoming: IncomingInstance

        func append(_ bytes: UnsafeRawBufferPointer) throws {
            try sink.noting(head) { () throws(IngestFailure) in try incoming.append(bytes) }
        }

        func finish() async -> DIMSEStatus {
            let examined = await sink.ingest.examine(
                incoming, expectedClassUID: head.sopClassUID, expectedInstanceUID: head.sopInstanceUID,
                receivedFrom: head.sender.value, access: sink.access)
            let failure: IngestFailure?
            switch examined {
            case .whole(let described):
                failure = await sink.tally.keep(described, of: sink.archive, by: sink.ingest, access: sink.access)
            case .refused(let refusal, _):
                sink.tally.note(refusal, of: head.sopInstanceUID)
                failure = refusal
            }
            return failure.map { DIMSEStatus(rawValue: $0.status) } ?? .success
        }

        func abort() { sink.ingest.abort(incoming) }
    }
}
