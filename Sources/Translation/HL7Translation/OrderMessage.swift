import HL7v2
import Workflow

/// ORM^O01, OMG^O19 and OMI^O23: one domain call for each ORC and OBR group, all in one unit of work.
/// HL7 v2.5.1 §4.4.1, §4.4.4, §4.4.16; IHE RAD-2 to RAD-4 and RAD-13.
struct OrderMessage: InboundMessage {
    private struct Request: Sendable {
        var update: OrderUpdate
        var location: ErrorLocation
    }

    private var requests: [Request] = []
    private var notes: [String] = []

    init(_ message: Message, root: SegmentGroup, types: DataTypes) throws {
        let patients = PatientSegments(types: types)
        types.kept("order of segments") { root.noteSetIDs() }
        guard let group = root.group("PATIENT") else {
            throw MessageRefusal(.segmentSequenceError, at: ErrorLocation(segment: "PID"), "PID is missing")
        }
        let pid = try group.required("PID")
        let patient = patients.update(pid, eventTime: nil)
        guard !patient.identifiers.isEmpty else {
            throw MessageRefusal(.requiredFieldMissing, at: pid.location(field: 3), "No patient identifier")
        }
        let groups = OrderGroup.groups("ORDER", in: root)
        guard !groups.isEmpty else {
            throw MessageRefusal(.segmentSequenceError, at: ErrorLocation(segment: "ORC"), "ORC is missing")
        }
        for group in groups {
            guard let control = try types.into("ServiceRequest.status", { try OrderMessage.control(group) }) else {
                notes.append("an order response was kept without effect")
                continue
            }
            var reader = OrderReader(group: group, message: message, types: types)
            var update = reader.read(control: control, patient: patient)
            update.visit = types.into("Encounter.identifier") { patients.visitIdentifier(group.visit) }
            notes += reader.notes
            requests.append(Request(update: update, location: group.location))
        }
    }

    func apply(in unit: any UnitOfWork) throws -> MessageEffect {
        var effect = MessageEffect(disposition: .ignored, notes: notes)
        for request in requests {
            do {
                let outcome = try OrderService().apply(request.update, in: unit)
                if outcome.result == .created || outcome.result == .updated { effect.disposition = .applied }
                effect.notes += outcome.notes
            } catch let refusal as OrderService.Refusal {
                throw MessageRefusal(refusal, group: request.location)
            }
        }
        return effect
    }

    /// What ORC-1 asks. Nil for responses (UA, UC, UD, UX), which change nothing. An OBR without ORC is a new order.
    private static func control(_ group: OrderGroup) throws -> OrderUpdate.Control? {
        guard let orc = group.controlling else { return .new }
        guard let code = orc[1].text else {
            throw MessageRefusal(.requiredFieldMissing, at: orc.location(field: 1), "ORC-1 is empty")
        }
        if ["UA", "UC", "UD", "UX"].contains(code) { return nil }
        guard let control = CodeSystems.orderControl(code) else {
            throw MessageRefusal(
                .tableValueNotFound, at: orc.location(field: 1), "The order control code is not supported")
        }
        return control
    }
}

/// Reads one order group into an `OrderUpdate`.
private struct OrderReader {
    let group: OrderGroup
    let message: Message
    let types: DataTypes
    var notes: [String] = []

    init(group: OrderGroup, message: Message, types: DataTypes) {
        self.group = group
        self.message = message
        self.types = types
    }

    mutating func read(control: OrderUpdate.Control, patient: PatientUpdate) -> OrderUpdate {
        var update = OrderUpdate(control: control, patient: patient)
        let numbers = OrderNumbers(group, types: types)
        update.placer = numbers.placer
        update.filler = numbers.filler
        update.accession = numbers.accession
        notes += numbers.notes
        let uids = OrderNumbers.studyInstanceUIDs(group, types: types)
        if uids.count > 1 { notes.append("several study instance UIDs for one order: the first taken") }
        update.studyInstanceUID = uids.first
        readControl(&update)
        readRequest(&update)
        update.steps = steps()
        return update
    }

    private func readControl(_ update: inout OrderUpdate) {
        let orc = group.controlling
        types.into("ServiceRequest.status") {
            let status = types.trimmed(orc?[5].text)
            if let field = orc?[5] { update.status = types.table(field, "0038", CodeSystems.orderStatus) }
            update.stepStatus = types.profile.stepStatus(control: orc?[1].text ?? "NW", status: status ?? "")
        }
        update.statusReason = types.into("ServiceRequest.statusReason") { orc.flatMap { types.cwe($0[16][1]) } }
        update.requisition = types.into("ServiceRequest.requisition") {
            orc.flatMap { types.ei($0[4][1], fallback: types.profile.placerSystem, kind: .placer) }
        }
        let ordered = types.into("ServiceRequest.authoredOn") { orc?[9].timestamp }
        update.eventTime =
            types.instant(ordered) ?? types.kept("journal: time of the event") { message.eventTime(types) }
        if update.control == .new {
            update.orderedAt = types.dateTime(ordered ?? message.segments.first?[7].timestamp)
        }
        update.requester = types.into("ServiceRequest.requester") { requester() }
    }

