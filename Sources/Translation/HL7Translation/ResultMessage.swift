import HL7v2
import Workflow

/// ORU^R01: the reports of each PATIENT_RESULT group under its own patient, all in one unit of work. OBR groups of one
/// filler number are parts of one report. HL7 v2.5.1 §7.3.1, IHE RAD-28.
struct ResultMessage: InboundMessage {
    /// One report while its groups are being read.
    fileprivate struct Draft: Sendable {
        var update: ReportUpdate
        var findings: ResultFindings
        /// What OBR-25 of each group says; nil where it leaves the decision to OBX-11.
        var statuses: [Report.Status?]
        var location: ErrorLocation
    }

    private var drafts: [Draft] = []
    private var notes: [String] = []

    init(_ message: Message, root: SegmentGroup, types: DataTypes) throws {
        types.kept("order of segments") { root.noteSetIDs() }
        let results = root.groups("PATIENT_RESULT")
        for result in results { try read(result, message: message, types: types) }
        guard !drafts.isEmpty else {
            throw MessageRefusal(.segmentSequenceError, at: ErrorLocation(segment: "OBR"), "OBR is missing")
        }
        for index in drafts.indices { drafts[index].finish() }
    }

    func apply(in unit: any UnitOfWork) throws -> MessageEffect {
        var effect = MessageEffect(disposition: .ignored, notes: notes)
        for draft in drafts {
            do {
                effect.note(draft.update.issued, in: unit)
                let outcome = try ReportService().apply(draft.update, in: unit)
                if outcome.result == .created || outcome.result == .updated { effect.disposition = .applied }
                effect.notes += outcome.notes
                effect.concerns(outcome.patientID)
            } catch let refusal as ReportService.Refusal {
                throw MessageRefusal(refusal, group: draft.location, of: draft.update.patient)
            }
        }
        return effect
    }

    // MARK: Reading

    private mutating func read(_ result: SegmentGroup, message: Message, types: DataTypes) throws {
        let patients = PatientSegments(types: types)
        guard let group = result.group("PATIENT") else {
            throw MessageRefusal(.segmentSequenceError, at: ErrorLocation(segment: "PID"), "PID is missing")
        }
        let pid = try group.required("PID")
        var patient = patients.update(pid, eventTime: message.eventTime(types))
        patient.attributes.merge(patients.attributes(pd1: group["PD1"], nk1: group.all("NK1"))) { $1 }
        patient.statements = StatementSegments(types: types).read(group.everySegment)
        guard !patient.identifiers.isEmpty else {
            throw MessageRefusal(.requiredFieldMissing, at: pid.location(field: 3), "No patient identifier")
        }
        let first = drafts.count
        for group in OrderGroup.groups("ORDER_OBSERVATION", in: result) {
            guard let obr = group.obr else {
                throw MessageRefusal(.segmentSequenceError, at: group.location, "OBR is missing after ORC")
            }
            let numbers = OrderNumbers(group, types: types)
            notes += numbers.notes
            let part = drafts[first...].firstIndex { $0.update.isOfSameReport(numbers) }
            let index = part ?? drafts.count
            if part == nil {
                var update = report(
                    obr, orc: group.controlling, numbers: numbers, patient: patient, message: message, types: types)
                update.visitDetails = group.visit.map {
                    patients.visitUpdate($0, group.visitMore, status: nil, eventTime: nil)
                }
                update.visit = update.visitDetails?.identifier
                drafts.append(
                    Draft(
                        update: update, findings: ResultFindings(types: types, effective: update.effective),
                        statuses: [], location: group.location))
            }
            var draft = drafts[index]
            try add(group, obr: obr, to: &draft, isFurther: part != nil, types: types)
            drafts[index] = draft
        }
    }

    private mutating func add(
        _ group: OrderGroup, obr: Segment, to draft: inout Draft, isFurther: Bool, types: DataTypes
    ) throws {
        if isFurther {
            draft.findings.beginPart(titled: types.into("DiagnosticReport.presentedForm") { types.cwe(obr[4][1]) })
        }
        for uid in OrderNumbers.studyInstanceUIDs(group, types: types)
        where !draft.update.studyInstanceUIDs.contains(uid) { draft.update.studyInstanceUIDs.append(uid) }
        for segment in group.segments {
            if segment.id == "OBX" { try draft.findings.add(segment) }
            if segment.id == "NTE" { draft.findings.add(note: segment) }
        }
        draft.statuses.append(try types.into("DiagnosticReport.status") { try status(obr) })
        let people = types.into("DiagnosticReport.resultsInterpreter") {
            [32, 33].flatMap { obr[$0].repetitions.compactMap { types.ndl($0) } }
        }
        draft.update.interpreters += people.filter { !draft.update.interpreters.contains($0) }
        let performers = types.into("DiagnosticReport.performer") {
            [34, 35].flatMap { obr[$0].repetitions.compactMap { types.ndl($0) } }
        }
        if !performers.isEmpty {
            let known = draft.update.attributes.parties(ClinicalStatement.Name.performers)
            draft.update.attributes[ClinicalStatement.Name.performers] = .parties(
                known + performers.filter { !known.contains($0) })
        }
    }

