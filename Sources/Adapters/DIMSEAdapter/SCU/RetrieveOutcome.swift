import DICOMData
import DICOMNetwork
import NIOCore

/// How far the sub-operations of a C-MOVE or C-GET are, as the peer says. PS3.4 §C.4.2.1.6 to §C.4.2.1.9.
package struct RetrieveProgress: Sendable, Hashable {
    /// nil where the peer says nothing of it, as in a final response.
    package var remaining: Int?
    package var completed = 0
    package var failed = 0
    package var warning = 0
    package init() {}

    init(_ command: CommandSet) {
        func number(_ element: CommandSet.Element) -> Int? { command.uint16(element).map(Int.init) }
        remaining = number(.numberOfRemainingSuboperations)
        completed = number(.numberOfCompletedSuboperations) ?? 0
        failed = number(.numberOfFailedSuboperations) ?? 0
        warning = number(.numberOfWarningSuboperations) ?? 0
    }
}

/// How a C-MOVE or C-GET ended. PS3.4 Tables C.4-2, C.4-3.
package struct RetrieveOutcome: Sendable, Hashable {
    /// Success, B000 when some failed, cancel, or a failure.
    package let status: DIMSEStatus
    /// What the peer says in words.
    package let comment: String?
    package let progress: RetrieveProgress
    /// Failed SOP Instance UID List (0008,0058), as far as the peer gives it and it holds UIDs.
    package let failed: [String]

    init(_ response: DIMSEResponse, transferSyntax: String) {
        status = response.message.status ?? .processingFailure
        comment = response.message.command.text(.errorComment)
        progress = RetrieveProgress(response.message.command)
        let list = response.dataSet.flatMap { bytes in
            TransferSyntax(uid: transferSyntax).flatMap {
                try? DataSetDecoder(transferSyntax: $0).decode(Array(bytes.readableBytesView))
            }
        }
        failed = (list?.strings(.failedSOPInstanceUIDList) ?? []).filter { UID.isSafe($0) }
    }
}

extension OperationInvoker {
    /// A C-MOVE or C-GET to its end; `progress` is told of each pending response. Throws ``SCUError``.
    func retrieve(
        _ context: PresentationContext, _ identifier: DataSet, progress: (RetrieveProgress) async -> Void,
        _ makeCommand: @escaping @Sendable (UInt16) -> CommandSet
    ) async throws -> RetrieveOutcome {
        var bounds = ResponseBounds()
        // One for each sub-operation, of as many as this server sends itself, and the final one.
        bounds.responsesMax = RetrieveSelection.instancesMax + 1_000
        // Identifiers come with the last response alone.
        bounds.bytesMax = 1 << 20
        for try await response in responses(context, try context.encoded(identifier), bounds: bounds, makeCommand) {
            guard response.message.status?.isFinal == false else {
                return RetrieveOutcome(response, transferSyntax: context.transferSyntax)
            }
            await progress(RetrieveProgress(response.message.command))
        }
        throw SCUError.cancelled
    }
}
