import Access
import HTTPSupport

/// Another base that this server's tokens are for. SMART 2.2 conformance (`associated_endpoints`).
package struct AssociatedEndpoint: Sendable, Hashable {
    package let url: String
    package let capabilities: [String]
    package init(url: String, capabilities: [String]) {
        self.url = url
        self.capabilities = capabilities
    }
}

/// What the server says of itself as an authorization server: only what works here.
///
/// *Spec:* SMART 2.2 conformance §Using well-known; OpenID Connect Discovery 1.0 §3; RFC 8414 §2; RFC 9207 §3.
struct DiscoveryDocuments: Sendable {
    let smart: [UInt8]
    let openID: [UInt8]

    /// - Parameters:
    ///   - launches: whether applications are launched.
    ///   - onlineAccess: whether refresh tokens can end with sessions.
    ///   - systemScopes: those for backend services.
    ///   - signsByRSA: whether there is a key for RS256.
    ///   - associated: other bases that tokens are for. SMART Imaging Access.
    ///   - registers: whether applications may ask to be registered.
    init(
        _ configuration: SMARTConfiguration, launches: Bool, onlineAccess: Bool, systemScopes: [String],
        signsByRSA: Bool = false, associated: [AssociatedEndpoint] = [], registers: Bool = false
    ) {
        let scopes = systemScopes + (launches ? Self.launchScopes(onlineAccess: onlineAccess) : [])
        var smart = JSONText()
        smart.object { json in
            Self.common(configuration, launches: launches, scopes: scopes, to: &json)
            if registers { json.member("registration_endpoint", configuration.registrationEndpoint) }
            // Where a person sees what applications may do in their name, and withdraws it.
            if launches { json.member("management_endpoint", configuration.baseURL + AccessRoutes.path) }
            json.member("capabilities", Self.capabilities(launches: launches, onlineAccess: onlineAccess))
            if !associated.isEmpty {
                json.array("associated_endpoints") { json in
                    for endpoint in associated {
                        json.object { json in
                            json.member("url", endpoint.url)
                            json.member("capabilities", endpoint.capabilities)
                        }
                    }
                }
            }
        }
        self.smart = smart.bytes
        var openID = JSONText()
        openID.object { json in
            Self.common(configuration, launches: launches, scopes: scopes, to: &json)
            if registers { json.member("registration_endpoint", configuration.registrationEndpoint) }
            json.member("subject_types_supported", ["public"])
            json.member("id_token_signing_alg_values_supported", (signsByRSA ? ["RS256"] : []) + ["ES256"])
            json.member("claims_supported", ["iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "fhirUser"])
            json.member("request_parameter_supported", false)
            json.member("request_uri_parameter_supported", false)
        }
        self.openID = openID.bytes
    }

    private static func common(
        _ configuration: SMARTConfiguration, launches: Bool, scopes: [String], to json: inout JSONText
    ) {
        json.member("issuer", configuration.baseURL)
        json.member("jwks_uri", configuration.keySetURL)
        if launches {
            json.member("authorization_endpoint", configuration.authorizationEndpoint)
            json.member("revocation_endpoint", configuration.revocationEndpoint)
            json.member("introspection_endpoint", configuration.introspectionEndpoint)
            json.member("response_types_supported", ["code"])
            json.member("response_modes_supported", ["query"])
            json.member("authorization_response_iss_parameter_supported", true)
        }
        json.member("token_endpoint", configuration.tokenEndpoint)
        json.member("grant_types_supported", ["client_credentials"] + (launches ? GrantExchange.grantTypes : []))
        json.member(
            "token_endpoint_auth_methods_supported",
            ["private_key_jwt"] + (launches ? ["client_secret_basic", "client_secret_post", "none"] : []))
        json.member("token_endpoint_auth_signing_alg_values_supported", SignatureAlgorithm.ofClients.map(\.rawValue))
        json.member("scopes_supported", scopes)
        json.member("code_challenge_methods_supported", ["S256"])
    }

    private static func launchScopes(onlineAccess: Bool) -> [String] {
        LaunchScope.allCases.filter { onlineAccess || $0 != .onlineAccess }.map(\.rawValue)
            + ["patient/*.rs", "patient/*.read", "user/*.rs", "user/*.read"]
    }

    private static func capabilities(launches: Bool, onlineAccess: Bool) -> [String] {
        // One token for FHIR and for DICOMweb, whose base its Endpoint tells. SMART Imaging Access.
        var words = ["client-confidential-asymmetric", "permission-v1", "permission-v2", "smart-imaging-access"]
        guard launches else { return words }
        words += [
            "launch-ehr", "launch-standalone", "authorize-post", "client-public", "client-confidential-symmetric",
            "sso-openid-connect", "context-banner", "context-style", "context-ehr-patient", "context-ehr-encounter",
            "context-standalone-patient", "context-standalone-encounter", "permission-offline", "permission-patient",
            "permission-user",
        ]
        if onlineAccess { words.append("permission-online") }
        return words
    }
}
