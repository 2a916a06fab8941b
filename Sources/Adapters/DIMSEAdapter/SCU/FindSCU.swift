import DICOMData
import DICOMNetwork
import NIOCore

/// C-FIND at a peer: its patients, studies, series and instances, or its worklist. PS3.4 §C.4.1, §K.4.1.
package struct FindSCU: Sendable {
    /// What is taken of the answer to one query; then the peer is told to stop.
    package struct Limits: Sendable, Hashable {
        package var matches = 10_000
        /// Of all identifiers together.
        package var bytes = 16 << 20
        package init() {}
    }

    private let association: SCUAssociation
    private let sopClassUID: String
    private let context: PresentationContext

    /// Throws ``SCUError`` when no context of the class was accepted.
    package init(_ association: SCUAssociation, sopClassUID: String) throws(SCUError) {
        self.association = association
        self.sopClassUID = sopClassUID
        context = try association.context(sopClassUID)
    }

    /// What is proposed for a class.
    package static func contexts(
        _ sopClassUID: String
    ) -> [(abstractSyntax: String, transferSyntaxes: [String])] {
        [(sopClassUID, TransferSyntax.ofIdentifiers)]
    }

    /// The matches as they come. The query begins at once; who stops reading, or is cancelled, has it cancelled.
    /// Throws ``DICOMDataError`` for an identifier that cannot be encoded.
    package func matches(_ identifier: DataSet, limits: Limits = Limits()) throws -> FindMatches {
        guard let syntax = TransferSyntax(uid: context.transferSyntax) else { throw SCUError.responseNotUnderstood }
        var bounds = ResponseBounds()
        bounds.cancelAfter = limits.matches
        // Pending ones, the one that is too many, and what crosses the cancellation.
        bounds.responsesMax = 2 * limits.matches + 1_000
        bounds.bytesMax = limits.bytes
        let sopClassUID = sopClassUID
        let responses = association.invoker.responses(context, try context.encoded(identifier), bounds: bounds) {
            .cFindRequest(messageID: $0, sopClassUID: sopClassUID)
        }
        return FindMatches(responses: responses, syntax: syntax)
    }
}

/// The identifiers that match a query, in the peer's order, up to its end.
///
/// Throws, once it has given what came before: ``SCUError`` `.failed` for a failure status, `.responsesOverLimit` when
/// there are more than the limits take, `.responseNotUnderstood` for an identifier that cannot be read, and what ends the
/// association.
package struct FindMatches: AsyncSequence, Sendable {
    fileprivate let responses: AsyncThrowingStream<DIMSEResponse, any Error>
    fileprivate let syntax: TransferSyntax

    package struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate var responses: AsyncThrowingStream<DIMSEResponse, any Error>.Iterator
        fileprivate let decoder: DataSetDecoder
        /// Of the identifiers that were given.
        private(set) var bytes = 0

        package mutating func next() async throws -> DataSet? {
            guard let response = try await responses.next() else { return nil }
            guard let status = response.message.status, status.isFinal else {
                guard let identifier = response.dataSet,
                    let match = try? decoder.decode(Array(identifier.readableBytesView))
                else { throw SCUError.responseNotUnderstood }
                bytes += identifier.readableBytes
                return match
            }
            switch status.kind {
            case .success, .warning, .cancel, .pending: return nil
            case .failure:
                throw SCUError.failed(status, comment: response.message.command.text(.errorComment))
            }
        }
    }

    package func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(responses: responses.makeAsyncIterator(), decoder: DataSetDecoder(transferSyntax: syntax))
    }
}
