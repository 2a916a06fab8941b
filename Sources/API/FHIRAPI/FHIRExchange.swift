import Access
import FHIRModel
import FHIRResources
import HTTPSupport
import Workflow

/// One request to the FHIR base, after authentication and before any interaction: plain values, no HTTP library.
package struct FHIRRequest: Sendable {
    /// The methods that interactions use.
    package enum Method: String, Sendable, Hashable {
        case get = "GET", head = "HEAD", post = "POST", put = "PUT", delete = "DELETE"
    }

    /// How the request was made; HEAD is answered as GET without its body.
    package var method: Method
    /// The path below the base, percent-decoded segments.
    package var path: [String]
    /// The query, decoded, in order, repeats kept.
    package var query: [(name: String, value: String)]
    /// The query as it stood in the URL, for the audit trail and the export's `request`.
    package var rawQuery: String
    /// Header values by lower-case name; the first of repeats.
    package var headers: [String: String]
    /// The whole body, within the limit of the listener; empty without one.
    package var body: [UInt8]
    /// The caller's rights.
    package var access: AccessContext

    /// A request whose head was read and whose body is whole.
    package init(
        method: Method, path: [String], query: [(name: String, value: String)], rawQuery: String,
        headers: [String: String],
        body: [UInt8], access: AccessContext
    ) {
        self.method = method
        self.path = path
        self.query = query
        self.rawQuery = rawQuery
        self.headers = headers
        self.body = body
        self.access = access
    }

    func first(_ name: String) -> String? { query.first { $0.name == name }?.value }

    var preferences: Preferences { Preferences(headers["prefer"].map { [$0] } ?? []) }

    /// The version in If-Match (`W/"3"`); nil without the header. A header that is no version throws.
    func ifMatch() throws -> Int64? {
        guard let text = headers["if-match"] else { return nil }
        guard let version = ETag.version(text) else {
            throw InteractionError(.malformed, "If-Match must be one weak ETag, such as W/\"3\"")
        }
        return version
    }
}

/// The answer to a ``FHIRRequest``.
package struct FHIRResponse: Sendable {
    /// What follows the head.
    package enum Body: Sendable {
        case none
        case bytes([UInt8])
        /// A blob to stream.
        case blob(BlobID, count: Int64)
    }
    /// The HTTP status.
    package var status: Int
    /// Header fields in order, names as they are sent.
    package var headers: [(name: String, value: String)]
    /// What follows the head.
    package var body: Body

    /// A response with these fields and no others.
    package init(_ status: Int, headers: [(name: String, value: String)] = [], body: Body = .none) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// A FHIR JSON body. FHIR R4 http.html#mime-type.
    static func json(_ status: Int, _ bytes: [UInt8], headers: [(name: String, value: String)] = []) -> FHIRResponse {
        FHIRResponse(
            status, headers: headers + [("Content-Type", "application/fhir+json; charset=utf-8")], body: .bytes(bytes))
    }

    static func outcome(_ status: Int, _ outcome: OperationOutcome, headers: [(name: String, value: String)] = [])
        -> FHIRResponse
    {
        json(status, outcome.bytes, headers: headers)
    }
}

/// Versions as weak entity tags. FHIR R4 http.html#versioning.
enum ETag {
    static func text(_ version: Int64) -> String { "W/\"\(version)\"" }

    /// The version in one tag, weak or strong; nil for a list, `*`, or anything else.
    static func version(_ text: String) -> Int64? {
        var view = text.filter { $0 != " " }[...]
        if view.hasPrefix("W/") { view = view.dropFirst(2) }
        guard view.count >= 3, view.first == "\"", view.last == "\"" else { return nil }
        return Int64(view.dropFirst().dropLast())
    }

    /// Whether a list of tags (or `*`) holds the version.
    static func list(_ text: String, holds version: Int64) -> Bool {
        text.split(separator: ",").contains { part in
            part.filter { $0 != " " } == "*" || self.version(String(part)) == version
        }
    }
}

extension UTCInstant {
    /// The instant as an HTTP date; the fraction of the second is dropped. RFC 9110 §5.6.7.
    var httpDate: String {
        let (seconds, fraction) = microseconds.quotientAndRemainder(dividingBy: 1_000_000)
        return HTTPDate.text(secondsSince1970: fraction < 0 ? seconds - 1 : seconds)
    }
}
