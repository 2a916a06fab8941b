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
        while let fragment = rest.readSlice(length: min(rest.readableBytes, fragmentBytesMax)),
            fragment.readableBytes > 0
        {
            pdus.append(
                pdu(
                    of: fragment, contextID: contextID, isCommand: true, isLast: rest.readableBytes == 0,
                    allocator: allocator))
        }
        return pdus
    }

    /// The next PDU of a data set that comes part by part: the front of `rest`, as much as fits. With `endsHere` no part
    /// follows, and the PDU that takes the last byte says so. `rest` must be of even length unless it ends here.
    package func dataSetPDU(
        of rest: inout ByteBuffer, contextID: UInt8, endsHere: Bool,
        allocator: ByteBufferAllocator = ByteBufferAllocator()
    ) -> ByteBuffer {
        let fragment = rest.readSlice(length: min(rest.readableBytes, fragmentBytesMax)) ?? ByteBuffer()
        return pdu(
            of: fragment, contextID: contextID, isCommand: false, isLast: endsHere && rest.readableBytes == 0,
            allocator: allocator)
    }

    /// All PDUs of a data set that is in memory.
    package func dataSet(
        _ bytes: ByteBuffer, contextID: UInt8, allocator: ByteBufferAllocator = ByteBufferAllocator()
    ) -> [ByteBuffer] {
        var rest = bytes
        var pdus: [ByteBuffer] = []
        repeat {
            pdus.append(dataSetPDU(of: &rest, contextID: contextID, endsHere: true, allocator: allocator))
        } while rest.readableBytes > 0
        return pdus
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