    private func report(
        _ obr: Segment, orc: Segment?, numbers: OrderNumbers, patient: PatientUpdate, message: Message, types: DataTypes
    ) -> ReportUpdate {
        let code = types.into("DiagnosticReport.code") { types.cwe(obr[4][1]) }
        var update = ReportUpdate(patient: patient, status: .registered, code: code ?? CodedConcept())
        update.placer = numbers.placer
        update.filler = numbers.filler
        update.accession = numbers.accession
        update.requestedProcedureID = types.into("worklist: Requested Procedure ID") { types.key(obr[19]) }
        update.category = types.into("DiagnosticReport.category") { category(obr, types: types) }
        update.effective = types.into("DiagnosticReport.effectiveDateTime") { types.dateTime(obr[7].timestamp) }
        update.issued =
            types.into("DiagnosticReport.issued") { types.instant(obr[22].timestamp) }
            ?? types.kept("journal: time of the event") { types.instant(message.segments.first?[7].timestamp) }
        update.eventTime = update.issued
        update.requester = types.into("ServiceRequest.requester") {
            let ordering = types.xcn(obr[16][1])
            return ordering ?? orc.flatMap { types.xcn($0[12][1]) }
        }
        return update
    }

    /// OBR-24: a section of table 0074, else a modality of DICOM, else a code of no system, which is told.
    private func category(_ obr: Segment, types: DataTypes) -> CodedConcept? {
        guard let code = types.key(obr[24]) else { return nil }
        var system: String?
        if CodeSystems.serviceSections.contains(code) {
            system = CodeSystem.table("0074")
        } else if CodeSystems.ownModalities.contains(code) || CodeSystems.modalities[code] == code {
            system = CodeSystem.uri(named: "DCM")
        } else {
            obr[24].report(.tableValueNotFound, "The section is not in table 0074: kept without a system")
        }
        return CodedConcept(codings: [CodedConcept.Coding(system: system, code: code)])
    }

    /// OBR-25; nil where it is empty or leaves the decision to the OBX-11.
    private mutating func status(_ obr: Segment) throws -> Report.Status? {
        guard let code = obr[25].text else { return nil }
        if let status = CodeSystems.reportStatus(code) { return status }
        guard ["M", "N", "Y", "Z"].contains(code) else {
            throw MessageRefusal(
                .tableValueNotFound, at: obr.location(field: 25), "The result status is not in table 0123")
        }
        notes.append("result status \(code) has no meaning for a report: taken from OBX-11")
        return nil
    }
}

extension ResultMessage.Draft {
    /// Puts together what the groups said.
    fileprivate mutating func finish() {
        // The parts of one report are as far as the one that is furthest behind.
        let stated = statuses.compactMap { $0 ?? findings.statusOfAll }.min { $0.rank < $1.rank }
        update.status = findings.areAllWithdrawn ? .enteredInError : stated ?? findings.statusOfAll
        if update.interpreters.isEmpty { update.interpreters = findings.observers }
        update.effective = findings.effective
        update.conclusion = findings.conclusion
        update.presentedForms = findings.presentedForms(title: update.code.displayText)
        update.observations = findings.observations
        update.hasContent = findings.hasContent
    }
}

extension ReportUpdate {
    /// Whether an OBR with these numbers is another part of this report: the same filler number, or without one the same
    /// placer number, or the same accession number where there is neither.
    fileprivate func isOfSameReport(_ numbers: OrderNumbers) -> Bool {
        if let own = filler, let other = numbers.filler { return own.matches(other) }
        guard filler == nil, numbers.filler == nil else { return false }
        if let own = placer, let other = numbers.placer { return own.matches(other) }
        guard placer == nil, numbers.placer == nil else { return false }
        if let own = accession, let other = numbers.accession { return own.matches(other) }
        return false
    }
}
