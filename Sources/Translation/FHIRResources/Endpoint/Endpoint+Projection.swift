import FHIRModel
import Workflow

/// The Endpoint that every ImagingStudy points to: this server's own DICOMweb base. FHIR R4 endpoint.html.
enum EndpointProjection {
    static let type = "Endpoint"
    static let owned = ["status", "connectionType", "name", "payloadType", "payloadMimeType", "address"]
    static let id = EntityID("hilum-dicomweb")

    static func project(address: String) -> JSONValue {
        Datatypes.object([
            ("resourceType", .string(type)),
            ("id", .string(id.value)),
            ("status", "active"),
            (
                "connectionType",
                Datatypes.object([
                    ("system", "http://terminology.hl7.org/CodeSystem/endpoint-connection-type"),
                    ("code", "dicom-wado-rs"),
                ])
            ),
            ("name", "Hilum DICOMweb"),
            ("payloadType", .array([Datatypes.object([("text", "DICOM")])])),
            ("payloadMimeType", ["application/dicom", "application/dicom+json"]),
            ("address", .string(address)),
        ])
    }
}
