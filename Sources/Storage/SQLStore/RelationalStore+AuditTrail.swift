import Access
import Workflow

extension RelationalStore: AuditTrail {
    package func record(_ record: AuditRecord) async throws {
        do { try await translating { try await self.auditWriter.append(record) } } catch let error
            as StoreError
        {
            // Whatever was to be audited was not refused for what it is: it may be asked for again. A full disk is not
            // the business of who reads.
            throw StoreError(
                error.code == .closed ? .closed : .unavailable, "no audit row can be kept: \(error.message)")
        }
    }

    package func record(_ record: AuditRecord, completion: @escaping @Sendable (_ isKept: Bool) -> Void) {
        auditWriter.append(record) { result in
            if case .success = result { completion(true) } else { completion(false) }
        }
    }
}
