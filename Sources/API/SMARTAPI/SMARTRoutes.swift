import Access
import HTTPSupport
import HTTPTypes
import Hummingbird

/// Where this server is to be found, as its documents say it.
package struct SMARTConfiguration: Sendable {
    /// Scheme, host and port without a slash at the end: `https://hilum.example.org:8443`.
    package let baseURL: String
    package init(baseURL: String) { self.baseURL = baseURL }

    package var fhirBaseURL: String { baseURL + "/fhir" }
    package var tokenEndpoint: String { baseURL + "/oauth/token" }
    package var keySetURL: String { baseURL + "/oauth/jwks" }
}

/// The routes of SMART App Launch 2.2: discovery, keys, token.
package struct SMARTRoutes: Sendable {
    private let configuration: SMARTConfiguration
    private let endpoint: TokenEndpoint
    private let keySet: [UInt8]
    private let discovery: [UInt8]

    /// - Parameters:
    ///   - keys: the server's keys, the signing one first; all are published.
    ///   - scopes: the scopes that work on this server, for discovery.
    package init(configuration: SMARTConfiguration, endpoint: TokenEndpoint, keys: [ServerKey], scopes: [String]) {
        self.configuration = configuration
        self.endpoint = endpoint
        self.keySet = SMARTRoutes.keySet(keys)
        self.discovery = SMARTRoutes.discovery(configuration, scopes: scopes)
    }

    package var group: RouteGroup {
        RouteGroup(
            name: "smart", prefix: "/oauth", errorBody: OAuthErrorBody(),
            routes: [
                Route(
                    .get, "/fhir/.well-known/smart-configuration", operationID: "getSmartConfiguration", access: .open
                ) { _ in
                    published(discovery)
                },
                Route(.get, "/oauth/jwks", operationID: "getServerKeys", access: .open) { _ in published(keySet) },
                Route(.post, "/oauth/token", operationID: "postToken", access: .open, deadline: .seconds(60)) {
                    request in
                    try await endpoint.answer(request)
                },
            ])
    }

    /// A public document, for any origin. SMART 2.2 app-launch §CORS.
    private func published(_ bytes: [UInt8]) -> Response {
        .bytes(
            bytes, contentType: "application/json",
            headers: [.accessControlAllowOrigin: "*", .cacheControl: "public, max-age=300"])
    }

    private static func keySet(_ keys: [ServerKey]) -> [UInt8] {
        var json = JSONText()
        json.object { json in
            json.array("keys") { json in for key in keys { key.write(to: &json) } }
        }
        return json.bytes
    }

    /// Lists only what works here. SMART 2.2 conformance §Using well-known.
    private static func discovery(_ configuration: SMARTConfiguration, scopes: [String]) -> [UInt8] {
        var json = JSONText()
        json.object { json in
            json.member("issuer", configuration.baseURL)
            json.member("jwks_uri", configuration.keySetURL)
            json.member("token_endpoint", configuration.tokenEndpoint)
            json.member("grant_types_supported", ["client_credentials"])
            json.member("token_endpoint_auth_methods_supported", ["private_key_jwt"])
            json.member("token_endpoint_auth_signing_alg_values_supported", SignatureAlgorithm.allCases.map(\.rawValue))
            json.member("scopes_supported", scopes)
            json.member("capabilities", ["client-confidential-asymmetric", "permission-v1", "permission-v2"])
            json.member("code_challenge_methods_supported", ["S256"])
        }
        return json.bytes
    }
}
