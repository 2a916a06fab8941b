import Access
import HL7v2
import Workflow

/// Tells one destination what one unit of work has changed.
struct DestinationTeller {
    let destination: OutboundDestination
    let profile: SiteProfile
    let unit: any UnitOfWork
    let memory: any ToldUnit
    let digest: @Sendable ([UInt8]) -> String
    let tell: @Sendable (_ destination: String, _ losses: [MessageWriter.Loss]) -> Void
    let reports: OutboundAnnouncer.Reports
    /// An operator asks for it: it is sent whether it is news or not.
    var isAskedFor = false

    var envelope: OutboundEnvelope { OutboundEnvelope(destination, profile: profile) }

    /// Whether the change came from the destination itself: it knows.
    private var isOwn: Bool {
        unit.access.principal.kind == .messageSender && unit.access.principal.id == destination.peer
    }

    func rules(_ event: OutboundDestination.Event) -> [OutboundDestination.Rule] {
        destination.rules.filter { $0.event == event }
    }

    /// Whether anything was put into the outbox.
    @discardableResult
    func tell(_ event: DomainEvent, replaced: (EntityID) throws -> EntityID?) throws -> Bool {
        switch event {
        case .patientChanged(let id): return try tellPatient(id)
        case .patientsMerged(let survivor, let retired): return try tellMerge(retired, into: survivor)
        case .orderChanged(let id): return try tellOrder(id, replaced: replaced)
        case .orderRemoved(let id, _): return try tellRemoved(id)
        case .reportChanged(let id): return try tellReport(id)
        case .studyChanged(let uid), .studyPublished(let uid): return try tellImages(uid)
        case .visitChanged, .stepRemoved, .studyRemoved, .reportRemoved, .performedStepChanged: return false
        }
    }

    // MARK: Patients

    private func tellPatient(_ id: EntityID) throws -> Bool {
        guard let rule = rules(.patient).first, let patient = try unit.patient(id), patient.mergedInto == nil else {
            return false
        }
        let subject = "patient/" + id.value
        let body = envelope.person(patient)
        let last = try remembered(subject)
        guard let now = try news(subject, of: body, since: last) else { return false }
        // The first that is told of a person adds it, unless the site's receivers take updates alone.
        let form: OutboundForm = Self.known(last) == nil && rule.form == .addPerson ? .addPerson : .updatePerson
        let event = envelope.event(form, at: unit.time, happened: patient.eventTime)
        return try put(form, [event] + body, of: id, now)
    }

    private func tellMerge(_ retired: EntityID, into survivor: EntityID) throws -> Bool {
        // Told of the merge or not: what was said of the one person goes before what is said of both.
        try memory.joinTelling(of: retired.value, into: survivor.value, to: destination.outboxName)
        guard !rules(.merge).isEmpty, let old = try unit.patient(retired), let kept = try unit.patient(survivor) else {
            return false
        }
        let subject = "merge/\(retired.value)/\(survivor.value)"
        let body = envelope.merge(old, into: kept)
        guard try remembered(subject) == nil || isAskedFor,
            let now = try news(subject, of: body, since: nil)
        else { return false }
        let event = envelope.event(.mergePatient, at: unit.time, happened: old.mergedAt)
        return try put(.mergePatient, [event] + body, of: survivor, now)
    }

    // MARK: Reports and images

    private func tellReport(_ id: EntityID) throws -> Bool {
        guard !rules(.result).isEmpty, let report = try reports(id, unit),
            let patient = try unit.patient(report.patientID)
        else { return false }
        let modality = try report.orderID.flatMap { try unit.order($0)?.modality }
        guard
            rules(.result).contains(where: { rule in
                (rule.states.isEmpty || rule.states.contains(report.status)) && rule.takes(modality)
            })
        else { return false }
        let subject = "report/" + id.value
        let body = try Self.body(of: report, patient, envelope, in: unit)
        let last = try remembered(subject)
        // What was never told needs no withdrawal.
        if Self.known(last) == nil, report.status == .cancelled || report.status == .enteredInError, !isAskedFor {
            return false
        }
        guard let now = try news(subject, of: body, since: last) else { return false }
        return try put(.oru, body, of: patient.id, now, report: id)
    }

    static func body(
        of report: Report, _ patient: Patient, _ envelope: OutboundEnvelope, in unit: any UnitOfWork
    ) throws -> [SegmentDraft] {
        let visit = try report.visitID.flatMap { try unit.visit($0) }
        let orders = try report.orderIDs.compactMap { try unit.order($0) }
        // What the report names may lie elsewhere; what its orders have is here.
        var report = report
        for study in try report.studies(in: unit) where !report.studyInstanceUIDs.contains(study.studyInstanceUID) {
            report.studyInstanceUIDs.append(study.studyInstanceUID)
        }
        return envelope.subject(patient, visit: visit, visitNumber: report.visitNumber)
            + ReportDraft(types: envelope.types, style: envelope.destination.style).group(report, orders: orders)
    }

