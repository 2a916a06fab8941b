import Access
import FHIRModel
import FHIRResources
import HTTPSupport
import Workflow

/// `$import`: kick-off, status, manifest, outcomes, cancel. The asynchronous pattern of FHIR Bulk Data Access 2.0, the input
/// of the Bulk Data Import proposal.
extension FHIRService {
    func importKickOff(_ call: FHIRCall) async throws -> FHIRResponse {
        let preferences = call.preferences
        guard preferences.respondAsync else {
            throw InteractionError(.malformed, "kick-off needs the header Prefer: respond-async")
        }
        guard call.query.isEmpty else {
            throw InteractionError(.malformed, "$import has all it needs in its body, nothing in the URL")
        }
        let imports = try importService
        let request = try ImportRequest(
            try document(in: call), inputsMax: limits.imports.inputsMax,
            isLenient: preferences.handling == .lenient)
        let scopes = call.access.scopes.filter { $0.level == .system }
        // What a manifest will name is looked at then, each type by itself.
        let types =
            request.manifestURL == nil
            ? request.types
            : definitions.resourceTypes.first { ImportService.mayImport($0, call.access) }.map { [$0] } ?? []
        guard !types.isEmpty, types.allSatisfy({ ImportService.mayImport($0, call.access) }) else {
            throw InteractionError(
                .forbidden, "an import needs scopes of the system level to create and update each type")
        }
        let job = ImportJob(
            id: imports.entropy.newID(), ownerID: call.access.principal.id,
            ownerName: call.access.principal.name, scopes: scopes.map(\.text), origin: .client,
            request: baseURL + "/$import", key: request.key(of: call.access.principal.id), source: request.source,
            manifestURL: request.manifestURL, types: request.types, ids: request.ids, inputs: request.inputs.count,
            createdAt: now())
        // A client of an outside authorization server is not among those who are asked about again later.
        for type in types {
            guard try await imports.mayImport(job, type, call.access) else {
                throw InteractionError(.forbidden, "an import is for clients that are registered here for each type")
            }
        }
        try await recordRead(
            "$import", call, category: .rest, action: .execute, entity: "import:\(job.id.value)")
        switch try await imports.submit(job, request.inputs) {
        case .accepted: return importAccepted(job, "the import was accepted")
        case .underWay(let other): return importAccepted(other, "the same import is under way already")
        case .tooMany:
            return .outcome(
                429, OperationOutcome(.error, .throttled, details: "too many imports of this client are under way"),
                headers: [("Retry-After", "30")])
        }
    }

    private func importAccepted(_ job: ImportJob, _ words: String) -> FHIRResponse {
        .outcome(
            202, OperationOutcome(.information, .informational, details: words),
            headers: [("Content-Location", statusURL(job))])
    }

    func importStatus(_ call: FHIRCall, job id: String) async throws -> FHIRResponse {
        let job = try await ownImport(id, call.access)
        switch job.state {
        case .accepted, .running:
            let percent = job.inputs > 0 ? min(99, job.inputsDone * 100 / job.inputs) : 0
            let lines = job.tally.stored + job.tally.refused
            return FHIRResponse(
                202,
                headers: [
                    (
                        "X-Progress",
                        "\(percent)%: \(job.inputsDone) of \(job.inputs) files, \(lines) lines, \(job.tally.refused) refused"
                    ), ("Retry-After", "1"),
                ])
        case .failed:
            return .outcome(500, OperationOutcome(.error, .exception, details: job.failure ?? "the import failed"))
        case .complete:
            var headers = [("Content-Type", "application/json")]
            let imports = try importService
            if imports.keepHours > 0 {
                let end = (job.finishedAt ?? now()).advanced(bySeconds: imports.keepHours * 3_600)
                headers.append(("Expires", end.httpDate))
            }
            let inputs = try await imports.jobs.importInputs(of: job.id)
            return FHIRResponse(200, headers: headers, body: .bytes(importManifest(job, inputs)))
        case .cancelled: throw InteractionError(.notFound, "there is no such import")
        }
    }

