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
    package var authorizationEndpoint: String { baseURL + "/auth/authorize" }
    package var tokenEndpoint: String { baseURL + "/oauth/token" }
    package var revocationEndpoint: String { baseURL + "/oauth/revoke" }
    package var registrationEndpoint: String { baseURL + "/oauth/register" }
    package var introspectionEndpoint: String { baseURL + "/oauth/introspect" }
    package var keySetURL: String { baseURL + "/oauth/jwks" }
}

/// What makes the server launch applications beside serving backend services.
package struct AppLaunch: Sendable {
    let authorization: AuthorizationEndpoint
    /// The same that the token endpoint has.
    package let exchange: GrantExchange

    package init(authorization: AuthorizationEndpoint, exchange: GrantExchange) {
        self.authorization = authorization
        self.exchange = exchange
    }
}

/// The routes of SMART App Launch 2.2: discovery, keys, token, and where applications are launched authorization,
/// revocation and introspection.
package struct SMARTRoutes: Sendable {
    private let endpoint: TokenEndpoint
    private let launch: AppLaunch?
    private let registration: RegistrationEndpoint?
    private let keySet: [UInt8]
    private let discovery: DiscoveryDocuments
    private let issuer: String

    /// - Parameters:
    ///   - launch: nil where nobody is launched: the documents then say so.
    ///   - registration: nil where applications are registered by operators alone.
    ///   - keys: the server's keys, the signing one first; all are published.
    ///   - identityKey: published, too; as the issuer has it.
    ///   - associated: other bases that tokens are for.
    ///   - scopes: the scopes for backend services that work on this server, for discovery.
    package init(
        configuration: SMARTConfiguration, endpoint: TokenEndpoint, launch: AppLaunch? = nil,
        registration: RegistrationEndpoint? = nil, keys: [ServerKey],
        identityKey: IdentityKey? = nil, associated: [AssociatedEndpoint] = [], scopes: [String]
    ) {
        self.endpoint = endpoint
        self.registration = registration
        self.launch = launch
        self.keySet = SMARTRoutes.keySet(keys, identityKey)
        issuer = configuration.baseURL
        discovery = DiscoveryDocuments(
            configuration, launches: launch != nil, onlineAccess: launch?.authorization.givesOnlineAccess ?? false,
            systemScopes: scopes, signsByRSA: identityKey != nil, associated: associated,
            registers: registration != nil)
    }

    package var group: RouteGroup {
        var routes = [
            Route(
                .get, "/fhir/.well-known/smart-configuration", operationID: "getSmartConfiguration", access: .open
            ) { _ in
                published(discovery.smart)
            },
            Route(.get, "/oauth/jwks", operationID: "getServerKeys", access: .open) { _ in published(keySet) },
            Route(
                .post, "/oauth/token", operationID: "postToken", access: .open, deadline: .seconds(60),
                oversizeAudit: OversizeAudit(.authentication, "token")
            ) { request in
                try await endpoint.answer(request)
            },
        ]
        if let registration { routes.append(registration.route) }
        if let launch {
            let inquiries = TokenInquiries(endpoint.gate, launch.exchange, issuer: issuer)
            routes += launch.authorization.routes
            routes += [
                Route(
                    .get, "/.well-known/openid-configuration", operationID: "getOpenIDConfiguration", access: .open
                ) { _ in published(discovery.openID) },
                Route(
                    .post, "/oauth/revoke", operationID: "revokeToken", access: .open, deadline: .seconds(60),
                    oversizeAudit: OversizeAudit(.authentication, "revocation")
                ) { try await inquiries.revoke($0) },
                Route(
                    .post, "/oauth/introspect", operationID: "introspectToken", access: .open, deadline: .seconds(60),
                    oversizeAudit: OversizeAudit(.authentication, "introspection")
                ) { try await inquiries.introspect($0) },
            ]
        }
        return RouteGroup(name: "smart", prefix: "/oauth", errorBody: OAuthErrorBody(), routes: routes)
    }

    /// A public document, for any origin. SMART 2.2 app-launch §CORS.
    private func published(_ bytes: [UInt8]) -> Response {
        .bytes(
            bytes, contentType: "application/json",
            headers: [.accessControlAllowOrigin: "*", .cacheControl: "public, max-age=300"])
    }

    private static func keySet(_ keys: [ServerKey], _ identityKey: IdentityKey?) -> [UInt8] {
        var json = JSONText()
        json.object { json in
            json.array("keys") { json in
                for key in keys { key.write(to: &json) }
                identityKey?.write(to: &json)
            }
        }
        return json.bytes
    }
}
