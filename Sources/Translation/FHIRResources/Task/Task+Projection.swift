import FHIRModel
import Workflow

/// Task as the domain sees a scheduled procedure step. FHIR R4 task.html; PS3.4 §K.6.1.
enum TaskProjection {
    static let type = "Task"
    static let owned = [
        "identifier", "basedOn", "status", "businessStatus", "intent", "code", "description", "focus", "for",
        "encounter",
        "executionPeriod", "owner", "restriction", "input",
    ]
    static let stepIDSystem = "urn:hilum:scheduled-procedure-step-id"

    static func project(_ step: ScheduledProcedureStep, of order: ImagingOrder) -> JSONValue {
        let request = Datatypes.reference("ServiceRequest", order.id)
        let start = Datatypes.dateTime(step.scheduledStart)
        let station = PartyReference(displayName: step.stationName ?? step.stationAETitle)
        var owner = Datatypes.party(station, type: "Device")
        if let title = step.stationAETitle {
            owner?["identifier"] = Datatypes.object([("system", "urn:hilum:ae-title"), ("value", .string(title))])
        }
        var inputs: [JSONValue] = []
        if let modality = step.modality {
            inputs.append(
                Datatypes.object([
                    ("type", Datatypes.object([("text", "modality")])),
                    (
                        "valueCodeableConcept",
                        Datatypes.concept(
                            CodedConcept(codings: [.init(system: Datatypes.dicomSystem, code: modality)]))
                    ),
                ]))
        }
        let code = step.protocolCode.map { CodedConcept(codings: [$0]) } ?? order.code
        return Datatypes.object([
            ("resourceType", .string(type)),
            ("id", .string(step.id.value)),
            (
                "identifier",
                .array([
                    Datatypes.object([("system", .string(stepIDSystem)), ("value", .string(step.stepID))])
                ])
            ),
            ("basedOn", .array([request])),
            ("status", .string(status(step.status))),
            ("businessStatus", Datatypes.object([("text", .string(step.status.rawValue))])),
            ("intent", "filler-order"),
            ("code", Datatypes.concept(code)),
            ("description", Datatypes.string(step.description)),
            ("focus", request),
            ("for", Datatypes.reference("Patient", order.patientID)),
            ("encounter", order.visitID.map { Datatypes.reference("Encounter", $0) }),
            ("owner", owner),
            ("restriction", start.map { Datatypes.object([("period", Datatypes.object([("start", $0)]))]) }),
            ("input", Datatypes.array(inputs)),
        ])
    }

    static func status(_ status: ScheduledProcedureStep.Status) -> String {
        switch status {
        case .scheduled: "ready"
        case .inProgress: "in-progress"
        case .completed: "completed"
        case .canceled: "cancelled"
        case .discontinued: "failed"
        case .held: "on-hold"
        }
    }
}
