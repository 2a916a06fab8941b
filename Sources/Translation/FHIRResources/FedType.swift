import FHIRModel
import Workflow

/// A FHIR type that the domain feeds: all that is special about it, in the folder of its name.
///
/// The domain owns named elements of such a resource; whatever else a client wrote in it stays. A type without a
/// conformer is stored as it is written. House decision 2.
package protocol FedType: SendableMetatype {
    /// As FHIR spells it.
    static var type: String { get }
    /// The root elements that the domain owns.
    static var owned: [String] { get }
    /// The root elements that the domain answers for only while it says something in them.
    static var shared: [String] { get }
    /// The URLs of the root extensions that the domain answers for.
    static var ownedExtensions: [String] { get }
    /// The root element that refers to the Patient in whose compartment a resource is; nil where it is the Patient
    /// itself, or nobody's. FHIR R4 compartmentdefinition-patient.html.
    static var subject: String? { get }
    /// Whether what is not known here may be found in other systems when somebody searches for it.
    static var isFoundElsewhere: Bool { get }
    /// Why what the domain holds can not be deleted by a client.
    static var held: String { get }

    /// What the domain would say of a resource as it is stored, where the type can be read back; see
    /// ``ProjectionMerge``.
    static func understood(_ existing: JSONValue, id: EntityID) -> JSONValue?
    /// What to project again once a client has changed the resource; nil for one that is the client's own.
    /// - Parameter current: the newest version before the change; nil when the id was never used.
    static func event(of id: EntityID, _ current: StoredResource?, in unit: any ResourceUnitOfWork) throws
        -> DomainEvent?
    /// What others are told of a version that a client wrote, where the domain has no object of it; nil for nothing.
    static func told(_ version: ResourceEvent) -> DomainEvent?
    /// What archives are to be asked because of a version, whoever wrote it; nil for nothing.
    static func question(_ version: ResourceEvent, in unit: any ResourceUnitOfWork) throws -> ArchiveQuestion?
    /// The resource as it is to be stored, of what a client states: for a type of which the server itself makes something
    /// before it is. Throws ``InteractionError``.
    static func stated(_ document: JSONDocument, id: EntityID, in unit: any ResourceUnitOfWork) throws -> JSONDocument
    /// Hands a resource as a client states it to the domain. Throws ``InteractionError`` and ``HeldElsewhere``.
    static func take(_ document: JSONDocument, id: EntityID, in unit: any ResourceUnitOfWork) throws
    /// Takes a resource out of the domain, or refuses its deletion by ``InteractionError`` `.conflict`.
    static func remove(_ id: EntityID, _ current: StoredResource, in unit: any ResourceUnitOfWork) throws
}

extension FedType {
    package static var shared: [String] { [] }
    package static var ownedExtensions: [String] { [] }
    package static var subject: String? { "subject" }
    package static var isFoundElsewhere: Bool { false }
    package static var held: String { "this \(type) is part of an order, a report or a registration of the workflow" }
    package static func understood(_ existing: JSONValue, id: EntityID) -> JSONValue? { nil }
    package static func told(_ version: ResourceEvent) -> DomainEvent? { nil }
    package static func question(
        _ version: ResourceEvent, in unit: any ResourceUnitOfWork
    ) throws -> ArchiveQuestion? { nil }
    package static func stated(
        _ document: JSONDocument, id: EntityID, in unit: any ResourceUnitOfWork
    ) throws -> JSONDocument { document }
    package static func take(_ document: JSONDocument, id: EntityID, in unit: any ResourceUnitOfWork) throws {}
    package static func remove(_ id: EntityID, _ current: StoredResource, in unit: any ResourceUnitOfWork) throws {
        if try event(of: id, current, in: unit) != nil { throw InteractionError(.conflict, held) }
    }
}

/// The types that the domain feeds.
package enum FedTypes {
    /// What others refer to comes first: the order in which a transaction hands resources to the domain.
    package static let all: [any FedType.Type] = [
        PatientProjection.self, RelatedPersonProjection.self, CoverageProjection.self, EncounterProjection.self,
        AllergyIntoleranceProjection.self, ConditionProjection.self, EndpointProjection.self,
        ServiceRequestProjection.self, TaskProjection.self, ImagingStudyProjection.self, ObservationProjection.self,
        DiagnosticReportProjection.self, SubscriptionProjection.self,
    ]

    private static let byName = Dictionary(
        uniqueKeysWithValues: all.enumerated().map { ($1.type, (type: $1, place: $0)) })

    /// The conformer of a type; nil for one that is stored as it is written.
    package static func named(_ type: String) -> (any FedType.Type)? { byName[type]?.type }

    /// When a resource of a type is handed to the domain, among others of one transaction; the types that the domain
    /// does not feed come last.
    package static func place(_ type: String) -> Int { byName[type]?.place ?? all.count }

    /// The Patient in whose compartment a resource of a fed type is, for the audit trail; nil where none is named.
    package static func patientID(_ type: String, _ id: String, _ document: JSONDocument? = nil) -> String? {
        guard let fed = named(type) else { return nil }
        guard let subject = fed.subject else { return fed == PatientProjection.self ? id : nil }
        guard let node = document?[subject] else { return nil }
        return Datatypes.id(inReference: JSONValue(node), type: PatientProjection.type)?.value
    }
}
