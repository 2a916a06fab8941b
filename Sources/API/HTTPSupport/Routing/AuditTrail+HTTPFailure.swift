import Access
import HTTPTypes

extension AuditTrail {
    /// Keeps a row without which nothing happens and nothing leaves. Throws `.unavailable` with Retry-After where it cannot
    /// be kept.
    package func require(_ record: AuditRecord) async throws(HTTPFailure) {
        do { try await self.record(record) } catch {
            throw HTTPFailure(.unavailable, "The audit trail cannot be written", headers: [.retryAfter: "5"])
        }
    }
}
