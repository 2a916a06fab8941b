import FHIRModel
import FHIRResources
import HTTPSupport
import Hummingbird

/// A resource, or one version of it: elements, narrative, what refers to it, its JSON; or how a version differs from
/// another one. FHIR R4 http.html#read, http.html#vread.
enum ResourcePage {
    /// Of a version's page: the number of the version to compare it with.
    static let compareParameter = "_compare"

    static func show(_ call: FHIRPageCall, _ interaction: Interaction) async throws -> Response {
        let other = interaction.name == "vread" ? call.first(compareParameter) : nil
        let query = call.query.filter { $0.name != compareParameter }
        let response = await call.ask(interaction, query: query)
        guard response.status == 200, let value = FHIRPageCall.document(response), let object = value.object else {
            return call.refusal(response)
        }
        if let other { return await differences(call, interaction, to: value, from: other) }
        let (type, id) = (call.request.parameters["type"], call.request.parameters["id"])
        var view = ElementView(baseURL: call.service.baseURL, call.language)
        let place = "/fhir/\(type)/\(id)"
        var content = [head(object, call, place: place, isVersion: interaction.name == "vread")]
        if let narrative = object["text"]?["div"]?.string { content.append(Self.narrative(narrative, call)) }
        content.append(call.section(.elementsTitle, view.resource(object)))
        if interaction.name == "read" {
            content.append(call.section(.referencesInTitle, try await IncomingReferences.html(type, id, call)))
        }
        content.append(.element("section", [], call.json(value)))
        return call.answer("\(type) \(id)", content)
    }

    /// Version and time, and where else to look.
    private static func head(
        _ object: JSONObject, _ call: FHIRPageCall, place: String, isVersion: Bool
    ) -> HTML {
        let meta = object["meta"]
        let facts = [
            (PageText.versionLabel, meta?["versionId"]?.string), (.updatedLabel, meta?["lastUpdated"]?.string),
        ]
        var links = [FHIRPageCall.link(place + "/_history", call.language[.historyLabel])]
        if isVersion { links.append(FHIRPageCall.link(place, call.language[.currentVersion])) }
        return .element(
            "section", [],
            .element(
                "dl", [],
                facts.flatMap { label, value -> [HTML] in
                    [.element("dt", [], call.text(label)), .element("dd", [], .text(value ?? ""))]
                }),
            isVersion ? .element("p", [.init("class", "quiet")], call.text(.notCurrent)) : .none,
            .element("ul", [.init("class", "plain")], links.map { .element("li", [], $0) }))
    }

    /// Larger narratives are in the JSON alone, in bytes.
    private static let narrativeBytesMax = 256 * 1024

    private static func narrative(_ text: String, _ call: FHIRPageCall) -> HTML {
        guard text.utf8.count <= narrativeBytesMax else {
            return call.section(.narrativeTitle, FHIRPageCall.paragraph(call.text(.jsonCut)))
        }
        return call.section(
            .narrativeTitle, .element("p", [.init("class", "quiet")], call.text(.narrativeHint)),
            .frame(of: "<!DOCTYPE html><meta charset=\"utf-8\">" + text, title: call.language[.narrativeFrame]))
    }

    private static func differences(
        _ call: FHIRPageCall, _ interaction: Interaction, to after: JSONValue, from version: String
    ) async -> Response {
        let (type, id) = (call.request.parameters["type"], call.request.parameters["id"])
        let parameters = PathParameters([("type", type), ("id", id), ("version", version)])
        let response = await call.ask(
            interaction, parameters: parameters, path: "\(type)/\(id)/_history/\(version)", query: [])
        // A version that was a deletion says nothing: all of the later one is new.
        let isDeletion = response.status == 410
        guard isDeletion || response.status == 200,
            let before = isDeletion ? ([:] as JSONValue) : FHIRPageCall.document(response)
        else { return call.refusal(response) }
        let found = VersionDifferences(from: before, to: after)
        let rows = found.rows.map { row -> [HTML] in
            [
                .element("code", [], .text(row.path)), .text(row.before ?? call.language[.nothingThere]),
                .text(row.after ?? call.language[.nothingThere]),
            ]
        }
        let place = "/fhir/\(type)/\(id)"
        let own = after["meta"]?["versionId"]?.string ?? ""
        return call.answer(
            "\(type) \(id) · \(own)",
            [
                .element(
                    "section", [],
                    .element(
                        "h2", [],
                        "\(call.language[.differencesOf]) \(version)",
                        isDeletion ? .all([" (", call.text(.historyDeleted), ")"]) : .none),
                    call.table(
                        [.differencePath, .differenceBefore, .differenceAfter], rows, orElse: .differencesNone),
                    found.hasMore ? FHIRPageCall.paragraph(call.text(.differencesMore)) : .none),
                FHIRPageCall.paragraph(FHIRPageCall.link(place + "/_history", call.language[.historyLabel])),
            ])
    }
}
