import Access
import Testing

/// Which rows of the audit trail a search is for.
struct AuditQueryTests {
    private func record(
        _ principal: String, patient: String? = nil, entity: String? = nil, interaction: String = "read"
    ) -> AuditRecord {
        AuditRecord(
            category: .rest, interaction: interaction, action: .read, outcome: .success,
            access: AccessContext(principal: Principal(kind: .person, id: principal), scopes: [], requestID: "r"),
            entity: entity, patientID: patient)
    }

    @Test("A patient is found by the row's patient and by the Patient that was accessed, not by a longer id")
    func patient() {
        var query = AuditQuery(limit: 1)
        query.patientID = "p1"
        #expect(query.matches(record("a", patient: "p1")))
        #expect(query.matches(record("a", entity: "Patient/p1")))
        #expect(query.matches(record("a", entity: "Patient/p1/_history/2")))
        #expect(!query.matches(record("a", patient: "p12", entity: "Patient/p12")))
        #expect(!query.matches(record("a", entity: "Observation/p1")))
        #expect(!query.matches(record("a")))
    }

    @Test("Keys of DIMSE are words that no value reaches out of, and are read back")
    func words() {
        let values = ["1&patientID=2", "50%", "%26", "%2526", "a\\b=c", ""]
        let words = AuditRecord.words(of: values.map { ("key", $0) })
        let parts = words.split(separator: "&")
        #expect(parts.map { AuditRecord.value(ofWord: $0.dropFirst(4)) } == values)
        #expect(parts.first == "key=1%26patientID=2")
        #expect(AuditRecord.words(of: [("patientName", "Doe*"), ("modality", "CT")]) == "patientName=Doe*&modality=CT")
    }

    @Test("A person is found by themself and by their applications, an interaction whole")
    func who() {
        var query = AuditQuery(limit: 1)
        query.principal = "a"
        #expect(query.matches(record("a")) && query.matches(record("a|app")))
        #expect(!query.matches(record("ab")) && !query.matches(record("b|a")))
        query.interaction = "search"
        #expect(!query.matches(record("a")) && query.matches(record("a", interaction: "search")))
        #expect(!query.matches(record("a", interaction: "search-type")))
    }
}
