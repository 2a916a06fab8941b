/// Cuts a batch file into its messages while it is being read: `[FHS] { [BHS] { message } [BTS] } [FTS]`.
///
/// Bytes in, events out, and the same events however the file is cut; only the message being read is held. A file
/// without envelope segments is a row of messages. ADD and DSC lines belong to the message they stand in.
/// HL7 v2.5.1 §2.10.3.
package struct BatchFileReader: Sendable {
    /// What the file held, in order. Lines are without their ends.
    package enum Event: Sendable, Hashable {
        case fileHeader([UInt8])
        case batchHeader([UInt8])
        /// One message, its segments ended by CR.
        case message([UInt8])
        /// `declared` is BTS-1, nil when not valued.
        case batchTrailer(declared: Int?, messages: Int)
        /// `declared` is FTS-1, nil when not valued.
        case fileTrailer(declared: Int?, batches: Int)
    }

    package let limits: HL7Limits
    private var line: [UInt8] = []
    private var message: [UInt8] = []
    private var offset = 0
    private var messagesInBatch = 0
    private var batches = 0
    private var isBatchOpen = false
    private var isFileClosed = false

    package init(limits: HL7Limits = HL7Limits()) {
        self.limits = limits
    }

    /// Takes the next bytes of the file.
    ///
    /// Throws `.messageTooLarge`, `.batchSequence` for an envelope segment out of order or text outside of a message,
    /// `.batchCountMismatch` when BTS-1 or FTS-1 is not what was found. After an error the reader is of no more use.
    package mutating func read(_ bytes: some Sequence<UInt8>) throws(HL7Error) -> [Event] {
        var events: [Event] = []
        for byte in bytes {
            offset += 1
            if byte == 0x0D || byte == 0x0A {
                try endLine(into: &events)
            } else {
                guard line.count < limits.messageBytesMax else {
                    throw .messageTooLarge(limit: limits.messageBytesMax)
                }
                line.append(byte)
            }
        }
        return events
    }

    /// The file ended. Throws `.batchSequence` when a batch was not closed.
    package mutating func finish() throws(HL7Error) -> [Event] {
        var events: [Event] = []
        try endLine(into: &events)
        endMessage(into: &events)
        guard !isBatchOpen else { throw .batchSequence(offset: offset) }
        return events
    }

    private mutating func endLine(into events: inout [Event]) throws(HL7Error) {
        if offset <= line.count + 4, line.starts(with: [0xEF, 0xBB, 0xBF]) { line.removeFirst(3) }
        guard !line.isEmpty else { return }
        defer { line.removeAll(keepingCapacity: true) }
        let name = line.count >= 3 ? SegmentID(bytes: line[0], line[1], line[2]) : nil
        switch name {
        case "FHS":
            guard !isBatchOpen, message.isEmpty, batches == 0, messagesInBatch == 0 else { throw sequenceError }
            events.append(.fileHeader(line))
        case "BHS":
            endMessage(into: &events)
            guard !isBatchOpen, !isFileClosed else { throw sequenceError }
            isBatchOpen = true
            messagesInBatch = 0
            events.append(.batchHeader(line))
        case "BTS":
            endMessage(into: &events)
            guard isBatchOpen else { throw sequenceError }
            try close(declared: count(inTrailer: line), found: messagesInBatch)
            events.append(.batchTrailer(declared: count(inTrailer: line), messages: messagesInBatch))
            isBatchOpen = false
            batches += 1
            messagesInBatch = 0
        case "FTS":
            endMessage(into: &events)
            guard !isBatchOpen, !isFileClosed else { throw sequenceError }
            try close(declared: count(inTrailer: line), found: batches)
            events.append(.fileTrailer(declared: count(inTrailer: line), batches: batches))
            isFileClosed = true
        case "MSH":
            endMessage(into: &events)
            guard !isFileClosed else { throw sequenceError }
            try appendLine()
        default:
            guard !message.isEmpty else { throw sequenceError }
            try appendLine()
        }
    }

    private var sequenceError: HL7Error { .batchSequence(offset: offset - line.count) }

    private mutating func appendLine() throws(HL7Error) {
        guard message.count + line.count < limits.messageBytesMax else {
            throw .messageTooLarge(limit: limits.messageBytesMax)
        }
        message.append(contentsOf: line)
        message.append(0x0D)
    }

    private mutating func endMessage(into events: inout [Event]) {
        guard !message.isEmpty else { return }
        events.append(.message(message))
        message = []
        messagesInBatch += 1
    }

    private func close(declared: Int?, found: Int) throws(HL7Error) {
        if let declared, declared != found { throw .batchCountMismatch(declared: declared, found: found) }
    }

    /// Field 1 of BTS or FTS: a count of at most nine digits.
    private func count(inTrailer line: [UInt8]) -> Int? {
        guard line.count > 4 else { return nil }
        let digits = line[4...].prefix { $0 >= 0x30 && $0 <= 0x39 }
        guard !digits.isEmpty, digits.count <= 9 else { return nil }
        return digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }
}

/// Writes a batch file of one batch. HL7 v2.5.1 §2.10.3.
package struct BatchFileWriter: Sendable {
    private var messages: [[UInt8]] = []
    /// FHS-11 and BHS-11.
    package let controlID: String
    /// FHS-12 and BHS-12, the id of the batch that this one answers.
    package let referenceID: String?
    package let created: Timestamp

    package init(controlID: String, referenceID: String? = nil, created: Timestamp) {
        self.controlID = controlID
        self.referenceID = referenceID
        self.created = created
    }

    /// Adds a message, which must begin with MSH.
    package mutating func append(_ message: [UInt8]) {
        messages.append(message)
    }

    /// The file: FHS, BHS, the messages, BTS and FTS with their counts.
    package func bytes() -> [UInt8] {
        var head = MessageBuilder()
        for id in ["FHS", "BHS"] as [SegmentID] {
            head.segment(id)
            head.skip(4)
            head.field(raw: created.bytes)
            head.skip(3)
            head.field(controlID)
            head.field(referenceID)
        }
        var file = head.finished()
        for message in messages {
            file.append(contentsOf: message)
            if message.last != 0x0D { file.append(0x0D) }
        }
        var tail = MessageBuilder()
        tail.segment("BTS")
        tail.field("\(messages.count)")
        tail.segment("FTS")
        tail.field("1")
        return file + tail.finished()
    }
}
