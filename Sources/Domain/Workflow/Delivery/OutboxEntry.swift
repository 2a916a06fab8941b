/// What is to reach another system, as it is put into the outbox by the unit of work that causes it.
package struct OutboxDraft: Sendable, Hashable {
    /// Bytes of a payload at most; what is larger is named by a reference.
    package static let payloadBytesMax = 1 << 20
    /// Bytes of destination, ordering key, kind and event id, each at most.
    package static let nameBytesMax = 256

    /// Where it goes, by the name that limits, figures and the operator use: `subscription/<id>`.
    package var destination: String
    /// Entries of one destination with one key leave one after another, in the order of their commits.
    package var orderingKey: String
    /// Which courier carries it.
    package var kind: String
    /// The thing itself or what names it, in the form of its kind.
    package var payload: [UInt8]
    /// Told to the receiver with each attempt, so that it knows a repeat; nil for a new one.
    package var eventID: EntityID?
    /// By what it is looked for.
    package var keys: MessageKeys

    package init(
        destination: String, orderingKey: String = "", kind: String, payload: [UInt8], eventID: EntityID? = nil,
        keys: MessageKeys = MessageKeys()
    ) {
        self.keys = keys
        self.destination = destination
        self.orderingKey = orderingKey
        self.kind = kind
        self.payload = payload
        self.eventID = eventID
    }
}

/// One thing that is to reach another system, as the outbox keeps it until it has, and some days after.
package struct OutboxEntry: Sendable, Hashable {
    package enum State: String, Sendable, Hashable, CaseIterable {
        /// For its turn, or for its next attempt.
        case waiting
        /// Being delivered by a server that holds a lease.
        case leased
        case done
        /// Tried no more until an operator or its owner asks for it.
        case parked
        /// Will not be delivered: its destination is gone, or an operator said so.
        case discarded
    }

    /// Its place in the order of commits.
    package var number: Int64
    package var eventID: EntityID
    package var destination: String
    package var orderingKey: String
    package var kind: String
    package var payload: [UInt8]
    package var state: State
    /// Attempts that have ended.
    package var attempts: Int
    /// When it was put in.
    package var createdAt: UTCInstant
    /// From when its age counts: when it was put in, or asked for again.
    package var waitingSince: UTCInstant
    /// No attempt is made before.
    package var nextAttemptAt: UTCInstant
    package var endedAt: UTCInstant?
    /// Why the last attempt failed, without a value of a patient.
    package var failure: String?

    package init(
        number: Int64, eventID: EntityID, destination: String, orderingKey: String, kind: String, payload: [UInt8],
        state: State, attempts: Int, createdAt: UTCInstant, waitingSince: UTCInstant, nextAttemptAt: UTCInstant,
        endedAt: UTCInstant? = nil, failure: String? = nil
    ) {
        self.number = number
        self.eventID = eventID
        self.destination = destination
        self.orderingKey = orderingKey
        self.kind = kind
        self.payload = payload
        self.state = state
        self.attempts = attempts
        self.createdAt = createdAt
        self.waitingSince = waitingSince
        self.nextAttemptAt = nextAttemptAt
        self.endedAt = endedAt
        self.failure = failure
    }
}

/// The outbox as a unit of work fills it: what is put in is kept if and only if the unit is.
package protocol Outbox: AnyObject {
    /// Throws `StoreError(.unacceptable)` for a payload or a name past its limit.
    func enqueue(_ draft: OutboxDraft) throws
}
