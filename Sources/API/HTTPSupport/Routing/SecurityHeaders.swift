import HTTPTypes

/// The headers that every answer carries unless the handler chose its own.
package struct SecurityHeaders: Sendable {
    private let isTLS: Bool
    /// `isTLS`: whether the listener speaks TLS, so that browsers may be told to keep to it. RFC 6797 §7.
    package init(isTLS: Bool) { self.isTLS = isTLS }

    private static let noStore = HTTPField(name: .cacheControl, value: "no-store")
    private static let noSniff = HTTPField(name: .xContentTypeOptions, value: "nosniff")

    /// The policy of a page: no script, nothing inline, in nobody's frame. CSP Level 3.
    ///
    /// - Parameters:
    ///   - forms: sources that its forms, and the answers to them, may lead to.
    ///   - hasScript: whether scripts run that are files of this server.
    package static func pagePolicy(forms: [String], hasScript: Bool = false) -> String {
        "default-src 'none'; \(hasScript ? "script-src 'self'; " : "")style-src 'self'; base-uri 'none'; "
            + "form-action \(forms.joined(separator: " ")); "
            + "frame-ancestors 'none'"
    }

    /// - Parameter isClearText: whether the client spoke clear text to a proxy: it must not be told then. RFC 6797 §7.2.
    func apply(to headers: inout HTTPFields, isClearText: Bool = false) {
        // Answers hold health data: no cache may keep one.
        if !headers.contains(.cacheControl) { headers.append(Self.noStore) }
        if !headers.contains(.xContentTypeOptions) { headers.append(Self.noSniff) }
        if isTLS, !isClearText { headers[.strictTransportSecurity] = "max-age=31536000" }
        if headers[.contentType]?.hasPrefix("text/html") == true {
            // A page with forms says itself where they may lead; see ``Page``.
            if !headers.contains(.contentSecurityPolicy) {
                headers[.contentSecurityPolicy] = Self.pagePolicy(forms: ["'none'"])
            }
            if !headers.contains(.referrerPolicy) { headers[.referrerPolicy] = "no-referrer" }
        }
    }
}

extension HTTPField.Name {
    /// Referrer Policy §3.
    package static let referrerPolicy = HTTPField.Name("Referrer-Policy")!
}
