/// Everything that decides what one request may see: who asks, with which scopes, in which request.
///
/// Each read of the store takes one (house decision 5); it is made once at the edge that authenticated the caller.
package struct AccessContext: Sendable, Hashable {
    package let principal: Principal
    /// The granted scopes. Ignored when `isUnrestricted`.
    package let scopes: [Scope]
    /// The server's own work, which no scope limits. Never set for a caller on a wire except a configured peer.
    package let isUnrestricted: Bool
    /// Joins the log lines, the audit row and the answer of one request.
    package let requestID: String
    /// The peer's address as text, for the audit trail.
    package let sourceAddress: String?
    /// The `jti` of the access token, for the audit trail; never the token.
    package let tokenID: String?

    package init(
        principal: Principal, scopes: [Scope], isUnrestricted: Bool = false, requestID: String,
        sourceAddress: String? = nil, tokenID: String? = nil
    ) {
        self.principal = principal
        self.scopes = scopes
        self.isUnrestricted = isUnrestricted
        self.requestID = requestID
        self.sourceAddress = sourceAddress
        self.tokenID = tokenID
    }

    /// The server's own work.
    package static func server(requestID: String) -> AccessContext {
        AccessContext(principal: .server, scopes: [], isUnrestricted: true, requestID: requestID)
    }

    /// Decides one kind of access to one resource type. Pure; a refusal is a value.
    package func decision(_ permission: Permissions, on resourceType: String) -> AccessDecision {
        if isUnrestricted { return .permitted(anyOf: []) }
        var alternatives: [[ScopeConstraint]] = []
        for scope in scopes
        where scope.level == .system && scope.covers(resourceType) && scope.permissions.contains(permission) {
            if scope.constraints.isEmpty { return .permitted(anyOf: []) }
            alternatives.append(scope.constraints)
        }
        return alternatives.isEmpty ? .refused : .permitted(anyOf: alternatives)
    }

    /// Whether any access of this kind to the type is granted.
    package func allows(_ permission: Permissions, on resourceType: String) -> Bool {
        decision(permission, on: resourceType) != .refused
    }

    /// The named types that may be accessed, out of the candidates given.
    package func permitted(_ permission: Permissions, among types: [String]) -> [String] {
        types.filter { allows(permission, on: $0) }
    }
}

/// The answer of ``AccessContext/decision(_:on:)``.
package enum AccessDecision: Sendable, Hashable {
    /// Allowed. With no alternatives every resource of the type is visible; otherwise a resource is visible
    /// when all constraints of at least one alternative match it (granular scopes are a union).
    case permitted(anyOf: [[ScopeConstraint]])
    /// Not allowed at all.
    case refused
}
