import Access
import FHIRModel
import FHIRResources
import HTTPSupport
import Workflow

/// One request to the FHIR base, after authentication and before any interaction: plain values, no HTTP library.
package struct FHIRRequest: Sendable {
    /// The methods that interactions use.
    package enum Method: String, Sendable, Hashable {
        case get = "GET", post = "POST", put = "PUT", delete = "DELETE"
    }

    /// How the request was made; GET for HEAD too, whose answer leaves without its body.
    package var method: Method
    /// The path below the base, percent-decoded segments.
    package var path: [String]
    /// The query, decoded, in order, repeats kept.
    package var query: [(name: String, value: String)]
    /// The query as it stood in the URL, for the audit trail and the export's `request`.
    package var rawQuery: String
    /// Header values by lower-case name; several lines of one name joined by commas.
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

    /// What If-Match and If-None-Match ask of a write. A field that is no list of entity tags throws `.malformed`.
    func precondition() throws -> WritePrecondition {
        func tags(_ name: String, _ title: String) throws -> WritePrecondition.Tags? {
            guard let text = headers[name] else { return nil }
            guard let tags = ETag.tags(text) else {
                throw InteractionError(.malformed, "\(title) must be * or entity tags, such as W/\"3\"")
            }
            return tags
        }
        return WritePrecondition(
            ifMatch: try tags("if-match", "If-Match"), ifNoneMatch: try tags("if-none-match", "If-None-Match"))
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
    /// The kind of the error behind a failure of ours, for the log: never sent, and without values.
    package var failure: String?

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

    /// The tags of an If-Match or If-None-Match field, weak or strong; nil when it is neither `*` nor a list of tags.
    /// Empty elements are passed over. RFC 9110 §5.6.1, §8.8.3.
    static func tags(_ text: String) -> WritePrecondition.Tags? {
        let bytes = Array(text.utf8)
        var found: [String] = []
        var hasAny = false
        var at = 0
        func skip(_ marks: StaticString) {
            while at < bytes.count, marks.withUTF8Buffer({ $0.contains(bytes[at]) }) { at += 1 }
        }
        while true {
            skip(" \t,")
            guard at < bytes.count else { break }
            if bytes[at] == UInt8(ascii: "*") {
                hasAny = true
                at += 1
            } else {
                if bytes[at...].starts(with: "W/".utf8) { at += 2 }
                guard at < bytes.count, bytes[at] == UInt8(ascii: "\""),
                    let end = bytes[(at + 1)...].firstIndex(of: UInt8(ascii: "\""))
                else { return nil }
                found.append(String(decoding: bytes[(at + 1)..<end], as: UTF8.self))
                at = end + 1
            }
            skip(" \t")
            guard at == bytes.count || bytes[at] == UInt8(ascii: ",") else { return nil }
        }
        // `*` stands alone.
        if hasAny { return found.isEmpty ? .any : nil }
        return found.isEmpty ? nil : .listed(found)
    }

    /// Whether a field of tags (or `*`) holds the version; one that is malformed holds none.
    static func list(_ text: String, holds version: Int64) -> Bool { tags(text)?.hold(version) ?? false }

    /// Whether a field of tags (or `*`) holds an opaque tag, by weak comparison. RFC 9110 §8.8.3.2.
    static func list(_ text: String, holds tag: String) -> Bool {
        switch tags(text) {
        case .any: true
        case .listed(let tags): tags.contains(tag)
        case nil: false
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
