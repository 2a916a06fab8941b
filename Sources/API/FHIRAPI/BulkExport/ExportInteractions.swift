import Access
import FHIRModel
import FHIRResources
import FHIRSearch
import HTTPSupport
import Workflow

/// `$export`: kick-off, status, manifest, files, delete. FHIR Bulk Data Access 2.0.
extension FHIRService {
    /// - Parameter isForm: whether the parameters are in the body.
    func kickOff(_ call: FHIRCall, _ level: ExportJob.Level, isForm: Bool) async throws -> FHIRResponse {
        let preferences = call.preferences
        guard preferences.respondAsync else {
            throw InteractionError(.malformed, "kick-off needs the header Prefer: respond-async")
        }
        if isForm, !call.query.isEmpty {
            throw InteractionError(.malformed, "a POST of $export has its parameters in its body, none in the URL")
        }
        let request = try ExportRequest(
            isForm ? try ExportRequest.parameters(of: try document(in: call), searchParser) : call.query,
            parser: searchParser,
            definitions: definitions, baseURL: baseURL, mayNamePatients: isForm && level != .system,
            isLenient: preferences.handling == .lenient)
        let snapshot = try await store.snapshot()
        var selection = ExportJob.Selection()
        selection.level = level
        selection.filters = request.filters
        selection.elements = request.elements
        selection.namesPatients = request.patients != nil
        selection.patients = try await patients(of: level, named: request.patients, call.access)
        let types = try permittedTypes(request, selection, access: call.access)
        let path = call.path.hasPrefix("/") ? call.path : "/" + call.path
        let job = ExportJob(
            id: exports.entropy.newID(), ownerID: call.access.principal.id, scopes: call.access.scopes.map(\.text),
            request: baseURL + path + (call.rawQuery.isEmpty ? "" : "?" + call.rawQuery), types: types,
            since: request.since, until: request.until, snapshot: snapshot.sequence, transactionTime: snapshot.time,
            createdAt: now(), selection: selection)
        try await recordRead(
            "$export", call, category: .export, action: .execute, entity: "export:\(job.id.value)",
            query: call.rawQuery)
        guard try await exports.submit(job, activeMax: limits.exportsPerClientMax) else {
            return .outcome(
                429, OperationOutcome(.error, .throttled, details: "too many exports of this client are under way"),
                headers: [("Retry-After", "30")])
        }
        return .outcome(
            202, OperationOutcome(.information, .informational, details: "the export was accepted"),
            headers: [("Content-Location", statusURL(job))])
    }

    /// Whose data it is, as of now; nil for everybody's. Throws for a Group that the caller may not see, and for a
    /// patient who is not in it or whom nobody knows.
    private func patients(
        of level: ExportJob.Level, named: [String]?, _ access: AccessContext
    ) async throws -> [String]? {
        switch level {
        case .system: return nil
        case .patient:
            for id in named ?? [] where try await store.read("Patient", id, access: access)?.isDeleted ?? true {
                throw InteractionError(.malformed, "patient names one who is not here")
            }
            return named
        case .group(let id):
            let members = try await GroupMembers(store: store, access: access, now: now(), baseURL: baseURL).patients(
                of: id)
            guard let named else { return members }
            let known = Set(members)
            guard named.allSatisfy(known.contains) else {
                throw InteractionError(.malformed, "patient names one who is no active member of the group")
            }
            return named
        }
    }

    /// Named types beyond the scopes, or of which the level has none, are refused; without names the export holds what the
    /// scopes allow. A scope with a search condition does not authorise an export.
    private func permittedTypes(
        _ request: ExportRequest, _ selection: ExportJob.Selection, access: AccessContext
    ) throws -> [String] {
        let scope = ExportScope(selection, searchParser)
        let candidates = request.namesTypes ? request.types : definitions.resourceTypes
        let within = scope.inOrder(candidates.filter { scope.mayHold($0) })
        if request.namesTypes, within.count < candidates.count, !request.isLenient {
            throw InteractionError(.unsupported, "_type names a type of which this level of $export has none")
        }
        let permitted = within.filter { Self.mayExport($0, access) }
        if permitted.isEmpty || (request.namesTypes && permitted.count < within.count) {
            throw InteractionError(.forbidden, "no scope to export these resource types")
        }
        return permitted
    }

