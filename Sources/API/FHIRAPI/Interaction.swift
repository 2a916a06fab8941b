import Access
import FHIRModel
import FHIRResources
import HTTPSupport
import HTTPTypes
import Workflow

/// One interaction of the FHIR base: where it is, what its caller needs, and what answers. FHIR R4 http.html.
///
/// The table is read by the routes and by the entries of Bundles alike.
struct Interaction: Sendable {
    typealias Handler = @Sendable (FHIRService, FHIRCall) async throws -> FHIRResponse
    typealias Look = @Sendable (FHIRService, FHIRCall) async throws -> Lookup
    typealias Change = @Sendable (FHIRService, FHIRCall) throws -> ResourceChange

    enum Work: Sendable {
        /// Answered as it stands.
        case answer(Handler)
        /// Something asked of stored resources, which an entry of a transaction asks of its unit of work.
        case look(Look)
        /// A change of a resource, which may be one of several in a unit of work.
        case change(Change)
    }

    /// `operationId` of `openapi/fhir.yaml`.
    let name: String
    let method: HTTPRequest.Method
    /// Below the base, such as `/{type}/{id}`.
    let template: String
    /// What its caller has to be permitted.
    let needs: InteractionNeed
    /// Whether it needs no token.
    var isOpen = false
    /// Whether a GET changes nothing, so that HEAD may be asked too.
    var isSafe = true
    /// Whether an entry of a batch may ask for it.
    var isForEntries = true
    private let work: Work

    var hasBody: Bool { [.post, .put, .patch].contains(method) }

    /// Whether it changes a resource.
    var isChange: Bool { if case .change = work { true } else { false } }

    /// What answers a call, once its caller has what the interaction needs. Throws as ``InteractionNeed/check(_:)``, and 405
    /// for a change of what nobody changes.
    func work(for call: FHIRCall) throws -> Work {
        try needs.check(call)
        if isChange, try call.type() == AuditEvent.type { throw AuditEvents.readOnly }
        return work
    }

    /// In the order in which templates are tried: a literal goes before a parameter.
    static let all: [Interaction] = [
        Interaction(name: "bundle", method: .post, template: "/", needs: .decidedWithin, isForEntries: false) {
            try await $0.bundle($1)
        },
        Interaction(name: "capabilities", method: .get, template: "/metadata", needs: .nothing, isOpen: true) {
            $0.capabilities.response(to: $1)
        },
        exporting("exportKickOff", .get, "/$export"),
        exporting("exportKickOffPost", .post, "/$export"),
        exporting("exportPatients", .get, "/Patient/$export"),
        exporting("exportPatientsPost", .post, "/Patient/$export"),
        exporting("exportGroup", .get, "/Group/{id}/$export"),
        exporting("exportGroupPost", .post, "/Group/{id}/$export"),
        job("exportStatus", .get, "/_export/{job}") { try await $0.exportStatus($1, job: $1.parameters["job"]) },
        job("exportDelete", .delete, "/_export/{job}") { try await $0.exportDelete($1, job: $1.parameters["job"]) },
        job("exportFile", .get, "/_export/{job}/{file}") {
            try await $0.exportFile($1, job: $1.parameters["job"], file: $1.parameters["file"])
        },
        job("importKickOff", .post, "/$import") { try await $0.importKickOff($1) },
        job("importStatus", .get, "/_import/{job}") { try await $0.importStatus($1, job: $1.parameters["job"]) },
        job("importDelete", .delete, "/_import/{job}") { try await $0.importDelete($1, job: $1.parameters["job"]) },
        job("importFile", .get, "/_import/{job}/{file}") {
            try await $0.importFile($1, job: $1.parameters["job"], file: $1.parameters["file"])
        },
        Interaction(
            name: "historySystem", method: .get, template: "/_history", needs: .onAnyType(.search),
            look: { try $0.history($1) }),
        Interaction(
            name: "historyType", method: .get, template: "/{type}/_history", needs: .permissions(.search),
            look: { try $0.history($1, type: try $1.type()) }),
        Interaction(
            name: "searchType", method: .get, template: "/{type}", needs: .permissions(.search),
            look: { try await $0.search($1, type: try $1.type(), form: nil) }),
        Interaction(
            name: "searchTypePost", method: .post, template: "/{type}/_search", needs: .permissions(.search),
            look: { try await $0.search($1, type: try $1.type(), form: $1.body) }),
        Interaction(
            name: "create", method: .post, template: "/{type}", needs: .permissions(.create),
            change: { try $0.create($1, type: try $1.type()) }),
        Interaction(
            name: "updateConditional", method: .put, template: "/{type}", needs: .permissions([.update, .search]),
            change: { try $0.updateConditional($1, type: try $1.type()) }),
        Interaction(
            name: "patchConditional", method: .patch, template: "/{type}",
            needs: .permissions([.read, .update, .search]),
            change: { try $0.patchConditional($1, type: try $1.type()) }),
        Interaction(
            name: "deleteConditional", method: .delete, template: "/{type}", needs: .permissions([.delete, .search]),
            change: { try $0.deleteConditional($1, type: try $1.type()) }),
        Interaction(
            name: "read", method: .get, template: "/{type}/{id}", needs: .permissions(.read),
            look: { try $0.read($1, type: try $1.type(), id: try $1.id()) }),
        Interaction(
            name: "update", method: .put, template: "/{type}/{id}", needs: .permissions(.update),
            change: { try $0.update($1, type: try $1.type(), id: try $1.id()) }),
        Interaction(
            name: "patch", method: .patch, template: "/{type}/{id}", needs: .permissions([.read, .update]),
            change: { try $0.patch($1, type: try $1.type(), id: try $1.id()) }),
        Interaction(
            name: "delete", method: .delete, template: "/{type}/{id}", needs: .permissions(.delete),
            change: { try $0.delete($1, type: try $1.type(), id: try $1.id()) }),
        Interaction(
            name: "historyInstance", method: .get, template: "/{type}/{id}/_history", needs: .permissions(.read),
            look: { try $0.history($1, type: try $1.type(), id: try $1.id()) }),
        Interaction(
            name: "vread", method: .get, template: "/{type}/{id}/_history/{version}", needs: .permissions(.read),
            look: {
                try $0.versionRead($1, type: try $1.type(), id: try $1.id(), version: $1.parameters["version"])
            }),
    ]

