import Access

/// Verifies no token: nobody is known.
package struct NoTokens: TokenVerifying {
    package init() {}
    package func accessContext(
        bearerToken: String, requestID: String, sourceAddress: String?
    ) async throws -> AccessContext? { nil }
}

/// An audit trail that is always durable, and that nobody reads.
package struct NoTrail: AuditTrail {
    package init() {}
    package func record(_ record: AuditRecord) async throws {}
}
