import Access
import HTTPSupport
import HTTPTypes
import Hummingbird
import Workflow

/// One request for a page for operators, or of a form of one, by an operator who is signed in.
struct OperationsCall: Sendable {
    let request: APIRequest
    let desk: OperationsDesk
    let person: SignedInPerson
    let language: PageLanguage
    /// Of the page, without what a form leaves empty.
    let query: QueryParameters

    /// What an operator may see and do here: the same as a token for the routes below `/ops`, and no more.
    static let scopes = [
        Scope(level: .system, resourceType: "MessageHeader", permissions: [.read, .search, .update]),
        Scope(level: .system, resourceType: "ImagingStudy", permissions: [.read, .search, .update]),
        Scope(level: .system, resourceType: "ServiceRequest", permissions: [.search]),
        Scope(level: .system, resourceType: "AuditEvent", permissions: [.search]),
    ]

    var access: AccessContext { Self.access(person, request) }
    var forms: PageForms { PageForms(language: language, token: desk.sessions.csrfToken(of: person)) }

    private static func access(_ person: SignedInPerson, _ request: APIRequest) -> AccessContext {
        AccessContext(
            principal: person.principal(client: nil), scopes: person.role == .operator ? scopes : [],
            requestID: request.requestID, sourceAddress: request.sourceAddress)
    }

    /// A route for operators: who is not signed in is led to the sign-in, and back to the page without its query; anybody
    /// else is refused, with an audit row.
    static func route(
        _ method: HTTPRequest.Method, _ template: String, _ operationID: String, _ desk: OperationsDesk,
        _ work: @escaping @Sendable (OperationsCall) async throws -> Response
    ) -> Route {
        Route(method, template, operationID: operationID, access: .open, deadline: .seconds(60)) { request in
            guard let person = try await desk.sessions.person(cookies: request.headers[.cookie]) else {
                let path = method == .get ? request.path : OperationsRoutes.path
                return .seeOther(desk.sessions.signInPath(returningTo: path))
            }
            let language = PageLanguage.best(of: request.headers[.acceptLanguage])
            guard person.role == .operator else {
                try await refuse(person, request, desk, "not-operator")
                throw HTTPFailure(.insufficientScope, language[.notOperator])
            }
            let query = QueryParameters(try request.query(plusIsSpace: true).filter { !$0.value.isEmpty })
            return try await work(
                OperationsCall(request: request, desk: desk, person: person, language: language, query: query))
        }
    }

    private static func refuse(
        _ person: SignedInPerson, _ request: APIRequest, _ desk: OperationsDesk, _ detail: String
    ) async throws {
        try await desk.audit.require(
            AuditRecord(
                category: .application, interaction: "operations", action: .execute, outcome: .minorFailure,
                access: access(person, request), detail: detail))
    }

    // MARK: Forms

    /// The fields of a form that this server made for this session. Throws `.insufficientScope`, with an audit row, for
    /// one of another site or without its token; nothing is done then.
    func form() async throws -> QueryParameters {
        guard request.isOfThisSite(desk.origin) else { throw try await foreignForm("cross-site") }
        let form = try await request.pageForm()
        guard let token = form["csrf"], desk.sessions.isCSRFToken(token, of: person) else {
            throw try await foreignForm("csrf")
        }
        return QueryParameters(form.filter { !$0.value.isEmpty })
    }

    private func foreignForm(_ detail: String) async throws -> HTTPFailure {
        try await Self.refuse(person, request, desk, detail)
        return HTTPFailure(.insufficientScope, language[.formTooOld])
    }

    // MARK: Answers

    /// Keeps the row of what is about to be shown. Throws `.unavailable`.
    func record(_ interaction: String, entity: String? = nil, patients: [EntityID] = []) async throws {
        try await OpsRoutes.record(
            interaction, request, desk.audit, entity: entity, patients: patients, access: access)
    }

