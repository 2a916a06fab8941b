/// Whether an AE is told of one workitem, and keeps it from being removed once it has ended: its UPS Subscription State.
/// PS3.4 §CC.2.3.1.
package enum WorkitemSubscription: String, Sendable, Hashable, Codable, CaseIterable {
    case none
    case withoutLock = "subscribed"
    case withLock = "locked"

    /// The state of who is subscribed.
    package init(hasLock: Bool) { self = hasLock ? .withLock : .withoutLock }

    /// What can change it.
    package enum Event: Sendable, Hashable {
        /// The workitem is created, while the AE has this Global Subscription State.
        case created(WorkitemSubscription)
        /// The AE subscribes to all workitems, or to those that match of which this is one.
        case subscribesToWorklist(hasLock: Bool)
        case subscribes(hasLock: Bool)
        case unsubscribes
        case unsubscribesFromWorklist
        case suspendsWorklist
    }

    /// The state that follows, and whether the AE is told how the workitem stands. PS3.4 Table CC.2.3-2.
    package func after(_ event: Event) -> (state: WorkitemSubscription, isTold: Bool) {
        switch event {
        case .created(let worklist): (worklist, worklist != .none)
        // What was said of the one workitem goes before what is said of all.
        case .subscribesToWorklist where self != .none: (self, false)
        case .subscribesToWorklist(let hasLock): (WorkitemSubscription(hasLock: hasLock), hasLock)
        case .subscribes(let hasLock): (WorkitemSubscription(hasLock: hasLock), true)
        case .unsubscribes, .unsubscribesFromWorklist: (.none, false)
        case .suspendsWorklist: (self, false)
        }
    }
}

/// That an AE is to be subscribed to each new workitem, or to those that match: its Global Subscription State.
/// PS3.4 §CC.2.3.1, §CC.2.3.3.1.
package struct WorklistSubscription: Sendable, Hashable {
    /// Keys at most, as they are kept.
    package static let filterBytesMax = 64 << 10

    /// The AE title.
    package var receiver: String
    package var hasLock: Bool
    /// The matching keys, a data set in Explicit VR Little Endian; nil for all workitems. An AE may have one of each.
    package var filter: [UInt8]?

    package init(receiver: String, hasLock: Bool, filter: [UInt8]? = nil) {
        self.receiver = receiver
        self.hasLock = hasLock
        self.filter = filter
    }
}

/// An AE that is told of a workitem.
package struct WorkitemSubscriber: Sendable, Hashable {
    package var receiver: String
    package var state: WorkitemSubscription
    package init(receiver: String, state: WorkitemSubscription) {
        self.receiver = receiver
        self.state = state
    }
}
