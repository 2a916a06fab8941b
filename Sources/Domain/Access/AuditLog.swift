/// Which rows of the audit trail are asked for; what is nil is any.
package struct AuditQuery: Sendable, Hashable {
    /// The logical id of the patient concerned, or of the Patient that was accessed.
    package var patientID: String?
    /// ``Principal/id``: of a client, an AE title, a sender, an account. That of a person finds what their applications
    /// did, too.
    package var principal: String?
    /// ``AuditRecord/interaction``, whole.
    package var interaction: String?
    /// At this time or later, in microseconds since 1970 UTC.
    package var since: Int64?
    /// Before this time.
    package var until: Int64?
    /// Only rows with smaller numbers: the further page.
    package var before: Int64?
    /// The most rows in the answer.
    package var limit: Int

    package init(limit: Int) { self.limit = limit }

    /// Whether a row is asked for, but for its time and number.
    package func matches(_ record: AuditRecord) -> Bool {
        if let interaction, record.interaction != interaction { return false }
        if let principal, record.principal.id != principal, !record.principal.id.hasPrefix(principal + "|") {
            return false
        }
        guard let patientID else { return true }
        let entity = "Patient/" + patientID
        return record.patientIDs.contains(patientID) || record.entity == entity
            || record.entity?.hasPrefix(entity + "/") == true
    }
}

/// What one search of the trail found.
package struct AuditFindings: Sendable, Hashable {
    /// Newest first.
    package var rows: [AuditRow]
    /// The number of the last row that was looked at, before which a further search goes on; nil at the end. A search looks
    /// at so many rows at most, so there may be more behind it although it found few.
    package var next: Int64?
    /// The numbers of rows among those that were looked at whose records do not open, newest first: whether they are what
    /// was asked for nobody can say.
    package var unopened: [Int64] = []

    package init(rows: [AuditRow], next: Int64?) {
        self.rows = rows
        self.next = next
    }
}

/// The port to the audit trail for who reads it. Rows are about patients of every kind: only an access that may search the
/// whole of AuditEvent sees any.
package protocol AuditLog: Sendable {
    func auditRows(_ query: AuditQuery, access: AccessContext) async throws -> AuditFindings
    /// When each caller was last let in, in microseconds since 1970 UTC, by its kind and id; of those of the newest rows, as
    /// many as one search looks at.
    func lastContacts(access: AccessContext) async throws -> [Principal: Int64]
}
