import FHIRModel
import Workflow

extension SubscriptionProjection: FedType {
    static var owned: [String] { ["status", "error"] }
    static var subject: String? { nil }

    /// Nothing of the workflow changes it.
    static func event(of id: EntityID, _ current: StoredResource?, in unit: any ResourceUnitOfWork) throws
        -> DomainEvent?
    { nil }

    static func stated(
        _ document: JSONDocument, id: EntityID, in unit: any ResourceUnitOfWork
    ) throws -> JSONDocument { try register(document, id: id, in: unit) }

    static func remove(_ id: EntityID, _ current: StoredResource, in unit: any ResourceUnitOfWork) throws {
        try withdraw(id, in: unit)
    }
}
