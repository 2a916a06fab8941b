import Access

/// What a token that works stands for.
struct TokenState: Sendable {
    var clientID: String
    var subject: String
    var scopes: GrantedScopes
    /// Nil for a client by itself.
    var grant: Grant?
    /// Seconds since the epoch.
    var expires: Int64
    var issuedAt: Int64?
    /// `jti`; nil for a refresh token.
    var identifier: String?
}
