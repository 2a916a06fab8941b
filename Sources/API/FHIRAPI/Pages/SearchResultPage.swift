import FHIRModel
import FHIRResources
import FHIRSearch
import HTTPSupport
import Hummingbird

/// A search of one type: a form of its parameters, what it found as a table, what that brought along, and the next page.
/// FHIR R4 http.html#search.
enum SearchResultPage {
    /// The columns of a type, by the elements' names in its definition.
    private static let columns: [String: [String]] = [
        "Patient": ["name", "birthDate", "gender", "identifier"],
        "ServiceRequest": ["code", "status", "subject", "authoredOn", "identifier"],
        "ImagingStudy": ["description", "modality", "subject", "started", "status", "numberOfInstances"],
        "DiagnosticReport": ["code", "status", "subject", "effective", "issued"],
        "Observation": ["code", "value", "subject", "effective", "status"],
        "Encounter": ["class", "status", "subject", "period"],
        "Task": ["code", "status", "for", "owner", "authoredOn"],
        "Condition": ["code", "clinicalStatus", "subject", "recordedDate"],
        "AllergyIntolerance": ["code", "clinicalStatus", "patient", "recordedDate"],
        "Coverage": ["type", "beneficiary", "payor", "status"],
        "RelatedPerson": ["name", "patient", "relationship"],
        "Practitioner": ["name", "identifier"],
        "PractitionerRole": ["practitioner", "organization", "code"],
        "Organization": ["name", "identifier"],
        "Location": ["name", "status", "identifier"],
        "Device": ["deviceName", "type", "status", "identifier"],
        "Endpoint": ["name", "status", "connectionType", "address"],
        "Procedure": ["code", "status", "subject", "performed"],
        "DocumentReference": ["type", "status", "subject", "date"],
        "Subscription": ["status", "criteria", "reason"],
        "AuditEvent": ["recorded", "subtype", "action", "outcome", "agent"],
    ]

    static func show(_ call: FHIRPageCall, _ interaction: Interaction) async throws -> Response {
        let type = call.request.parameters["type"]
        guard FHIRDefinitions.r4.isResourceType(type) else {
            return call.refusal(await call.ask(interaction, query: call.query))
        }
        let response = await call.ask(interaction, query: call.pagedQuery)
        let form = form(type, call)
        guard response.status == 200, let bundle = FHIRPageCall.document(response) else {
            // What is wrong in the form is put right in the form.
            guard response.status == 400 else { return call.refusal(response) }
            return call.answer(
                type,
                [
                    call.section(
                        .outcomeTitle, IssueList.html(FHIRPageCall.document(response), call.language),
                        FHIRPageCall.paragraph(call.text(.nextMalformed))), form,
                ], status: .badRequest, hasForms: true)
        }
        let entries = bundle["entry"]?.array ?? []
        func resources(_ mode: String) -> [JSONObject] {
            entries.filter { $0["search"]?["mode"]?.string == mode }.compactMap { $0["resource"]?.object }
        }
        var content = [form, found(resources("match"), bundle, type, call)]
        let included = resources("include")
        if !included.isEmpty {
            content.append(
                call.section(
                    .searchIncluded,
                    call.table([.resourceLabel, .updatedLabel], included.map { identity($0, call) }, orElse: .none)))
        }
        for notice in resources("outcome") {
            content.append(call.section(.searchNoticesTitle, IssueList.html(.object(notice), call.language)))
        }
        return call.answer(type, content, hasForms: true)
    }

