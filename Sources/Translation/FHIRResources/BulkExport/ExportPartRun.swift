import Access
import FHIRModel
import FHIRSearch
import Workflow

/// Writes one part of an export, file by file, and keeps each with the place behind it.
struct ExportPartRun: Sendable {
    let lease: ExportLease
    let job: ExportJob
    let scope: ExportScope
    let service: ExportService

    /// Logical ids in one condition.
    private static let idsMax = 500

    /// The rights of the kick-off.
    private var access: AccessContext {
        AccessContext(
            principal: Principal(kind: .client, id: job.ownerID), scopes: job.scopes.compactMap { Scope($0) },
            requestID: job.requestID)
    }

    /// Returns when the part is written, another has its lease, or the service is to stop. Throws what the stores throw.
    func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await writeFiles() }
            // One step of the work may take longer than a lease lasts: a study's large objects, one read of a type.
            group.addTask { await hold() }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    /// Says again and again that the part is being written, until it is another's.
    private func hold() async {
        while (try? await Task.sleep(for: service.renewal)) != nil {
            // Where the store is away now it is told the next time.
            let isHeld = try? await service.jobs.renew(lease, seconds: ExportService.leaseSeconds)
            if isHeld == false { return }
        }
    }

    private func writeFiles() async throws {
        var place: ExportPart.Place? = lease.part.place
        while let from = place, !service.isStopped, !service.isCancelled(job.id) {
            try await service.checkRight(to: job, besides: tellsOf)
            let writer = writer()
            // Whether rows may name what was written, whatever the answer was.
            var isSettling = false
            do {
                var here = from
                var next = try await write(from: here, into: writer)
                while let behind = next, !writer.isFull, !service.isStopped, !service.isCancelled(job.id) {
                    here = behind
                    next = try await write(from: here, into: writer)
                }
                // A file cut short by the process's end, or by the loss of the lease, must never count as whole.
                try Task.checkCancellation()
                if service.isCancelled(job.id) { return await writer.abort() }
                // Held until the rows that name them are there: until then nothing else tells that they are wanted.
                let (written, references) = try await writer.finish()
                // What was written may refer to others of its type, as a ward does to its hospital: they come behind.
                if case .referred(let type) = lease.part.work, next == nil, references[type] != nil { next = here }
                defer { withExtendedLifetime(written) {} }
                let step = ExportStep(place: next, files: written.map(\.file), references: references)
                isSettling = true
                guard try await service.jobs.settle(lease, step) else {
                    for file in written { try? await service.blobs.remove(file.file.blobID) }
                    return
                }
                place = next
            } catch {
                if !isSettling { await writer.abort() }
                throw error
            }
        }
    }

    private var type: String {
        switch lease.part.work {
        case .range(let type, _, _), .referred(let type): type
        case .provenance: "Provenance"
        case .binaries: "DocumentReference"
        case .byPatient: "Patient"
        case .objects: "ImagingStudy"
        case .notices: ExportJob.OutputFile.errorType
        }
    }

    /// Another type whose resources are told of; nil for none, and where the kick-off had no right to export it.
    private var tellsOf: String? {
        guard case .binaries = lease.part.work, access.scopes.giveWhole("Binary", [.search, .read]) else { return nil }
        return "Binary"
    }

    private func writer() -> ExportFileWriter {
        // Nothing is looked for in what is exported where nothing of it would be.
        let outside = Set(job.types.filter(scope.isOutside))
        let isOfObjects = if case .objects = lease.part.work { true } else { false }
        return ExportFileWriter(
            type, to: service.blobs, subset: isOfObjects ? nil : subset(of: type), listsObjects: isOfObjects,
            tellsOf: tellsOf, content: content, baseURL: isOfObjects ? "" : service.baseURL,
            references: outside.isEmpty ? nil : ReferenceScan(baseURL: service.baseURL, types: outside))
    }

    /// Where resources are written patient by patient, what was deleted is in the ranges: the patient may be among it.
    private var content: ExportFileWriter.Content {
        guard job.organizedBy != nil else { return .all }
        return switch lease.part.work {
        case .byPatient: .resources
        case .range(let type, _, _) where scope.isWrittenByPatient(type): .deletions
        default: .all
        }
    }

    /// What is written of each resource of a type; nil for all.
    private func subset(of type: String) -> Subset? {
        let elements = job.selection?.elements(of: type) ?? []
        return elements.isEmpty ? nil : Subset(elements: elements, summary: nil, definitions: .r4)
    }

    private func scan(_ type: String, _ filter: SearchFilter?) -> ResourceScan {
        ResourceScan(type: type, snapshot: job.snapshot, since: job.since, until: job.until, filter: filter)
    }

    private func pourAll(_ scan: ResourceScan, into writer: ExportFileWriter) async throws {
        var key: Int64? = 0
        while let from = key {
            key = try await service.store.pour(scan, after: from, through: .max, access: access, into: writer)
        }
    }

    /// What one read of the store, or a few, give; nil at the end of the part.
    private func write(
        from place: ExportPart.Place, into writer: ExportFileWriter
    ) async throws -> ExportPart.Place? {
        switch lease.part.work {
        case .range(_, let after, let through):
            let next = try await service.store.pour(
                scan(type, try scope.filter(type)), after: max(place.key ?? after, after), through: through,
                access: access, into: writer)
            return next.map { ExportPart.Place(key: $0) }
        case .referred:
            let references = try await service.jobs.exportReferences(
                job.id, type, after: place.reference ?? 0, limit: Self.idsMax)
            guard let last = references.last else { return nil }
            try await pourAll(scan(type, try scope.filter(type, among: references.map(\.id))), into: writer)
            return ExportPart.Place(reference: last.number)
        case .provenance(let after, let through):
            let selection = ProvenanceSelection(job: job, scope: scope, store: service.store, access: access)
            let next = try await selection.write(
                after: max(place.key ?? after, after), through: through, into: writer)
            return next.map { ExportPart.Place(key: $0) }
        case .binaries(let after, let through):
            guard tellsOf != nil else { return nil }
            let selection = BinarySelection(job: job, scope: scope, store: service.store, access: access)
            let next = try await selection.write(
                after: max(place.key ?? after, after), through: through, into: writer)
            return next.map { ExportPart.Place(key: $0) }
        case .byPatient: return try await writePatients(after: place.key, into: writer)
        case .objects(let after, let through):
            return try await ObjectSelection(job: job, scope: scope, service: service, access: access).write(
                from: place, after: after, through: through, into: writer)
        case .notices:
            for notice in job.selection?.notices ?? [] {
                try OperationOutcome(.warning, .notSupported, details: notice).bytes.withUnsafeBytes {
                    try writer.take($0)
                }
            }
            return nil
        }
    }

    // MARK: By patient

    /// Patients whose resources are written before the place is told.
    private static let patientsMax = 20

    private func writePatients(after: Int64?, into writer: ExportFileWriter) async throws -> ExportPart.Place? {
        let patients = try await service.store.scan(
            type, snapshot: job.snapshot, since: nil, until: nil, matching: try scope.patients(),
            after: after, limit: Self.patientsMax, access: access)
        for patient in patients.resources where !patient.isDeleted {
            writer.begin(of: "Patient/\(patient.id)")
            for type in job.types where scope.isWrittenByPatient(type) {
                guard let filter = try scope.filter(type, ofPatient: patient.id) else { continue }
                writer.begin(type, subset: subset(of: type))
                try await pourAll(scan(type, filter), into: writer)
            }
        }
        return patients.next.map { ExportPart.Place(key: $0) }
    }
}

extension ExportJob {
    /// By which its reads are told in the audit trail, and its failure in the log.
    var requestID: String { "export-\(id.value)" }
}

extension ExportJob.Selection {
    /// Names of root elements that are asked for of a type; empty for all, also where other types' are named alone.
    fileprivate func elements(of type: String) -> [String] {
        elements.filter { !$0.contains(".") || $0.hasPrefix(type + ".") }
    }
}
