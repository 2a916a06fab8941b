import Access
import FHIRModel
import HTTPSupport
import HTTPTypes
import Hummingbird
import Logging

/// One request for a page of resources, by somebody who is signed in; of an open page, by anybody.
struct FHIRPageCall: Sendable {
    let request: APIRequest
    let service: FHIRService
    /// Nil on an open page.
    let person: SignedInPerson?
    /// What the person sees.
    let access: AccessContext
    let language: PageLanguage
    /// Of the page: without what says how it is to look, and without what a form left empty.
    let query: [(name: String, value: String)]
    /// After which searches that only count are ended, in microseconds.
    let countingTime: Int64
    /// For whom is counted now.
    let counting: CountingPlaces

    /// Throws `.malformed`.
    init(
        _ request: APIRequest, _ service: FHIRService, person: SignedInPerson?, _ access: AccessContext,
        countingTime: Int64, counting: CountingPlaces
    ) throws {
        self.countingTime = countingTime
        self.counting = counting
        self.request = request
        self.service = service
        self.person = person
        self.access = access
        language = PageLanguage.best(of: request.headers[.acceptLanguage])
        query = try request.query(plusIsSpace: true).filter {
            !$0.value.isEmpty && !["_format", "_pretty"].contains($0.name)
        }.map { ($0.name, $0.value) }
    }

    func first(_ name: String) -> String? { query.first { $0.name == name }?.value }

    /// Entries of a list on one page where the query does not say, and at most.
    static let (countDefault, countMax) = (50, 200)

    /// The query of a list, with how many entries of it a page shows. What is no number is for the search to refuse.
    var pagedQuery: [(name: String, value: String)] {
        let count = first("_count").map { text in Int(text).map { String(min($0, Self.countMax)) } ?? text }
        return query.filter { $0.name != "_count" } + [("_count", count ?? String(Self.countDefault))]
    }

    /// What a program gets of an interaction, with its row in the audit trail.
    /// - Parameters:
    ///   - parameters: those of the request unless others are given.
    ///   - path: below the base.
    func ask(
        _ interaction: Interaction, parameters: PathParameters? = nil, path: String? = nil,
        query: [(name: String, value: String)]
    ) async -> FHIRResponse {
        let text = query.map { "\(PercentCoding.encoded($0.name))=\(PercentCoding.encoded($0.value))" }
        return await service.respond(
            to: FHIRCall(
                parameters: parameters ?? request.parameters,
                path: path ?? String(request.path.dropFirst("/fhir/".count)),
                query: query, rawQuery: text.joined(separator: "&"), headers: [.accept: "application/fhir+json"],
                access: access),
            by: interaction)
    }

    // MARK: Answers

    func answer(
        _ title: String, _ content: [HTML], status: HTTPResponse.Status = .ok, hasForms: Bool = false
    ) -> Response {
        var page = Page(title, language, content)
        page.isWide = true
        page.hasForms = hasForms
        page.navigation = [
            .init("/fhir", language[.resourcesTitle]), .init("/fhir/_history", language[.recentTitle]),
            .init("/fhir/metadata", language[.capabilityTitle]), .init("/account", language[.accountTitle]),
        ]
        return page.response(status: status, headers: [.vary: "Accept, Cookie"])
    }

    /// What went wrong, in the server's words, and what helps.
    func refusal(_ response: FHIRResponse) -> Response {
        if let failure = response.failure {
            request.logger.error(
                "request failed",
                metadata: ["request": .string(request.requestID), "error": .string(failure)])
        }
        let next: PageText =
            switch response.status {
            case 403: .nextForbidden
            case 404: .nextNotFound
            case 410: .nextGone
            case 429, 503, 507: .nextLater
            case 405, 501: .nextUnsupported
            case 500: .nextInternal
            default: .nextMalformed
            }
        var content = [
            section(.outcomeIssue, IssueList.html(Self.document(response), language)),
            section(.nextTitle, .element("p", [], text(next))),
        ]
        if response.status == 410 {
            // Of the resource, also where it is one of its versions that was asked for.
            let place = "/fhir/\(request.parameters["type"])/\(request.parameters["id"])/_history"
            content.append(Self.paragraph(Self.link(place, language[.historyLabel])))
        }
        content.append(
            .element(
                "p", [.init("class", "quiet")], "\(language[.requestIDLabel]) \(request.requestID)"))
        let title: PageText = response.status == 404 ? .notFoundTitle : .outcomeTitle
        return answer(language[title], content, status: HTTPResponse.Status(code: response.status))
    }

