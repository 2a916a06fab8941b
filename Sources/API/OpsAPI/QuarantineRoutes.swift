import Access
import HTTPSupport
import HTTPTypes
import Hummingbird
import Workflow

/// The quarantine, for the person who decides: what is kept aside, and a decision about it.
struct QuarantineRoutes: Sendable {
    /// Bytes of a decision's form.
    private static let formBytesMax = 16 << 10

    let desk: any QuarantineDesk
    let audit: any AuditTrail
    /// Whether browsers are led to ``QuarantinePages``.
    let hasPages: Bool

    var routes: [Route] {
        let search = RouteAccess.bearer(.permission(.search, on: "ImagingStudy"))
        let update = RouteAccess.bearer(.permission(.update, on: "ImagingStudy"))
        func decision(
            _ name: String, _ operationID: String, _ ask: @escaping @Sendable (Form) throws -> QuarantineRequest.Ask
        ) -> Route {
            Route(
                .post, "/ops/quarantine/{study}/\(name)", operationID: operationID, access: update,
                deadline: .seconds(60)
            ) { try await decide($0, ask) }
        }
        return [
            Route(
                .get, "/ops/quarantine", operationID: "listQuarantine", access: search, deadline: .seconds(30),
                page: hasPages ? PageBeside.page("/quarantine") : nil
            ) { try await list($0) },
            Route(
                .get, "/ops/quarantine/{study}", operationID: "getQuarantinedStudy", access: search,
                deadline: .seconds(30), page: hasPages ? PageBeside.page("/quarantine", "study") : nil
            ) { try await show($0) },
            decision("accept", "acceptQuarantined") { _ in .accept },
            decision("reject", "rejectQuarantined") { _ in .reject },
            decision("undo", "undoQuarantineDecision") { _ in .undo },
            decision("relink", "relinkQuarantined") { .relink(try $0.target()) },
        ]
    }

    /// The state that a query asks for; nil for none. Throws `.malformed`.
    static func state(_ query: QueryParameters) throws -> QuarantineState? {
        try query["state"].map { text in
            guard let state = QuarantineState(rawValue: text) else {
                let known = QuarantineState.allCases.map(\.rawValue).joined(separator: ", ")
                throw HTTPFailure(.malformed, "state is one of \(known)")
            }
            return state
        }
    }

    private func list(_ request: APIRequest) async throws -> Response {
        let limit = try OpsRoutes.limit(request)
        let state = try Self.state(try request.query())
        let json = MediaType(type: "application", subtype: "json")
        let html = MediaType(type: "text", subtype: "html")
        guard let type = AcceptHeader(request.headers[.accept]).best(of: [json, html]) else {
            throw HTTPFailure(.notAcceptable, "This path answers application/json and text/html")
        }
        let series = try await desk.quarantine(state ?? .waiting, limit: limit, access: request.access)
        try await OpsRoutes.record("quarantine", request, audit)
        if type == html { return .bytes(QuarantineView.html(series), contentType: "text/html; charset=utf-8") }
        return .bytes(QuarantineView.json(series), contentType: "application/json")
    }

    private func show(_ request: APIRequest) async throws -> Response {
        let study = request.parameters["study"]
        guard let series = try await desk.quarantine(ofStudy: study, access: request.access) else {
            throw HTTPFailure(.notFound, "There is no such study")
        }
        try await OpsRoutes.record("quarantine", request, audit, entity: "study:" + study)
        return .bytes(QuarantineView.json(series), contentType: "application/json")
    }

    private func decide(
        _ request: APIRequest, _ ask: (Form) throws -> QuarantineRequest.Ask
    ) async throws -> Response {
        if let type = try request.contentType(), type.type != "application" || type.subtype != "x-www-form-urlencoded" {
            throw HTTPFailure(.unsupportedMediaType, "A decision is sent as application/x-www-form-urlencoded")
        }
        let body = try await request.collectBody(limit: Self.formBytesMax)
        let form = try Form(
            fields: QueryParameters(
                String(decoding: body.readableBytesView, as: UTF8.self), countMax: 16, plusIsSpace: true))
        do {
            let series = try await desk.decide(
                QuarantineRequest(
                    try ask(form), studyInstanceUID: request.parameters["study"],
                    seriesInstanceUID: form.fields["series"], sopInstanceUID: form.fields["instance"],
                    reason: form.fields["reason"] ?? "", title: try form.title()), access: request.access)
            return .bytes(QuarantineView.json(series), contentType: "application/json")
        } catch let refusal as QuarantineService.Refusal {
            let code: HTTPFailure.Code =
                switch refusal {
                case .unknown: .notFound
                case .reasonMissing, .reasonTooLong: .malformed
                default: .conflict
                }
            throw HTTPFailure(code, refusal.description)
        }
    }

    /// The fields of a decision.
    struct Form: Sendable {
        var fields: QueryParameters

        /// What a rejection is coded as; nil for none. Throws `.malformed` for another code.
        func title() throws -> RejectionTitle? {
            guard let text = fields["code"], !text.isEmpty else { return nil }
            guard let title = RejectionTitle(text) else {
                throw HTTPFailure(
                    .malformed,
                    "code is one of \(RejectionTitle.allCases.map(\.code).joined(separator: ", "))")
            }
            return title
        }

        func target() throws -> QuarantineRequest.Target {
            switch (fields["order"], fields["patient"]) {
            case (let order?, nil): return .order(QuarantineRequest.Name(order))
            case (nil, let patient?): return .patient(QuarantineRequest.Name(patient))
            default: throw HTTPFailure(.malformed, "relink takes either order or patient")
            }
        }
    }
}