    private static func found(
        _ matches: [JSONObject], _ bundle: JSONValue, _ type: String, _ call: FHIRPageCall
    ) -> HTML {
        let names = columns[type] ?? []
        var view = ElementView(baseURL: call.service.baseURL, call.language)
        let rows = matches.map { object -> [HTML] in
            let identity = identity(object, call, withType: false)
            return identity.prefix(1) + names.map { view.cell($0, of: object, type: type) } + identity.dropFirst()
        }
        let headings = ["id"] + names + [call.language[.updatedLabel]]
        var links: [HTML] = []
        for (relation, title) in [("first", PageText.searchFirst), ("previous", .back), ("next", .searchNext)] {
            guard let path = path(of: relation, in: bundle, call) else { continue }
            links.append(
                .element("li", [], .element("a", [.init("href", path), .init("rel", relation)], call.text(title))))
        }
        if call.first(FHIRService.pageParameter) != nil {
            let path = FHIRPageCall.path(
                call.request.path, call.query.filter { $0.name != FHIRService.pageParameter })
            links.insert(.element("li", [], FHIRPageCall.link(path, call.language[.searchFirst])), at: 0)
        }
        let total = bundle["total"]?.numberText.map { "\(call.language[.searchTotal]): \($0)" }
        return call.section(
            .searchFound, total.map { FHIRPageCall.paragraph(.text($0)) } ?? .none,
            rows.isEmpty
                ? FHIRPageCall.paragraph(call.text(.searchNothing)) : call.table(names: headings, rows),
            links.isEmpty ? .none : .element("ul", [.init("class", "plain")], links))
    }

    /// A link to the resource, and when it was changed last.
    static func identity(_ object: JSONObject, _ call: FHIRPageCall, withType: Bool = true) -> [HTML] {
        let (type, id) = (object["resourceType"]?.string ?? "", object["id"]?.string ?? "")
        let title = withType ? "\(type)/\(id)" : id
        let isPlace = FHIRDefinitions.r4.isResourceType(type) && PrimitiveFormat.isID(id)
        return [
            isPlace ? FHIRPageCall.link("/fhir/\(type)/\(id)", title) : .text(title),
            .text(object["meta"]?["lastUpdated"]?.string ?? ""),
        ]
    }

    /// Of a link of a Bundle; nil where it has none, or none of this server.
    static func path(of relation: String, in bundle: JSONValue, _ call: FHIRPageCall) -> String? {
        let link = (bundle["link"]?.array ?? []).first { $0["relation"]?.string == relation }
        return link?["url"]?.string.flatMap { call.local($0) }
    }

    // MARK: The form

    /// What was asked for, a field for each condition, then one for each other parameter of the type: folded away where
    /// something was asked.
    private static func form(_ type: String, _ call: FHIRPageCall) -> HTML {
        let all = FHIRDefinitions.r4.searchParameters(for: type).filter {
            SearchSupport.isSupported($0)
                && (type != AuditEvent.type || AuditEvent.searchParameters.contains($0.code))
        }
        // What is asked with a modifier, beside the parameters or twice stays in the form, too.
        let asked = call.query.filter { ![FHIRService.pageParameter, FHIRService.keptParameter].contains($0.name) }
        let kinds = Dictionary(all.map { ($0.code, $0.type.rawValue) }, uniquingKeysWith: { first, _ in first })
        func label(_ name: String) -> String { name == "_sort" ? call.language[.sortLabel] : name }
        let filled = asked.enumerated().map { index, pair in
            field(pair.name, kinds[pair.name], label: label(pair.name), value: pair.value, id: "asked-\(index)")
        }
        let names = Set(asked.map(\.name))
        let empty = (all.map(\.code).sorted() + ["_sort"]).filter { !names.contains($0) }.map {
            field($0, kinds[$0], label: label($0), value: "", id: "by-" + $0)
        }
        return .element(
            "form",
            [
                .init("method", "get"), .init("action", "/fhir/\(type)"), .init("class", "card filter"),
                .init("role", "search"),
            ],
            filled.isEmpty ? .none : .element("div", [], filled),
            .element(
                "details", filled.isEmpty ? [.flag("open")] : [],
                .element("summary", [], "\(call.language[.searchFields]) (\(all.count))"),
                .element("p", [.init("class", "quiet")], call.text(.searchFieldHint)),
                .element("div", [], empty)),
            .element("button", [.init("type", "submit")], call.text(.searchButton)))
    }

    private static func field(_ name: String, _ kind: String?, label: String, value: String, id: String) -> HTML {
        .element(
            "div", [],
            .element(
                "label", [.init("for", id)], .text(label),
                kind.map { .element("span", [.init("class", "quiet")], .text(" " + $0)) } ?? .none),
            .element(
                "input",
                [
                    .init("id", id), .init("name", name), .init("type", "text"), .init("autocomplete", "off"),
                    .init("autocapitalize", "none"), .init("spellcheck", "false"), .init("maxlength", "512"),
                    .init("value", value),
                ]))
    }
}