    func answer(_ title: String, _ content: [HTML], status: HTTPResponse.Status = .ok) -> Response {
        var page = Page(title, language, content)
        page.isWide = true
        page.navigation = OperationsRoutes.navigation(language)
        return page.response(status: status)
    }

    /// The path of this page with some fields of its query replaced, or taken away by nil.
    func path(with fields: [(String, String?)]) -> String {
        let names = fields.map(\.0)
        let kept = query.filter { !names.contains($0.name) }.map { ($0.name, $0.value) }
        return Self.path(request.path, kept + fields.compactMap { name, value in value.map { (name, $0) } })
    }

    static func path(_ path: String, _ fields: [(String, String)]) -> String {
        if fields.isEmpty { return path }
        return path + "?"
            + fields.map { PercentCoding.encoded($0.0) + "=" + PercentCoding.encoded($0.1) }.joined(separator: "&")
    }

    // MARK: Pieces

    func text(_ key: PageText) -> HTML { language.html(key) }

    func time(_ time: UTCInstant?) -> HTML { .text(time.map { PageTime.text($0.microseconds) } ?? "") }

    func section(_ title: PageText, _ content: HTML...) -> HTML {
        .element("section", [], [.element("h2", [], text(title))] + content)
    }

    /// A table, or in words that there is nothing.
    func table(_ headings: [PageText], _ rows: [[HTML]], orElse nothing: PageText) -> HTML {
        rows.isEmpty ? .element("p", [], text(nothing)) : forms.table(headings, rows)
    }

    /// Names with their values; what has none is left out.
    func list(_ items: [(PageText, String?)]) -> HTML {
        .element(
            "dl", [],
            items.flatMap { name, value -> [HTML] in
                guard let value, !value.isEmpty else { return [] }
                return [.element("dt", [], text(name)), .element("dd", [], .text(value))]
            })
    }

    static func link(_ path: String, _ title: String) -> HTML {
        .element("a", [.init("href", path)], .text(title))
    }

    /// Where programs read the same: as a link where no token is needed, for a browser has none.
    func jsonBeside(_ path: String, isOpen: Bool = false) -> HTML {
        .element(
            "p", [.init("class", "quiet")], text(isOpen ? .jsonOpen : .jsonBeside), " ",
            isOpen ? Self.link(path, path) : .element("code", [], .text(path)))
    }

    func entry(_ name: String, _ label: PageText) -> HTML { forms.entry(name, label, value: query[name] ?? "") }

    /// A field of one of several words, or any.
    func choice(_ name: String, _ label: PageText, _ words: [String]) -> HTML {
        forms.choice(
            name, label, [("", language[.anyChoice])] + words.map { ($0, $0) }, chosen: query[name] ?? "")
    }
}

/// A page of a list that is asked for from its begin, by its number: `page`, from 1.
struct ListPage: Sendable {
    static let size = 50
    /// So that no list is asked for more than the JSON routes give.
    static let numberMax = OpsRoutes.limitMax / size - 1

    let number: Int

    /// Throws `.malformed` for what is no number of a page.
    init(_ query: QueryParameters) throws {
        guard let text = query["page"] else {
            number = 1
            return
        }
        guard let number = Int(text), (1...Self.numberMax).contains(number) else {
            throw HTTPFailure(.malformed, "page must be 1 to \(Self.numberMax)")
        }
        self.number = number
    }

    /// How many items to ask for: those up to this page, and one more.
    var limit: Int { number * Self.size + 1 }

    func items<Item>(_ all: [Item]) -> ArraySlice<Item> { all.dropFirst((number - 1) * Self.size).prefix(Self.size) }

    /// The link to what is behind, where there is more.
    func next<Item>(_ all: [Item], _ call: OperationsCall) -> HTML {
        guard all.count > number * Self.size else { return .none }
        guard number < Self.numberMax else { return .element("p", [], call.text(.tooMany)) }
        return call.forms.link(call.path(with: [("page", String(number + 1))]), .olderPage)
    }
}
