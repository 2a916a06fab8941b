import Access
import HTTPTypes

/// Under what the audit trail keeps requests of a route that are refused because of their size: their handler has not
/// read them, so it can record nothing.
package struct OversizeAudit: Sendable, Hashable {
    package let category: AuditRecord.Category
    /// As in the rows that the handler writes.
    package let interaction: String

    package init(_ category: AuditRecord.Category, _ interaction: String) {
        self.category = category
        self.interaction = interaction
    }
}

extension HTTPFailure {
    /// What the audit trail calls a request that is refused because of its size; nil for every other failure.
    package var oversizeReason: String? {
        switch code {
        case .tooLarge: "body-too-large"
        case .targetTooLong: "target-too-long"
        case .headersTooLarge: "headers-too-large"
        default: nil
        }
    }
}

extension RouteTable {
    /// Under what requests to a path are kept that are refused because of their size, and in whose form they are
    /// answered; nil where they are not kept. The method does not matter: of a head that was not read nobody knows it.
    func oversizeAudit(ofPath path: String) -> (audit: OversizeAudit, group: RouteGroup)? {
        for method in [HTTPRequest.Method.post, .get] {
            if case .found(let route, let group, _) = match(method: method, path: path),
                let audit = route.oversizeAudit
            {
                return (audit, group)
            }
        }
        return nil
    }
}

extension APIResponder {
    /// Keeps a row of a request that is refused because of its size, where its path has such rows. Returns what is
    /// answered, and in whose form: the refusal, or in its place 429 for a stranger who is refused too often, 503 where
    /// the row cannot be kept.
    func kept(
        _ failure: HTTPFailure, path: String, access: AccessContext
    ) async -> (failure: HTTPFailure, group: RouteGroup)? {
        guard let reason = failure.oversizeReason, let (audit, group) = table.oversizeAudit(ofPath: path) else {
            return nil
        }
        do throws(HTTPFailure) {
            try await authenticator.refuse(audit.category, audit.interaction, access, reason)
            return (failure, group)
        } catch {
            return (
                HTTPFailure(
                    error.code, error.message, headers: error.headers, closesConnection: failure.closesConnection),
                group
            )
        }
    }

    /// The same of what never became a request, for a caller that does not suspend: the row follows the answer. Returns
    /// in whose form it is refused.
    func keep(_ failure: HTTPFailure, path: String, requestID: String, sourceAddress: String?) -> RouteGroup? {
        guard let reason = failure.oversizeReason, let (audit, group) = table.oversizeAudit(ofPath: path) else {
            return nil
        }
        authenticator.noteRefusal(
            audit.category, audit.interaction,
            AccessContext(principal: .anonymous, scopes: [], requestID: requestID, sourceAddress: sourceAddress),
            reason)
        return group
    }
}
