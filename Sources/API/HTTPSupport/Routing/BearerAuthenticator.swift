import Access
import HTTPTypes

/// Turns the Authorization header into an ``AccessContext``, or into the refusal RFC 6750 §3 asks for.
///
/// Every refusal is written to the audit trail before it is answered; when that fails the answer is 503. Who is refused
/// too often is answered 429, and whoever has a valid token is served all the same, also from the same address.
package struct BearerAuthenticator: Sendable {
    /// Longer tokens are refused unread, in bytes.
    package static let tokenBytesMax = 8 * 1024

    private let tokens: any TokenVerifying
    let audit: any AuditTrail
    private let realm: String
    private let strangers: StrangerThrottle?

    /// - Parameters:
    ///   - realm: shown to clients: the FHIR base URL.
    ///   - strangers: counts those without a valid token; nil where nobody is counted.
    package init(
        tokens: any TokenVerifying, audit: any AuditTrail, realm: String, strangers: StrangerThrottle? = nil
    ) {
        self.strangers = strangers
        self.tokens = tokens
        self.audit = audit
        self.realm = realm
    }

    /// The rights of the caller of a route. Throws `.unauthenticated`, `.insufficientScope` or `.unavailable`.
    func access(
        for route: Route, parameters: PathParameters, authorization: [String], requestID: String,
        sourceAddress: String?,
        isLoopback: Bool
    ) async throws(HTTPFailure) -> AccessContext {
        let anonymous = AccessContext(
            principal: .anonymous, scopes: [], requestID: requestID, sourceAddress: sourceAddress)
        let requirement: ScopeRequirement
        switch route.access {
        case .open: return anonymous
        case .loopbackOrBearer where isLoopback && authorization.isEmpty: return anonymous
        case .bearer(let needed), .loopbackOrBearer(let needed): requirement = needed
        }
        guard let field = authorization.first else {
            try await refuse(route, anonymous, "no-token")
            throw challenge(.unauthenticated, nil, "An access token is required")
        }
        guard authorization.count == 1, let token = BearerAuthenticator.token(field) else {
            try await refuse(route, anonymous, "malformed-authorization")
            throw challenge(.unauthenticated, "invalid_request", "The Authorization header is not a bearer token")
        }
        var known: AccessContext?
        var reason = "invalid-token"
        do {
            known = try await tokens.accessContext(
                bearerToken: token, requestID: requestID, sourceAddress: sourceAddress)
        } catch let refusal as TokenRefusal {
            reason += ":" + refusal.reason
        } catch {
            // Not 401: a client that is told so throws its good token away.
            throw HTTPFailure(
                .unavailable, "The access token cannot be checked now; try again", headers: [.retryAfter: "5"])
        }
        guard let access = known else {
            try await refuse(route, anonymous, reason)
            throw challenge(.unauthenticated, "invalid_token", "The access token is not valid")
        }
        guard isOpen(route, to: access), requirement.isMet(by: access, parameters: parameters) else {
            try await refuse(route, access, "insufficient-scope")
            throw challenge(.insufficientScope, "insufficient_scope", "The access token does not allow this operation")
        }
        return access
    }

    /// Asks, each time that it is called, for the rights of a caller whose token was verified a moment ago and allows the
    /// route; it gives nil for everybody else, whom
    /// ``access(for:parameters:authorization:requestID:sourceAddress:isLoopback:)`` identifies or refuses. Nil where there is
    /// no token to be asked about.
    func rememberedAccess(
        for route: Route, parameters: PathParameters, authorization: [String], requestID: String, sourceAddress: String?
    ) -> (@Sendable () -> AccessContext?)? {
        guard case .bearer(let requirement) = route.access, authorization.count == 1,
            let token = BearerAuthenticator.token(authorization[0])
        else { return nil }
        return { [self] in
            guard
                let access = tokens.rememberedContext(
                    bearerToken: token, requestID: requestID, sourceAddress: sourceAddress),
                isOpen(route, to: access), requirement.isMet(by: access, parameters: parameters)
            else { return nil }
            return access
        }
    }

    /// A token of another server gives what it gives at FHIR and DICOMweb alone.
    private func isOpen(_ route: Route, to access: AccessContext) -> Bool {
        access.issuer == nil
            || ["/fhir", "/dicomweb"].contains { route.template == $0 || route.template.hasPrefix($0 + "/") }
    }

    /// The token of `Bearer <b64token>`; the scheme in any case. RFC 6750 §2.1.
    static func token(_ field: String) -> String? {
        let bytes = Array(field.utf8)
        guard bytes.count > 7, bytes.count <= tokenBytesMax + 7,
            String(decoding: bytes[..<7], as: UTF8.self).lowercased() == "bearer "
        else { return nil }
        var token = bytes[7...]
        while token.first == 0x20 { token = token.dropFirst() }
        guard !token.isEmpty,
            token.allSatisfy({ HeaderReader.isTokenByte($0) || $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "=") })
        else { return nil }
        return String(decoding: token, as: UTF8.self)
    }

    /// Throws `.tooManyRequests` in place of the refusal for a stranger who is refused too often.
    private func refuse(_ route: Route, _ access: AccessContext, _ reason: String) async throws(HTTPFailure) {
        try await refuse(.security, route.operationID, access, reason)
    }

    /// Keeps the row of a refusal of any kind. Throws as ``refuse(_:_:_:)``.
    func refuse(
        _ category: AuditRecord.Category, _ interaction: String, _ access: AccessContext, _ reason: String
    ) async throws(HTTPFailure) {
        let wait = counted(access)
        try await audit.require(Self.row(category, interaction, access, wait == nil ? reason : "throttled"))
        if let wait { throw wait }
    }

    /// The same for a caller that does not suspend: the row follows.
    func noteRefusal(
        _ category: AuditRecord.Category, _ interaction: String, _ access: AccessContext, _ reason: String
    ) {
        let wait = counted(access)
        audit.record(Self.row(category, interaction, access, wait == nil ? reason : "throttled")) { _ in }
    }

    /// Counts a refusal of a stranger; what is answered in its place to who is refused too often.
    private func counted(_ access: AccessContext) -> HTTPFailure? {
        guard access.principal.kind == .anonymous, let strangers else { return nil }
        return strangers.refused(StrangerThrottle.Key(address: access.sourceAddress)).failure
    }

    private static func row(
        _ category: AuditRecord.Category, _ interaction: String, _ access: AccessContext, _ detail: String
    ) -> AuditRecord {
        AuditRecord(
            category: category, interaction: interaction, action: .execute, outcome: .minorFailure, access: access,
            detail: detail)
    }

    private func challenge(_ code: HTTPFailure.Code, _ error: String?, _ message: String) -> HTTPFailure {
        var value = "Bearer realm=" + HeaderReader.quoted(realm)
        if let error { value += ", error=\"\(error)\", error_description=\"\(message)\"" }
        return HTTPFailure(code, message, headers: [.wwwAuthenticate: value])
    }
}

extension StrangerThrottle.Verdict {
    /// The answer to who is refused too often; nil for a refusal that is answered as what it is.
    package var failure: HTTPFailure? {
        guard case .throttled(let seconds) = self else { return nil }
        return .throttled(seconds: seconds)
    }
}

extension HTTPFailure {
    /// RFC 6585 §4.
    package static func throttled(seconds: Int) -> HTTPFailure {
        HTTPFailure(
            .tooManyRequests, "Too many refused requests; wait before the next", headers: [.retryAfter: String(seconds)]
        )
    }
}
