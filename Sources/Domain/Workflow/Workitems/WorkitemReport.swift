/// One report on a workitem to one AE, as the outbox keeps it until it has been told: what happened, as it was then.
/// PS3.4 §CC.2.4.
package struct WorkitemReport: Sendable, Hashable {
    /// Event Type ID. PS3.4 Table CC.2.4-1.
    package enum Kind: UInt16, Sendable, Hashable, CaseIterable {
        case state = 1
        case cancelRequested = 2
        case progress = 3
        /// Of the server and not of a workitem: its instance is the well-known UID of all workitems.
        case serverStatus = 4
        case assigned = 5
    }

    /// The kind of its entries in the outbox.
    package static let outboxKind = "workitem-report"
    /// Bytes of an event information at most.
    package static let informationBytesMax = 256 << 10

    /// The AE title of who is told.
    package let receiver: String
    package let sopInstanceUID: String
    package let kind: Kind
    /// The event information, a data set in Explicit VR Little Endian.
    package let information: [UInt8]

    package init(receiver: String, sopInstanceUID: String, kind: Kind, information: [UInt8]) {
        self.receiver = receiver
        self.sopInstanceUID = sopInstanceUID
        self.kind = kind
        self.information = information
    }

    /// As it is put into the outbox. What is told of one workitem is told in order.
    package var draft: OutboxDraft {
        OutboxDraft(
            destination: "ups/\(receiver)", orderingKey: sopInstanceUID, kind: Self.outboxKind,
            payload: Array("\(receiver)\n\(sopInstanceUID)\n\(kind.rawValue)\n".utf8) + information)
    }

    /// What an entry of the outbox holds; nil for those of others.
    package init?(_ entry: OutboxEntry) {
        guard entry.kind == Self.outboxKind else { return nil }
        let parts = entry.payload.split(separator: 0x0A, maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 4, let number = UInt16(String(decoding: parts[2], as: UTF8.self)),
            let kind = Kind(rawValue: number)
        else { return nil }
        self.init(
            receiver: String(decoding: parts[0], as: UTF8.self),
            sopInstanceUID: String(decoding: parts[1], as: UTF8.self), kind: kind, information: Array(parts[3]))
    }
}
