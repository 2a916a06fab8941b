import FHIRModel
import Workflow

extension EndpointProjection: FedType {
    static var subject: String? { nil }
    static var held: String { "this Endpoint is the server's own" }

    /// The server states it at its start, and nobody else may point viewers elsewhere.
    static func event(of id: EntityID, _ current: StoredResource?, in unit: any ResourceUnitOfWork) throws
        -> DomainEvent?
    { nil }

    static func take(_ document: JSONDocument, id: EntityID, in unit: any ResourceUnitOfWork) throws {
        if id == self.id { throw InteractionError(.conflict, held) }
    }

    static func remove(_ id: EntityID, _ current: StoredResource, in unit: any ResourceUnitOfWork) throws {
        if id == self.id { throw InteractionError(.conflict, held) }
    }
}
