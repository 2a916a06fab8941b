import Access
import FHIRModel
import FHIRSearch
import Workflow

/// A Subscription as a client states it, read and checked. FHIR R4 subscription.html.
///
/// Only rest-hook is carried out. What is refused names the element. Header values are secrets: they go to a protected
/// place, and the resource shows their names alone.
struct SubscriptionStatement {
    /// What stands for a header value in the resource.
    static let hidden = "********"

    let type: String
    let criteria: String
    let endpoint: String
    let sendsResource: Bool
    /// As stated, each `Name: value`; the value may be ``hidden``.
    let headers: [OutboundHeader]
    let end: UTCInstant?
    let isOff: Bool
    /// Whether the client says that it is active: it was read back and written again.
    let isActive: Bool

    init(_ value: JSONValue, in unit: any ResourceUnitOfWork) throws {
        let rules = unit.subscriptionRules
        switch value["status"]?.string {
        case "off": (isOff, isActive) = (true, false)
        case "active": (isOff, isActive) = (false, true)
        case "requested", "error": (isOff, isActive) = (false, false)
        default: throw Self.refusal("status", "status is requested, or off")
        }
        guard let criteria = value["criteria"]?.string else { throw Self.refusal("criteria", "criteria are missing") }
        let query = try SubscriptionCriteria.query(criteria, unit.searchParser, bytesMax: rules.criteriaBytesMax)
        self.criteria = criteria
        type = query.resourceType
        let channel = value["channel"]
        guard channel?["type"]?.string == "rest-hook" else {
            throw Self.refusal("channel.type", "only rest-hook is carried out by this server")
        }
        endpoint = try Self.endpoint(channel?["endpoint"]?.string, rules)
        sendsResource = try Self.sendsResource(channel?["payload"]?.string)
        headers = try Self.headers(channel?["header"], rules)
        if let text = value["end"]?.string {
            guard let time = FHIRDateTime(text)?.range().lower else {
                throw Self.refusal("end", "end is no instant")
            }
            end = UTCInstant(microseconds: time)
            guard UTCInstant(microseconds: time) > unit.time || isOff else {
                throw Self.refusal("end", "end is in the past")
            }
        } else {
            end = nil
        }
    }

    private static func endpoint(_ text: String?, _ rules: SubscriptionRules) throws -> String {
        guard let text else { throw refusal("channel.endpoint", "a rest-hook needs an endpoint") }
        let url: OutboundURL
        do { url = try OutboundURL(text) } catch { throw refusal("channel.endpoint", error.rawValue) }
        guard rules.allows(host: url.host) else {
            throw refusal(
                "channel.endpoint",
                "the site does not let this host be told (subscriptions.hosts lists those that may)")
        }
        if let address = url.address, !rules.outbound.allows(address) {
            throw refusal("channel.endpoint", OutboundRefusal.addressNotAllowed.rawValue)
        }
        return url.text
    }

    private static func sendsResource(_ payload: String?) throws -> Bool {
        guard let payload, !payload.isEmpty else { return false }
        let parts = payload.lowercased().split(separator: ";").map { part in part.filter { $0 != " " } }
        guard parts.first == "application/fhir+json",
            parts.dropFirst().allSatisfy({ ["fhirversion=4.0", "charset=utf-8"].contains($0) })
        else { throw refusal("channel.payload", "the payload is application/fhir+json, or none") }
        return true
    }

    private static func headers(_ value: JSONValue?, _ rules: SubscriptionRules) throws -> [OutboundHeader] {
        let lines = value?.array ?? []
        guard lines.count <= rules.headersMax else {
            throw refusal("channel.header", "at most \(rules.headersMax) headers are sent")
        }
        var names: Set<String> = []
        return try lines.enumerated().map { index, line in
            let place = "channel.header[\(index)]"
            guard let text = line.string, text.utf8.count <= rules.headerBytesMax,
                let header = OutboundHeader(line: text)
            else {
                throw refusal(
                    place,
                    "a header is `Name: value` in printable ASCII of at most \(rules.headerBytesMax) bytes, and none of "
                        + "those that the server sets itself")
            }
            guard names.insert(header.name.lowercased()).inserted else {
                throw refusal(place, "a header is given twice")
            }
            return header
        }
    }

    static func refusal(_ element: String, _ message: String) -> InteractionError {
        InteractionError(
            .invalid, message, issues: [(expression: "Subscription." + element, message: message)])
    }
}
