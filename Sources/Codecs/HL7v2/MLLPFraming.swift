/// Finds messages in a byte stream: `<0x0B> message <0x1C><0x0D>`. HL7 v2.5.1 Implementation Guide appendix C,
/// MLLP Release 1.
///
/// A pure state machine: bytes in, events out, and the same events however the stream is cut. Tolerated: bytes
/// between frames (dropped and counted), a missing final 0x0D, several frames in one read. A frame is complete at
/// 0x1C, so a sender that never sends 0x0D is answered too. 0x0B inside a frame begins it anew: the sender gave up
/// on the first half. Past the limit the rest of the frame is dropped, at no memory cost.
package struct MLLPDecoder: Sendable {
    /// What the stream held.
    package enum Event: Sendable, Hashable {
        /// A whole message, without its frame bytes.
        case message([UInt8])
        /// A frame passed the limit; given at once, with its first `HL7Limits.headerRecoveryBytesMax` bytes.
        case oversized(head: [UInt8])
        /// A frame for which there was no memory (``MLLPDecoder/giveUpFrame()``), with its first bytes likewise.
        case givenUp(head: [UInt8])
    }

    /// Counts of what was tolerated, since the decoder was made.
    package struct Tolerated: Sendable, Hashable {
        /// Bytes between frames other than CR and LF.
        package var strayBytes = 0
        /// Frames that were begun anew by a second 0x0B.
        package var restarts = 0
        /// Frames past the limit.
        package var oversizedFrames = 0
        /// Frames of no bytes.
        package var emptyFrames = 0

        package init() {}
    }

    package static let startBlock: UInt8 = 0x0B
    package static let endBlock: UInt8 = 0x1C
    package static let carriageReturn: UInt8 = 0x0D

    private enum State { case between, inFrame, skipping }

    /// The longest message, in bytes.
    package let messageBytesMax: Int
    package private(set) var tolerated = Tolerated()
    private var state = State.between
    private var frame: [UInt8] = []
    /// Rises with each frame that begins; not when one is begun anew.
    package private(set) var frameNumber: UInt64 = 0

    package init(messageBytesMax: Int = HL7Limits().messageBytesMax) {
        self.messageBytesMax = messageBytesMax
    }

    /// True while a frame is open: its end block has not come. The owner sets a deadline on this.
    package var isFrameOpen: Bool { state != .between }
    /// Bytes held for the open frame.
    package var bufferedBytes: Int { frame.count }

    /// Drops what is held of the open frame, and passes over the rest of it; nil when none is held.
    package mutating func giveUpFrame() -> Event? {
        guard state == .inFrame else { return nil }
        let head = Array(frame.prefix(HL7Limits.headerRecoveryBytesMax))
        frame = []
        state = .skipping
        return .givenUp(head: head)
    }

    /// Takes the next bytes of the stream and gives the events they complete, in order.
    package mutating func decode(_ bytes: some Collection<UInt8>) -> [Event] {
        var events: [Event] = []
        let found: Void? = bytes.withContiguousStorageIfAvailable { decode($0.span, into: &events) }
        if found == nil { decode(Array(bytes).span, into: &events) }
        return events
    }

    private mutating func decode(_ bytes: Span<UInt8>, into events: inout [Event]) {
        var at = 0
        while at < bytes.count {
            switch state {
            case .between:
                let byte = bytes[at]
                at += 1
                if byte == MLLPDecoder.startBlock {
                    state = .inFrame
                    frameNumber &+= 1
                } else if byte != 0x0D, byte != 0x0A {
                    tolerated.strayBytes += 1
                }
            case .inFrame:
                at = take(bytes, from: at, into: &events)
            case .skipping:
                while at < bytes.count, bytes[at] != MLLPDecoder.endBlock, bytes[at] != MLLPDecoder.startBlock {
                    at += 1
                }
                guard at < bytes.count else { return }
                if bytes[at] == MLLPDecoder.startBlock {
                    tolerated.restarts += 1
                    state = .inFrame
                } else {
                    state = .between
                }
                at += 1
            }
        }
    }

    /// Takes bytes of an open frame up to its end, its restart, the limit, or the end of the read.
    private mutating func take(_ bytes: Span<UInt8>, from start: Int, into events: inout [Event]) -> Int {
        let room = messageBytesMax - frame.count
        var end = start
        while end < bytes.count, bytes[end] != MLLPDecoder.endBlock, bytes[end] != MLLPDecoder.startBlock {
            end += 1
        }
        let length = end - start
        if length > room {
            append(bytes, start, start + room)
            events.append(.oversized(head: Array(frame.prefix(HL7Limits.headerRecoveryBytesMax))))
            tolerated.oversizedFrames += 1
            frame = []
            state = .skipping
            return start + room
        }
        append(bytes, start, end)
        guard end < bytes.count else { return end }
        if bytes[end] == MLLPDecoder.startBlock {
            tolerated.restarts += 1
            frame.removeAll(keepingCapacity: true)
        } else {
            if frame.isEmpty { tolerated.emptyFrames += 1 } else { events.append(.message(frame)) }
            frame = []
            state = .between
        }
        return end + 1
    }

    private mutating func append(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) {
        guard start < end else { return }
        bytes.extracting(start..<end).withUnsafeBufferPointer { frame.append(contentsOf: $0) }
    }
}

/// Puts a message into its frame. MLLP Release 1.
package enum MLLPEncoder {
    /// `<0x0B> message <0x1C><0x0D>`. Throws `.unframeableByte` when the message holds 0x0B or 0x1C.
    package static func frame(_ message: [UInt8]) throws(HL7Error) -> [UInt8] {
        if let offset = message.firstIndex(where: { $0 == MLLPDecoder.startBlock || $0 == MLLPDecoder.endBlock }) {
            throw .unframeableByte(offset: offset)
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(message.count + 3)
        bytes.append(MLLPDecoder.startBlock)
        bytes.append(contentsOf: message)
        bytes.append(MLLPDecoder.endBlock)
        bytes.append(MLLPDecoder.carriageReturn)
        return bytes
    }
}
