import FHIRModel
import FHIRSearch
import Workflow

/// Which resources of which types an export's level and filters let in. Bulk Data 2.0 §Bulk Data Kick-off Request; the
/// Patient compartment decides what is a patient's (FHIR R4 compartmentdefinition-patient.html).
///
/// Beside the compartment an export of patients has what its resources refer to of ``outside`` types: who ordered, read and
/// performed, with what and where, and where the images are; and of those types what they are part of.
package struct ExportScope: Sendable {
    /// In an order in which each is behind those that refer to it.
    package static let outside = [
        "PractitionerRole", "HealthcareService", "Practitioner", "Device", "Location", "Endpoint", "Organization",
    ]

    /// The types by whose resources an export may be organised. Bulk Data 3.0 §organizeOutputBy.
    package static let organizers: Set<String> = ["Patient"]

    private let selection: ExportJob.Selection
    private let parser: SearchQueryParser
    var baseURL: String { parser.baseURL }

    package init(_ selection: ExportJob.Selection, _ parser: SearchQueryParser) {
        self.selection = selection
        self.parser = parser
    }

    /// Whether what is exported of the type is what others refer to.
    package func isOutside(_ type: String) -> Bool { selection.level != .system && Self.outside.contains(type) }

    /// Whether each resource of the type is written with its patient where an export is organised by patients: a Group is of
    /// very many, and would be written with each of them.
    func isWrittenByPatient(_ type: String) -> Bool { !isOutside(type) && !isAssociated(type) && type != "Group" }

    /// Whether what is exported of the type is what tells of the rest. Of patients it is always so: what tells of a
    /// patient's resource names the patient seldom. Bulk Data 2.0 §includeAssociatedData.
    func isAssociated(_ type: String) -> Bool {
        type == "Provenance" && (selection.level != .system || !(selection.associated ?? []).isEmpty)
    }

    /// Whether nobody's data is kept apart from that of others: the export is of all, or of every patient.
    var isOfEverybody: Bool { selection.level == .system || selection.patients == nil }

    /// The types with those last that others refer to.
    package func inOrder(_ types: [String]) -> [String] {
        if selection.level == .system { return types }
        return types.filter { !isOutside($0) } + Self.outside.filter(types.contains)
    }

    /// Whether an export of this level can hold resources of the type.
    package func mayHold(_ type: String) -> Bool {
        // Whoever the patients are: they may be very many.
        selection.level == .system || isOutside(type) || compartment(type, of: []) != nil
    }

    /// What a resource of the type has to meet; nil for nothing.
    ///
    /// - Parameter ids: of the resources that others refer to, where the type is of those.
    package func filter(_ type: String, among ids: [String] = []) throws -> SearchFilter? {
        var filters: [SearchFilter] = []
        if isOutside(type) {
            filters.append(parser.idFilter(ids, type: type))
        } else if selection.level != .system {
            filters.append(compartment(type, of: selection.patients) ?? .anyOf([]))
        }
        if let asked = try asked(type) { filters.append(asked) }
        return filters.isEmpty ? nil : .allOf(filters)
    }

    /// What the client asks of the type beside; nil for nothing.
    func asked(_ type: String) throws -> SearchFilter? {
        let asked = try selection.filters.filter { $0.type == type }.map {
            try Self.search($0, parser) ?? .anyOf([])
        }
        return asked.isEmpty ? nil : .anyOf(asked)
    }

    /// Which of these are of the patients whose data it is, whatever else is asked; nil where the type is nobody's, and
    /// where the export is of all.
    func ofPatients(_ type: String, among ids: [String]) -> SearchFilter? {
        guard selection.level != .system, let own = compartment(type, of: selection.patients) else { return nil }
        return .allOf([own, parser.idFilter(ids, type: type)])
    }

    /// Which of these are of any patient at all; nil where the type is nobody's.
    func ofAnybody(_ type: String, among ids: [String]) -> SearchFilter? {
        parser.compartmentFilter("Patient", ids: nil, type: type).map {
            .allOf([$0, parser.idFilter(ids, type: type)])
        }
    }

    /// What ``filter(_:among:)`` lets in, of these alone.
    func filter(_ type: String, narrowedTo ids: [String]) throws -> SearchFilter? {
        .allOf([try filter(type), parser.idFilter(ids, type: type)].compactMap { $0 })
    }

    /// The same of one patient's alone; nil for a type of which none is a patient's.
    func filter(_ type: String, ofPatient id: String) throws -> SearchFilter? {
        guard let own = compartment(type, of: [id]) else { return nil }
        return .allOf([try filter(type), own].compactMap { $0 })
    }

    /// Whose data it is, whatever else is asked of Patient resources.
    func patients() throws -> SearchFilter? { compartment("Patient", of: selection.patients) }

    /// Whether an export tells of Binaries as DocumentReferences: one of patients, unless it is asked what these have to meet.
    var tellsOfBinaries: Bool {
        selection.level != .system && !selection.filters.contains { $0.type == "DocumentReference" }
    }

    /// The DocumentReferences of the patients whose data it is that lead to one of these addresses.
    func documents(at addresses: [String]) throws -> SearchFilter {
        let type = "DocumentReference"
        let leading = try parser.parse(type, [.init(name: "location", value: addresses.joined(separator: ","))])
        return .allOf(leading.filters + [compartment(type, of: selection.patients)].compactMap(\.self))
    }

    /// The Provenance of these resources.
    func provenance(of targets: [String]) throws -> SearchFilter {
        .allOf(
            try parser.parse("Provenance", [.init(name: "target", value: targets.joined(separator: ","))]).filters)
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

    /// The conditions of a filter; nil for one that is about more than resources of its type. Throws ``SearchQueryError``.
    package static func search(_ filter: ExportJob.TypeFilter, _ parser: SearchQueryParser) throws -> SearchFilter? {
        let query = try parser.parse(
            filter.type, filter.parameters.map { SearchQuery.Parameter(name: $0.name, value: $0.value) })
        var bare = SearchQuery(filter.type)
        bare.filters = query.filters
        bare.parameters = query.parameters
        guard query == bare, query.filters.allSatisfy({ isOfOneResource($0) }) else { return nil }
        return .allOf(query.filters)
    }

    private static func isOfOneResource(_ filter: SearchFilter) -> Bool {
        switch filter {
        case .parameter: true
        case .anyOf(let filters), .allOf(let filters): filters.allSatisfy { isOfOneResource($0) }
        case .chain, .reverseChain: false
        }
    }
}
