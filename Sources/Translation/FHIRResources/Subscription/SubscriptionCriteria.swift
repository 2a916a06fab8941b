import FHIRModel
import FHIRSearch

/// The criteria of a Subscription: a search of this server without its base, conditions only.
/// FHIR R4 subscription.html, search.html.
package enum SubscriptionCriteria {
    /// Reads `Type?name=value&…`. Throws ``InteractionError`` `.invalid` with what is wrong; the text itself is named in
    /// no message.
    package static func query(_ text: String, _ parser: SearchQueryParser, bytesMax: Int) throws -> SearchQuery {
        guard text.utf8.count <= bytesMax else {
            throw refusal("criteria are at most \(bytesMax) bytes; these have \(text.utf8.count)")
        }
        let parts = text.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let type = String(parts[0])
        guard FHIRDefinitions.r4.isResourceType(type) else {
            throw refusal("criteria begin with a resource type, as in Observation?code=1234")
        }
        guard type != "Subscription" else { throw refusal("a Subscription cannot watch Subscriptions") }
        guard type != AuditEvent.type else { throw refusal("a Subscription cannot watch AuditEvents") }
        var parameters: [SearchQuery.Parameter] = []
        for piece in parts.count > 1 ? parts[1].split(separator: "&") : [] {
            let pair = piece.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = decoded(pair[0]), let value = decoded(pair.count > 1 ? pair[1] : "") else {
                throw refusal("criteria hold an escape that is not percent-encoded UTF-8")
            }
            parameters.append(.init(name: name, value: value))
        }
        let query: SearchQuery
        do { query = try parser.parse(type, parameters) } catch {
            let texts = error.issues.compactMap(\.diagnostics)
            throw refusal("the server cannot search by the criteria: " + texts.joined(separator: " "))
        }
        guard query.sort.isEmpty, query.includes.isEmpty, query.count == nil, query.total == nil, query.summary == nil,
            query.elements.isEmpty
        else { throw refusal("criteria hold conditions only: no order, pages, totals, summaries or includes") }
        return query
    }

    private static func refusal(_ text: String) -> InteractionError {
        InteractionError(.invalid, text, issues: [(expression: "Subscription.criteria", message: text)])
    }

    /// As in the query of a FHIR URL: `+` is a blank. RFC 3986 §2.1. Nil for a bad escape, NUL, and bytes that are not
    /// UTF-8.
    private static func decoded(_ text: Substring) -> String? {
        func digit(_ byte: UInt8) -> UInt8? {
            switch byte {
            case 0x30...0x39: byte - 0x30
            case 0x41...0x46: byte - 0x41 + 10
            case 0x61...0x66: byte - 0x61 + 10
            default: nil
            }
        }
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "+"): bytes.append(0x20)
            case UInt8(ascii: "%"):
                guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit),
                    high | low != 0
                else { return nil }
                bytes.append(high << 4 | low)
            case 0: return nil
            default: bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