    /// One of the kick-offs; the template says of what. Bulk Data 2.0 §Bulk Data Kick-off Request.
    private static func exporting(_ name: String, _ method: HTTPRequest.Method, _ template: String) -> Interaction {
        job(name, method, template, isSafe: false) { service, call in
            let level: ExportJob.Level =
                if template.hasPrefix("/Group/") {
                    .group(try call.id())
                } else {
                    template.hasPrefix("/Patient/") ? .patient : .system
                }
            return try await service.kickOff(call, level, isForm: method == .post)
        }
    }

    /// Of a bulk export or import: whose it is, and what it may reach, is told by the job.
    private static func job(
        _ name: String, _ method: HTTPRequest.Method, _ template: String, isSafe: Bool = true,
        answer: @escaping Handler
    ) -> Interaction {
        Interaction(
            name: name, method: method, template: template, needs: .decidedWithin, isSafe: isSafe, isForEntries: false,
            answer: answer)
    }

    private init(
        name: String, method: HTTPRequest.Method, template: String, needs: InteractionNeed, isOpen: Bool = false,
        isSafe: Bool = true,
        isForEntries: Bool = true, answer: @escaping Handler
    ) {
        self.init(
            name: name, method: method, template: template, needs: needs, isOpen: isOpen, isSafe: isSafe,
            isForEntries: isForEntries, work: .answer(answer))
    }

    private init(
        name: String, method: HTTPRequest.Method, template: String, needs: InteractionNeed, look: @escaping Look
    ) {
        self.init(name: name, method: method, template: template, needs: needs, work: .look(look))
    }

    private init(
        name: String, method: HTTPRequest.Method, template: String, needs: InteractionNeed, change: @escaping Change
    ) {
        self.init(name: name, method: method, template: template, needs: needs, work: .change(change))
    }

    private init(
        name: String, method: HTTPRequest.Method, template: String, needs: InteractionNeed, isOpen: Bool = false,
        isSafe: Bool = true,
        isForEntries: Bool = true, work: Work
    ) {
        self.name = name
        self.method = method
        self.template = template
        self.needs = needs
        self.isOpen = isOpen
        self.isSafe = isSafe
        self.isForEntries = isForEntries
        self.work = work
    }

    // MARK: Finding one

    /// The interaction of a method at a path below the base, such as `Patient/1`, and what its segments stand for.
    /// Throws 400 for a malformed path, 404 where there is nothing, 405 where it does not take the method.
    static func at(_ path: String, _ method: HTTPRequest.Method) throws -> (Interaction, PathParameters) {
        var segments: [String] = []
        for raw in path.isEmpty
            ? [] : Array(path.utf8).split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        {
            guard segments.count < segmentsMax, let segment = PercentCoding.pathSegment(raw), !segment.isEmpty else {
                throw HTTPFailure(.malformed, "The path is not well formed")
            }
            segments.append(segment)
        }
        let found = all.compactMap { one in one.parameters(segments).map { (one, $0) } }
        let template = found.first?.0.template
        if let match = found.first(where: { $0.0.template == template && $0.0.method == method }) { return match }
        if !found.isEmpty { throw HTTPFailure(.methodNotAllowed, "This path does not take \(method.rawValue)") }
        throw FHIRErrorBody().failure(unmatched: "/fhir/" + path)
            ?? HTTPFailure(.notFound, "There is nothing at this path")
    }

    /// More than any template has.
    private static let segmentsMax = 8

    private func parameters(_ segments: [String]) -> PathParameters? {
        let names = template.dropFirst().split(separator: "/")
        guard names.count == segments.count else { return nil }
        var pairs: [(name: String, value: String)] = []
        for (name, segment) in zip(names, segments) {
            if name.hasPrefix("{") {
                pairs.append((String(name.dropFirst().dropLast()), segment))
            } else if name != segment {
                return nil
            }
        }
        return PathParameters(pairs)
    }
}
