import Access
import HL7v2
import Workflow

/// Tells the destinations of a site what has changed: puts messages into the outbox in the unit of work that makes the
/// change.
///
/// A destination is told of what its rules name and of what is news to it: the same content again is not. What it caused
/// itself is not told back to it, and counts as told. Messages of one patient, of what was merged into it too, leave in the
/// order of their commits. House decisions 1 and 8.
package struct OutboundAnnouncer: Sendable {
    /// The report of an id in a unit; nil for none.
    package typealias Reports = @Sendable (EntityID, any UnitOfWork) throws -> Report?

    private let profile: SiteProfile
    private let reports: Reports
    private let digest: @Sendable ([UInt8]) -> String
    private let tell: @Sendable (_ destination: String, _ losses: [MessageWriter.Loss]) -> Void

    /// - Parameters:
    ///   - digest: a collision-resistant digest (SHA-256) in hexadecimal, of what was told.
    ///   - reports: where reports are: those of the workflow, and those that are kept beside it.
    ///   - tell: told what was lost by writing a message, for the log.
    package init(
        profile: SiteProfile, digest: @escaping @Sendable ([UInt8]) -> String,
        reports: @escaping Reports = { try $1.report($0) },
        tell: @escaping @Sendable (_ destination: String, _ losses: [MessageWriter.Loss]) -> Void = { _, _ in }
    ) {
        self.profile = profile
        self.reports = reports
        self.digest = digest
        self.tell = tell
    }

    /// Puts what follows from the events of a unit into its outbox.
    ///
    /// - Parameter replaced: the order that an order is in place of, where that is known beside the workflow.
    package func announce(
        _ events: [DomainEvent], replaced: (EntityID) throws -> EntityID? = { _ in nil }, in unit: any UnitOfWork
    ) throws {
        guard !profile.destinations.isEmpty, !events.isEmpty else { return }
        guard let memory = unit as? any ToldUnit else {
            throw StoreError(.misuse, "this store does not keep what destinations were told")
        }
        var seen: Set<DomainEvent> = []
        let news = events.filter { seen.insert($0).inserted }
        for destination in profile.destinations {
            let teller = DestinationTeller(
                destination: destination, profile: profile, unit: unit, memory: memory, digest: digest, tell: tell,
                reports: reports)
            for event in news { try teller.tell(event, replaced: replaced) }
        }
    }

    /// Puts one thing into the outbox of a destination whether it is news or not; for an operator. False where the
    /// destination has no rule for it, or there is no such thing.
    package func send(_ event: DomainEvent, to name: String, in unit: any UnitOfWork) throws -> Bool {
        guard let destination = profile.destinations.first(where: { $0.name == name }),
            let memory = unit as? any ToldUnit
        else { return false }
        var teller = DestinationTeller(
            destination: destination, profile: profile, unit: unit, memory: memory, digest: digest, tell: tell,
            reports: reports)
        teller.isAskedFor = true
        return try teller.tell(event) { _ in nil }
    }

    /// The message of a report that was too large for the outbox, as the report is now. Nil where it is gone.
    ///
    /// Throws what `MessageWriter` does.
    package static func report(
        _ id: EntityID, for destination: OutboundDestination, profile: SiteProfile, controlID: String,
        reports: Reports = { try $1.report($0) }, in unit: any UnitOfWork
    ) throws -> [UInt8]? {
        guard let report = try reports(id, unit), let patient = try unit.patient(report.patientID) else { return nil }
        let envelope = OutboundEnvelope(destination, profile: profile)
        let body = try DestinationTeller.body(of: report, patient, envelope, in: unit)
        let draft = envelope.message(.oru, body, controlID: controlID, at: unit.time)
        return try MessageWriter(destination.format).write(draft).bytes
    }
}