    /// What became of each file, and where the outcomes of refused lines are.
    private func importManifest(_ job: ImportJob, _ inputs: [ImportInput]) -> [UInt8] {
        func counts(_ tally: ImportJob.Tally) -> JSONValue {
            [
                "created": .number("\(tally.created)"), "updated": .number("\(tally.updated)"),
                "unchanged": .number("\(tally.unchanged)"), "refused": .number("\(tally.refused)"),
            ]
        }
        let output = inputs.map { input -> JSONValue in
            [
                "type": .string(input.type), "inputUrl": .string(input.url),
                "count": .number("\(input.tally.stored)"), "extension": counts(input.tally),
            ]
        }
        let size = Int64(ImportLimits.outcomesPerFile)
        let errors = (0..<(job.errors + size - 1) / size).map { piece -> JSONValue in
            [
                "type": "OperationOutcome", "url": .string("\(statusURL(job))/\(piece)"),
                "count": .number("\(min(size, job.errors - piece * size))"),
            ]
        }
        var manifest: JSONValue = [
            "transactionTime": .string((job.finishedAt ?? now()).instantText), "request": .string(job.request),
            "requiresAccessToken": true, "output": .array(output), "error": .array(errors),
            "extension": counts(job.tally),
        ]
        if let failure = job.failure { manifest["extension"]?["incomplete"] = .string(failure) }
        return JSONWriter.compact(manifest)
    }

    func importFile(_ call: FHIRCall, job id: String, file: String) async throws -> FHIRResponse {
        let job = try await ownImport(id, call.access)
        let size = ImportLimits.outcomesPerFile
        guard job.state == .complete, let piece = Int64(file), piece >= 0, piece < job.errors,
            piece * Int64(size) < job.errors
        else { throw InteractionError(.notFound, "there is no such file") }
        try await recordRead("import-file", call, category: .rest, entity: "import:\(job.id.value)/\(piece)")
        var lines: [UInt8] = []
        for outcome in try await importService.jobs.importOutcomes(
            of: job.id, from: piece * Int64(size), limit: size)
        { NDJSON.appendLine(outcome, to: &lines) }
        return FHIRResponse(200, headers: [("Content-Type", "application/fhir+ndjson")], body: .bytes(lines))
    }

    func importDelete(_ call: FHIRCall, job id: String) async throws -> FHIRResponse {
        let job = try await ownImport(id, call.access)
        try await recordRead("import-delete", call, category: .rest, action: .delete, entity: "import:\(job.id.value)")
        guard job.isUnderWay else {
            try await importService.jobs.removeImport(job.id)
            return .outcome(202, OperationOutcome(.information, .informational, details: "the import was forgotten"))
        }
        try await importService.cancel(job.id)
        return .outcome(
            202,
            OperationOutcome(
                .information, .informational, details: "the import was cancelled; what it has stored stays"))
    }

    /// The job, when it is the caller's and this very token allows all that it named; otherwise it is not there.
    private func ownImport(_ id: String, _ access: AccessContext) async throws -> ImportJob {
        guard let job = try await importService.jobs.importJob(EntityID(id)), job.origin == .client,
            job.ownerID == access.principal.id, access.principal.kind == .client, job.state != .cancelled,
            job.types.isEmpty
                ? definitions.resourceTypes.contains(where: { ImportService.mayImport($0, access) })
                : job.types.allSatisfy({ ImportService.mayImport($0, access) })
        else { throw InteractionError(.notFound, "there is no such import") }
        return job
    }

    private var importService: ImportService {
        get throws {
            guard let imports else { throw HTTPFailure(.notImplemented, "this server imports nothing") }
            return imports
        }
    }

    private func statusURL(_ job: ImportJob) -> String { "\(baseURL)/_import/\(job.id.value)" }
}
