import FHIRModel
import Workflow

/// ImagingStudy of a study that lies in an archive alone: what the archive told of it, and of its series when somebody had
/// it asked for them; none of its instances, which are listed once they are here.
///
/// R4 has no element for where images lie, as STU3 had (DICOM's Instance Availability, PS3.3 §C.4.23): the extension by
/// which R4 carries an element of STU3 says it. `NEARLINE`: WADO-RS at the endpoint has the study fetched first. `ONLINE`:
/// it was fetched and is held here.
/// `UNAVAILABLE`, with the status `unknown`: the archive does not have it any more. FHIR R4 versions.html#extensions.
extension ImagingStudyProjection {
    static let availabilityURL = "http://hl7.org/fhir/3.0/StructureDefinition/extension-ImagingStudy.availability"

    static func availability(_ code: String) -> JSONValue {
        Datatypes.object([("url", .string(availabilityURL)), ("valueCode", .string(code))])
    }

    static func project(
        _ study: RemoteStudy, patientID: EntityID, order: ImagingOrder?, endpoint: EntityID,
        offset: (String, String) -> String?
    ) -> JSONValue {
        let attributes = study.attributes
        let orders = [order].compactMap(\.self)
        return Datatypes.object([
            ("resourceType", .string(type)),
            ("id", .string(study.id.value)),
            ("extension", .array([availability(study.isMissing ? "UNAVAILABLE" : "NEARLINE")])),
            ("identifier", .array(identifiers(study.studyInstanceUID, attributes, orders))),
            ("status", study.isMissing ? "unknown" : "available"),
            ("modality", Datatypes.array(study.modalities.map(modality))),
            ("subject", Datatypes.reference("Patient", patientID)),
            ("encounter", order?.visitID.map { Datatypes.reference("Encounter", $0) }),
            ("started", started(attributes.studyDate, attributes.studyTime, attributes.timezoneOffset, offset)),
            ("basedOn", Datatypes.array(orders.map { Datatypes.reference("ServiceRequest", $0.id) })),
            ("referrer", referrer(attributes)),
            ("endpoint", study.isMissing ? nil : .array([Datatypes.reference("Endpoint", endpoint)])),
            ("numberOfSeries", study.numberOfSeries > 0 ? JSONValue(study.numberOfSeries) : nil),
            ("numberOfInstances", study.numberOfInstances > 0 ? JSONValue(study.numberOfInstances) : nil),
            ("description", Datatypes.string(attributes.studyDescription)),
            (
                "series",
                Datatypes.array(
                    (study.series ?? []).map {
                        projectSeries(
                            $0.seriesInstanceUID, $0.attributes,
                            count: $0.numberOfInstances > 0 ? $0.numberOfInstances : nil,
                            zone: attributes.timezoneOffset, offset: offset)
                    })
            ),
        ])
    }
}