    private func tellImages(_ uid: String) throws -> Bool {
        guard !rules(.images).isEmpty, let study = try unit.study(uid), let patientID = study.reconciliation.patientID,
            let patient = try unit.patient(patientID), try unit.awaitedPublication(of: uid) == nil
        else { return false }
        // What is a copy of an archive's lies here for a while, and is nothing new.
        let series = try unit.series(in: uid).filter { !$0.reconciliation.isQuarantined && $0.archive == nil }
        guard !series.isEmpty else { return false }
        let order = try series.lazy.compactMap(\.reconciliation.orderID).first.flatMap { try unit.order($0) }
        let modality = order?.modality ?? series.lazy.compactMap(\.attributes.modality).first
        guard let rule = rules(.images).first(where: { $0.takes(modality) }),
            let body = images(of: study, patient, order, rule.form)
        else { return false }
        let subject = "images/" + study.id.value
        guard let now = try news(subject, of: body, since: remembered(subject)) else { return false }
        return try put(rule.form, body, of: patientID, now)
    }

    /// Nil where the form tells of an order and the study has none.
    private func images(
        of study: Study, _ patient: Patient, _ order: ImagingOrder?, _ form: OutboundForm
    ) -> [SegmentDraft]? {
        let about = envelope.subject(patient, visit: nil, visitNumber: order?.visitNumber)
        if form.isOrder {
            guard var order, Self.isNumbered(order) else { return nil }
            order.studyInstanceUID = study.studyInstanceUID
            let request = OrderDraft.Request(control: "SC", status: "A")
            return about
                + OrderDraft(types: envelope.types, form: form).groups(.init(order: order, time: nil), request)
        }
        return about + ReportDraft(types: envelope.types, style: destination.style).images(study, order)
    }

    // MARK: What is remembered

    /// The state of a thing whose first message could not be written.
    static let unwritten = "-"

    /// What was to be told of a thing last; nil for nothing yet.
    func remembered(_ subject: String) throws -> Told? { try memory.told(subject, to: destination.outboxName) }

    /// What the destination knows of a thing; nil also where the first message of it could not be written.
    static func known(_ last: Told?) -> Told? { last?.state == unwritten ? nil : last }

    /// Remembers what was to be told first and could not be written: it is no news until it changes.
    func rememberUnwritten(_ told: Told) throws {
        var told = told
        if try Self.known(remembered(told.subject)) == nil { told.state = Self.unwritten }
        try memory.save(told)
    }

    // MARK: The outbox

    /// What is to be remembered of a thing; nil where it was told as it is or could not be, or where the destination told
    /// it itself.
    ///
    /// - Parameter last: what is ``remembered(_:)`` of it.
    func news(
        _ subject: String, of body: [SegmentDraft], since last: Told?, state: String = "", detail: String? = nil
    ) throws -> Told? {
        let now = Told(
            destination: destination.outboxName, subject: subject, state: state, digest: digest(of: body),
            detail: detail)
        if isAskedFor { return now }
        if now == last || last?.state == Self.unwritten && last?.digest == now.digest { return nil }
        if isOwn {
            try memory.save(now)
            return nil
        }
        return now
    }

    /// Of what a message says, whatever its form, time and control id.
    func digest(of body: [SegmentDraft]) -> String {
        let format = WireFormat(version: "2.7", unencodable: .replace)
        return digest((try? MessageWriter(format).write(MessageDraft(body)).bytes) ?? [])
    }

    /// Puts a message into the outbox. What cannot be written is put there as such, for the operator to see.
    func put(
        _ form: OutboundForm, _ body: [SegmentDraft], of patient: EntityID, _ told: Told, report: EntityID? = nil
    ) throws -> Bool {
        // MSH-10 has twenty characters until 2.7.
        let controlID = String(unit.entropy.newID().value.prefix(20))
        let draft = envelope.message(form, body, controlID: controlID, at: unit.time)
        var payload: OutboundPayload
        do throws(HL7Error) {
            let written = try MessageWriter(destination.format).write(draft)
            if !written.losses.isEmpty { tell(destination.name, written.losses) }
            payload = .message(written.bytes)
        } catch {
            payload = .unwritable(error.message)
        }
        if payload.bytes.count > OutboxDraft.payloadBytesMax {
            payload = report.map { .report($0, controlID: controlID) } ?? .unwritable("the message is too large")
        }
        try enqueue(payload, controlID: controlID, of: patient, keys: MessageKeys(draft))
        if case .unwritable = payload { try rememberUnwritten(told) } else { try memory.save(told) }
        return true
    }

    func enqueue(
        _ payload: OutboundPayload, controlID: String, of patient: EntityID, keys: MessageKeys = MessageKeys()
    ) throws {
        try unit.enqueue(
            OutboxDraft(
                destination: destination.outboxName, orderingKey: patient.value, kind: destination.outboxName,
                payload: payload.bytes, eventID: EntityID(controlID), keys: keys))
    }

    /// Whether a receiver can tell which order is meant.
    static func isNumbered(_ order: ImagingOrder) -> Bool {
        order.placer != nil || order.filler != nil || order.accession != nil
    }
}

extension OutboundDestination.Rule {
    func takes(_ modality: String?) -> Bool { modalities.isEmpty || modality.map(modalities.contains) ?? false }
}
