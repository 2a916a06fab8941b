import Basics
import FHIRModel
import Workflow

/// DiagnosticReport as the domain sees a report. FHIR R4 diagnosticreport.html; v2-to-FHIR OBR of ORU.
enum DiagnosticReportProjection {
    static let type = "DiagnosticReport"
    static let owned = [
        "identifier", "basedOn", "status", "category", "code", "subject", "encounter", "effectiveDateTime", "issued",
        "performer", "resultsInterpreter", "result", "imagingStudy", "conclusion", "presentedForm",
    ]
    static let radiology = CodedConcept(
        codings: [.init(system: "http://terminology.hl7.org/CodeSystem/v2-0074", code: "RAD", display: "Radiology")])

    /// `studies` are the ids of the ImagingStudy resources that exist.
    static func project(_ report: Report, studies: [EntityID]) -> JSONValue {
        var identifiers: [JSONValue] = []
        for (identifier, kind) in [(report.placer, Identifier.Kind.placer), (report.filler, .filler)] {
            guard var identifier else { continue }
            identifier.kind = kind
            identifiers.append(Datatypes.identifier(identifier))
        }
        return Datatypes.object([
            ("resourceType", .string(type)),
            ("id", .string(report.id.value)),
            ("identifier", Datatypes.array(identifiers)),
            ("basedOn", Datatypes.array(report.orderIDs.map { Datatypes.reference("ServiceRequest", $0) })),
            ("status", .string(status(report.status))),
            ("category", Datatypes.concept(report.category ?? radiology).map { .array([$0]) }),
            ("code", Datatypes.concept(report.code) ?? Datatypes.object([("text", "Imaging report")])),
            ("subject", Datatypes.reference("Patient", report.patientID)),
            ("encounter", report.visitID.map { Datatypes.reference("Encounter", $0) }),
            ("effectiveDateTime", Datatypes.dateTime(report.effective)),
            ("issued", report.issued.map(Datatypes.instant)),
            ("performer", Datatypes.parties(report.attributes?.parties(ClinicalStatement.Name.performers) ?? [])),
            (
                "resultsInterpreter",
                Datatypes.array(
                    report.interpreters.compactMap { Datatypes.party($0, type: "Practitioner") })
            ),
            (
                "result",
                Datatypes.array(report.observations.filter(\.isShown).map { Datatypes.reference("Observation", $0.id) })
            ),
            ("imagingStudy", Datatypes.array(studies.map { Datatypes.reference("ImagingStudy", $0) })),
            ("conclusion", Datatypes.string(report.conclusion)),
            (
                "presentedForm",
                Datatypes.array(
                    report.presentedForms.map { form in
                        Datatypes.object([
                            ("contentType", .string(form.contentType)),
                            ("data", Datatypes.string(Base64.encode(form.data))),
                            ("title", Datatypes.string(form.title)),
                        ])
                    })
            ),
        ])
    }

    static func status(_ status: Report.Status) -> String {
        status == .enteredInError ? "entered-in-error" : status.rawValue
    }
}
