import FHIRModel
import HTTPSupport
import Hummingbird

/// The versions of a resource, of a type or of all, the newest first, each with the way to what it changed. FHIR R4
/// http.html#history.
enum HistoryListPage {
    static func show(_ call: FHIRPageCall, _ interaction: Interaction) async throws -> Response {
        let response = await call.ask(interaction, query: call.pagedQuery)
        guard response.status == 200, let bundle = FHIRPageCall.document(response) else {
            return call.refusal(response)
        }
        let next = SearchResultPage.path(of: "next", in: bundle, call)
        let parts = ["type", "id"].map { call.request.parameters[$0] }.filter { !$0.isEmpty }
        var content = [
            call.section(
                .historyTitle, table(bundle, call),
                next.map {
                    FHIRPageCall.paragraph(
                        .element("a", [.init("href", $0), .init("rel", "next")], call.text(.searchNext)))
                } ?? .none)
        ]
        if parts.count == 2 {
            content.append(
                FHIRPageCall.paragraph(
                    FHIRPageCall.link("/fhir/" + parts.joined(separator: "/"), call.language[.currentVersion])))
        }
        let title = call.language[parts.isEmpty ? .recentTitle : .historyTitle]
        return call.answer(([title] + parts).joined(separator: " "), content)
    }

    /// The entries of a history as rows.
    static func table(_ bundle: JSONValue, _ call: FHIRPageCall) -> HTML {
        let rows = (bundle["entry"]?.array ?? []).prefix(FHIRPageCall.countMax).compactMap { row($0, call) }
        return call.table(
            [.resourceLabel, .versionLabel, .updatedLabel, .historyMethod, .differencesTitle], rows,
            orElse: .historyNone)
    }

    private static func row(_ entry: JSONValue, _ call: FHIRPageCall) -> [HTML]? {
        guard let place = entry["fullUrl"]?.string.flatMap({ call.local($0) }) else { return nil }
        let response = entry["response"]
        let version = (response?["etag"]?.string ?? "").filter { ("0"..."9").contains($0) }
        let isDeleted = entry["resource"] == nil
        let method = entry["request"]?["method"]?.string ?? ""
        let number = Int(version) ?? 0
        return [
            FHIRPageCall.link(place, String(place.dropFirst("/fhir/".count))),
            isDeleted ? .text(version) : FHIRPageCall.link("\(place)/_history/\(version)", version),
            .text(response?["lastModified"]?.string ?? ""),
            isDeleted ? call.text(.historyDeleted) : .text(method),
            isDeleted || number < 2
                ? .none
                : FHIRPageCall.link(
                    FHIRPageCall.path(
                        "\(place)/_history/\(version)", [(ResourcePage.compareParameter, String(number - 1))]),
                    call.language[.historyCompare]),
        ]
    }
}
