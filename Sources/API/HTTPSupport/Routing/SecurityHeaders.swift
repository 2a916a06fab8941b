import HTTPTypes
import Hummingbird

/// The headers that every answer carries unless the handler chose its own.
package struct SecurityHeaders: Sendable {
    private let isTLS: Bool
    /// `isTLS`: whether the listener speaks TLS, so that browsers may be told to keep to it. RFC 6797 §7.
    package init(isTLS: Bool) { self.isTLS = isTLS }

    func apply(to response: inout Response) {
        // Answers hold health data: no cache may keep one.
        if response.headers[.cacheControl] == nil { response.headers[.cacheControl] = "no-store" }
        response.headers[.xContentTypeOptions] = "nosniff"
        if isTLS { response.headers[.strictTransportSecurity] = "max-age=31536000" }
        if response.headers[.contentType]?.hasPrefix("text/html") == true {
            response.headers[.contentSecurityPolicy] =
                "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
            response.headers[.referrerPolicy] = "no-referrer"
        }
    }
}

extension HTTPField.Name {
    static let referrerPolicy = HTTPField.Name("Referrer-Policy")!
}
