import Access
import FHIRModel
import FHIRResources
import FHIRSearch
import HTTPSupport
import HTTPTypes
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
            mayOrganize: level != .system, deidentifications: exports.objects?.deidentifications,
            isLenient: preferences.handling == .lenient)
        let snapshot = try await store.snapshot()
        var selection = ExportJob.Selection()
        selection.level = level
        selection.filters = request.filters
        selection.elements = request.elements
        selection.namesPatients = request.patients != nil
        selection.patients = try await patients(of: level, named: request.patients, at: snapshot.time, call.access)
        selection.associated = request.associated.isEmpty ? nil : request.associated
        selection.notices = request.notices.isEmpty ? nil : request.notices
        let types = try permittedTypes(request, selection, access: call.access)
        if let type = request.organizedBy, !Self.mayExport(type, call.access) {
            throw InteractionError(.forbidden, "no scope to organise by \(type): whose it is would not be seen")
        }
        if request.withObjects {
            guard types.contains("ImagingStudy") else {
                throw InteractionError(.forbidden, "no scope to export DICOM objects: they are of ImagingStudy")
            }
            selection.withObjects = true
            selection.objectsFor = request.objectsFor
        }
        let path = call.path.hasPrefix("/") ? call.path : "/" + call.path
        var job = ExportJob(
            id: exports.entropy.newID(), ownerID: call.access.principal.id, scopes: call.access.scopes.map(\.text),
            request: baseURL + path + (call.rawQuery.isEmpty ? "" : "?" + call.rawQuery), types: types,
            since: request.since, until: request.until, snapshot: snapshot.sequence, transactionTime: snapshot.time,
            createdAt: now(), selection: selection)
        job.issuer = call.access.issuer
        job.organizedBy = request.organizedBy
        job.allowsPartialManifests = request.allowsPartialManifests ? true : nil
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

    /// Whose data it is, as of now; nil for everybody's. Throws without a scope for Groups, for one that the caller may not see,
    /// and for a patient who is not in it or whom nobody knows.
    private func patients(
        of level: ExportJob.Level, named: [String]?, at time: UTCInstant, _ access: AccessContext
    ) async throws -> [String]? {
        switch level {
        case .system: return nil
        case .patient:
            for id in named ?? [] where try await store.read("Patient", id, access: access)?.isDeleted ?? true {
                throw InteractionError(.malformed, "patient names one who is not here")
            }
            return named
        case .group(let id):
            // Who is in it is what the Group says, whatever is known of each patient: it takes the scope to read it.
            guard access.allows(.read, on: "Group") else {
                throw InteractionError(.forbidden, "no scope to export a Group: it needs system/Group.r too")
            }
            let members = try await GroupMembers(
                store: store, access: access, at: time, baseURL: baseURL
            ).patients(of: id)
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

    /// An export holds all of a type, so it takes the whole of it, by scopes of the system level: what a person may see
    /// whole is so by what they work here, which the worker does not know.
    private static func mayExport(_ type: String, _ access: AccessContext) -> Bool {
        access.scopes.giveWhole(type, [.search, .read])
    }

    func exportStatus(_ request: FHIRCall, job id: String) async throws -> FHIRResponse {
        let job = try await wholeJob(id, request.access)
        let manifest = ExportManifest(job: job, statusURL: statusURL(job))
        let page = request.first(ExportManifest.pageParameter).map { Int($0) ?? -1 } ?? 0
        switch job.state {
        case .accepted, .running:
            guard polls.take(job.id, at: now()) else {
                return .outcome(
                    429, OperationOutcome(.error, .throttled, details: "asked too often; the export goes on"),
                    headers: [("Retry-After", "10")])
            }
            let progress = [("X-Progress", "\(job.progress)% of the parts written"), ("Retry-After", "1")]
            guard let bytes = manifest.page(page) else {
                if page != 0 { throw InteractionError(.notFound, "there is no such page of the manifest yet") }
                return FHIRResponse(202, headers: progress)
            }
            return FHIRResponse(202, headers: progress + [("Content-Type", "application/json")], body: .bytes(bytes))
        case .failed:
            return .outcome(500, OperationOutcome(.error, .exception, details: job.failure ?? "the export failed"))
        case .complete:
            guard let bytes = manifest.page(page) else {
                throw InteractionError(.notFound, "there is no such page of the manifest")
            }
            var headers = [("Content-Type", "application/json")]
            if exports.keepHours > 0 {
                let end = (job.finishedAt ?? now()).advanced(bySeconds: exports.keepHours * 3_600)
                headers.append(("Expires", end.httpDate))
            }
            return FHIRResponse(200, headers: headers, body: .bytes(bytes))
        case .deleted: throw InteractionError(.notFound, "there is no such export")
        }
    }

    func exportFile(_ request: FHIRCall, job id: String, file: String) async throws -> FHIRResponse {
        let job = try await ownJob(id, request.access)
        guard let output = try await output(of: job, file), mayRead(output, of: job, request.access) else {
            throw InteractionError(.notFound, "there is no such file")
        }
        let tag = "\"\(file)-\(output.size)-\(job.transactionTime.microseconds)\""
        let headers = [
            ("Content-Type", Self.contentType(output)), ("ETag", tag), ("Accept-Ranges", "bytes"),
        ]
        // A file never has other content; a tag of its compressed form is a weak one, which never counts here.
        // RFC 9110 §13.1.5.
        let mayBePart = request.headers[.ifRange].map { $0 == tag } ?? true
        switch mayBePart ? ByteRange.wanted(request.headers[.range], of: output.size) : .whole {
        case .unsatisfiable:
            var answer = FHIRResponse.outcome(
                416, OperationOutcome(.error, .invalid, details: "the file has no such bytes"))
            answer.headers.append(("Content-Range", ByteRange.contentRange(unsatisfiable: output.size)))
            return answer
        case .part(let range):
            try await recordRead("export-file", request, category: .export, entity: "export:\(job.id.value)/\(file)")
            return FHIRResponse(
                206, headers: headers + [("Content-Range", range.contentRange(of: output.size))],
                body: .blobPart(output.blobID, range))
        case .whole:
            try await recordRead("export-file", request, category: .export, entity: "export:\(job.id.value)/\(file)")
            return FHIRResponse(200, headers: headers, body: .blob(output.blobID, count: output.size))
        }
    }

    /// A file by its number, once a manifest has told of it, or a DICOM object by its UID.
    private func output(of job: ExportJob, _ file: String) async throws -> ExportJob.OutputFile? {
        let told = ExportManifest(job: job, statusURL: "").filesTold
        if let index = Int(file), String(index) == file {
            return (0..<told).contains(index) ? job.outputs[index] : nil
        }
        guard told > 0, file.utf8.count <= 64, file.utf8.allSatisfy(Self.isOfUID) else { return nil }
        return try await exports.jobs.exportObject(job.id, named: file)
    }

    /// PS3.5 §9.1.
    private static func isOfUID(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: ".") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    private static func contentType(_ file: ExportJob.OutputFile) -> String {
        if file.name != nil { return "application/dicom" }
        return file.listsObjects == true ? "application/ndjson" : "application/fhir+ndjson"
    }

    /// A file of one type needs the right to it, and to what it tells of beside; one of several types, and one that tells of
    /// the kick-off, those to all.
    private func mayRead(_ file: ExportJob.OutputFile, of job: ExportJob, _ access: AccessContext) -> Bool {
        let types = file.isError || job.organizedBy != nil ? job.types : [file.type]
        return (types + (file.tellsOf.map { [$0] } ?? [])).allSatisfy { Self.mayExport($0, access) }
    }

    func exportDelete(_ request: FHIRCall, job id: String) async throws -> FHIRResponse {
        let job = try await wholeJob(id, request.access)
        // What cannot be told of is not done.
        try await recordRead(
            "export-delete", request, category: .export, action: .delete, entity: "export:\(job.id.value)")
        try await exports.delete(job)
        return .outcome(202, OperationOutcome(.information, .informational, details: "the export was deleted"))
    }

    /// The job, when it is the caller's and this very token allows all that it exports, whose names and counts its status
    /// tells; otherwise it is not there.
    private func wholeJob(_ id: String, _ access: AccessContext) async throws -> ExportJob {
        let job = try await ownJob(id, access)
        let types = Set(job.types).union(job.outputs.compactMap(\.tellsOf))
        guard types.allSatisfy({ Self.mayExport($0, access) }) else {
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
