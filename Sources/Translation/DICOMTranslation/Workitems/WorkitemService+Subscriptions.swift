import DICOMData
import Workflow

/// Who is told of workitems. PS3.4 §CC.2.3, PS3.18 §11.10 to §11.12.
extension WorkitemService {
    /// What a subscription is to.
    package enum Target: Sendable {
        case workitem(String)
        /// All that are there and all that come.
        case worklist
        /// Those of them that match; the identifier of a C-FIND. Empty where it does not matter which.
        case matching(DataSet)

        /// What the instance of a request names. `keys` are those of its information.
        package init(sopInstanceUID: String, keys: DataSet) {
            switch sopInstanceUID {
            case UID.worklistSubscription: self = .worklist
            case UID.filteredWorklistSubscription: self = .matching(keys)
            default: self = .workitem(sopInstanceUID)
            }
        }
    }

    /// Workitems that are not over, to which one subscription to all of them is made at once.
    package static let subscribedMax = 10_000
    /// Workitems read at a time.
    private static let pageCount = 64

    /// Who may be subscribed.
    package enum Receivers: Sendable {
        /// Peers that offer to take reports.
        case peers
        /// Any AE: one that is no peer is told where it listens, by a connection that it opens itself. `client`: who
        /// subscribes it, kind and id.
        case all(client: String)
    }

    /// AEs that are subscribed to anything, and were no peers when they came, at most: each is told of each change.
    package static let receiversMax = 1_000
    /// Of those, what one client has subscribed at most, so that none keeps others out.
    package static let receiversPerClientMax = 250

    /// Subscribes an AE. It is told how the workitem stands, or all of them where the subscription to all has a lock.
    ///
    /// The standard subscribes to all that there are; here those that are over are left out: nothing more will be told of
    /// them, and a lock would be one that nobody knows to take off. A test pins it.
    ///
    /// Throws ``WorkitemRefusal``, ``QueryKeys/Problem`` for keys, and ``AttributeProblem`` for more of them than are kept.
    package func subscribe(
        _ receiver: String, to target: Target, hasLock: Bool, among receivers: Receivers = .peers,
        in unit: any UnitOfWork
    ) throws {
        let workitems = try unit.workitems
        if try !unit.peers(offering: .ups).contains(where: { $0.kind == .applicationEntity && $0.name == receiver }) {
            guard case .all(let client) = receivers else { throw WorkitemRefusal.receiverUnknown }
            if try !workitems.isSubscribed(receiver) {
                guard try workitems.receivers(of: nil) < Self.receiversMax,
                    try workitems.receivers(of: client) < Self.receiversPerClientMax
                else { throw WorkitemRefusal.tooManyReceivers }
                try workitems.note(receiver, of: client)
            }
        }
        switch target {
        case .workitem(let uid):
            let workitem = try find(uid, in: unit)
            try apply(.subscribes(hasLock: hasLock), to: [workitem], for: receiver, in: unit)
        case .worklist:
            try workitems.save(WorklistSubscription(receiver: receiver, hasLock: hasLock))
            try subscribeToAll(receiver, nil, hasLock, unit)
        case .matching(let identifier):
            let keys = try WorkitemKeys(identifier)
            let filter = try WorkitemDataSet.encoded(identifier, bytesMax: WorklistSubscription.filterBytesMax)
            try workitems.save(WorklistSubscription(receiver: receiver, hasLock: hasLock, filter: filter))
            try subscribeToAll(receiver, keys, hasLock, unit)
        }
    }

    /// Ends a subscription; that to all ends all of the AE, one by one as well. Throws ``WorkitemRefusal`` `.unknown`.
    package func unsubscribe(_ receiver: String, from target: Target, in unit: any UnitOfWork) throws {
        let workitems = try unit.workitems
        switch target {
        case .workitem(let uid):
            try apply(.unsubscribes, to: [try find(uid, in: unit)], for: receiver, in: unit)
        case .worklist: try workitems.removeSubscriptions(of: receiver)
        case .matching:
            let isToAll = try workitems.worklistSubscriptions().contains { $0.receiver == receiver && $0.filter == nil }
            if isToAll {
                try workitems.removeWorklistSubscription(of: receiver, isFiltered: true)
            } else {
                try workitems.removeSubscriptions(of: receiver)
            }
        }
    }

    /// Subscribes an AE to no further workitems; it is told of those it knows. Throws ``WorkitemRefusal``
    /// `.inappropriate` for a single workitem.
    package func suspend(_ receiver: String, _ target: Target, in unit: any UnitOfWork) throws {
        switch target {
        case .workitem: throw WorkitemRefusal.inappropriate
        case .worklist: try unit.workitems.removeWorklistSubscription(of: receiver, isFiltered: false)
        case .matching: try unit.workitems.removeWorklistSubscription(of: receiver, isFiltered: true)
        }
    }

    /// Tells all who are subscribed to anything that the server has started again, with all that it had. PS3.4 §CC.2.4.3.
    package func announceRestart(in unit: any UnitOfWork) throws {
        try tell(
            try unit.workitems.subscribedReceivers(), .serverStatus, WorkitemInformation.restarted,
            of: UID.worklistSubscription, in: unit)
    }

    private func subscribeToAll(
        _ receiver: String, _ keys: WorkitemKeys?, _ hasLock: Bool, _ unit: any UnitOfWork
    ) throws {
        var selection = keys?.selection ?? WorkitemSelection()
        selection.states = (selection.states ?? Workitem.State.allCases).filter { !$0.isFinal }
        var place: WorkitemPlace?
        var (count, read) = (0, 0)
        while true {
            let page = try unit.workitems.workitems(selection, after: place, limit: Self.pageCount)
            read += page.count
            guard read <= lookedAtMax else { throw WorkitemRefusal.tooMany }
            let matching =
                try keys.map { keys in
                    try page.filter { keys.matches(try WorkitemDataSet.attributes(of: $0)) }
                } ?? page
            count += matching.count
            guard count <= Self.subscribedMax else { throw WorkitemRefusal.tooMany }
            try apply(.subscribesToWorklist(hasLock: hasLock), to: matching, for: receiver, in: unit)
            guard page.count == Self.pageCount, let last = page.last else { return }
            place = WorkitemPlace(last)
        }
    }

    /// Changes the state of an AE for workitems, and tells it how they stand where it is to be told.
    private func apply(
        _ event: WorkitemSubscription.Event, to workitems: [Workitem], for receiver: String, in unit: any UnitOfWork
    ) throws {
        let records = try unit.workitems
        for workitem in workitems {
            let uid = workitem.sopInstanceUID
            let before = try records.subscribers(of: uid).first { $0.receiver == receiver }?.state ?? .none
            let after = before.after(event)
            if after.state != before {
                try records.save(WorkitemSubscriber(receiver: receiver, state: after.state), of: uid)
            }
            if after.isTold {
                let attributes = try WorkitemDataSet.decoded(workitem)
                try tell([receiver], .state, WorkitemInformation.state(attributes), of: uid, in: unit)
            }
        }
    }
}
