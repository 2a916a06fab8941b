import Access
import FHIRModel
import FHIRSearch
import Workflow

/// Every change of a resource that comes through the REST door: one unit of work, one domain call where the type has
/// domain meaning. FHIR R4 http.html#create, #update, #delete.
package struct ResourceWriter: Sendable {
    package struct Result: Sendable {
        package var resource: StoredResource
        /// False when the content was already there (an unchanged update, or a conditional create that found one).
        package var isCreated: Bool
    }

    private let store: any ResourceStore
    private let entropy: any Entropy

    package init(store: any ResourceStore, entropy: any Entropy) {
        self.store = store
        self.entropy = entropy
    }

    /// Creates a resource under a new id. `ifNoneExist` makes it conditional: one match is returned instead, several
    /// are refused. FHIR R4 http.html#ccreate.
    package func create(
        _ type: String, _ document: JSONDocument, ifNoneExist: SearchQuery? = nil, access: AccessContext
    ) async throws -> Result {
        try Self.check(access, .create, type)
        if ifNoneExist != nil { try Self.check(access, .search, type) }
        let id = entropy.newID().value
        let result = try await write(access) { unit in
            if let query = ifNoneExist {
                let found = try unit.resourceIDs(matching: query, access: access, limit: 2)
                if found.count > 1 {
                    throw InteractionError(.preconditionFailed, "If-None-Exist matches more than one resource")
                }
                if let only = found.first, let resource = try unit.currentResource(type, only) {
                    return Result(resource: resource, isCreated: false)
                }
            }
            let stored = try unit.putResource(type, id, document, method: .create)
            try Self.feedDomain(type, id, document, in: unit)
            try Self.auditWrite("create", .create, stored, in: unit)
            return Result(resource: stored, isCreated: true)
        }
        return try await projected(result, access)
    }

    /// Updates, or creates under the id the client chose. Throws ``InteractionError`` `.preconditionFailed`.
    package func update(
        _ type: String, _ id: String, _ document: JSONDocument, _ precondition: WritePrecondition = .none,
        access: AccessContext
    ) async throws -> Result {
        try Self.check(access, .update, type)
        let mayCreate = access.allows(.create, on: type)
        let result = try await write(access) { unit in
            let current = try unit.currentResource(type, id)
            let exists = current.map { !$0.isDeleted } ?? false
            try precondition.check(current)
            if !exists && !mayCreate { throw InteractionError(.forbidden, "no scope to create \(type)") }
            let owner = try current.flatMap { try DomainOwner.event(of: $0, in: unit) }
            let stored = try unit.putResource(type, id, document, method: .update)
            if let owner { unit.emit(owner) }
            try Self.feedDomain(type, id, document, in: unit)
            try Self.auditWrite("update", exists ? .update : .create, stored, in: unit)
            return Result(resource: stored, isCreated: !exists)
        }
        return try await projected(result, access)
    }

    /// A unit of work whose conflicts name the other resource only where the caller may read it.
    private func write(
        _ access: AccessContext, _ body: @escaping @Sendable (any ResourceUnitOfWork) throws -> Result
    ) async throws -> Result {
        do {
            return try await store.write(access, body)
        } catch let held as HeldElsewhere {
            let isVisible =
                access.allows(.read, on: held.type)
                ? try await store.read(held.type, held.id, access: access) != nil : false
            throw InteractionError(
                .conflict, held.what + " is in use" + (isVisible ? " by \(held.type)/\(held.id)" : ""))
        }
    }

    /// The result with the version as it was committed: the projection runs after the body of a unit and may have put
    /// the domain's elements over what the client sent.
    private func projected(_ result: Result, _ access: AccessContext) async throws -> Result {
        guard Self.fedTypes.contains(result.resource.type) else { return result }
        let resource = result.resource
        let committed = try await store.read(
            resource.type, resource.id, version: resource.version, access: .server(requestID: access.requestID))
        return Result(resource: committed ?? resource, isCreated: result.isCreated)
    }

    /// Deletes. Deleting what is not there is no error; nil then. Throws as ``update(_:_:_:_:access:)``.
    package func delete(
        _ type: String, _ id: String, _ precondition: WritePrecondition = .none, access: AccessContext
    ) async throws -> StoredResource? {
        try Self.check(access, .delete, type)
        return try await store.write(access) { unit in
            let current = try unit.currentResource(type, id)
            try precondition.check(current)
            guard let current, !current.isDeleted else { return nil }
            try Self.removeFromDomain(type, id, in: unit)
            if try DomainOwner.event(of: current, in: unit) != nil {
                throw InteractionError(.conflict, "this \(type) is part of an order or report of the workflow")
            }
            let deleted = try unit.deleteResource(type, id)
            if let deleted { try Self.auditWrite("delete", .delete, deleted, in: unit) }
            return deleted
        }
    }

    // MARK: Domain

    /// The types that `feedDomain` hands on.
    private static let fedTypes: Set<String> = [
        PatientProjection.type, ServiceRequestProjection.type, EncounterProjection.type, ImagingStudyProjection.type,
        DiagnosticReportProjection.type, TaskProjection.type, ObservationProjection.type,
    ]

    /// Hands a written resource to the domain service of its type, if it has one; for the other types that the domain
    /// feeds, asks for the projection again, so that what the domain owns stays the domain's.
    private static func feedDomain(
        _ type: String, _ id: String, _ document: JSONDocument, in unit: any ResourceUnitOfWork
    ) throws {
        let entity = EntityID(id)
        switch type {
        case PatientProjection.type:
            let stored = try unit.patient(entity)
            let patient = PatientCommand.patient(JSONValue(document), id: entity, stored: stored)
            do {
                try PatientService().replace(patient, in: unit)
            } catch PatientService.Refusal.identifierInUse(_, _, let other) {
                throw HeldElsewhere(
                    type: PatientProjection.type, id: other.value, what: "an identifier of this Patient")
            } catch PatientService.Refusal.mergedAway(let survivor) {
                throw InteractionError(
                    .conflict,
                    "this Patient was merged into Patient/\(survivor.value): it can not be made active again")
            }
            if stored != nil { unit.emit(.patientChanged(entity)) }
        case ServiceRequestProjection.type:
            let value = JSONValue(document)
            let stored = try unit.order(entity)
            guard stored != nil || ServiceRequestCommand.isImaging(value) else { return }
            guard let order = ServiceRequestCommand.order(value, id: entity, stored: stored),
                try unit.patient(order.patientID) != nil
            else {
                if stored == nil { return }
                throw InteractionError(.invalid, "the subject of an imaging order must be a Patient of this server")
            }
            do {
                try OrderService().replace(order, in: unit)
            } catch let refusal as OrderService.ReplaceRefusal {
                throw Self.error(refusal)
            }
            unit.emit(.orderChanged(entity))
        case EncounterProjection.type: if try unit.visit(entity) != nil { unit.emit(.visitChanged(entity)) }
        case ImagingStudyProjection.type:
            if let study = try unit.study(id: entity) {
                unit.emit(.studyChanged(studyInstanceUID: study.studyInstanceUID))
            }
        case DiagnosticReportProjection.type: if try unit.report(entity) != nil { unit.emit(.reportChanged(entity)) }
        default: return
        }
    }

    private static func removeFromDomain(_ type: String, _ id: String, in unit: any ResourceUnitOfWork) throws {
        let entity = EntityID(id)
        switch type {
        case PatientProjection.type:
            do { try PatientService().remove(entity, in: unit) } catch PatientService.Refusal.inUse {
                throw InteractionError(.conflict, "orders, studies, reports or visits belong to this Patient")
            }
        case ServiceRequestProjection.type:
            do { try OrderService().remove(entity, in: unit) } catch OrderService.ReplaceRefusal.inUse {
                throw InteractionError(.conflict, "studies or reports belong to this ServiceRequest")
            }
        case EncounterProjection.type:
            if try unit.visit(entity) != nil {
                throw InteractionError(.conflict, "this Encounter comes from the registration feed")
            }
        case ImagingStudyProjection.type:
            if try unit.study(id: entity) != nil {
                throw InteractionError(.conflict, "images of this ImagingStudy are stored")
            }
        case DiagnosticReportProjection.type:
            if try unit.report(entity) != nil {
                throw InteractionError(.conflict, "this DiagnosticReport comes from the result feed")
            }
        case EndpointProjection.type:
            if entity == EndpointProjection.id {
                throw InteractionError(.conflict, "this Endpoint is the server's own")
            }
        default: return
        }
    }

    private static func error(_ refusal: OrderService.ReplaceRefusal) -> any Error {
        switch refusal {
        case .unknownPatient:
            InteractionError(.invalid, "the subject of an imaging order must be a Patient of this server")
        case .accessionOfAnotherPatient:
            InteractionError(.conflict, "the accession number is in use for another patient")
        case .subjectInUse:
            InteractionError(
                .conflict, "studies or reports of this ServiceRequest belong to its subject, which can not be changed")
        case .identifierInUse(let other):
            HeldElsewhere(
                type: ServiceRequestProjection.type, id: other.value, what: "the placer or filler number")
        case .identifierTooLong(let name): InteractionError(.invalid, "the \(name) is longer than DICOM allows")
        case .inUse: InteractionError(.conflict, "studies or reports belong to this ServiceRequest")
        }
    }

    // MARK: Access

    /// A write needs the letter without conditions: whether a changed resource still fits a granular scope could be
    /// told only after the change.
    private static func check(_ access: AccessContext, _ permission: Permissions, _ type: String) throws {
        guard access.visibility(permission, of: type).isWhole else {
            throw InteractionError(.forbidden, "no scope for this interaction on \(type)")
        }
    }

    private static func auditWrite(
        _ interaction: String, _ action: AuditRecord.Action, _ stored: StoredResource, in unit: any ResourceUnitOfWork
    ) throws {
        try unit.audit(
            AuditRecord(
                category: .rest, interaction: interaction, action: action, outcome: .success, access: unit.access,
                entity: "\(stored.type)/\(stored.id)/_history/\(stored.version)",
                patientID: stored.type == PatientProjection.type ? stored.id : nil))
    }
}
