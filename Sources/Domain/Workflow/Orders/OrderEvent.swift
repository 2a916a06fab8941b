/// One thing that was said of an order, kept beside it.
///
/// An order is what all its events say together, read in the order in which they happened and not in the order in which
/// they came. So a message that is late, or a channel that is slow, changes nothing of the end.
package struct OrderEvent: Sendable, Hashable, Codable {
    package enum Content: Sendable, Hashable, Codable {
        /// What a message said; without its patient.
        case said(OrderUpdate)
        /// A whole order, as a client put it or as earlier events had made it.
        case stated(ImagingOrder)
    }
    package var content: Content
    /// When it happened, as far as that is believed.
    package var time: UTCInstant
    /// When it came.
    package var receivedAt: UTCInstant

    package init(_ content: Content, time: UTCInstant, receivedAt: UTCInstant) {
        self.content = content
        self.time = time
        self.receivedAt = receivedAt
    }

    var said: OrderUpdate? { if case .said(let update) = content { update } else { nil } }

    /// Whether it says the same; the time of receipt does not count.
    func saysTheSame(as other: OrderEvent) -> Bool { content == other.content && time == other.time }

    /// Of events of one time, what is asked first comes first. HL7 v2.5.1 table 0119.
    private var rank: Int {
        switch content {
        case .stated: 1
        case .said(let update):
            switch update.control {
            case .mentioned, .new: 0
            case .change: 1
            case .statusChanged, .hold, .release: 2
            case .cancel, .discontinue: 3
            }
        }
    }

    /// The order in which events count: their time, what they ask, when their message was made, when they came.
    static func precedes(_ a: OrderEvent, _ b: OrderEvent) -> Bool {
        if a.time != b.time { return a.time < b.time }
        if a.rank != b.rank { return a.rank < b.rank }
        if let first = a.said?.messageTime, let second = b.said?.messageTime, first != second { return first < second }
        return a.receivedAt < b.receivedAt
    }
}

extension OrderUpdate {
    /// The status that the message itself states: by its control, else by ORC-5.
    var statedStatus: ImagingOrder.Status? {
        switch control {
        case .cancel, .discontinue: .revoked
        case .hold: .onHold
        case .release: .active
        case .new, .change, .statusChanged, .mentioned: status
        }
    }
    /// Whether it describes the procedure.
    var describes: Bool { code != nil || control == .new }
}
