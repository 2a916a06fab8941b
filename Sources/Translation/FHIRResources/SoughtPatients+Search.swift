import Access
import FHIRModel
import FHIRSearch
import Workflow

extension SoughtPatients {
    /// The patients that a search names, by a reference or by an identifier, of a type of which more may be found in other
    /// systems; where it names none, those to whom the caller's rights are limited. Empty for any other search.
    package init(_ query: SearchQuery, access: AccessContext) {
        self.init()
        guard FedTypes.named(query.resourceType)?.isFoundElsewhere == true else { return }
        for filter in query.filters { add(filter) }
        guard isEmpty, case .anyOf(let rules) = access.visibility(.search, of: query.resourceType) else { return }
        for id in rules.compactMap(\.onlyPatient) { add(EntityID(id)) }
    }

    /// Parameters of a fed type by which its patient is named. FHIR R4 imagingstudy.html#search.
    private static let references: Set<String> = ["patient", "subject"]

    private mutating func add(_ filter: SearchFilter) {
        switch filter {
        case .parameter(let condition):
            guard Self.references.contains(condition.parameter.code), case .matches(let values) = condition.test else {
                return
            }
            for value in values { add(value) }
        case .chain(let reference, let targets):
            guard Self.references.contains(reference.code) else { return }
            for target in targets where FedTypes.patientID(target.type, "") != nil {
                addIdentifiers(target.filter)
            }
        case .allOf(let filters), .anyOf(let filters): for filter in filters { add(filter) }
        case .reverseChain: return
        }
    }

    private mutating func add(_ value: SearchValue) {
        switch value {
        case .reference(let types, let id):
            if types.isEmpty || types.contains(PatientProjection.type) { add(EntityID(id)) }
        case .referenceIdentifier(.uri(let system), let code?): add(Identifier(system: system, value: code))
        default: return
        }
    }

    /// Of the identifiers of a chained search.
    private mutating func addIdentifiers(_ filter: SearchFilter) {
        switch filter {
        case .parameter(let condition):
            guard condition.parameter.code == "identifier", case .matches(let values) = condition.test else { return }
            for case .token(.uri(let system), let code?) in values { add(Identifier(system: system, value: code)) }
        case .allOf(let filters), .anyOf(let filters): for filter in filters { addIdentifiers(filter) }
        case .chain, .reverseChain: return
        }
    }

    private mutating func add(_ id: EntityID) { if !ids.contains(id) { ids.append(id) } }
    private mutating func add(_ identifier: Identifier) {
        if !identifiers.contains(identifier) { identifiers.append(identifier) }
    }
}
