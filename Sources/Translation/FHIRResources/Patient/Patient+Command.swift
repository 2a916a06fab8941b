import FHIRModel
import Workflow

/// A Patient resource read into the domain.
enum PatientCommand {
    /// The domain's view of the resource; links and the merge state are the domain's own and come from `stored`.
    static func patient(_ resource: JSONValue, id: EntityID, stored: Patient?) -> Patient {
        var patient = stored ?? Patient(id: id, identifiers: [])
        patient.identifiers = (resource["identifier"]?.array ?? []).compactMap(Datatypes.identifier(from:))
        // Numbers that the domain keeps as not identifying do not become identifying by being written back.
        let further = stored?.attributes?.identifiers(Patient.Attribute.furtherIdentifiers) ?? []
        patient.identifiers.removeAll { identifier in further.contains { $0.matches(identifier) } }
        patient.isActive = resource["active"]?.bool ?? true
        // A name that came as an alias stays one.
        let names = (resource["name"]?.array ?? []).map(Datatypes.name(from:))
        patient.aliases = patient.aliases.filter(names.contains)
        patient.names = names.filter { !patient.aliases.contains($0) }
        patient.telecoms = (resource["telecom"]?.array ?? []).compactMap(Datatypes.telecom(from:))
        patient.sex = resource["gender"]?.string.flatMap(Patient.Sex.init(rawValue:))
        patient.birthDate = Datatypes.dateTime(from: resource["birthDate"])
        patient.deceasedAt = Datatypes.dateTime(from: resource["deceasedDateTime"])
        patient.isDeceased = resource["deceasedBoolean"]?.bool ?? (patient.deceasedAt == nil ? nil : true)
        patient.addresses = (resource["address"]?.array ?? []).map(Datatypes.address(from:))
        patient.maritalStatus = Datatypes.concept(from: resource["maritalStatus"])
        patient.language = Datatypes.concept(from: resource["communication"]?[0]?["language"])
        return patient
    }
}
