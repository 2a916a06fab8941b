import HL7v2
import Workflow

/// ORU^R01: one report for each OBR group, all in one unit of work. HL7 v2.5.1 §7.3.1, IHE RAD-28.
struct ResultMessage: InboundMessage {
    private struct Result: Sendable {
        var update: ReportUpdate
        var location: ErrorLocation
    }

    private var results: [Result] = []
    private var notes: [String] = []

    init(_ message: Message, types: DataTypes) throws {
        let patients = PatientSegments(types: types)
        let pid = try message.required("PID")
        let patient = patients.update(pid, eventTime: nil)
        guard !patient.identifiers.isEmpty else {
            throw MessageRefusal(.requiredFieldMissing, at: pid.location(field: 3), "No patient identifier")
        }
        for group in OrderGroup.groups(in: message) {
            guard let obr = group.obr else {
                throw MessageRefusal(.segmentSequenceError, at: group.location, "OBR is missing after ORC")
            }
            var update = try report(group, obr: obr, message: message, patient: patient, types: types)
            update.visit = patients.visitIdentifier(message["PV1"])
            results.append(Result(update: update, location: group.location))
        }
        guard !results.isEmpty else {
            throw MessageRefusal(.segmentSequenceError, at: ErrorLocation(segment: "OBR"), "OBR is missing")
        }
    }

    func apply(in unit: any UnitOfWork) throws -> MessageEffect {
        var effect = MessageEffect(disposition: .ignored, notes: notes)
        for result in results {
            do {
                let outcome = try ReportService().apply(result.update, in: unit)
                if outcome.result == .created || outcome.result == .updated { effect.disposition = .applied }
                effect.notes += outcome.notes
            } catch let refusal as ReportService.Refusal {
                throw MessageRefusal(refusal, group: result.location)
            }
        }
        return effect
    }

    private mutating func report(
        _ group: OrderGroup, obr: Segment, message: Message, patient: PatientUpdate, types: DataTypes
    ) throws -> ReportUpdate {
        let numbers = OrderNumbers(group, in: message, types: types)
        notes += numbers.notes
        var findings = ResultFindings(types: types)
        for (index, segment) in group.segments.enumerated() {
            if segment.id == "OBX" { try findings.add(segment) }
            if segment.id == "NTE" { findings.add(note: segment, isFirst: index == 0) }
        }
        notes += findings.notes
        var update = ReportUpdate(
            patient: patient, status: try status(obr, findings: findings), code: types.cwe(obr[4][1]) ?? CodedConcept())
        update.placer = numbers.placer
        update.filler = numbers.filler
        update.accession = numbers.accession
        update.studyInstanceUIDs = OrderNumbers.studyInstanceUIDs(group, in: message, types: types)
        update.category = obr[24].text.map { code in
            CodedConcept(codings: [
                CodedConcept.Coding(system: "http://terminology.hl7.org/CodeSystem/v2-0074", code: code)
            ])
        }
        update.effective = types.dateTime(obr[7].timestamp)
        update.issued = types.instant(obr[22].timestamp) ?? types.instant(message.segments.first?[7].timestamp)
        update.eventTime = update.issued
        update.interpreters = obr[32].repetitions.compactMap { types.ndl($0) }
        if update.interpreters.isEmpty { update.interpreters = findings.observers }
        update.conclusion = findings.conclusion
        update.presentedForms = findings.presentedForms(title: update.code.displayText)
        update.observations = findings.observations
        return update
    }

    /// OBR-25; where that is empty or has no meaning here, what the OBX-11 agree on.
    private mutating func status(_ obr: Segment, findings: ResultFindings) throws -> Report.Status {
        if findings.areAllWithdrawn { return .enteredInError }
        guard let code = obr[25].text else { return findings.statusOfAll }
        if let status = CodeSystems.reportStatus(code) { return status }
        guard ["M", "N", "Y", "Z"].contains(code) else {
            throw MessageRefusal(
                .tableValueNotFound, at: obr.location(field: 25), "The result status is not in table 0123")
        }
        notes.append("result status \(code) has no meaning for a report: taken from OBX-11")
        return findings.statusOfAll
    }
}
