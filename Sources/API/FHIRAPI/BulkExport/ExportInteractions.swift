import Access
import FHIRModel
import FHIRResources
import FHIRSearch
import HTTPSupport
import Workflow

/// System-level `$export`: kick-off, status, manifest, files, delete. FHIR Bulk Data Access 2.0.
extension FHIRService {
    private static let outputFormats: Set<String> = ["application/fhir+ndjson", "application/ndjson", "ndjson"]

    func kickOff(_ request: FHIRCall) async throws -> FHIRResponse {
        let preferences = request.preferences
        let isLenient = preferences.handling == .lenient
        guard preferences.respondAsync else {
            throw InteractionError(.malformed, "kick-off needs the header Prefer: respond-async")
        }
        var types: [String] = []
        var since: UTCInstant?
        var until: UTCInstant?
        for (name, value) in request.query {
            switch name {
            case "_outputFormat":
                guard Self.outputFormats.contains(value) else {
                    throw InteractionError(.unsupported, "_outputFormat must be application/fhir+ndjson")
                }
            case "_since": since = try instant(value, name)
            case "_until": until = try instant(value, name)
            case "_type":
                for type in value.split(separator: ",").map(String.init) where !types.contains(type) {
                    if definitions.isResourceType(type) {
                        types.append(type)
                    } else if !isLenient {
                        throw InteractionError(.unsupported, "_type names what is no resource type")
                    }
                }
            default:
                if !isLenient {
                    throw InteractionError(.unsupported, "the parameter \(name) is not supported by $export")
                }
            }
        }
        types = try permittedTypes(types, wasNamed: request.first("_type") != nil, access: request.access)
        let snapshot = try await store.snapshot()
        let job = ExportJob(
            id: exports.entropy.newID(), ownerID: request.access.principal.id,
            scopes: request.access.scopes.map(\.text),
            request: "\(baseURL)/$export" + (request.rawQuery.isEmpty ? "" : "?" + request.rawQuery), types: types,
            since: since, until: until, snapshot: snapshot.sequence, transactionTime: snapshot.time, createdAt: now())
        try await recordRead(
            "$export", request, category: .export, action: .execute, entity: "export:\(job.id.value)",
            query: request.rawQuery)
        guard try await exports.submit(job, activeMax: limits.exportsPerClientMax) else {
            return .outcome(
                429, OperationOutcome(.error, .throttled, details: "too many exports of this client are under way"),
                headers: [("Retry-After", "30")])
        }
        return .outcome(
            202, OperationOutcome(.information, .informational, details: "the export was accepted"),
            headers: [("Content-Location", statusURL(job))])
    }

    /// Named types beyond the scopes are refused; without names the export holds what the scopes allow. A scope with a
    /// search condition does not authorise an export.
    private func permittedTypes(_ named: [String], wasNamed: Bool, access: AccessContext) throws -> [String] {
        let candidates = wasNamed ? named : definitions.resourceTypes
        let permitted = candidates.filter { Self.mayExport($0, access) }
        if permitted.isEmpty || (wasNamed && permitted.count < candidates.count) {
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

    private func instant(_ text: String, _ name: String) throws -> UTCInstant {
        guard let time = FHIRDateTime(text, as: .instant) else {
            throw InteractionError(.malformed, "\(name) must be an instant, such as 2026-11-21T05:43:24Z")
        }
        return UTCInstant(microseconds: time.range().lower)
    }
}
