import Access
import Workflow

/// What the workflow keeps, in lists in the order of first saving.
package struct MemoryState: Sendable {
    package var time = UTCInstant(microseconds: 1_000_000)
    package var patients: [Patient] = []
    package var visits: [Visit] = []
    package var orders: [ImagingOrder] = []
    package var orderEvents: [EntityID: [OrderEvent]] = [:]
    package var unknownAuthorities: Set<UnknownAuthority> = []
    package var studies: [Study] = []
    package var series: [Series] = []
    package var publications: [String: AwaitedPublication] = [:]
    package var instances: [Instance] = []
    package var copies: [String: ArchiveCopy] = [:]
    package var leftBlobs: [BlobID] = []
    package var remote: [String: RemoteStudy] = [:]
    package var conflicts: [InstanceConflict] = []
    package var reports: [Report] = []
    package var performed: [String: PerformedProcedureStep] = [:]
    package var workitems: [String: Workitem] = [:]
    /// By workitem, then by AE title.
    package var workitemSubscribers: [String: [String: WorkitemSubscription]] = [:]
    package var worklistSubscriptions: [WorklistSubscription] = []
    /// The clients that subscribed AEs that are no peers, by AE title.
    package var workitemReceivers: [String: String] = [:]
    package var commitmentRequests: [CommitmentRequest] = []
    package var sentInstances: [KeptSentInstance] = []
    package var commitmentTransactions: [CommitmentTransaction] = []
    package var peers: [Peer] = []
    package var messages: [JournaledMessage] = []
    /// The numbers whose merge a message of the journal waits for.
    package var awaitingMerge: [EntityID: [Identifier]] = [:]
    package var outbox: [OutboxDraft] = []
    package var told: [Told] = []
    package var events: [DomainEvent] = []
    package var audits: [AuditRecord] = []

    package init() {}

    package func instance(_ sopInstanceUID: String) -> Instance? {
        instances.first { $0.sopInstanceUID == sopInstanceUID }
    }

    static func put<Value>(_ value: Value, in list: inout [Value], where isSame: (Value) -> Bool) {
        if let index = list.firstIndex(where: isSame) { list[index] = value } else { list.append(value) }
    }
}
