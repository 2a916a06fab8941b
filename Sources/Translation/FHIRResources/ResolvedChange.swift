import Access
import FHIRModel
import FHIRSearch
import Workflow

/// A change of which it is known what it changes.
package struct ResolvedChange: Sendable {
    package enum Target: Sendable, Hashable {
        /// Made under this id, or made again.
        case write(id: String)
        /// A conditional create has found this one: nothing is written.
        case found(id: String)
        /// Deleted, each; none for a condition that nothing meets.
        case delete(ids: [String])
    }

    package let change: ResourceChange
    package let target: Target

    /// The resources that are changed, or found in place of a new one, as `Type/id`.
    package var names: [String] {
        switch target {
        case .write(let id), .found(let id): ["\(change.type)/\(id)"]
        case .delete(let ids): ids.map { "\(change.type)/\($0)" }
        }
    }
}

extension ResourceChange {
    /// Finds what is meant, and whether the caller may. Throws ``InteractionError``.
    package func resolve(in unit: any ResourceUnitOfWork) throws -> ResolvedChange {
        try check(unit.access)
        let target: ResolvedChange.Target =
            switch (action, target) {
            case (.delete, .id(let id)): .delete(ids: [id])
            case (.delete, .matching(let query)):
                .delete(ids: try matches(query, in: unit, limit: matchesMax, what: "The condition of the deletion"))
            case (.delete, .new), (.patch, .new), (.update, .new):
                throw InteractionError(.malformed, "an id is missing")
            case (.create, .id(let id)), (.update, .id(let id)), (.patch, .id(let id)): .write(id: id)
            case (.create, .new(let id)): .write(id: (id ?? unit.entropy.newID()).value)
            case (.create, .matching(let query)):
                try matches(query, in: unit, what: "If-None-Exist").first.map { .found(id: $0) }
                    ?? .write(id: unit.entropy.newID().value)
            case (.patch, .matching(let query)):
                .write(id: try required(matches(query, in: unit, what: "The condition of the patch").first))
            case (.update(let document), .matching(let query)):
                .write(
                    id: try updated(document, matches(query, in: unit, what: "The condition of the update"), in: unit))
            }
        return ResolvedChange(change: self, target: target)
    }

    private func matches(
        _ query: SearchQuery, in unit: any ResourceUnitOfWork, limit: Int = 1, what: String
    ) throws -> [String] {
        let found = try unit.resourceIDs(matching: query, access: unit.access, limit: limit + 1)
        guard found.count <= limit else {
            throw InteractionError(
                .preconditionFailed, "\(what) matches more than \(limit == 1 ? "one resource" : "\(limit) resources")")
        }
        return found
    }

    private func required(_ id: String?) throws -> String {
        guard let id else { throw InteractionError(.notFound, "no \(type) matches the condition") }
        return id
    }

    /// Which resource a conditional update writes. FHIR R4 http.html#cond-update.
    private func updated(
        _ document: JSONDocument, _ found: [String], in unit: any ResourceUnitOfWork
    ) throws -> String {
        let own = document["id"]?.string
        if let only = found.first {
            guard own == nil || own == only else {
                throw InteractionError(.mismatch, "the id in the body is not that of the resource that matches")
            }
            return only
        }
        guard let own else { return unit.entropy.newID().value }
        if let other = try unit.currentResource(type, own), !other.isDeleted {
            throw InteractionError(.conflict, "the resource of the id in the body does not match the condition")
        }
        return own
    }
}

extension ResolvedChange {
    /// Makes the change. Its result is there once the unit has settled. Throws as ``ResourceChange/apply(in:)``.
    package func make(in unit: any ResourceUnitOfWork) throws -> MadeChange {
        do {
            switch target {
            case .found(let id): return MadeChange(self, .found, ids: [id])
            case .delete(let ids): return try delete(ids, in: unit)
            case .write(let id):
                let current = try unit.currentResource(change.type, id)
                try change.precondition.check(current)
                switch change.action {
                case .create(let document): return try put(id, document, .create, current, in: unit)
                case .update(let document): return try update(id, document, current, in: unit)
                case .patch(let patch): return try self.patch(id, patch, current, in: unit)
                case .delete: return try delete([id], in: unit)
                }
            }
        } catch let held as HeldElsewhere {
            // The other resource is named to those only who may read it.
            let isVisible = try unit.visibleResource(held.type, held.id, version: nil) != nil
            throw InteractionError(
                .conflict, held.what + " is in use" + (isVisible ? " by \(held.type)/\(held.id)" : ""))
        }
    }

    private func update(
        _ id: String, _ document: JSONDocument, _ current: StoredResource?, in unit: any ResourceUnitOfWork
    ) throws -> MadeChange {
        if current?.isDeleted ?? true, !unit.access.allows(.create, on: change.type) {
            throw InteractionError(.forbidden, "no scope to create \(change.type)")
        }
        return try put(id, document, .update, current, in: unit)
    }

