import Access

extension AccessContext {
    /// Whether a caller may do something to workitems: to all or to none, for whose they are is known by what they say
    /// alone. In FHIR's words a workitem is a Task.
    package func mayUseWorkitems(_ permission: Permissions) -> Bool {
        visibility(permission, of: "Task").isWhole
    }
}

/// What of the workitems is looked at: the keys that the store has an index of. Nil matches all.
package struct WorkitemSelection: Sendable, Hashable {
    package var sopInstanceUIDs: [String]?
    package var states: [Workitem.State]?
    package var worklistLabel: String?
    package var patientID: String?
    /// Scheduled to begin within these, both included, microseconds since 1970 in UTC.
    package var scheduledStart: ClosedRange<Int64>?

    package init(
        sopInstanceUIDs: [String]? = nil, states: [Workitem.State]? = nil, worklistLabel: String? = nil,
        patientID: String? = nil, scheduledStart: ClosedRange<Int64>? = nil
    ) {
        self.sopInstanceUIDs = sopInstanceUIDs
        self.states = states
        self.worklistLabel = worklistLabel
        self.patientID = patientID
        self.scheduledStart = scheduledStart
    }

    /// Whether a workitem is among them.
    package func contains(_ workitem: Workitem) -> Bool {
        sopInstanceUIDs?.contains(workitem.sopInstanceUID) ?? true && states?.contains(workitem.state) ?? true
            && (worklistLabel == nil || worklistLabel == workitem.worklistLabel)
            && (patientID == nil || patientID == workitem.patientID)
            && scheduledStart?.contains(workitem.scheduledStart.microseconds) ?? true
    }
}

/// A place in the order of workitems: by their scheduled start, then by UID.
package struct WorkitemPlace: Sendable, Hashable, Comparable {
    package var scheduledStart: UTCInstant
    package var sopInstanceUID: String
    package init(_ workitem: Workitem) {
        scheduledStart = workitem.scheduledStart
        sopInstanceUID = workitem.sopInstanceUID
    }
    package static func < (a: Self, b: Self) -> Bool {
        (a.scheduledStart, a.sopInstanceUID) < (b.scheduledStart, b.sopInstanceUID)
    }
}

/// The workitems of a unit of work, and who is told of them.
package protocol WorkitemUnit: AnyObject {
    func workitem(_ sopInstanceUID: String) throws -> Workitem?
    /// Those selected behind a place, in the order of ``WorkitemPlace``.
    func workitems(_ selection: WorkitemSelection, after place: WorkitemPlace?, limit: Int) throws -> [Workitem]
    func save(_ workitem: Workitem) throws

    /// Who is told of a workitem, by title.
    func subscribers(of sopInstanceUID: String) throws -> [WorkitemSubscriber]
    /// Sets the state of one; `.none` removes it.
    func save(_ subscriber: WorkitemSubscriber, of sopInstanceUID: String) throws
    /// Removes what an AE is subscribed to, one by one and as a whole.
    func removeSubscriptions(of receiver: String) throws
    /// By title, those to all workitems first.
    func worklistSubscriptions() throws -> [WorklistSubscription]
    func save(_ subscription: WorklistSubscription) throws
    func removeWorklistSubscription(of receiver: String, isFiltered: Bool) throws
    /// The titles of all who are told of anything.
    func subscribedReceivers() throws -> [String]
    /// Notes which client subscribed an AE that was told of nothing and is no peer.
    func note(_ receiver: String, of client: String) throws
    /// Whether an AE is told of anything.
    func isSubscribed(_ receiver: String) throws -> Bool
    /// How many of the AEs that were noted for a client, or for all, are told of anything.
    func receivers(of client: String?) throws -> Int
}

extension UnitContext {
    /// The workitems of this unit. Throws `StoreError(.misuse)` where its store keeps none.
    package var workitems: any WorkitemUnit {
        get throws {
            guard let workitems = self as? any WorkitemUnit else {
                throw StoreError(.misuse, "this store keeps no workitems")
            }
            return workitems
        }
    }
}
