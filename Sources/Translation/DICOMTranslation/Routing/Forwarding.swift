import Access
import DICOMData
import PixelCodecs
import Workflow

/// Finds what an entry of the outbox is for, and makes it as its destination is to have it.
package struct Forwarding: Sendable {
    /// An instance to be sent.
    package struct Item: Sendable {
        package let instance: Instance
        package let reader: any BlobReading
        /// nil where it goes as it is stored.
        package let rewritten: RewrittenInstance?
        /// nil for as many as go.
        package let bytesPerSecond: Int?

        package var sopClassUID: String { rewritten?.sopClassUID ?? instance.sopClassUID }
        package var sopInstanceUID: String { rewritten?.sopInstanceUID ?? instance.sopInstanceUID }
    }

    package let terms: ForwardingTerms
    private let index: any ImagingIndex
    private let blobs: any BlobStoring
    private let now: @Sendable () -> UTCInstant
    private let failures = RepeatedFailures()

    package init(
        _ terms: ForwardingTerms, index: any ImagingIndex, blobs: any BlobStoring,
        now: @escaping @Sendable () -> UTCInstant
    ) {
        self.terms = terms
        self.index = index
        self.blobs = blobs
        self.now = now
    }

    /// What is to be sent for an entry, by `send`; and what it means where there is nothing, or not now.
    package func deliver(
        _ entry: OutboxEntry, _ send: (Item) async -> DeliveryOutcome
    ) async -> DeliveryOutcome {
        guard let forwarded = ForwardedInstance(entry), forwarded.destination == terms.name else {
            return .permanent("the entry is not one of an instance for \(terms.name)")
        }
        let rate: Int?
        switch terms.plan.state(at: now()) {
        case .closed(let seconds): return .notYet("\(terms.name) is sent nothing at this hour", seconds: seconds)
        case .open(let bytesPerSecond): rate = bytesPerSecond
        }
        let item: Item
        do {
            let access = Self.access(entry)
            // As it is stored goes only what is not to be changed; of what is, nothing goes without its header.
            let unchanged = terms.rewriting.changesNothing ? try await stored(forwarded, access) : nil
            let goesAsStored = unchanged.map { $0.subject == nil } ?? terms.rewriting.changesNothing
            let header = goesAsStored ? nil : try await header(of: forwarded, access)
            let instance = goesAsStored ? unchanged : header?.instance
            guard let instance else { return .withdrawn("the instance is not there any more") }
            let reader = try await blobs.open(instance.blobID)
            guard reader.count == instance.size else {
                throw StoreError(.corrupt, "a blob is not as long as its row says")
            }
            var rewritten: RewrittenInstance?
            if let header { rewritten = try await terms.rewriting.rewritten(header, from: reader, at: now()) }
            item = Item(instance: instance, reader: reader, rewritten: rewritten, bytesPerSecond: rate)
        } catch {
            return Self.outcome(error)
        }
        let outcome = await send(item)
        if outcome == .delivered { failures.forget(entry.number) }
        return outcome
    }

    /// What it means that the other side fails at an instance, while it may take others: it is tried again, and given up
    /// after ``RepeatedFailures/countMax`` times.
    package func failed(_ entry: OutboxEntry, _ text: String) -> DeliveryOutcome {
        guard !Task.isCancelled, failures.note(entry.number) else { return .transient(text) }
        return .permanent("\(text); given up after \(RepeatedFailures.countMax) times")
    }

    /// What it means that an instance cannot be had, or not be decoded, as which it would be taken.
    package func failed(_ entry: OutboxEntry, decoding error: any Error) -> DeliveryOutcome {
        guard let failure = error as? any PixelCodingFailure else { return Self.outcome(error) }
        // A process that died of a frame may have had too little memory.
        let text = "the instance could not be decoded, as which it would be accepted"
        return failure.isTemporary ? .transient(text) : failed(entry, text)
    }

    /// Notes in the audit trail what left the site, and what will not.
    package func settled(_ entry: OutboxEntry, _ verdict: DeliveryVerdict, in unit: any UnitOfWork) throws {
        guard let forwarded = ForwardedInstance(entry) else { return }
        let outcome: AuditRecord.Outcome
        switch verdict {
        case .done: outcome = .success
        case .park: outcome = .minorFailure
        case .discard, .retry, .wait, .postpone: return
        }
        try unit.audit(
            AuditRecord(
                category: .transfer, interaction: "forward", action: .read, outcome: outcome,
                access: Self.access(entry),
                entity: "instance:\(forwarded.sopInstanceUID) study:\(forwarded.studyInstanceUID)",
                detail: "to \(terms.name)"))
    }

    private static func access(_ entry: OutboxEntry) -> AccessContext { .server(requestID: entry.eventID.value) }

    private func header(of forwarded: ForwardedInstance, _ access: AccessContext) async throws -> InstanceHeader? {
        try await index.headers(
            studyInstanceUID: forwarded.studyInstanceUID, seriesInstanceUID: forwarded.seriesInstanceUID,
            sopInstanceUID: forwarded.sopInstanceUID, after: nil, limit: 1, access: access
        ).first
    }

    private func stored(_ forwarded: ForwardedInstance, _ access: AccessContext) async throws -> Instance? {
        try await index.instances(
            studyInstanceUID: forwarded.studyInstanceUID, seriesInstanceUID: forwarded.seriesInstanceUID,
            sopInstanceUID: forwarded.sopInstanceUID, after: nil, limit: 1, access: access
        ).first
    }

    /// What it means that an instance cannot be had, or not be made as it is to be sent.
    package static func outcome(_ error: any Error) -> DeliveryOutcome {
        switch error {
        case let error as StoreError where error.code == .corrupt || error.code == .notFound:
            .permanent("what is stored cannot be read: \(error.message)")
        case is StoreError: .transient("what is stored cannot be read now")
        case InstanceRewriting.Refusal.noMemory: .transient("there is no memory to change it in now")
        case InstanceRewriting.Refusal.tooLarge:
            .permanent("more than \(InstanceRewriting.bytesMax) bytes would have to be changed in memory")
        case InstanceRewriting.Refusal.unnamed: .permanent("what it was changed to has no UIDs of its own")
        case InstanceRewriting.Refusal.deidentification(let refusal):
            .permanent("it cannot be de-identified: \(refusal.rawValue)")
        case let error as PixelCodecError: .permanent("it cannot be decoded: \(error)")
        case is CancellationError: .transient("given up before it was sent")
        case is DICOMDataError: .permanent("what is stored cannot be read as a data set")
        default: .transient("it could not be made ready to be sent")
        }
    }
}
