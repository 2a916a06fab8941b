import HTTPTypes
import Hummingbird

extension APIRequest {
    /// More than any form of a page holds, in bytes.
    private static let pageFormBytesMax = 32 * 1024
    private static let pageFieldsMax = 32

    /// Whether a form comes from a page of this server, as far as the browser says where from. Fetch Metadata §2.3; Fetch
    /// Standard §3.2. One that says nothing is judged by the form's token.
    /// - Parameter origin: scheme, host and port of this server.
    package func isOfThisSite(_ origin: String) -> Bool {
        if let site = headers[.secFetchSite] { return site == "same-origin" || site == "none" }
        return headers[.origin].map { $0 == origin } ?? true
    }

    /// The fields of a form of a page, each at most once. Throws `.malformed`, and what ``form(limit:countMax:)`` throws.
    package func pageForm() async throws -> QueryParameters {
        let form = try await form(limit: Self.pageFormBytesMax, countMax: Self.pageFieldsMax)
        guard Set(form.map(\.name)).count == form.count else {
            throw HTTPFailure(.malformed, "A field is given twice")
        }
        return form
    }
}

extension Response {
    /// Sends the browser to a path of this server, by GET. RFC 9110 §15.4.4.
    package static func seeOther(_ path: String, cookies: [HTTPField] = []) -> Response {
        var headers: HTTPFields = [.location: path]
        for cookie in cookies { headers.append(cookie) }
        return .empty(.seeOther, headers: headers)
    }
}

/// Times on pages, in UTC: `2026-11-29 22:05`.
package enum PageTime {
    /// - Parameter microseconds: since 1970 UTC.
    package static func text(_ microseconds: Int64) -> String {
        let instant = HTTPDate.instant(microseconds: microseconds)
        return "\(instant.prefix(10)) \(instant.dropFirst(11).prefix(5))"
    }
}

extension HTTPField.Name {
    /// Fetch Metadata §2.3.
    package static let secFetchSite = HTTPField.Name("Sec-Fetch-Site")!
}
