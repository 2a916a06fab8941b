import FHIRModel
import FHIRSearch

/// `_elements` and `_summary`: which root elements a client wants to see. FHIR R4 search.html#elements, #summary.
package struct Subset: Sendable {
    private enum Mode: Sendable {
        case whole
        /// These root elements, beside the mandatory ones.
        case only(Set<String>)
        /// Everything but the narrative.
        case withoutText
        /// The elements that the definitions mark as summary.
        case summary
    }
    private let mode: Mode
    private let definitions: FHIRDefinitions

    /// Everything there is.
    package static let whole = Subset(mode: .whole, definitions: .r4)

    private init(mode: Mode, definitions: FHIRDefinitions) {
        self.mode = mode
        self.definitions = definitions
    }

    /// What a search asks for.
    package init(query: SearchQuery, definitions: FHIRDefinitions) {
        self.init(elements: query.elements, summary: query.summary, definitions: definitions)
    }

    /// - Parameter elements: of `_elements`, which counts before `_summary`; empty for none.
    package init(elements: [String], summary: SummaryMode?, definitions: FHIRDefinitions) {
        self.definitions = definitions
        if !elements.isEmpty {
            // `Type.element` and `element` are both written.
            mode = .only(Set(elements.map { String($0.split(separator: ".").last ?? "") }))
        } else {
            mode =
                switch summary {
                case .text: .only(["text"])
                case .data: .withoutText
                case .true: .summary
                case .count, .false, nil: .whole
                }
        }
    }

    /// The resource's bytes, with only what is wanted and the SUBSETTED tag. FHIR R4 search.html#summary.
    package func apply(to bytes: [UInt8], of type: String) -> [UInt8] {
        if case .whole = mode { return bytes }
        guard let document = try? JSONDocument(parsing: bytes, limits: .stored) else { return bytes }
        let root = JSONValue(document)
        guard let members = root.object?.members else { return bytes }
        var kept: [(String, JSONValue)] = []
        for member in members {
            let name = member.name.hasPrefix("_") ? String(member.name.dropFirst()) : member.name
            let isKept: Bool =
                switch mode {
                case .whole: true
                case .withoutText: name != "text"
                case .summary:
                    ["resourceType", "id", "meta"].contains(name) || isMandatory(name, in: type)
                        || definitions.type(named: type)?.property(name)?.element.isSummary == true
                case .only(let names):
                    names.contains(name) || ["resourceType", "id", "meta"].contains(name)
                        || isMandatory(name, in: type)
                }
            if isKept { kept.append((member.name, member.value)) }
        }
        var value = JSONValue.object(JSONObject(kept))
        var meta = value["meta"] ?? .object(JSONObject())
        let tag: JSONValue = [
            "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED",
        ]
        meta["tag"] = .array((meta["tag"]?.array ?? []) + [tag])
        value["meta"] = meta
        return JSONWriter.compact(value)
    }

    private func isMandatory(_ name: String, in type: String) -> Bool {
        (definitions.type(named: type)?.property(name)?.element.min ?? 0) > 0
    }
}
