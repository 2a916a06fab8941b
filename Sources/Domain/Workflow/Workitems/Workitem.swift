/// A task of the unified worklist: asked for, being done, and what became of it. PS3.4 Annex CC, PS3.3 §B.26.
package struct Workitem: Sendable, Hashable, Codable {
    /// Procedure Step State (0074,1000). Nothing follows the last two. PS3.4 Table CC.1.1-1.
    package enum State: String, Sendable, Hashable, Codable, CaseIterable {
        case scheduled = "SCHEDULED"
        case inProgress = "IN PROGRESS"
        case completed = "COMPLETED"
        case canceled = "CANCELED"
        package var isFinal: Bool { self == .completed || self == .canceled }
    }

    package var sopInstanceUID: String
    package var state: State
    /// What its performer has shown on claiming it, and has to show for each change: never told to anybody.
    package var transactionUID: String?
    /// What it is found by without reading its attributes.
    package var worklistLabel: String?
    package var patientID: String?
    /// The earliest that Scheduled Procedure Step Start DateTime may mean, in UTC where it has no offset.
    package var scheduledStart: UTCInstant
    /// Who asked for it: an AE title, or the id of a client.
    package var createdBy: String
    package var updatedAt: UTCInstant
    /// All attributes but the Transaction UID, Explicit VR Little Endian. Not part of the coding: kept beside it.
    package var dataSet: [UInt8] = []

    package init(
        sopInstanceUID: String, state: State = .scheduled, worklistLabel: String? = nil, patientID: String? = nil,
        scheduledStart: UTCInstant, createdBy: String, updatedAt: UTCInstant, dataSet: [UInt8] = []
    ) {
        self.sopInstanceUID = sopInstanceUID
        self.state = state
        self.worklistLabel = worklistLabel
        self.patientID = patientID
        self.scheduledStart = scheduledStart
        self.createdBy = createdBy
        self.updatedAt = updatedAt
        self.dataSet = dataSet
    }

    private enum CodingKeys: String, CodingKey {
        case sopInstanceUID, state, transactionUID, worklistLabel, patientID, scheduledStart, createdBy, updatedAt
    }
}

/// Why nothing was changed of a workitem or a subscription. PS3.4 §CC.2.1.4 to §CC.2.6.4.
package enum WorkitemRefusal: String, Error, Sendable, Hashable, CaseIterable {
    /// There is one of that UID.
    case duplicate
    /// There is none of that UID here.
    case unknown
    /// A new one has another state than SCHEDULED.
    case notScheduled
    /// It is completed or canceled.
    case closed
    /// The Transaction UID that it was claimed with was not given.
    case wrongTransaction
    /// It is claimed already.
    case alreadyInProgress
    /// Only a new one is SCHEDULED.
    case onlyCreationSchedules
    /// An attribute that the final state needs has no value.
    case finalStateNotMet
    /// It is not claimed yet.
    case notInProgress
    /// It is completed, and cannot be cancelled.
    case alreadyCompleted
    /// Nobody listens who could be performing it.
    case performerUnreachable
    /// The one that is to be told is no peer that takes reports.
    case receiverUnknown
    /// The action is none for this instance.
    case inappropriate
    /// There are more workitems than one subscription may take in at once.
    case tooMany
    /// As many AEs that are no peers are subscribed as one client, or all together, may subscribe.
    case tooManyReceivers
}

extension WorkitemRefusal: CustomStringConvertible {
    /// In words for who asked, at most 64 characters.
    package var description: String {
        switch self {
        case .duplicate: "there is a workitem of this UID"
        case .unknown: "there is no workitem of this UID"
        case .notScheduled: "a new workitem is SCHEDULED"
        case .closed: "the workitem is completed or canceled"
        case .wrongTransaction: "this is not the Transaction UID of the workitem"
        case .alreadyInProgress: "the workitem is in progress already"
        case .onlyCreationSchedules: "only a new workitem is SCHEDULED"
        case .finalStateNotMet: "an attribute that the final state needs has no value"
        case .notInProgress: "the workitem is not in progress yet"
        case .alreadyCompleted: "the workitem is completed already"
        case .performerUnreachable: "nobody is subscribed who could be the performer"
        case .receiverUnknown: "no peer of this AE title offers ups"
        case .inappropriate: "this is not done to a single workitem"
        case .tooMany: "there are too many workitems for one subscription"
        case .tooManyReceivers: "too many AEs are subscribed by this client or all: remove some"
        }
    }
}

/// What is said beside a success.
package enum WorkitemWarning: String, Sendable, Hashable, CaseIterable {
    /// Created with values that the server chose.
    case modified
    /// It was CANCELED before.
    case alreadyCanceled
    /// It was COMPLETED before.
    case alreadyCompleted
}

/// The state machine of a workitem: each change is made or refused. PS3.4 Table CC.1.1-2.
extension Workitem {
    /// Moves it to a state by whoever shows a Transaction UID.
    ///
    /// - Parameter meetsFinalState: whether its attributes let it end so; asked last.
    /// - Returns: what is to be said when it is in that state already; nil when it has been moved.
    /// Throws ``WorkitemRefusal``, and what `meetsFinalState` throws.
    package mutating func change(
        to wanted: State, by transactionUID: String?, meetsFinalState: (State) throws -> Bool
    ) throws -> WorkitemWarning? {
        guard wanted != .scheduled else { throw WorkitemRefusal.onlyCreationSchedules }
        // Of one that nobody has claimed, or that was cancelled before anybody did, any is right.
        guard let transactionUID, self.transactionUID == nil || self.transactionUID == transactionUID else {
            throw WorkitemRefusal.wrongTransaction
        }
        switch (state, wanted) {
        case (.scheduled, .inProgress): self.transactionUID = transactionUID
        case (.scheduled, _): throw WorkitemRefusal.notInProgress
        case (.inProgress, .inProgress): throw WorkitemRefusal.alreadyInProgress
        case (.inProgress, _):
            guard try meetsFinalState(wanted) else { throw WorkitemRefusal.finalStateNotMet }
        case (.completed, .completed): return .alreadyCompleted
        case (.canceled, .canceled): return .alreadyCanceled
        case (.completed, _), (.canceled, _): throw WorkitemRefusal.closed
        }
        state = wanted
        return nil
    }

    /// What a request to cancel it by somebody who is not its performer leads to. PS3.4 §CC.2.2.3.
    package enum Cancellation: Sendable, Hashable {
        /// Nobody has begun: it is canceled here, by way of IN PROGRESS.
        case ends
        /// Its performer may have heard, and decides.
        case asks
        case already
    }

    /// - Parameter isWatched: whether anybody is told of it, for one of them may be its performer.
    /// Throws ``WorkitemRefusal``.
    package func cancellation(isWatched: Bool) throws(WorkitemRefusal) -> Cancellation {
        switch state {
        case .scheduled: return .ends
        case .inProgress:
            guard isWatched else { throw .performerUnreachable }
            return .asks
        case .completed: throw .alreadyCompleted
        case .canceled: return .already
        }
    }

    /// Whether its attributes may be changed by whoever shows a Transaction UID, or none. PS3.4 §CC.2.6.3.
    /// Throws ``WorkitemRefusal``.
    package func checkUpdate(by transactionUID: String?) throws(WorkitemRefusal) {
        switch state {
        case .scheduled: if transactionUID != nil { throw .notInProgress }
        case .inProgress: if transactionUID != self.transactionUID { throw .wrongTransaction }
        case .completed, .canceled: throw .closed
        }
    }
}
