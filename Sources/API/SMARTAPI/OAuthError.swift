import HTTPSupport
import HTTPTypes
import Hummingbird

/// An error of the token, revocation and introspection endpoints, and of authorization requests. RFC 6749 §4.1.2.1, §5.2;
/// RFC 7009 §2.2.1; OpenID Connect Core 1.0 §3.1.2.6.
package enum OAuthError: String, Error, Sendable, Hashable {
    case invalidRequest = "invalid_request"
    case invalidClient = "invalid_client"
    case invalidGrant = "invalid_grant"
    case unauthorizedClient = "unauthorized_client"
    case accessDenied = "access_denied"
    case unsupportedResponseType = "unsupported_response_type"
    case unsupportedTokenType = "unsupported_token_type"
    case loginRequired = "login_required"
    case consentRequired = "consent_required"
    case requestNotSupported = "request_not_supported"
    case requestURINotSupported = "request_uri_not_supported"
    case unsupportedGrantType = "unsupported_grant_type"
    case invalidScope = "invalid_scope"
    case serverError = "server_error"
    case temporarilyUnavailable = "temporarily_unavailable"
}

/// Errors of the SMART API in the form of RFC 6749 §5.2.
package struct OAuthErrorBody: ErrorBody {
    package init() {}

    package func body(of failure: HTTPFailure, requestID: String, accept: String?) -> (
        contentType: String, bytes: [UInt8]
    ) {
        let error: OAuthError =
            switch failure.code {
            case .unauthenticated, .insufficientScope: .invalidClient
            case .internal: .serverError
            case .unavailable, .tooManyRequests, .insufficientStorage: .temporarilyUnavailable
            default: .invalidRequest
            }
        return ("application/json", OAuthErrorBody.json(error, failure.message))
    }

    static func json(_ error: OAuthError, _ description: String) -> [UInt8] {
        var json = JSONText()
        json.object { json in
            json.member("error", error.rawValue)
            json.member("error_description", description)
        }
        return json.bytes
    }
}

/// A request that is refused by the form of RFC 6749 §5.2, audited where it has to be.
struct OAuthRefusal: Error, Sendable {
    let error: OAuthError
    let description: String
    /// Whether the client has tried to authenticate by the Authorization header, and so is challenged by it.
    var isChallenged = false

    static let uncached: HTTPFields = [.cacheControl: "no-store", .pragma: "no-cache"]

    var response: Response {
        var headers = Self.uncached
        if isChallenged { headers[.wwwAuthenticate] = "Basic realm=\"token\"" }
        return .bytes(
            OAuthErrorBody.json(error, description), contentType: "application/json",
            status: error == .invalidClient ? .unauthorized : .badRequest, headers: headers)
    }
}

extension HTTPField.Name {
    static let pragma = HTTPField.Name("Pragma")!
}