    /// An export holds all of a type, so it takes the whole of it.
    private static func mayExport(_ type: String, _ access: AccessContext) -> Bool {
        access.visibility(.search, of: type).isWhole && access.visibility(.read, of: type).isWhole
    }

    func exportStatus(_ request: FHIRCall, job id: String) async throws -> FHIRResponse {
        let job = try await wholeJob(id, request.access)
        switch job.state {
        case .accepted, .running:
            return FHIRResponse(
                202, headers: [("X-Progress", "\(job.progress)% of the types written"), ("Retry-After", "1")])
        case .failed:
            return .outcome(500, OperationOutcome(.error, .exception, details: job.failure ?? "the export failed"))
        case .complete:
            var headers = [("Content-Type", "application/json")]
            if exports.keepHours > 0 {
                let end = (job.finishedAt ?? now()).advanced(bySeconds: exports.keepHours * 3_600)
                headers.append(("Expires", end.httpDate))
            }
            return FHIRResponse(
                200, headers: headers,
                body: .bytes(manifest(job)))
        case .deleted: throw InteractionError(.notFound, "there is no such export")
        }
    }

    private func manifest(_ job: ExportJob) -> [UInt8] {
        func list(_ keep: (ExportJob.OutputFile) -> Bool) -> JSONValue {
            .array(
                job.outputs.enumerated().filter { keep($0.element) }.map { index, file in
                    [
                        "type": .string(file.isDeleted ? "Bundle" : file.isError ? "OperationOutcome" : file.type),
                        "url": .string("\(statusURL(job))/\(index)"), "count": JSONValue(file.count),
                    ]
                })
        }
        return JSONWriter.compact([
            "transactionTime": .string(job.transactionTime.instantText),
            "request": .string(job.request),
            "requiresAccessToken": true,
            "output": list { !$0.isError && !$0.isDeleted },
            "deleted": list { $0.isDeleted },
            "error": list { $0.isError },
        ])
    }

    func exportFile(_ request: FHIRCall, job id: String, file: String) async throws -> FHIRResponse {
        let job = try await ownJob(id, request.access)
        guard job.state == .complete, let index = Int(file), job.outputs.indices.contains(index) else {
            throw InteractionError(.notFound, "there is no such file")
        }
        let output = job.outputs[index]
        guard Self.mayExport(output.type, request.access) else {
            throw InteractionError(.notFound, "there is no such file")
        }
        try await recordRead("export-file", request, category: .export, entity: "export:\(job.id.value)/\(index)")
        return FHIRResponse(
            200, headers: [("Content-Type", "application/fhir+ndjson")], body: .blob(output.blobID, count: output.size))
    }

    func exportDelete(_ request: FHIRCall, job id: String) async throws -> FHIRResponse {
        let job = try await wholeJob(id, request.access)
        try await exports.delete(job)
        try await recordRead(
            "export-delete", request, category: .export, action: .delete, entity: "export:\(job.id.value)")
        return .outcome(202, OperationOutcome(.information, .informational, details: "the export was deleted"))
    }

    /// The job, when it is the caller's and this very token allows all that it exports, whose names and counts its status
    /// tells; otherwise it is not there.
    private func wholeJob(_ id: String, _ access: AccessContext) async throws -> ExportJob {
        let job = try await ownJob(id, access)
        guard job.types.allSatisfy({ Self.mayExport($0, access) }) else {
            throw InteractionError(.notFound, "there is no such export")
        }
        return job
    }

    /// The job, when it is the caller's; for anyone else it is not there.
    private func ownJob(_ id: String, _ access: AccessContext) async throws -> ExportJob {
        guard let job = try await exports.jobs.job(EntityID(id)), job.ownerID == access.principal.id,
            job.state != .deleted
        else {
            throw InteractionError(.notFound, "there is no such export")
        }
        return job
    }

    private func statusURL(_ job: ExportJob) -> String { "\(baseURL)/_export/\(job.id.value)" }
}