    private func requester() -> PartyReference? {
        let orc = group.controlling.flatMap { types.xcn($0[12][1]) }
        let obr = group.obr.flatMap { types.xcn($0[16][1]) }
        return orc ?? obr
    }

    private func readRequest(_ update: inout OrderUpdate) {
        guard let obr = group.obr else { return }
        update.code = types.into("ServiceRequest.code") { procedureCode(obr) }
        update.modality = types.into("Task.input") { modality(obr) }
        update.reasons = types.into("ServiceRequest.reasonCode") { obr[31].repetitions.compactMap { types.cwe($0) } }
        update.clinicalInformation = types.into("ServiceRequest.note") { types.trimmed(obr[13].wholeText) }
        update.requestedProcedureID = types.into("worklist: Requested Procedure ID") {
            types.trimmed(override(.requestedProcedureID) ?? group.segment("IPC")?[2].text ?? obr[19].text)
        }
        update.scheduledAt = scheduledAt(obr)
        update.priority = types.into("ServiceRequest.priority") { priority(obr) }
        update.notes = types.into("ServiceRequest.note") {
            group.notes.compactMap { note in
                let lines = note[3].repetitions.compactMap { $0.wholeText }
                return lines.isEmpty ? nil : lines.joined(separator: "\n")
            }
        }
    }

    private func override(_ name: SiteProfile.FieldName) -> String? {
        group.override(name, profile: types.profile)?.text
    }

    private func procedureCode(_ obr: Segment) -> CodedConcept? {
        if let path = types.profile.fields[.procedureCode]?.first(where: {
            group.value(at: $0)?.isValued == true
        }),
            let segment = group.segment(path.segment), let code = types.cwe(segment[path.field][path.repetition])
        {
            return code
        }
        return types.cwe(obr[4][1])
    }

    /// The DICOM modality: IPC-5, else OBR-24 through the site's and the built-in map, else OBR-4.1 through the site's.
    private func modality(_ obr: Segment) -> String? {
        if let ipc = group.segment("IPC")?[5].text { return ipc }
        let named = override(.modality) ?? obr[24].text
        if let named, let mapped = types.profile.modalities[named] ?? CodeSystems.modalities[named] { return mapped }
        return obr[4].text.flatMap { types.profile.modalities[$0] }
    }

    /// TQ1-7, else the start in ORC-7.4 or OBR-27.4, else OBR-36, else OBR-6. Each is
    /// looked at, so that one that can not be read is told; one that says otherwise than the first is not carried.
    private func scheduledAt(_ obr: Segment) -> PartialDateTime? {
        let elements: [(any Element)?] = [
            group.override(.scheduledAt, profile: types.profile), group.segment("TQ1")?[7],
            group.controlling?[7][1][4], obr[27][1][4], obr[36], obr[6],
        ]
        var found: PartialDateTime?
        for case let element? in elements {
            guard let time = types.dateTime(element.timestamp), found == nil || found == time else { continue }
            found = types.into("ServiceRequest.occurrenceDateTime") { types.dateTime(element.timestamp) }
        }
        return found
    }

    private func priority(_ obr: Segment) -> ImagingOrder.Priority? {
        let elements: [(any Element)?] = [
            group.segment("TQ1")?[9], group.controlling?[7][1][6], obr[27][1][6], obr[5],
        ]
        // Each is read, so that one of no table is told even where another was taken.
        var found: ImagingOrder.Priority?
        for case let element? in elements {
            let priority = types.table(element, "0485", CodeSystems.priority)
            found = found ?? priority
        }
        return found
    }

    /// One step for each IPC; without IPC the one step that OBR-20 and the site's fields describe.
    private func steps() -> [OrderUpdate.StepUpdate] {
        let segments = group.segments("IPC")
        if !segments.isEmpty { return segments.map(step) }
        guard let obr = group.obr else { return [] }
        var step = OrderUpdate.StepUpdate()
        step.stepID = types.into("Task.identifier") { types.trimmed(override(.stepID) ?? obr[20].text) }
        step.stationAETitle = types.into("Task.owner") { types.trimmed(override(.stationAETitle)) }
        step.performingPhysician = types.into("worklist: Scheduled Performing Physician's Name") {
            obr[34][1].isValued ? types.ndl(obr[34][1])?.name : nil
        }
        step.modality = modality(obr)
        return [step]
    }

    private func step(_ ipc: Segment) -> OrderUpdate.StepUpdate {
        var step = OrderUpdate.StepUpdate()
        step.stepID = types.into("Task.identifier") { types.trimmed(ipc[4].text) }
        step.modality = types.into("Task.input") { types.trimmed(ipc[5].text) }
        let protocolCode = types.into("Task.code") { types.cwe(ipc[6][1]) }
        step.protocolCode = protocolCode?.codings.first
        step.description = protocolCode?.displayText
        step.stationName = types.into("Task.owner") { types.trimmed(ipc[7].text) }
        step.location = types.into("worklist: Scheduled Procedure Step Location") { types.trimmed(ipc[8].text) }
        step.stationAETitle = types.into("Task.owner") { types.trimmed(ipc[9].text) }
        return step
    }
}
