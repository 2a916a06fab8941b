import NIOCore

/// Puts the PDVs of one direction of an association together into messages.
///
/// One event a PDV. A command is collected (it is small) and given out whole; the fragments of its data set are given
/// out one by one as slices of what was received, so that a C-STORE of any size streams to its destination. The next
/// command may only begin once the data set has ended. After an error the association has to be aborted with
/// `DIMSEError.abort`. PS3.7 §6.3, PS3.8 Annex E.
package struct MessageAssembler: Sendable {
    package enum Event: Sendable, Equatable {
        /// More of the command has to come.
        case incomplete
        /// A whole command. If it has a data set, `.dataSet` events follow until the last.
        case command(DIMSEMessage)
        /// The next bytes of the data set; empty ones are legal. Odd lengths are taken too, though the standard asks
        /// for even: only the sum matters to what reads the data set.
        case dataSet(ByteBuffer, isLast: Bool)
    }

    private enum Phase: Sendable {
        case idle
        /// Of a command: its context and what came so far.
        case command(contextID: UInt8, ByteBuffer)
        /// Of a data set: its context and the bytes so far.
        case dataSet(contextID: UInt8, bytes: UInt64)
    }

    private let limits: NetworkLimits
    /// By context identifier.
    private let isAccepted: [Bool]
    private var phase = Phase.idle
    private var emptyFragments = 0

    /// `contextIDs`: those of the accepted contexts.
    package init(contextIDs: some Sequence<UInt8>, limits: NetworkLimits = NetworkLimits()) {
        self.limits = limits
        var accepted = [Bool](repeating: false, count: 256)
        for id in contextIDs { accepted[Int(id)] = true }
        isAccepted = accepted
    }

    /// Whether a message has begun and not ended.
    package var isInMessage: Bool {
        if case .idle = phase { false } else { true }
    }

    package mutating func consume(_ value: PresentationDataValue) throws(DIMSEError) -> Event {
        guard isAccepted[Int(value.contextID)] else { throw .contextUnknown(value.contextID) }
        if value.fragment.readableBytes == 0, !value.isLast {
            emptyFragments += 1
            if emptyFragments > limits.emptyFragmentsMax {
                throw .tooManyEmptyFragments(limit: limits.emptyFragmentsMax)
            }
        }
        switch phase {
        case .idle:
            guard value.isCommand else { throw .fragmentUnexpected(isCommand: false) }
            return try command(value, after: nil)
        case .command(let contextID, let sofar):
            guard value.contextID == contextID else {
                throw .interleaved(expected: contextID, received: value.contextID)
            }
            guard value.isCommand else { throw .fragmentUnexpected(isCommand: false) }
            // Let go of the copy in `phase`, so that appending does not copy the buffer.
            phase = .idle
            return try command(value, after: sofar)
        case .dataSet(let contextID, let bytes):
            guard value.contextID == contextID else {
                throw .interleaved(expected: contextID, received: value.contextID)
            }
            guard !value.isCommand else { throw .fragmentUnexpected(isCommand: true) }
            // Both far below the range of 64 bits: a fragment is at most one PDU.
            let total = bytes + UInt64(value.fragment.readableBytes)
            guard total <= limits.dataSetBytesMax else { throw .dataSetTooLong(limit: limits.dataSetBytesMax) }
            phase = value.isLast ? .idle : .dataSet(contextID: contextID, bytes: total)
            return .dataSet(value.fragment, isLast: value.isLast)
        }
    }

    private mutating func command(
        _ value: PresentationDataValue, after sofar: ByteBuffer?
    ) throws(DIMSEError) -> Event {
        var bytes = value.fragment
        if var collected = sofar {
            collected.writeImmutableBuffer(value.fragment)
            bytes = collected
        }
        guard bytes.readableBytes <= limits.commandBytesMax else {
            throw .commandTooLong(limit: limits.commandBytesMax)
        }
        guard value.isLast else {
            phase = .command(contextID: value.contextID, bytes)
            return .incomplete
        }
        let message = try DIMSEMessage(contextID: value.contextID, command: try CommandSet(decoding: bytes))
        phase = message.hasDataSet ? .dataSet(contextID: value.contextID, bytes: 0) : .idle
        emptyFragments = 0
        return .command(message)
    }
}
