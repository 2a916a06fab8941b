import Access
import DICOMData
import DICOMTranslation
import HTTPSupport
import HTTPTypes
import Hummingbird
import Workflow

/// What a modality asks and tells: its worklist, and the work that it does. The same entries, matching and rules as by
/// C-FIND of the Modality Worklist and by N-CREATE, N-SET and N-GET of MPPS. PS3.18 §14, §15.
package struct ModalityRoutes: Sendable {
    /// Entries that a search looks through: those passed over by `offset` too. As many as a C-FIND gives, and one.
    static let entriesMax = 1_000

    let store: any WorkflowStore
    let index: any ImagingIndex
    let audit: any AuditTrail
    let entropy: any Entropy
    /// Of DICOMweb, absolute, without a slash at its end.
    let baseURL: String
    private let item: WorklistItem
    private let steps = PerformedProcedureStepService()

    /// - Parameters:
    ///   - authorities: say which issuer a name is.
    ///   - entropy: what parts the bodies of answers.
    ///   - baseURL: of DICOMweb, absolute, without a slash at its end.
    package init(
        store: any WorkflowStore, index: any ImagingIndex, audit: any AuditTrail, authorities: AssigningAuthorities,
        entropy: any Entropy, baseURL: String
    ) {
        self.store = store
        self.index = index
        self.audit = audit
        self.entropy = entropy
        self.baseURL = baseURL
        item = WorklistItem(authorities: authorities)
    }

    /// Below `/dicomweb`.
    var routes: [Route] {
        let step = "/dicomweb/modality-performed-procedure-steps/{mpps}"
        return [
            Route(
                .get, "/dicomweb/modality-scheduled-procedure-steps",
                operationID: "searchModalityScheduledProcedureSteps",
                access: .bearer(.permission(.search, on: "ServiceRequest")), handler: search),
            Route(
                .post, step, operationID: "recordModalityPerformedProcedureStep",
                access: .bearer(
                    .anyOf([.permission(.create, on: "Procedure"), .permission(.update, on: "Procedure")])),
                handler: record),
            Route(
                .get, step, operationID: "retrieveModalityPerformedProcedureStep",
                access: .bearer(.permission(.read, on: "Procedure")), handler: retrieve),
        ]
    }

    // MARK: The worklist

    /// §14.4. Every attribute of each match is returned, whatever `includefield` says.
    private func search(_ request: APIRequest) async throws -> Response {
        var query = WorkitemQuery()
        var (limit, offset) = (DICOMwebRoutes.pageDefault, 0)
        var isFuzzy = false
        for parameter in try request.query() {
            switch parameter.name {
            case "limit":
                limit = min(try DICOMwebRoutes.number(parameter), DICOMwebRoutes.pageMax)
            case "offset": offset = try DICOMwebRoutes.number(parameter)
            case "fuzzymatching": isFuzzy = parameter.value == "true"
            case "includefield", "emptyvaluematching", "multiplevaluematching", "accept": continue
            default: try query.add(parameter)
            }
        }
        let form = try ResultForm(request)
        let keys = try WorklistKeys(identifier: query.identifier, authorities: item.authorities)
        // By C-FIND such a key is answered FF01; here nothing but the status could say that it was passed over.
        guard !keys.hasUnsupportedKeys else {
            throw HTTPFailure(.malformed, "an attribute of the query is not matched here")
        }
        let wanted = min(offset, Self.entriesMax) + limit
        let entries = try await index.worklist(
            WorklistQuery(keys.keys, limit: min(wanted, Self.entriesMax) + 1), access: request.access)
        try await audit.record(
            AuditRecord(
                category: .query, interaction: "search", action: .execute, outcome: .success, access: request.access,
                entity: "worklist", query: keys.keys.auditText))
        let page = entries.prefix(Self.entriesMax).dropFirst(offset).prefix(limit)
        var warnings: [String] = []
        if entries.count > min(wanted, Self.entriesMax) {
            warnings.append(WorkitemRoutes.warning("There are additional results that can be requested"))
        }
        if isFuzzy {
            warnings.append(
                WorkitemRoutes.warning(
                    "The fuzzymatching parameter is not supported. Only literal matching has been done"))
        }
        return try form.response(
            page.map { item.dataSet($0, askedBy: keys.keys) },
            headers: warnings.isEmpty ? [:] : [.warning: warnings.joined(separator: ", ")],
            boundary: entropy.newID().value)
    }

    // MARK: Performed steps

    /// §15.4 and, with the parameter `update`, §15.5.
    private func record(_ request: APIRequest) async throws -> Response {
        let uid = try Self.step(request)
        var isUpdate = false
        for parameter in try request.query() {
            switch parameter.name {
            case "update": isUpdate = true
            case "accept": continue
            default: throw HTTPFailure(.malformed, "\(parameter.name.prefix(64)) is no parameter of this")
            }
        }
        return isUpdate ? try await update(uid, request) : try await create(uid, request)
    }

    private func create(_ uid: String, _ request: APIRequest) async throws -> Response {
        try Self.check(request, .create)
        let attributes = try await request.dataSet(limit: PerformedStepDataSet.bytesMax)
        let performer = WorkitemRoutes.title(of: request.access.principal)
        try await write(request, "create", .create, uid) { unit in
            let step = try PerformedStepDataSet.create(
                attributes, sopInstanceUID: uid, performedBy: performer, at: unit.time)
            try steps.create(step, in: unit)
        }
        let url = "\(baseURL)/modality-performed-procedure-steps/\(uid)"
        return .empty(.created, headers: [.location: url, .contentLocation: url])
    }

    /// What may not be changed is left as it is, and named by a warning, as N-SET does by 0107H.
    private func update(_ uid: String, _ request: APIRequest) async throws -> Response {
        try Self.check(request, .update)
        let changes = try await request.dataSet(limit: PerformedStepDataSet.bytesMax)
        let left = try await write(request, "update", .update, uid) { unit in
            var left: [Tag] = []
            try steps.update(uid, in: unit) { step in
                let changed = try PerformedStepDataSet.update(step, with: changes, at: unit.time)
                left = changed.left
                return changed.step
            }
            return left
        }
        guard let tag = left.first else { return .empty(.ok) }
        return .empty(.ok, headers: [.warning: WorkitemRoutes.warning("\(tag) is not changed by an update")])
    }

    /// §15.6.
    private func retrieve(_ request: APIRequest) async throws -> Response {
        let uid = try Self.step(request)
        try Self.check(request, .read)
        let asked = try Self.asked(try request.query())
        let form = try ResultForm(request)
        let step = try await write(request, "read", .read, uid) { try steps.step(uid, in: $0) }
        return try form.response(
            [try PerformedStepDataSet.attributes(of: step, asked: asked)], boundary: entropy.newID().value)
    }

    /// The attributes that `includefield` names; none for all.
    private static func asked(_ query: QueryParameters) throws(HTTPFailure) -> [Tag] {
        var asked: [Tag] = []
        var isAll = false
        for parameter in query where parameter.name == "includefield" {
            for name in parameter.value.split(separator: ",", omittingEmptySubsequences: false) {
                if name == "all" {
                    isAll = true
                    continue
                }
                let path = DICOMwebRoutes.tags(String(name))
                guard path.count == 1 else { throw HTTPFailure(.malformed, "includefield names attributes, or all") }
                asked += path
            }
        }
        guard !isAll || asked.isEmpty else {
            throw HTTPFailure(.malformed, "includefield says all, or names attributes")
        }
        return asked
    }

    // MARK: all

    private static func step(_ request: APIRequest) throws(HTTPFailure) -> String {
        let uid = request.parameters["mpps"]
        guard UID.isSafe(uid) else { throw HTTPFailure(.malformed, "the performed step has no UID") }
        return uid
    }

    /// Throws for a token that reaches a part only: whose a performed step is is not known but by what it says.
    private static func check(_ request: APIRequest, _ permission: Permissions) throws(HTTPFailure) {
        guard request.access.visibility(permission, of: "Procedure").isWhole else {
            throw HTTPFailure(.insufficientScope, "performed steps need system/Procedure.\(permission.letters)")
        }
    }

    /// Does the work in one unit, with its row in the audit trail.
    @discardableResult
    private func write<Value: Sendable>(
        _ request: APIRequest, _ interaction: String, _ action: AuditRecord.Action, _ uid: String,
        _ work: @escaping @Sendable (any UnitOfWork) throws -> Value
    ) async throws -> Value {
        try await store.write(request.access) { unit in
            let value = try work(unit)
            try unit.audit(
                AuditRecord(
                    category: .message, interaction: interaction, action: action, outcome: .success,
                    access: unit.access, entity: "mpps:\(uid)"))
            return value
        }
    }

    /// Nil for what is none of this service's. PS3.18 Tables 15.4.3-1 to 15.6.3-1; nothing is ever gone: no step is deleted.
    static func failure(for error: any Error) -> HTTPFailure? {
        guard let refusal = error as? PerformedProcedureStepService.Refusal else { return nil }
        return switch refusal {
        case .duplicate: HTTPFailure(.conflict, "there is a performed step of that UID")
        case .unknown: HTTPFailure(.notFound, "there is no performed step of that UID")
        case .closed: HTTPFailure(.conflict, "the performed step is completed or discontinued")
        }
    }
}
