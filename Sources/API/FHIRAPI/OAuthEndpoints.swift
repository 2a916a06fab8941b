import FHIRModel

/// Where applications are authorized, told in the CapabilityStatement for those that look there. SMART App Launch 1.0
/// §Conformance, `oauth-uris`; the newer place is `.well-known/smart-configuration`.
package struct OAuthEndpoints: Sendable, Hashable {
    /// Nil where nobody can sign in.
    package var authorize: String?
    /// RFC 6749 §3.2.
    package var token: String
    /// RFC 7009; nil where there is none.
    package var revoke: String?
    /// RFC 7662; nil where there is none.
    package var introspect: String?

    /// Absolute URLs.
    package init(authorize: String? = nil, token: String, revoke: String? = nil, introspect: String? = nil) {
        self.authorize = authorize
        self.token = token
        self.revoke = revoke
        self.introspect = introspect
    }

    /// The extension of `CapabilityStatement.rest.security`.
    var json: JSONValue {
        let named = [("authorize", authorize), ("token", token), ("revoke", revoke), ("introspect", introspect)]
        return [
            "url": "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris",
            "extension": .array(
                named.compactMap { name, uri in uri.map { ["url": .string(name), "valueUri": .string($0)] } }),
        ]
    }
}