    private func patch(
        _ id: String, _ patch: any ResourcePatch, _ current: StoredResource?, in unit: any ResourceUnitOfWork
    ) throws -> MadeChange {
        // Whether a patch can be applied tells of the content: a test does, and each place that is there or not.
        guard let current, try unit.visibleResource(change.type, id, version: nil) != nil else {
            throw InteractionError(.notFound, "there is no \(change.type) of this id")
        }
        if current.isDeleted { throw InteractionError(.gone, "this resource was deleted") }
        let document = try patch.patched(JSONDocument(parsing: current.bytes, limits: .stored))
        guard document["resourceType"]?.string == change.type, document["id"]?.string == id else {
            throw InteractionError(.invalid, "a patch can change neither the type nor the id of a resource")
        }
        return try put(id, document, .patch, current, in: unit)
    }

    private func put(
        _ id: String, _ document: JSONDocument, _ method: StoredResource.Method, _ current: StoredResource?,
        in unit: any ResourceUnitOfWork
    ) throws -> MadeChange {
        let fed = FedTypes.named(change.type)
        let entity = EntityID(id)
        let event = try fed?.event(of: entity, current, in: unit)
        let document = try fed?.stated(document, id: entity, in: unit) ?? document
        try unit.putResource(change.type, id, document, method: method)
        try fed?.take(document, id: entity, in: unit)
        // What the domain owns stays the domain's.
        if let event { unit.emit(event) }
        return MadeChange(
            self, current.map { !$0.isDeleted } ?? false ? .updated : .created, ids: [id], before: current)
    }

    private func delete(_ ids: [String], in unit: any ResourceUnitOfWork) throws -> MadeChange {
        var deleted: [String] = []
        for id in ids {
            let current = try unit.currentResource(change.type, id)
            try change.precondition.check(current)
            guard let current, !current.isDeleted else { continue }
            try FedTypes.named(change.type)?.remove(EntityID(id), current, in: unit)
            try unit.deleteResource(change.type, id)
            deleted.append(id)
        }
        return MadeChange(self, deleted.isEmpty ? .absent : .deleted, ids: deleted)
    }
}

/// A change that was made in a unit which may not have settled yet.
package struct MadeChange: Sendable {
    private let resolved: ResolvedChange
    private let outcome: ChangeResult.Outcome
    private let ids: [String]
    private let before: StoredResource?

    init(
        _ resolved: ResolvedChange, _ outcome: ChangeResult.Outcome, ids: [String], before: StoredResource? = nil
    ) {
        self.resolved = resolved
        self.outcome = outcome
        self.ids = ids
        self.before = before
    }

    /// What is answered from, with its audit rows in the unit, which must have settled.
    package func result(in unit: any ResourceUnitOfWork) throws -> ChangeResult {
        let change = resolved.change
        let resources = try ids.compactMap { try unit.currentResource(change.type, $0) }
        var outcome = outcome
        if outcome == .updated, resources.first?.version == before?.version { outcome = .unchanged }
        for stored in resources { try audit(stored, outcome, in: unit) }
        return ChangeResult(
            outcome: outcome, resources: resources, isVisible: try isVisible(resources.first, in: unit))
    }

    private func isVisible(_ stored: StoredResource?, in unit: any ResourceUnitOfWork) throws -> Bool {
        guard let stored, !stored.isDeleted else { return false }
        switch unit.access.visibility(.read, of: stored.type) {
        case .nothing: return false
        case .whole: return true
        case .anyOf: return try unit.visibleResource(stored.type, stored.id, version: stored.version) != nil
        }
    }

    private func audit(
        _ stored: StoredResource, _ outcome: ChangeResult.Outcome, in unit: any ResourceUnitOfWork
    ) throws {
        let action: AuditRecord.Action =
            switch outcome {
            case .created: .create
            case .deleted: .delete
            // What a condition found goes out instead of being changed.
            case .found: .read
            case .updated, .unchanged, .absent: .update
            }
        let change = resolved.change
        var document: JSONDocument?
        switch change.action {
        case .create where outcome == .found: document = try JSONDocument(parsing: stored.bytes, limits: .stored)
        case .create(let sent), .update(let sent): document = sent
        case .patch, .delete: document = nil
        }
        try unit.audit(
            AuditRecord(
                category: .rest, interaction: change.interaction, action: action, outcome: .success,
                access: unit.access, entity: "\(stored.type)/\(stored.id)/_history/\(stored.version)",
                patientID: document.map { PatientOfRecord.id(stored.type, stored.id, $0) }
                    ?? FedTypes.patientID(stored.type, stored.id)))
    }
}
