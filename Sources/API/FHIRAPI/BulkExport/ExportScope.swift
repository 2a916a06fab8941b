import FHIRModel
import FHIRSearch
import Workflow

/// Which resources of which types an export's level and filters let in. Bulk Data 2.0 §Bulk Data Kick-off Request; the
/// Patient compartment decides what is a patient's (FHIR R4 compartmentdefinition-patient.html).
///
/// Beside the compartment an export of patients has what its resources refer to of ``outside`` types: who ordered, read and
/// performed, with what and where, and where the images are.
struct ExportScope {
    /// In an order in which each is behind those that refer to it.
    static let outside = [
        "PractitionerRole", "HealthcareService", "Practitioner", "Device", "Location", "Endpoint", "Organization",
    ]

    private let selection: ExportJob.Selection
    private let parser: SearchQueryParser

    init(_ selection: ExportJob.Selection, _ parser: SearchQueryParser) {
        self.selection = selection
        self.parser = parser
    }

    /// Whether what is exported of the type is what others refer to.
    func isOutside(_ type: String) -> Bool { selection.level != .system && Self.outside.contains(type) }

    /// The types with those last that others refer to.
    func inOrder(_ types: [String]) -> [String] {
        if selection.level == .system { return types }
        return types.filter { !isOutside($0) } + Self.outside.filter(types.contains)
    }

    /// Whether an export of this level can hold resources of the type.
    func mayHold(_ type: String) -> Bool {
        // Whoever the patients are: they may be very many.
        selection.level == .system || isOutside(type) || compartment(type, of: []) != nil
    }

    /// What a resource of the type has to meet; nil for nothing.
    ///
    /// - Parameter ids: of the resources that others refer to, where the type is of those.
    func filter(_ type: String, among ids: [String] = []) throws -> SearchFilter? {
        var filters: [SearchFilter] = []
        if isOutside(type) {
            filters.append(parser.idFilter(ids, type: type))
        } else if selection.level != .system {
            filters.append(compartment(type, of: selection.patients) ?? .anyOf([]))
        }
        let asked = try selection.filters.filter { $0.type == type }.map {
            try ExportRequest.search($0, parser) ?? .anyOf([])
        }
        if !asked.isEmpty { filters.append(.anyOf(asked)) }
        return filters.isEmpty ? nil : .allOf(filters)
    }

    /// Nil for a type of which no resource is a patient's.
    private func compartment(_ type: String, of patients: [String]?) -> SearchFilter? {
        // A group tells of all its members, so it goes with all of them only.
        if type == "Group" {
            switch selection.level {
            case .group(let id): return selection.namesPatients ? nil : parser.idFilter([id], type: type)
            case .patient where selection.namesPatients: return nil
            default: break
            }
        }
        return parser.compartmentFilter("Patient", ids: patients, type: type)
    }
}
