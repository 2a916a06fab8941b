import HTTPTypes
import Hummingbird

/// Which web pages of other origins may call the APIs and read their answers: the origins that the site lists, each
/// exactly, and no others. Fetch Standard §3.2; SMART 2.2 app-launch §CORS.
///
/// Callers are known by bearer tokens, which a page adds itself, so credentials of the browser are never allowed.
package struct CrossOriginPolicy: Sendable {
    /// No other origin may.
    package static let none = CrossOriginPolicy(origins: [])

    /// How long a browser may keep the answer to a preflight, in seconds.
    private static let preflightSeconds = 600
    /// The fields of requests that the APIs read.
    private static let requestFields =
        "Accept, Authorization, Content-Encoding, Content-Type, If-Match, If-Modified-Since, If-None-Exist, "
        + "If-None-Match, If-Range, Prefer, Range, X-Request-Id"
    /// The fields of answers that a page may read beside those of the Fetch Standard.
    private static let exposedFields =
        "Accept-Ranges, Allow, Content-Length, Content-Location, Content-Range, ETag, Link, Location, "
        + "Preference-Applied, Retry-After, WWW-Authenticate, Warning, X-Progress, X-Request-Id"

    private let origins: Set<String>

    /// - Parameter origins: scheme, host and port as browsers send them; see ``isOrigin(_:)``.
    package init(origins: [String]) { self.origins = Set(origins) }

    /// Whether a text is an origin as a browser writes it: http or https, a host in lower case, a port unless it is the
    /// scheme's own, nothing behind it. `*` and `null` are none. RFC 6454 §6.2.
    package static func isOrigin(_ text: String) -> Bool {
        for (scheme, port) in [("https://", ":443"), ("http://", ":80")] where text.hasPrefix(scheme) {
            let host = text.dropFirst(scheme.utf8.count)
            return !host.isEmpty && !host.hasSuffix(port)
                && host.utf8.allSatisfy { byte in
                    switch byte {
                    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                        UInt8(ascii: "."),
                        UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: ":"), UInt8(ascii: "["), UInt8(ascii: "]"):
                        true
                    default: false
                    }
                }
        }
        return false
    }

    /// The answer to a question of a browser before the request itself; nil for every other request, and for all
    /// where no origins are listed. Throws `.insufficientScope` for an origin that is not listed and `.notFound` for a
    /// path that nothing is at.
    func preflight(_ head: HTTPRequest, table: RouteTable, path: String) throws(HTTPFailure) -> Response? {
        guard !origins.isEmpty, head.method == .options, let origin = head.headerFields[.origin],
            let wanted = head.headerFields[.accessControlRequestMethod].flatMap(HTTPRequest.Method.init(_:))
        else { return nil }
        guard origins.contains(origin) else {
            throw HTTPFailure(.insufficientScope, "Pages of this origin may not call this server")
        }
        let allowed: [HTTPRequest.Method]
        switch table.match(method: wanted, path: path) {
        case .found(let route, _, _): allowed = [route.method, wanted]
        case .wrongMethod(let methods, _): allowed = methods
        case .notFound, .malformed: throw HTTPFailure(.notFound, "There is nothing at this path")
        }
        return .empty(
            .noContent,
            headers: [
                .accessControlAllowMethods: Set(allowed.map(\.rawValue)).sorted().joined(separator: ", "),
                .accessControlAllowHeaders: Self.requestFields,
                .accessControlMaxAge: String(Self.preflightSeconds),
            ])
    }

    /// Tells the browser whether the page may read an answer. An answer that is for everybody says so itself.
    func apply(to headers: inout HTTPFields, origin: String?) {
        guard !origins.isEmpty, !headers.contains(.accessControlAllowOrigin) else { return }
        // What is answered depends on who asks, also for those who may not read it.
        headers[.vary] = headers[.vary].map { $0 + ", Origin" } ?? "Origin"
        guard let origin, origins.contains(origin) else { return }
        headers[.accessControlAllowOrigin] = origin
        headers[.accessControlExposeHeaders] = Self.exposedFields
    }
}