    /// The JSON of an answer; nil where there is none.
    static func document(_ response: FHIRResponse) -> JSONValue? {
        guard case .bytes(let bytes) = response.body, let document = try? JSONDocument(parsing: bytes, limits: .stored)
        else { return nil }
        return JSONValue(document)
    }

    // MARK: Pieces

    func text(_ key: PageText) -> HTML { language.html(key) }

    func section(_ title: PageText, _ content: HTML...) -> HTML {
        .element("section", [], [.element("h2", [], text(title))] + content)
    }

    static func link(_ path: String, _ title: String) -> HTML {
        .element("a", [.init("href", path)], .text(title))
    }

    static func paragraph(_ content: HTML...) -> HTML { .element("p", [], content) }

    /// The path of a page, with its query escaped.
    static func path(_ path: String, _ fields: [(name: String, value: String)]) -> String {
        if fields.isEmpty { return path }
        return path + "?"
            + fields.map { PercentCoding.encoded($0.name) + "=" + PercentCoding.encoded($0.value) }
            .joined(separator: "&")
    }

    /// The same place as a path of this server; nil for a URL that is not of this base.
    func local(_ url: String) -> String? {
        guard url.hasPrefix(service.baseURL + "/") else { return nil }
        return "/fhir" + url.dropFirst(service.baseURL.count)
    }

    func table(_ headings: [PageText], _ rows: [[HTML]], orElse nothing: PageText) -> HTML {
        rows.isEmpty
            ? Self.paragraph(text(nothing)) : PageForms(language: language, token: "").table(headings, rows)
    }

    /// A table whose headings are names of elements.
    func table(names headings: [String], _ rows: [[HTML]]) -> HTML {
        let head = headings.map { HTML.element("th", [.init("scope", "col")], .text($0)) }
        let body = rows.map { row in
            HTML.element(
                "tr", [],
                row.enumerated().map { index, cell in
                    index == 0 ? .element("th", [.init("scope", "row")], cell) : .element("td", [], cell)
                })
        }
        return .element(
            "div", [.init("class", "scroll"), .init("tabindex", "0")],
            .element("table", [], .element("thead", [], .element("tr", [], head)), .element("tbody", [], body)))
    }

    /// More than a page shows of the JSON beside it, in bytes.
    static let jsonBytesMax = 512 * 1024

    /// The same as JSON, folded away.
    func json(_ value: JSONValue) -> HTML {
        // With its indents a hostile one is many times as large: it is not written to be thrown away.
        let isShort = JSONWriter.compact(value).count <= Self.jsonBytesMax
        let bytes = isShort ? JSONWriter.pretty(value) : []
        return .element(
            "details", [], .element("summary", [], text(.jsonTitle)),
            !isShort || bytes.count > Self.jsonBytesMax
                ? Self.paragraph(text(.jsonCut))
                : .element("pre", [.init("tabindex", "0")], .text(String(decoding: bytes, as: UTF8.self))))
    }
}

/// The issues of an OperationOutcome as a list.
enum IssueList {
    /// More than are shown.
    private static let issuesMax = 50

    static func html(_ outcome: JSONValue?, _ language: PageLanguage) -> HTML {
        let issues = (outcome?["issue"]?.array ?? []).prefix(issuesMax).map { issue -> HTML in
            let words = issue["details"]?["text"]?.string ?? issue["diagnostics"]?.string ?? ""
            let places = (issue["expression"]?.array ?? []).compactMap(\.string).joined(separator: ", ")
            return .element(
                "li", [], .element("strong", [], .text(issue["code"]?.string ?? "")), " ", .text(words),
                places.isEmpty ? .none : .element("code", [], .text(" " + places)))
        }
        return .element("ul", [], issues)
    }
}
