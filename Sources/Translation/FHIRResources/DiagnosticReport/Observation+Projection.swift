import FHIRModel
import Workflow

/// Observation as the domain sees one finding of a report. FHIR R4 observation.html; v2-to-FHIR OBX.
enum ObservationProjection {
    static let type = "Observation"
    static let owned = [
        "basedOn", "status", "category", "code", "subject", "encounter", "effectiveDateTime", "issued", "valueQuantity",
        "valueString", "valueCodeableConcept", "valueDateTime", "valueTime", "valueRange", "valueRatio",
        "dataAbsentReason", "interpretation", "note", "referenceRange",
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
            ("basedOn", report.orderID.map { .array([Datatypes.reference("ServiceRequest", $0)]) }),
            ("status", .string(status(observation.status))),
            ("category", Datatypes.concept(imaging).map { .array([$0]) }),
            ("code", Datatypes.concept(observation.code) ?? Datatypes.object([("text", "Finding")])),
            ("subject", Datatypes.reference("Patient", report.patientID)),
            ("encounter", report.visitID.map { Datatypes.reference("Encounter", $0) }),
            ("effectiveDateTime", Datatypes.dateTime(observation.effective ?? report.effective)),
            ("issued", report.issued.map(Datatypes.instant)),
        ]
        if let value = observation.value { members.append(self.value(value)) }
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

    private static func value(_ value: Workflow.Observation.Value) -> (String, JSONValue?) {
        switch value {
        case .quantity(let number, let comparator, let unit, let system):
            return ("valueQuantity", quantity(number, comparator: comparator, unit: unit, system: system))
        case .text(let text): return ("valueString", Datatypes.string(text))
        case .concept(let concept): return ("valueCodeableConcept", Datatypes.concept(concept))
        case .dateTime(let time): return ("valueDateTime", Datatypes.dateTime(time))
        case .time(let text): return ("valueTime", .string(text))
        case .range(let low, let high, let unit):
            return (
                "valueRange",
                Datatypes.object([
                    ("low", low.map { quantity($0, comparator: nil, unit: unit, system: nil) }),
                    ("high", high.map { quantity($0, comparator: nil, unit: unit, system: nil) }),
                ])
            )
        case .ratio(let numerator, let denominator):
            return (
                "valueRatio",
                Datatypes.object([
                    ("numerator", quantity(numerator, comparator: nil, unit: nil, system: nil)),
                    ("denominator", quantity(denominator, comparator: nil, unit: nil, system: nil)),
                ])
            )
        case .absent(let reason):
            let coding = CodedConcept.Coding(
                system: "http://terminology.hl7.org/CodeSystem/data-absent-reason", code: reason)
            return ("dataAbsentReason", Datatypes.concept(CodedConcept(codings: [coding])))
        }
    }

    private static func quantity(_ number: String, comparator: String?, unit: String?, system: String?) -> JSONValue {
        Datatypes.object([
            ("value", .number(number)), ("comparator", comparator.map { .string($0) }),
            ("unit", Datatypes.string(unit)),
            ("system", system.map { .string($0) }), ("code", system == nil ? nil : Datatypes.string(unit)),
        ])
    }

    static func status(_ status: Workflow.Observation.Status) -> String {
        status == .enteredInError ? "entered-in-error" : status.rawValue
    }
}
