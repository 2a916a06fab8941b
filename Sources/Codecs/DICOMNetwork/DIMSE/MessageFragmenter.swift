import NIOCore

/// Cuts outgoing messages into P-DATA-TF PDUs that the peer takes, each in one buffer for one write.
///
/// A PDU holds one PDV; every fragment but the last of a data set fills its PDU and has an even length.
/// PS3.8 §9.3.5, §D.1, Annex E.
package struct MessageFragmenter: Sendable {
    /// Bytes of command or data set in one PDU; even.
    package let fragmentBytesMax: Int

    /// `sendLengthMax`: the longest P-DATA-TF of ``NegotiatedAssociation/sendLengthMax``, bytes.
    package init(sendLengthMax: UInt32) {
        // The length counts the PDV's own length field (4), context (1) and control header (1).
        fragmentBytesMax = max(2, (Int(sendLengthMax) - 6) & ~1)
    }

    /// The PDUs of a command, nearly always one.
    package func command(
        _ command: CommandSet, contextID: UInt8, allocator: ByteBufferAllocator = ByteBufferAllocator()
    ) -> [ByteBuffer] {
        var rest = command.encoded(allocator: allocator)
        var pdus: [ByteBuffer] = []
        while let pdu = next(of: &rest, contextID: contextID, isCommand: true, endsHere: true, allocator: allocator) {
            pdus.append(pdu)
        }
        return pdus
    }

    /// Takes the next PDU's worth of a data set off the front of `rest`.
    ///
    /// With `endsHere` the bytes of `rest` are the last of the data set, and the last PDU says so; nil once it is empty.
    /// Without, nil as soon as less than a full fragment is left: append more and call again.
    /// An empty data set needs ``emptyDataSet(contextID:allocator:)``.
    package func nextDataSetPDU(
        of rest: inout ByteBuffer, contextID: UInt8, endsHere: Bool,
        allocator: ByteBufferAllocator = ByteBufferAllocator()
    ) -> ByteBuffer? {
        next(of: &rest, contextID: contextID, isCommand: false, endsHere: endsHere, allocator: allocator)
    }

    /// All PDUs of a data set that is in memory.
    package func dataSet(
        _ bytes: ByteBuffer, contextID: UInt8, allocator: ByteBufferAllocator = ByteBufferAllocator()
    ) -> [ByteBuffer] {
        guard bytes.readableBytes > 0 else { return [emptyDataSet(contextID: contextID, allocator: allocator)] }
        var rest = bytes
        var pdus: [ByteBuffer] = []
        while let pdu = nextDataSetPDU(of: &rest, contextID: contextID, endsHere: true, allocator: allocator) {
            pdus.append(pdu)
        }
        return pdus
    }

    /// The one PDU of a data set without elements: an empty last fragment.
    package func emptyDataSet(
        contextID: UInt8, allocator: ByteBufferAllocator = ByteBufferAllocator()
    ) -> ByteBuffer {
        pdu(of: ByteBuffer(), contextID: contextID, isCommand: false, isLast: true, allocator: allocator)
    }

    private func next(
        of rest: inout ByteBuffer, contextID: UInt8, isCommand: Bool, endsHere: Bool, allocator: ByteBufferAllocator
    ) -> ByteBuffer? {
        let available = rest.readableBytes
        guard available > 0, endsHere || available > fragmentBytesMax,
            let fragment = rest.readSlice(length: min(available, fragmentBytesMax))
        else { return nil }
        return pdu(
            of: fragment, contextID: contextID, isCommand: isCommand,
            isLast: endsHere && available <= fragmentBytesMax, allocator: allocator)
    }

    private func pdu(
        of fragment: ByteBuffer, contextID: UInt8, isCommand: Bool, isLast: Bool, allocator: ByteBufferAllocator
    ) -> ByteBuffer {
        let length = fragment.readableBytes
        var pdu = allocator.buffer(capacity: 12 + length)
        pdu.writeMultipleIntegers(
            PDU.TypeCode.data.rawValue, UInt8(0), UInt32(truncatingIfNeeded: length + 6),
            UInt32(truncatingIfNeeded: length + 2), contextID, PresentationDataValue.control(isCommand, isLast))
        pdu.writeImmutableBuffer(fragment)
        return pdu
    }
}
