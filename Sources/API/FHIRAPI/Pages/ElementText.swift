import FHIRModel
import HTTPSupport

/// Data types in one line, as people write them. FHIR R4 datatypes.html.
enum ElementText {
    /// A line, with the members that it says.
    struct Line {
        let html: HTML
        let told: Set<String>

        init(_ html: HTML, _ told: String...) {
            self.html = html
            self.told = Set(told)
        }
    }

    /// More parts of one value are not joined.
    private static let partsMax = 20

    /// The line of a value of a type; nil for types that are told member by member.
    static func line(_ object: JSONObject, type: String, _ baseURL: String) -> Line? {
        func text(_ name: String) -> String? { object[name]?.string ?? object[name]?.numberText }
        func texts(_ name: String) -> [String] {
            (object[name]?.array ?? []).prefix(partsMax).compactMap(\.string)
        }
        switch type {
        case "Coding":
            guard let shown = text("display") ?? text("code") else { return nil }
            return Line(pair(shown, code(object)), "system", "version", "code", "display", "userSelected")
        case "CodeableConcept":
            let codings = (object["coding"]?.array ?? []).prefix(partsMax).compactMap(\.object)
            guard let shown = text("text") ?? codings.lazy.compactMap({ display($0) }).first else { return nil }
            let all = codings.map { [display($0) == shown ? nil : display($0), code($0)].compactMap { $0 } }
            return Line(pair(shown, all.map { $0.joined(separator: " ") }.joined(separator: "; ")), "coding", "text")
        case "Identifier":
            guard let value = text("value") else { return nil }
            return Line(pair(value, text("system") ?? ""), "system", "value")
        case "HumanName":
            let parts = texts("prefix") + texts("given") + [text("family")].compactMap { $0 } + texts("suffix")
            let shown = parts.isEmpty ? text("text") ?? "" : parts.joined(separator: " ")
            guard !shown.isEmpty else { return nil }
            return Line(
                pair(shown, text("use") ?? ""), "prefix", "given", "family", "suffix", "use",
                parts.isEmpty ? "text" : "use")
        case "ContactPoint":
            guard let value = text("value") else { return nil }
            let about = [text("system"), text("use")].compactMap { $0 }.joined(separator: ", ")
            return Line(pair(value, about), "system", "use", "value")
        case "Address":
            let place = [text("postalCode"), text("city")].compactMap { $0 }.joined(separator: " ")
            let parts = (texts("line") + [place, text("state") ?? "", text("country") ?? ""]).filter { !$0.isEmpty }
            guard !parts.isEmpty else { return nil }
            return Line(
                pair(parts.joined(separator: ", "), text("use") ?? ""), "line", "postalCode", "city", "state",
                "country",
                "use")
        case "Quantity", "Age", "Distance", "Duration", "Count", "SimpleQuantity", "MoneyQuantity":
            guard let value = text("value") else { return nil }
            let shown = (text("comparator") ?? "") + value
            return Line(
                .text([shown, text("unit") ?? text("code")].compactMap { $0 }.joined(separator: " ")), "value",
                "comparator", "unit", "code", "system")
        case "Money":
            guard let value = text("value") else { return nil }
            return Line(.text([value, text("currency") ?? ""].joined(separator: " ")), "value", "currency")
        case "Period":
            return Line(.text("\(text("start") ?? "…") – \(text("end") ?? "…")"), "start", "end")
        case "Reference": return reference(object, baseURL)
        default: return nil
        }
    }

    /// A reference as a link to its page, by what it is called.
    private static func reference(_ object: JSONObject, _ baseURL: String) -> Line? {
        let display = object["display"]?.string
        guard let text = object["reference"]?.string else {
            guard let shown = display ?? object["identifier"]?["value"]?.string else { return nil }
            return Line(.text(shown), "display", "type")
        }
        let linked = link(text, display: display, baseURL)
        return Line(display == nil ? linked : .all([linked, " ", quiet(text)]), "reference", "display", "type")
    }

    /// A link to what a reference names, where it is of this server; the text alone elsewhere.
    static func link(_ text: String, display: String? = nil, _ baseURL: String) -> HTML {
        let shown = display ?? text
        switch Reference(text).relative(to: baseURL) {
        case .relative(let type, let id, let version):
            let path = "/fhir/\(type)/\(id)" + (version.map { "/_history/\($0)" } ?? "")
            return FHIRPageCall.link(path, shown)
        case .fragment(let id) where !id.isEmpty && PrimitiveFormat.isID(id):
            return FHIRPageCall.link("#" + anchor(id), shown)
        default: return .text(shown)
        }
    }

    /// Of a contained resource in its page.
    static func anchor(_ id: String) -> String { "contained-" + id }

    private static func display(_ coding: JSONObject) -> String? { coding["display"]?.string ?? coding["code"]?.string }

    private static func code(_ coding: JSONObject) -> String {
        [coding["code"]?.string, coding["system"]?.string].compactMap { $0 }.joined(separator: " · ")
    }

    private static func quiet(_ text: String) -> HTML { .element("span", [.init("class", "quiet")], .text(text)) }

    private static func pair(_ text: String, _ more: String) -> HTML {
        more.isEmpty ? .text(text) : .all([.text(text), " ", quiet(more)])
    }
}
