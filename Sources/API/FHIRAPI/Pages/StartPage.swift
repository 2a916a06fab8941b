import FHIRModel
import FHIRResources
import HTTPSupport
import Hummingbird

/// Where a person begins: what there is that they may see, by type, and what has changed last.
enum StartPage {
    private static let recentMax = 15

    static func show(_ call: FHIRPageCall) async throws -> Response {
        guard let history = Interaction.all.first(where: { $0.name == "historySystem" }) else {
            throw HTTPFailure(.notFound, "There is nothing at this path")
        }
        let recent = await call.ask(
            history, parameters: PathParameters(), path: "_history", query: [("_count", String(recentMax))])
        guard recent.status == 200 else { return call.refusal(recent) }
        let all = FHIRDefinitions.r4.resourceTypes.filter { $0 != AuditEvent.type }
        let first = ResourceCounts.firstTypes
        let counts = await ResourceCounts.of(
            (first + all.filter { !first.contains($0) }).map { ($0, nil) }, countedMax: all.count, call)
        try await ResourceCounts.record("counts of all types", entity: nil, patientID: nil, call)
        let found = counts.filter { ($0.number ?? 0) > 0 }
        let uncounted = counts.filter { $0.number == nil }
        let rows = found.map { count -> [HTML] in
            [FHIRPageCall.link("/fhir/\(count.type)", count.type), "\(count.number ?? 0)"]
        }
        return call.answer(
            call.language[.resourcesTitle],
            [
                FHIRPageCall.paragraph(call.text(.startLead)),
                call.section(
                    .typesTitle,
                    rows.isEmpty && !uncounted.isEmpty
                        ? .none : call.table([.kindLabel, .countLabel], rows, orElse: .typesNone),
                    uncounted.isEmpty
                        ? .none
                        : .element(
                            "details", [], .element("summary", [], call.text(.referencesUncounted)),
                            .element(
                                "ul", [.init("class", "columns")],
                                uncounted.map { .element("li", [], FHIRPageCall.link("/fhir/\($0.type)", $0.type)) })),
                    .element(
                        "details", [], .element("summary", [], call.text(.typesOther)),
                        .element(
                            "ul", [.init("class", "columns")],
                            FHIRDefinitions.r4.resourceTypes.map {
                                .element("li", [], FHIRPageCall.link("/fhir/\($0)", $0))
                            }))),
                call.section(
                    .recentTitle, FHIRPageCall.document(recent).map { HistoryListPage.table($0, call) } ?? .none),
            ])
    }
}

/// The CapabilityStatement as a table of types. FHIR R4 http.html#capabilities.
enum CapabilityPage {
    static func show(_ call: FHIRPageCall, _ interaction: Interaction) async throws -> Response {
        let response = await call.ask(interaction, query: call.query)
        guard response.status == 200, let statement = FHIRPageCall.document(response) else {
            return call.refusal(response)
        }
        let rows = (statement["rest"]?[0]?["resource"]?.array ?? []).map { resource -> [HTML] in
            let type = resource["type"]?.string ?? ""
            func words(_ name: String, _ member: String) -> HTML {
                .text((resource[name]?.array ?? []).compactMap { $0[member]?.string }.joined(separator: ", "))
            }
            return [
                FHIRPageCall.link("/fhir/\(type)", type), words("interaction", "code"), words("searchParam", "name"),
            ]
        }
        let software = [statement["software"]?["name"]?.string, statement["software"]?["version"]?.string]
        let facts = [
            (call.language[.capabilitySoftware], software.compactMap { $0 }.joined(separator: " ")),
            ("FHIR", statement["fhirVersion"]?.string ?? ""),
            ("URL", statement["implementation"]?["url"]?.string ?? ""),
        ]
        return call.answer(
            call.language[.capabilityTitle],
            [
                FHIRPageCall.paragraph(call.text(.capabilityLead)),
                .element(
                    "section", [],
                    .element(
                        "dl", [],
                        facts.flatMap { [.element("dt", [], .text($0)), .element("dd", [], .text($1))] }),
                    FHIRPageCall.paragraph(FHIRPageCall.link("/fhir/metadata?_format=json", call.language[.jsonTitle]))),
                call.section(
                    .typesTitle,
                    call.table(
                        [.kindLabel, .capabilityInteractions, .capabilityParameters], rows, orElse: .typesNone)),
            ])
    }
}
