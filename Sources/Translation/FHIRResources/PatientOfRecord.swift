import FHIRModel
import FHIRSearch

/// The patient whom a resource is of, for the audit trail.
package enum PatientOfRecord {
    /// Elements that name the patient, in the types of the Patient compartment.
    private static let elements = ["subject", "patient", "beneficiary", "for"]
    private static let types = Set((FHIRDefinitions.r4.compartment("Patient")?.parameters ?? [:]).keys)

    /// The logical id of the Patient whom a version is of; nil for nobody who is named.
    package static func id(_ resource: StoredResource) -> String? {
        if let own = FedTypes.patientID(resource.type, resource.id) { return own }
        guard types.contains(resource.type), !resource.isDeleted,
            let document = try? JSONDocument(parsing: resource.bytes, limits: .stored)
        else { return nil }
        return id(resource.type, resource.id, document)
    }

    package static func id(_ type: String, _ id: String, _ document: JSONDocument) -> String? {
        if let own = FedTypes.patientID(type, id) { return own }
        guard types.contains(type) else { return nil }
        for element in elements {
            guard let text = document[element]?["reference"]?.string,
                case .relative("Patient", let id, _) = Reference(text)
            else { continue }
            return id
        }
        return nil
    }

    /// The one Patient whom a search asks about, by `patient`, `subject` or the Patient's `_id`; nil for several and for
    /// everybody.
    package static func id(_ query: SearchQuery) -> String? {
        for filter in query.filters {
            guard case .parameter(let condition) = filter, case .matches(let values) = condition.test,
                values.count == 1
            else { continue }
            switch (condition.parameter.code, values[0]) {
            case ("patient", .reference(_, let id)): return id
            case ("subject", .reference(["Patient"], let id)): return id
            case ("_id", .token(_, let id?)):
                if let own = FedTypes.patientID(query.resourceType, id) { return own }
            default: continue
            }
        }
        return nil
    }
}
