import HL7v2
import Workflow

/// ORM^O01, OMG^O19 and OMI^O23: one domain call for each ORC and OBR group, all in one unit of work.
/// HL7 v2.5.1 §4.4.1, §4.4.4, §4.4.16; IHE RAD-2 to RAD-4 and RAD-13.
struct OrderMessage: InboundMessage {
    private struct Request: Sendable {
        var update: OrderUpdate
        var location: ErrorLocation
        /// What the group tells of its visit.
        var visit: VisitUpdate?
    }

    private var requests: [Request] = []
    private var notes: [String] = []

    init(_ message: Message, root: SegmentGroup, types: DataTypes) throws {
        let patients = PatientSegments(types: types)
        types.kept("order of segments") { root.noteSetIDs() }
        // An order message may leave out its patient: then the numbers name the order. HL7 v2.5.1 §4.4.1.
        var patient: PatientUpdate?
        var beside: [StatementUpdate] = []
        if let group = root.group("PATIENT") {
            let pid = try group.required("PID")
            var named = patients.update(pid, eventTime: message.eventTime(types))
            named.attributes.merge(patients.attributes(pd1: group["PD1"], nk1: group.all("NK1"))) { $1 }
            guard !named.identifiers.isEmpty else {
                throw MessageRefusal(.requiredFieldMissing, at: pid.location(field: 3), "No patient identifier")
            }
            // What stands with the patient (insurance, guarantor) is of the person; what an exam has to heed, of each order.
            let told = StatementSegments(types: types).unnumbered(group.everySegment)
            named.statements = StatementSegments.numbered(told.filter { [.coverage, .guarantor].contains($0.kind) })
            beside = told.filter { ![.coverage, .guarantor].contains($0.kind) }
            patient = named
        }
        let groups = OrderGroup.groups("ORDER", in: root)
        guard !groups.isEmpty else {
            throw MessageRefusal(.segmentSequenceError, at: ErrorLocation(segment: "ORC"), "ORC is missing")
        }
        for group in groups {
            guard let control = try types.into("ServiceRequest.status", { try control(group) }) else { continue }
            var reader = OrderReader(group: group, message: message, types: types)
            var update = reader.read(control: control, patient: patient)
            let visit = group.visit.map { patients.visitUpdate($0, group.visitMore, status: nil, eventTime: nil) }
            update.visit = visit?.identifier
            if let visit, visit.identifier == nil { update.unnumberedVisit = visit }
            notes += reader.notes
            // What an exam has to heed.
            let attributes = reader.attributes()
            let statements = StatementSegments.numbered(
                beside + StatementSegments(types: types).unnumbered(group.segments))
            if !attributes.isEmpty { update.attributes = attributes }
            if !statements.isEmpty { update.statements = statements }
            requests.append(Request(update: update, location: group.location, visit: visit))
        }
        tellApart()
    }

    /// Marks groups that have the same numbers and yet speak of different procedures: by accession number, else by study
    /// UID, else by what is ordered. IHE RAD TF-2 §4.4.4.1.2.2.
    private mutating func tellApart() {
        let updates = requests.map(\.update)
        for index in requests.indices {
            let own = updates[index]
            let alike = updates.filter { other in
                other.placer == own.placer && other.filler == own.filler
                    && other.requestedProcedureID == own.requestedProcedureID
            }
            func differ<Value: Hashable>(_ value: (OrderUpdate) -> Value?) -> Bool {
                Set(alike.compactMap(value)).count > 1
            }
            if differ({ $0.accession }) {
                requests[index].update.distinction = .accession
            } else if differ({ $0.studyInstanceUID }) {
                requests[index].update.distinction = .study
            } else if own.requestedProcedureID == nil, own.studyInstanceUID == nil, differ({ $0.code }) {
                requests[index].update.distinction = .code
            }
        }
    }

    func apply(in unit: any UnitOfWork) throws -> MessageEffect {
        var effect = MessageEffect(disposition: .ignored, notes: notes)
        for request in requests {
            do {
                effect.note(request.update.eventTime, in: unit)
                let outcome = try OrderService().apply(request.update, in: unit)
                if outcome.result == .created || outcome.result == .updated { effect.disposition = .applied }
                effect.notes += outcome.notes
                for id in outcome.orderIDs {
                    guard let order = try unit.order(id) else { continue }
                    effect.concerns(order.patientID)
                    if let visit = request.visit { try VisitService().mention(visit, of: order.patientID, in: unit) }
                }
            } catch let refusal as OrderService.Refusal {
                throw MessageRefusal(refusal, group: request.location, of: request.update.patient)
            }
        }
        return effect
    }

