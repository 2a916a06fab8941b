/// How one attempt to deliver ended. The texts are for an operator and never hold a value of a patient.
package enum DeliveryOutcome: Sendable, Hashable {
    case delivered
    /// Nobody answers at the destination: nothing else needs to be tried there for a while.
    case unreachable(String)
    /// The destination asks for a pause.
    case overloaded(String, retryAfterSeconds: Int64?)
    /// Nothing was tried: the site wants nothing sent there for so many seconds.
    case notYet(String, seconds: Int64)
    /// This entry failed and may succeed later.
    case transient(String)
    /// This entry will never succeed as it is.
    case permanent(String)
    /// The same, and what follows in its order waits until an operator has seen to it.
    case blocked(String)
    /// There is nobody any more who may have it.
    case withdrawn(String)
}

/// What becomes of an entry after an attempt.
package enum DeliveryVerdict: Sendable, Hashable {
    case done
    /// Tried again at a time; until `pause` nothing of the destination is.
    case retry(at: UTCInstant, pause: UTCInstant?, failure: String)
    /// Looked at again at a time, until which nothing of the destination is tried either; the attempt does not count.
    case wait(until: UTCInstant, reason: String)
    /// Kept, and not tried again by itself. With `holdsLane` what follows it waits until it is asked for or discarded.
    case park(failure: String, holdsLane: Bool)
    case discard(failure: String)
    /// The server stops: the attempt does not count.
    case postpone

    /// Whether the attempt counts and the next entry of the lane may follow at once.
    package var goesOn: Bool {
        switch self {
        case .done, .discard, .park(_, holdsLane: false): true
        case .retry, .wait, .postpone, .park(_, holdsLane: true): false
        }
    }
}

/// Carries entries of one kind to their destinations.
package protocol Courier: Sendable {
    var policy: DeliveryPolicy { get }
    /// One attempt; cancelled at ``DeliveryPolicy/attemptSeconds`` and when the server stops. What it delivers twice it
    /// delivers with the same event id.
    func deliver(_ entry: OutboxEntry) async -> DeliveryOutcome
    /// What follows from a verdict, in the unit of work that keeps it.
    func settled(_ entry: OutboxEntry, _ verdict: DeliveryVerdict, in unit: any UnitOfWork) throws
}

extension Courier {
    package func settled(_ entry: OutboxEntry, _ verdict: DeliveryVerdict, in unit: any UnitOfWork) throws {}
}
