import Basics
import FHIRModel
import FHIRSearch

/// Search parameters of AuditEvent, looked at in the event itself. FHIR R4 auditevent.html#search, search.html.
extension AuditEvent {
    /// The parameters that are answered.
    package static let searchParameters: Set<String> = [
        "_id", "_lastUpdated", "action", "agent", "agent-name", "date", "entity", "entity-type", "outcome", "patient",
        "subtype", "type",
    ]

    /// Whether all that a filter asks holds. What cannot be told of an event does not hold.
    package func meets(_ filter: SearchFilter) -> Bool {
        switch filter {
        case .parameter(let condition): meets(condition)
        case .anyOf(let filters): filters.contains { meets($0) }
        case .allOf(let filters): filters.allSatisfy { meets($0) }
        case .chain, .reverseChain: false
        }
    }

    private func meets(_ condition: SearchCondition) -> Bool {
        guard Self.searchParameters.contains(condition.parameter.code) else { return false }
        let code = condition.parameter.code
        switch condition.test {
        case .matches(let values): return values.contains { meets(code, $0) }
        case .matchesNone(let values): return !values.contains { meets(code, $0) }
        case .isMissing(let isMissing): return isMissing == self.isMissing(code)
        }
    }

    private func meets(_ code: String, _ value: SearchValue) -> Bool {
        switch value {
        case .token(let system, let wanted): tokens(code).contains { Self.matches($0, system, wanted) }
        case .date(let prefix, let range, _): Self.matches(time, prefix, range)
        case .stringStart(let start): names.contains { TextFolding.folded($0).hasPrefix(start) }
        case .stringPart(let part): names.contains { TextFolding.folded($0).contains(part) }
        case .stringExact(let text): names.contains(text)
        case .reference(let types, let id):
            references(code).contains { $0.id == id && (types.isEmpty || types.contains($0.type)) }
        case .referenceIdentifier(let system, let wanted):
            identifiers(code).contains { Self.matches(($0.system, $0.value), system, wanted) }
        default: false
        }
    }

    private func isMissing(_ code: String) -> Bool {
        switch code {
        case "_lastUpdated", "date": false
        case "agent-name": names.isEmpty
        case "agent", "entity", "patient": references(code).isEmpty && identifiers(code).isEmpty
        default: tokens(code).isEmpty
        }
    }

    private func tokens(_ code: String) -> [(system: String?, code: String)] {
        switch code {
        case "_id": [(nil, id)]
        case "action": [("http://hl7.org/fhir/audit-event-action", action)]
        case "outcome": [("http://hl7.org/fhir/audit-event-outcome", outcome)]
        case "type": [(type.system, type.code)]
        case "subtype": subtypes.map { ($0.system, $0.code) }
        case "entity-type": entities.map { ($0.type.system, $0.type.code) }
        default: []
        }
    }

    private var names: [String] { agents.compactMap(\.name) }

    private func references(_ code: String) -> [Reference] {
        switch code {
        case "patient": (patients + survivors.sorted()).map { Reference(type: "Patient", id: $0) }
        case "entity": entities.compactMap(\.reference)
        default: []
        }
    }

    private func identifiers(_ code: String) -> [Identifier] {
        switch code {
        case "agent": agents.map { Identifier(system: $0.identifierSystem, value: $0.identifierValue) }
        case "entity": entities.compactMap(\.identifier)
        default: []
        }
    }

    private static func matches(
        _ token: (system: String?, code: String), _ system: TokenSystem, _ code: String?
    ) -> Bool {
        if let code, code != token.code { return false }
        return switch system {
        case .any: true
        case .none: token.system == nil
        case .uri(let uri): token.system == uri
        }
    }

    /// FHIR R4 search.html#prefix, for a moment.
    private static func matches(_ time: Int64, _ prefix: SearchPrefix, _ range: DateTimeRange) -> Bool {
        switch prefix {
        case .equal, .approximately: range.lower <= time && time < range.upper
        case .notEqual: time < range.lower || range.upper <= time
        case .greater, .startsAfter: range.upper <= time
        case .greaterOrEqual: range.lower <= time
        case .less, .endsBefore: time < range.lower
        case .lessOrEqual: time < range.upper
        }
    }
}
