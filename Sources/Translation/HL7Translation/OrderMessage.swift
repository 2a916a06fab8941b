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

    init(_ message: Message, types: DataTypes) throws {
        let patients = PatientSegments(types: types)
        let pid = try message.required("PID")
        let patient = patients.update(pid, eventTime: nil)
        guard !patient.identifiers.isEmpty else {
            throw MessageRefusal(.requiredFieldMissing, at: pid.location(field: 3), "No patient identifier")
        }
        let groups = OrderGroup.groups(in: message)
        guard !groups.isEmpty else {
            throw MessageRefusal(.segmentSequenceError, at: ErrorLocation(segment: "ORC"), "ORC is missing")
        }
        for group in groups {
            guard let control = try OrderMessage.control(group) else {
                notes.append("an order response was kept without effect")
                continue
            }
            var reader = OrderReader(group: group, message: message, types: types)
            var update = reader.read(control: control, patient: patient)
            update.visit = patients.visitIdentifier(message["PV1"])
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
        guard let orc = group.orc else { return .new }
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
        let numbers = OrderNumbers(group, in: message, types: types)
        update.placer = numbers.placer
        update.filler = numbers.filler
        update.accession = numbers.accession
        notes += numbers.notes
        let uids = OrderNumbers.studyInstanceUIDs(group, in: message, types: types)
        if uids.count > 1 { notes.append("several study instance UIDs for one order: the first taken") }
        update.studyInstanceUID = uids.first
        readControl(&update)
        readRequest(&update)
        update.steps = steps()
        return update
    }

    private func readControl(_ update: inout OrderUpdate) {
        let orc = group.orc
        let status = orc?[5].text ?? ""
        update.status = CodeSystems.orderStatus(status)
        update.stepStatus = types.profile.stepStatus(control: orc?[1].text ?? "NW", status: status)
        update.statusReason = orc.flatMap { types.cwe($0[16][1]) }
        update.requisition = orc.flatMap { types.ei($0[4][1], fallback: types.profile.placerSystem, kind: .placer) }
        update.eventTime = types.instant(orc?[9].timestamp) ?? message.eventTime(types)
        if update.control == .new {
            update.orderedAt = types.dateTime(orc?[9].timestamp ?? message.segments.first?[7].timestamp)
        }
        update.requester = requester()
    }

    private func requester() -> PartyReference? {
        if let orc = group.orc, let found = types.xcn(orc[12][1]) { return found }
        return group.obr.flatMap { types.xcn($0[16][1]) }
    }

    private func readRequest(_ update: inout OrderUpdate) {
        guard let obr = group.obr else { return }
        update.code = procedureCode(obr)
        update.modality = modality(obr)
        update.reasons = obr[31].repetitions.compactMap { types.cwe($0) }
        update.clinicalInformation = types.trimmed(obr[13].wholeText)
        update.requestedProcedureID =
            types.trimmed(override(.requestedProcedureID) ?? group.segment("IPC")?[2].text ?? obr[19].text)
        update.scheduledAt = scheduledAt(obr)
        update.priority = priority(obr)
        update.notes = group.segments("NTE").compactMap { note in
            let lines = note[3].repetitions.compactMap { $0.wholeText }
            return lines.isEmpty ? nil : lines.joined(separator: "\n")
        }
    }

    private func override(_ name: SiteProfile.FieldName) -> String? {
        group.override(name, in: message, profile: types.profile)?.text
    }

    private func procedureCode(_ obr: Segment) -> CodedConcept? {
        if let path = types.profile.fields[.procedureCode]?.first(where: {
            group.value(at: $0, in: message)?.isValued == true
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

    /// TQ1-7, else the start in ORC-7.4 or OBR-27.4, else OBR-36, else OBR-6.
    private func scheduledAt(_ obr: Segment) -> PartialDateTime? {
        let stamps: [Timestamp?] = [
            override(.scheduledAt).flatMap { Timestamp($0.utf8) },
            group.segment("TQ1")?[7].timestamp, group.orc?[7][1][4].timestamp, obr[27][1][4].timestamp,
            obr[36].timestamp, obr[6].timestamp,
        ]
        return stamps.lazy.compactMap { types.dateTime($0) }.first
    }

    private func priority(_ obr: Segment) -> ImagingOrder.Priority? {
        let codes = [group.segment("TQ1")?[9].text, group.orc?[7][1][6].text, obr[27][1][6].text, obr[5].text]
        return codes.lazy.compactMap { $0 }.compactMap(CodeSystems.priority).first
    }

    /// One step for each IPC; without IPC the one step that OBR-20 and the site's fields describe.
    private func steps() -> [OrderUpdate.StepUpdate] {
        let segments = group.segments("IPC")
        if !segments.isEmpty { return segments.map(step) }
        guard let obr = group.obr else { return [] }
        var step = OrderUpdate.StepUpdate()
        step.stepID = types.trimmed(override(.stepID) ?? obr[20].text)
        step.stationAETitle = types.trimmed(override(.stationAETitle))
        step.performingPhysician = obr[34][1].isValued ? types.ndl(obr[34][1])?.name : nil
        step.modality = modality(obr)
        return [step]
    }

    private func step(_ ipc: Segment) -> OrderUpdate.StepUpdate {
        var step = OrderUpdate.StepUpdate()
        step.stepID = types.trimmed(ipc[4].text)
        step.modality = types.trimmed(ipc[5].text)
        let protocolCode = types.cwe(ipc[6][1])
        step.protocolCode = protocolCode?.codings.first
        step.description = protocolCode?.displayText
        step.stationName = types.trimmed(ipc[7].text)
        step.location = types.trimmed(ipc[8].text)
        step.stationAETitle = types.trimmed(ipc[9].text)
        return step
    }
}
