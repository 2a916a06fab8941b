/// The MSH fields that routing and acknowledging need, as read from a whole message or saved from a broken one.
///
/// Values are the bytes as sent (components and escapes included, in UTF-8) with control bytes removed and cut at
/// `HL7Limits.echoedValueBytesMax`, so that they can be echoed. HL7 v2.5.1 §2.15.9.
package struct MessageHeader: Sendable, Hashable {
    package var delimiters: Delimiters = .standard
    /// MSH-3.
    package var sendingApplication: [UInt8] = []
    /// MSH-4.
    package var sendingFacility: [UInt8] = []
    /// MSH-5.
    package var receivingApplication: [UInt8] = []
    /// MSH-6.
    package var receivingFacility: [UInt8] = []
    /// MSH-9.1, such as `ADT`.
    package var messageCode: String = ""
    /// MSH-9.2, such as `A08`.
    package var triggerEvent: String = ""
    /// MSH-9.3, such as `ADT_A01`; empty before 2.3.1.
    package var messageStructure: String = ""
    /// MSH-10.
    package var controlID: [UInt8] = []
    /// MSH-11.1: `P`, `T` or `D`.
    package var processingID: String = ""
    /// MSH-12.1, such as `2.5.1`.
    package var version: String = ""
    /// MSH-15: when an accept acknowledgment is wanted.
    package var acceptAcknowledgmentType: String = ""
    /// MSH-16: when an application acknowledgment is wanted.
    package var applicationAcknowledgmentType: String = ""
    /// MSH-18 as sent.
    package var characterSets: [UInt8] = []
    /// The set that the acknowledgment is written in.
    package var characterSet: CharacterSet = .ascii

    /// An empty header: nothing is known of the sender.
    package init() {}

    /// True when MSH-15 or MSH-16 is valued. HL7 v2.5.1 §2.9.2.
    package var isEnhancedMode: Bool { !acceptAcknowledgmentType.isEmpty || !applicationAcknowledgmentType.isEmpty }

    /// MSH-10 as text.
    package var controlIDText: String { String(decoding: controlID, as: UTF8.self) }

    init(_ message: Message) {
        self.init()
        delimiters = message.delimiters
        characterSet = message.characterSet
        guard let msh = message.segments.first else { return }
        func raw(_ field: Int) -> [UInt8] { MessageHeader.echoable(msh[field].rawBytes) }
        func text(_ field: Int, _ component: Int = 1) -> String {
            let value = MessageHeader.echoable((msh[field][1][component].text ?? "").utf8)
            return MessageHeader.trimmed(String(decoding: value, as: UTF8.self))
        }
        sendingApplication = raw(3)
        sendingFacility = raw(4)
        receivingApplication = raw(5)
        receivingFacility = raw(6)
        messageCode = text(9)
        triggerEvent = text(9, 2)
        messageStructure = text(9, 3)
        controlID = raw(10)
        processingID = text(11)
        version = text(12)
        acceptAcknowledgmentType = text(15)
        applicationAcknowledgmentType = text(16)
        characterSets = raw(18)
    }

    /// Saves what can be saved of the header of a message that does not parse, so that it can be answered.
    ///
    /// Looks for `MSH` and legal delimiters within the first `HL7Limits.headerRecoveryBytesMax` bytes. An empty
    /// header when there are none.
    package static func recovered(from bytes: [UInt8]) -> MessageHeader {
        let head = Array(bytes.prefix(HL7Limits.headerRecoveryBytesMax))
        var at = 0
        while at + 8 <= head.count {
            if head[at] == 0x4D, head[at + 1] == 0x53, head[at + 2] == 0x48, let header = recover(head, at) {
                return header
            }
            at += 1
        }
        return MessageHeader()
    }

    private static func recover(_ head: [UInt8], _ start: Int) -> MessageHeader? {
        let line = head[start...].prefix { $0 != 0x0D && $0 != 0x0A }
        var permissive = Parser()
        permissive.limits.segmentsMax = 1
        // As it stands first, so that names read here are those of the parsed message; then without what is not ASCII.
        if let message = try? permissive.parse(Array(line)) { return message.header }
        let ascii = line.map { $0 == 0 || $0 >= 0x80 ? UInt8(0x3F) : $0 }
        if let message = try? permissive.parse(ascii) { return message.header }
        // The encoding characters are beyond use: take the separator at its word and the rest as standard.
        guard line.count >= 4 else { return nil }
        let separator = line[line.startIndex + 3]
        guard
            let guess = Delimiters(
                field: separator, component: 0x5E, repetition: 0x7E, escape: 0x5C, subcomponent: 0x26)
        else { return nil }
        let fields = ascii.split(separator: separator, omittingEmptySubsequences: false)
        guard fields.count >= 10 else { return nil }
        let rebuilt =
            [0x4D, 0x53, 0x48, separator] + guess.encodingCharacters + [separator]
            + Array(fields[2...].joined(separator: [separator]))
        return (try? permissive.parse(rebuilt))?.header
    }

    /// Removes control bytes and cuts over-long values at a character border.
    static func echoable(_ value: some Sequence<UInt8>) -> [UInt8] {
        var kept: [UInt8] = []
        for byte in value where byte >= 0x20 && byte != 0x7F {
            if kept.count >= HL7Limits.echoedValueBytesMax, byte & 0xC0 != 0x80 { break }
            kept.append(byte)
        }
        return kept
    }

    private static func trimmed(_ text: String) -> String {
        let bytes = Array(text.utf8)
        guard bytes.first == 0x20 || bytes.last == 0x20 else { return text }
        let kept = bytes.drop { $0 == 0x20 }
        return String(decoding: kept.prefix(kept.count - kept.reversed().prefix { $0 == 0x20 }.count), as: UTF8.self)
    }
}
