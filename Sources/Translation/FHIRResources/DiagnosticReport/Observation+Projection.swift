import FHIRModel
import Workflow

/// Observation as the domain sees one finding of a report. FHIR R4 observation.html; v2-to-FHIR OBX.
enum ObservationProjection {
    static let type = "Observation"
    static let owned = [
        "basedOn", "status", "category", "code", "subject", "encounter", "effectiveDateTime", "issued", "valueQuantity",
        "valueString", "valueCodeableConcept", "valueDateTime", "valueTime", "valueRange", "valueRatio",
        "dataAbsentReason", "interpretation", "note", "bodySite", "method", "device", "performer", "referenceRange",
        "component", "identifier",
    ]
    static let imaging = CodedConcept(
        codings: [
            .init(
                system: "http://terminology.hl7.org/CodeSystem/observation-category", code: "imaging",
                display: "Imaging")
        ])

    static func project(_ observation: Workflow.Observation, of report: Report) -> JSONValue {
        var members: [(String, JSONValue?)] = [
            ("resourceType", .string(type)),
            ("id", .string(observation.id.value)),
            ("basedOn", Datatypes.array(report.orderIDs.map { Datatypes.reference("ServiceRequest", $0) })),
            ("status", .string(status(observation.status))),
            ("category", Datatypes.concept(imaging).map { .array([$0]) }),
            ("code", Datatypes.concept(observation.code) ?? Datatypes.object([("text", "Finding")])),
            ("subject", Datatypes.reference("Patient", report.patientID)),
            ("encounter", report.visitID.map { Datatypes.reference("Encounter", $0) }),
            ("effectiveDateTime", Datatypes.dateTime(observation.effective ?? report.effective)),
            ("issued", report.issued.map(Datatypes.instant)),
        ]
        if let value = observation.value { members.append(self.value(value)) }
        members += attributes(observation.attributes ?? [:], code: observation.code)
        members += [
            ("interpretation", Datatypes.array(observation.interpretation.compactMap(Datatypes.concept))),
            (
                "note",
                Datatypes.array(
                    observation.notes.compactMap { Datatypes.string($0) }.map { Datatypes.object([("text", $0)]) })
            ),
            (
                "referenceRange",
                Datatypes.string(observation.referenceRange).map { .array([Datatypes.object([("text", $0)])]) }
            ),
        ]
        return Datatypes.object(members)
    }

    /// What a finding says beyond its value. A value that repeats is a component each, under the code of the finding.
    static func attributes(_ attributes: Attributes, code: CodedConcept) -> [(String, JSONValue?)] {
        typealias Name = ClinicalStatement.Name
        let device = attributes.identifiers(Name.device).first.map {
            Datatypes.object([("identifier", Datatypes.identifier($0))])
        }
        let components = attributes.values(Name.furtherValues).map { further in
            Datatypes.object([("code", Datatypes.concept(code)), value(further)])
        }
        let subID = attributes.text(Name.subID).map { text in
            Datatypes.object([("system", .string(subIDSystem)), ("value", Datatypes.string(text))])
        }
        return [
            ("identifier", subID.map { .array([$0]) }),
            ("performer", Datatypes.parties(attributes.parties(Name.performers))),
            ("bodySite", attributes.concepts(Name.bodySite).first.flatMap(Datatypes.concept)),
            ("method", attributes.concepts(Name.method).first.flatMap(Datatypes.concept)),
            ("device", device),
            ("component", Datatypes.array(components)),
        ]
    }
    /// The sub-id that tells apart the findings of one code in a report (OBX-4).
    static let subIDSystem = "urn:hilum:observation-sub-id"

    static func value(_ value: Workflow.Observation.Value) -> (String, JSONValue?) {
        switch value {
        case .quantity(let number, let comparator, let unit, let system):
            // What is sent as a number and is none stays readable as text.
            guard let value = quantity(number, comparator: comparator, unit: unit, system: system) else {
                let parts = [(comparator ?? "") + number, unit ?? ""].filter { !$0.isEmpty }
                return ("valueString", Datatypes.string(parts.joined(separator: " ")))
            }
            return ("valueQuantity", value)
        case .text(let text): return ("valueString", Datatypes.string(text))
        case .concept(let concept): return ("valueCodeableConcept", Datatypes.concept(concept))
        case .dateTime(let time): return ("valueDateTime", Datatypes.dateTime(time))
        case .time(let text): return ("valueTime", .string(text))
        case .range(let low, let high, let unit, let system):
            let ends = [
                ("low", low.flatMap { quantity($0, comparator: nil, unit: unit, system: system) }),
                ("high", high.flatMap { quantity($0, comparator: nil, unit: unit, system: system) }),
            ]
            return ("valueRange", ends.contains { $0.1 != nil } ? Datatypes.object(ends) : nil)
        case .ratio(let numerator, let denominator, let unit, let system):
            guard let above = quantity(numerator, comparator: nil, unit: unit, system: system),
                let below = quantity(denominator, comparator: nil, unit: nil, system: nil)
            else { return ("valueString", Datatypes.string("\(numerator):\(denominator)")) }
            return ("valueRatio", Datatypes.object([("numerator", above), ("denominator", below)]))
        case .absent(let reason):
            let coding = CodedConcept.Coding(
                system: "http://terminology.hl7.org/CodeSystem/data-absent-reason", code: reason)
            return ("dataAbsentReason", Datatypes.concept(CodedConcept(codings: [coding])))
        }
    }

    /// Nil when the text is no number.
    private static func quantity(_ number: String, comparator: String?, unit: String?, system: String?) -> JSONValue? {
        guard let value = Datatypes.number(number) else { return nil }
        return Datatypes.object([
            ("value", value), ("comparator", comparator.map { .string($0) }),
            ("unit", Datatypes.string(unit)),
            ("system", system.map { .string($0) }), ("code", system == nil ? nil : Datatypes.string(unit)),
        ])
    }

    static func status(_ status: Workflow.Observation.Status) -> String {
        status == .enteredInError ? "entered-in-error" : status.rawValue
    }
}