    /// What ORC-1 asks. Nil for what asks nothing of an order. An OBR without any ORC is a new order.
    private mutating func control(_ group: OrderGroup) throws -> OrderUpdate.Control? {
        guard let orc = group.controlling else { return .new }
        guard let code = orc[1].text else {
            throw MessageRefusal(.requiredFieldMissing, at: orc.location(field: 1), "ORC-1 is empty")
        }
        switch OrderCodes.meaning(ofControl: code) {
        case .asks(let control): return control
        case .informs(let note):
            notes.append(note)
            return nil
        case nil:
            throw MessageRefusal(
                .tableValueNotFound, at: orc.location(field: 1), "The order control code is not in table 0119")
        }
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

    mutating func read(control: OrderUpdate.Control, patient: PatientUpdate?) -> OrderUpdate {
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

    private mutating func readControl(_ update: inout OrderUpdate) {
        let orc = group.controlling
        let ordered = types.into("ServiceRequest.authoredOn") { orc?[9].timestamp }
        update.eventTime =
            types.instant(ordered) ?? types.kept("journal: time of the event") { message.eventTime(types) }
        update.messageTime = types.instant(message.segments.first?[7].timestamp)
        if update.control == .new {
            update.orderedAt = types.dateTime(ordered ?? message.segments.first?[7].timestamp)
        }
        readStatus(orc, &update)
        guard let orc else { return }
        update.statusReason = types.into("ServiceRequest.statusReason") { types.change(orc[16]) { types.cwe($0[1]) } }
        update.requisition = types.into("ServiceRequest.requisition") {
            types.change(orc[4]) { types.ei($0[1], fallback: types.profile.placerSystem, kind: .placer) }
        }
        update.scheduledAt = start([orc[7][1][4]])
        update.priority = priority([orc[7][1][6]])
        update.requester = types.into("ServiceRequest.requester") { types.change(orc[12]) { types.xcn($0[1]) } }
    }

    /// ORC-5 and what the pair of it and ORC-1 means for the worklist, by the site's table before those of the standard.
    private mutating func readStatus(_ orc: Segment?, _ update: inout OrderUpdate) {
        let control = orc?[1].text ?? "NW"
        types.into("ServiceRequest.status") {
            let status = types.trimmed(orc?[5].text) ?? ""
            let ofSite = types.profile.stepStatus(control: control, status: status)
            if let field = orc?[5], ofSite == nil || OrderCodes.orderStatus(status) != nil {
                update.status = types.table(field, "0038", OrderCodes.orderStatus)
            }
            update.stepStatus = ofSite ?? OrderCodes.stepStatus(update.control, status: status)
        }
    }

    private mutating func readRequest(_ update: inout OrderUpdate) {
        guard let obr = group.obr else { return }
        update.code = types.into("ServiceRequest.code") { procedureCode(obr) }
        update.modality = types.into("Task.input") { modality(obr) }
        update.reasons = types.into("ServiceRequest.reasonCode") {
            types.change(obr[31]) { field in
                let reasons = field.repetitions.compactMap { types.cwe($0) }
                return reasons.isEmpty ? nil : reasons
            }
        }
        update.clinicalInformation = types.into("ServiceRequest.note") {
            types.change(obr[13]) { types.trimmed($0.wholeText) }
        }
        update.requestedProcedureID = types.into("worklist: Requested Procedure ID") {
            override(.requestedProcedureID) ?? group.segment("IPC").flatMap { types.key($0[2]) } ?? types.key(obr[19])
        }
        // TQ1-7, else the start in ORC-7.4 or OBR-27.4, else OBR-36, else OBR-6.
        update.scheduledAt = start([
            group.override(.scheduledAt, profile: types.profile), group.segment("TQ1")?[7],
            group.controlling?[7][1][4], obr[27][1][4], obr[36], obr[6],
        ])
        update.priority = priority([
            group.segment("TQ1")?[9], group.controlling?[7][1][6], obr[27][1][6], obr[5],
        ])
        let ofOBR = types.into("ServiceRequest.requester") { types.change(obr[16]) { types.xcn($0[1]) } }
        update.requester = OrderReader.first(update.requester, ofOBR)
        let notes = types.into("ServiceRequest.note") {
            group.notes.compactMap { note -> String? in
                let lines = note[3].repetitions.compactMap { $0.wholeText }
                return lines.isEmpty ? nil : lines.joined(separator: "\n")
            }
        }
        if !notes.isEmpty { update.notes = .set(notes) }
    }

    /// The first of two places that says anything; a value before a deletion.
    private static func first<Value>(_ a: Change<Value>, _ b: Change<Value>) -> Change<Value> {
        if case .set = a { return a }
        return b == .keep ? a : b
    }

    /// The first of several places that has a time. Each is looked at, so that one that can not be read is told; one that
    /// says otherwise than the first is not carried.
    private func start(_ elements: [(any Element)?]) -> Change<PartialDateTime> {
        var found = Change<PartialDateTime>.keep
        for case let element? in elements {
            if element.isNull, found == .keep {
                found = .clear
                continue
            }
            guard let time = types.local(element.timestamp) else { continue }
            if case .set(let first) = found, first != time { continue }
            found = .set(time)
            types.into("ServiceRequest.occurrenceDateTime") { _ = element.timestamp }
        }
        return found
    }

    /// The same for the priority.
    private func priority(_ elements: [(any Element)?]) -> Change<ImagingOrder.Priority> {
        types.into("ServiceRequest.priority") {
            var found = Change<ImagingOrder.Priority>.keep
            for case let element? in elements {
                if element.isNull {
                    if found == .keep { found = .clear }
                } else if let priority = types.table(element, "0485", CodeSystems.priority) {
                    if case .set = found { continue }
                    found = .set(priority)
                }
            }
            return found
        }
    }

    /// OBR-12, 15, 30, 34, 44, 46 and 47. v2-to-FHIR OBR; order-to-worklist.
    func attributes() -> [String: Change<AttributeValue>] {
        typealias Name = ImagingOrder.Attribute
        guard let obr = group.obr else { return [:] }
        var found: [String: Change<AttributeValue>] = [:]
        found[Name.performers] = types.into("ServiceRequest.performer") {
            types.change(obr[34]) { field in
                let performers = field.repetitions.compactMap { types.ndl($0) }
                return performers.isEmpty ? nil : .parties(performers)
            }
        }
        found[Name.orderDetails] = types.into("ServiceRequest.orderDetail") { () -> Change<AttributeValue> in
            let details = [44, 46, 47].flatMap { obr[$0].repetitions.compactMap { types.cwe($0) } }
            if !details.isEmpty { return .set(.concepts(details)) }
            return [44, 46, 47].contains { obr[$0].isNull } ? .clear : .keep
        }
        found[Name.bodySites] = types.into("ServiceRequest.bodySite") { () -> Change<AttributeValue> in
            if obr[15].isNull { return .clear }
            return types.change(obr[15][1][4]) { site in
                (types.trimmed(site[2].text) ?? types.trimmed(site.text)).map { .concepts([CodedConcept(text: $0)]) }
            }
        }
        found[Name.transport] = types.into("worklist: Patient Transport Arrangements") {
            types.change(obr[30]) { types.trimmed($0.text).map { .text($0) } }
        }
        found[Name.alerts] = types.into("worklist: Medical Alerts") {
            types.change(obr[12]) { types.cwe($0[1])?.displayText.map { .text($0) } }
        }
        return found.filter { $0.value != .keep }
    }

    private func override(_ name: SiteProfile.FieldName) -> String? {
        group.override(name, profile: types.profile).flatMap { types.key($0) }
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
        if let ipc = group.segment("IPC").flatMap({ types.key($0[5]) }) { return ipc }
        let ofSite = override(.modality)
        if let named = ofSite ?? types.trimmed(obr[24].peekedText) {
            let own = CodeSystems.ownModalities.contains(named) ? named : nil
            if let mapped = types.profile.modalities[named] ?? CodeSystems.modalities[named] ?? own {
                if ofSite == nil { _ = obr[24].text }
                return mapped
            }
            if ofSite == nil, !CodeSystems.serviceSections.contains(named) {
                obr[24].report(.tableValueNotFound, "The section is neither in table 0074 nor a modality: left out")
            }
        }
        return obr[4].text.flatMap { types.profile.modalities[$0] }
    }

    /// One step for each IPC; without IPC the one step that OBR-20 and the site's fields describe.
    private func steps() -> [OrderUpdate.StepUpdate] {
        let segments = group.segments("IPC")
        if !segments.isEmpty { return segments.map(step) }
        guard let obr = group.obr else { return [] }
        var step = OrderUpdate.StepUpdate()
        step.stepID = types.into("Task.identifier") { override(.stepID) ?? types.key(obr[20]) }
        step.stationAETitle = types.into("Task.owner") { set(override(.stationAETitle)) }
        step.performingPhysician = types.into("worklist: Scheduled Performing Physician's Name") {
            types.change(obr[34]) { $0[1].isValued ? types.ndl($0[1])?.name : nil }
        }
        step.modality = set(modality(obr))
        return [step]
    }

    private func set<Value>(_ value: Value?) -> Change<Value> { value.map { .set($0) } ?? .keep }

    private func step(_ ipc: Segment) -> OrderUpdate.StepUpdate {
        var step = OrderUpdate.StepUpdate()
        step.stepID = types.into("Task.identifier") { types.key(ipc[4]) }
        step.modality = types.into("Task.input") { types.change(ipc[5]) { types.key($0) } }
        let protocolCode = types.into("Task.code") { types.change(ipc[6]) { types.cwe($0[1]) } }
        switch protocolCode {
        case .keep: break
        case .clear:
            step.protocolCode = .clear
            step.description = .clear
        case .set(let concept):
            step.protocolCode = set(concept.codings.first)
            step.description = set(concept.displayText)
        }
        step.stationName = types.into("Task.owner") { types.change(ipc[7]) { types.trimmed($0.text) } }
        step.location = types.into("worklist: Scheduled Procedure Step Location") {
            types.change(ipc[8]) { types.trimmed($0.text) }
        }
        step.stationAETitle = types.into("Task.owner") { types.change(ipc[9]) { types.key($0) } }
        return step
    }
}
