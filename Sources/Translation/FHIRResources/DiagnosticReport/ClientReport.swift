import Basics
import FHIRModel
import Workflow

/// A DiagnosticReport that a client wrote, as a report, for those who are told of reports. The workflow keeps none of it:
/// the resource is the truth, and is read anew each time. FHIR R4 diagnosticreport.html.
package enum ClientReport {
    /// Findings of `result` that are read at most; a report with more is told without the rest.
    private static let findingsMax = 1_000

    /// A report of the workflow, else one that a client wrote. Nil for none, and for one that is not of imaging.
    package static func find(_ id: EntityID, in unit: any UnitOfWork) throws -> Report? {
        if let report = try unit.report(id) { return report }
        guard let unit = unit as? any ResourceUnitOfWork else { return nil }
        return try report(id, in: unit)
    }

    /// The reports that the resources of a unit may have changed: of those of the workflow, its own events tell.
    package static func events(of changes: UnitChanges) -> [DomainEvent] {
        changes.resources.compactMap { FedTypes.named($0.resource.type)?.told($0) }
    }

    private static func report(_ id: EntityID, in unit: any ResourceUnitOfWork) throws -> Report? {
        guard let resource = try current(DiagnosticReportProjection.type, id, in: unit),
            let subject = Datatypes.id(inReference: resource["subject"], type: PatientProjection.type),
            let named = try unit.patient(subject), let status = status(resource["status"]?.string)
        else { return nil }
        // Of a merged record the survivor's numbers count, as in all that the workflow tells.
        let patientID = try PatientService().survivor(of: named, in: unit).id
        // What is another patient's is not of this report, whatever it refers to.
        let orderIDs = try ids(resource["basedOn"], ServiceRequestProjection.type).filter {
            try unit.order($0)?.patientID == patientID
        }
        let studies = try ids(resource["imagingStudy"], ImagingStudyProjection.type).compactMap {
            try unit.study(id: $0)
        }.filter { $0.reconciliation.patientID == patientID }
        guard isImaging(resource) || !orderIDs.isEmpty || !studies.isEmpty else { return nil }
        var report = Report(
            id: id, patientID: patientID, orderID: orderIDs.first,
            studyInstanceUIDs: studies.map(\.studyInstanceUID), status: status,
            code: Datatypes.concept(from: resource["code"]) ?? CodedConcept())
        report.otherOrderIDs = Array(orderIDs.dropFirst())
        report.visitID = try Datatypes.id(inReference: resource["encounter"], type: EncounterProjection.type)
            .flatMap { try unit.visit($0)?.patientID == patientID ? $0 : nil }
        let numbers = (resource["identifier"]?.array ?? []).compactMap(Datatypes.identifier(from:))
        report.placer = numbers.first { $0.kind == .placer }
        report.filler = numbers.first { $0.kind == .filler }
        report.category = resource["category"]?[0].flatMap { Datatypes.concept(from: $0) }
        report.effective = Datatypes.dateTime(
            from: resource["effectiveDateTime"] ?? resource["effectivePeriod"]?["start"])
        report.issued = resource["issued"]?.string.flatMap { FHIRDateTime($0)?.range().lower }
            .map { UTCInstant(microseconds: $0) }
        report.interpreters = parties(resource["resultsInterpreter"])
        let performers = parties(resource["performer"])
        if !performers.isEmpty { report.attributes = [ClinicalStatement.Name.performers: .parties(performers)] }
        report.conclusion = resource["conclusion"]?.string
        report.presentedForms = (resource["presentedForm"]?.array ?? []).compactMap(form)
        report.observations = try ids(resource["result"], ObservationProjection.type).prefix(findingsMax).compactMap {
            try finding($0, of: [subject, patientID], in: unit)
        }
        return report
    }

    private static func current(
        _ type: String, _ id: EntityID, in unit: any ResourceUnitOfWork
    ) throws -> JSONValue? {
        guard let stored = try unit.currentResource(type, id.value), !stored.isDeleted else { return nil }
        return JSONValue(try JSONDocument(parsing: stored.bytes, limits: .stored))
    }

    private static func ids(_ references: JSONValue?, _ type: String) -> [EntityID] {
        (references?.array ?? []).compactMap { Datatypes.id(inReference: $0, type: type) }
    }

    private static func parties(_ references: JSONValue?) -> [PartyReference] {
        (references?.array ?? []).compactMap { Datatypes.party(from: $0) }
    }

    /// Whether its category is of imaging: a diagnostic service section for it (table 0074), or LOINC's class of it.
    private static func isImaging(_ resource: JSONValue) -> Bool {
        (resource["category"]?.array ?? []).flatMap { $0["coding"]?.array ?? [] }.contains { coding in
            switch (coding["system"]?.string, coding["code"]?.string) {
            case (CodeSystem.table("0074")?, let code?): imagingSections.contains(code)
            case ("http://loinc.org"?, "LP29684-5"?), ("http://snomed.info/sct"?, "363679005"?): true
            default: false
            }
        }
    }
    private static let imagingSections: Set<String> = [
        "RAD", "RUS", "NMR", "CT", "CUS", "VUS", "XRC", "NMS", "OUS", "RX", "IMG",
    ]

    /// Nil for `unknown`, of which there is nothing to tell.
    private static func status(_ text: String?) -> Report.Status? {
        text == "entered-in-error" ? .enteredInError : text.flatMap(Report.Status.init(rawValue:))
    }

    /// An attachment with its bytes in it; nil for one that lies elsewhere.
    private static func form(_ value: JSONValue) -> PresentedForm? {
        guard let text = value["data"]?.string,
            let data = Base64.decode(text.utf8, ignoringWhiteSpace: true, isLenient: true)
        else { return nil }
        return PresentedForm(
            contentType: value["contentType"]?.string ?? "application/octet-stream", data: data,
            title: value["title"]?.string)
    }

    // MARK: Findings

    /// One Observation of the report's own patient, by the ids that the patient goes by: another one's is left out.
    private static func finding(
        _ id: EntityID, of patients: Set<EntityID>, in unit: any ResourceUnitOfWork
    ) throws -> Workflow.Observation? {
        guard let resource = try current(ObservationProjection.type, id, in: unit),
            let subject = Datatypes.id(inReference: resource["subject"], type: PatientProjection.type),
            patients.contains(subject)
        else { return nil }
        let text = resource["status"]?.string
        let status = text == "entered-in-error" ? .enteredInError : text.flatMap(Observation.Status.init(rawValue:))
        var finding = Workflow.Observation(
            id: id, key: id.value, code: Datatypes.concept(from: resource["code"]) ?? CodedConcept(),
            status: status ?? .unknown, value: value(resource))
        let range = resource["referenceRange"]?[0]
        finding.referenceRange = range?["text"]?.string ?? bounds(range)
        finding.interpretation = (resource["interpretation"]?.array ?? []).compactMap { Datatypes.concept(from: $0) }
        finding.effective = Datatypes.dateTime(from: resource["effectiveDateTime"])
        finding.notes = (resource["note"]?.array ?? []).compactMap { $0["text"]?.string }
        return finding
    }

    /// The value in one of its types; nil for none, and for those that no OBX holds.
    private static func value(_ resource: JSONValue) -> Workflow.Observation.Value? {
        if let quantity = resource["valueQuantity"], let number = number(quantity) {
            return .quantity(
                value: number, comparator: quantity["comparator"]?.string, unit: unit(quantity),
                unitSystem: quantity["system"]?.string)
        }
        if let text = resource["valueString"]?.string { return .text(text) }
        if let concept = Datatypes.concept(from: resource["valueCodeableConcept"]) { return .concept(concept) }
        if let time = Datatypes.dateTime(from: resource["valueDateTime"]) { return .dateTime(time) }
        if let time = resource["valueTime"]?.string { return .time(time) }
        if let flag = resource["valueBoolean"]?.bool { return .text(flag ? "Y" : "N") }
        if let number = resource["valueInteger"]?.numberText {
            return .quantity(value: number, comparator: nil, unit: nil, unitSystem: nil)
        }
        if let range = resource["valueRange"] {
            let known = range["low"] ?? range["high"]
            return .range(
                low: range["low"].flatMap(number), high: range["high"].flatMap(number), unit: known.flatMap(unit),
                unitSystem: known?["system"]?.string)
        }
        if let above = resource["valueRatio"]?["numerator"], let below = resource["valueRatio"]?["denominator"],
            let numerator = number(above), let denominator = number(below)
        {
            return .ratio(
                numerator: numerator, denominator: denominator, unit: unit(above), unitSystem: above["system"]?.string)
        }
        let reasons = resource["dataAbsentReason"]?["coding"]?.array ?? []
        return reasons.first?["code"]?.string.map { .absent(reason: $0) }
    }

    private static func number(_ quantity: JSONValue) -> String? { quantity["value"]?.numberText }
    private static func unit(_ quantity: JSONValue) -> String? {
        (quantity["system"] == nil ? nil : quantity["code"]?.string) ?? quantity["unit"]?.string
    }

    /// A reference range without words: `low-high`, `>low` or `<high`. HL7 v2.5.1 §7.4.2.7.
    private static func bounds(_ range: JSONValue?) -> String? {
        switch (range?["low"].flatMap(number), range?["high"].flatMap(number)) {
        case (let low?, let high?): "\(low)-\(high)"
        case (let low?, nil): ">\(low)"
        case (nil, let high?): "<\(high)"
        case (nil, nil): nil
        }
    }
}
