import DICOMNetwork
import NIOCore

/// The messages of one association that wait to be written, in their order.
///
/// A message is cut into PDUs only as the channel takes them, and begins only once the one before it has ended: the
/// fragments of two messages are never mixed. The data set of a message may come part by part while the first parts
/// are written. PS3.7 §6.3, PS3.8 Annex E.
struct OutgoingMessages {
    /// A P-DATA-TF to be written, and whom to tell once it is.
    struct Write {
        let pdu: ByteBuffer
        let promises: [EventLoopPromise<Void>]
    }

    private struct Part {
        var bytes: ByteBuffer
        let promise: EventLoopPromise<Void>?
    }

    private struct Message {
        let number: Int
        let contextID: UInt8
        /// PDUs of the command that are not written yet.
        var command: CircularBuffer<ByteBuffer>
        /// Of the data set, what has come and is not written yet.
        var parts: CircularBuffer<Part>
        /// No part follows.
        var isComplete: Bool
        let promise: EventLoopPromise<Void>
    }

    private let fragmenter: MessageFragmenter
    private var messages = CircularBuffer<Message>()
    private var lastNumber = 0

    init(fragmenter: MessageFragmenter) { self.fragmenter = fragmenter }

    /// Whether nothing could be written now: there is no message, or the first waits for its next part.
    var isIdle: Bool {
        guard let first = messages.first else { return true }
        return first.command.isEmpty && first.parts.isEmpty && !first.isComplete
    }

    /// A whole message; `promise` is told once its last PDU was written.
    mutating func append(
        _ command: CommandSet, dataSet: ByteBuffer?, contextID: UInt8, allocator: ByteBufferAllocator,
        promise: EventLoopPromise<Void>
    ) {
        messages.append(
            message(
                command, parts: dataSet.map { [Part(bytes: $0, promise: nil)] } ?? [], isComplete: true, contextID,
                allocator, promise))
    }

    /// A message whose data set follows by ``append(_:isLast:to:promise:)``; its number.
    mutating func begin(
        _ command: CommandSet, contextID: UInt8, allocator: ByteBufferAllocator, promise: EventLoopPromise<Void>
    ) -> Int {
        let message = message(command, parts: [], isComplete: false, contextID, allocator, promise)
        messages.append(message)
        return message.number
    }

    /// The next part of a data set, of even length unless it is the last; false for a message that is not there.
    mutating func append(_ bytes: ByteBuffer, isLast: Bool, to number: Int, promise: EventLoopPromise<Void>) -> Bool {
        guard let index = messages.firstIndex(where: { $0.number == number }), !messages[index].isComplete else {
            return false
        }
        messages[index].parts.append(Part(bytes: bytes, promise: promise))
        messages[index].isComplete = isLast
        return true
    }

    /// The next PDU; nil when there is none to be written now.
    mutating func next(allocator: ByteBufferAllocator) -> Write? {
        guard !messages.isEmpty else { return nil }
        let first = messages.startIndex
        if let pdu = messages[first].command.popFirst() {
            let endsMessage =
                messages[first].command.isEmpty && messages[first].parts.isEmpty && messages[first].isComplete
            return Write(pdu: pdu, promises: endsMessage ? [messages.removeFirst().promise] : [])
        }
        guard !messages[first].parts.isEmpty else { return nil }
        let part = messages[first].parts.startIndex
        let endsHere = messages[first].isComplete && messages[first].parts.count == 1
        let pdu = fragmenter.dataSetPDU(
            of: &messages[first].parts[part].bytes, contextID: messages[first].contextID, endsHere: endsHere,
            allocator: allocator)
        guard messages[first].parts[part].bytes.readableBytes == 0 else { return Write(pdu: pdu, promises: []) }
        let promise = messages[first].parts.removeFirst().promise
        let promises = promise.map { [$0] } ?? []
        return Write(pdu: pdu, promises: endsHere ? promises + [messages.removeFirst().promise] : promises)
    }

    /// Tells everybody that nothing more will be written.
    mutating func fail(_ error: any Error) {
        while let message = messages.popFirst() {
            for part in message.parts { part.promise?.fail(error) }
            message.promise.fail(error)
        }
    }

    private mutating func message(
        _ command: CommandSet, parts: CircularBuffer<Part>, isComplete: Bool, _ contextID: UInt8,
        _ allocator: ByteBufferAllocator, _ promise: EventLoopPromise<Void>
    ) -> Message {
        lastNumber += 1
        return Message(
            number: lastNumber, contextID: contextID,
            command: CircularBuffer(fragmenter.command(command, contextID: contextID, allocator: allocator)),
            parts: parts, isComplete: isComplete, promise: promise)
    }
}
