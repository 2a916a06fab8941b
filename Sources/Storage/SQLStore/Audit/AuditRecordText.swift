import Access
import FHIRModel

/// An audit record as the bytes of its row: one JSON object, members in a fixed order, absent values left out; and back.
enum AuditRecordText {
    static func encode(_ record: AuditRecord) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(320)
        func member(_ name: StaticString, _ value: String?) {
            guard let value else { return }
            out.append(out.isEmpty ? 0x7B : 0x2C)
            out.append(0x22)
            name.withUTF8Buffer { out.append(contentsOf: $0) }
            out.append(0x22)
            out.append(0x3A)
            JSONWriter.appendString(value, to: &out)
        }
        member("category", record.category.rawValue)
        member("interaction", record.interaction)
        member("action", record.action.rawValue)
        member("outcome", String(record.outcome.rawValue))
        member("principalKind", record.principal.kind.rawValue)
        member("principal", record.principal.id)
        member("source", record.sourceAddress)
        member("request", record.requestID)
        member("token", record.tokenID)
        member("entity", record.entity)
        member("patient", record.patientID)
        if !record.otherPatientIDs.isEmpty { member("others", record.otherPatientIDs.joined(separator: " ")) }
        member("query", record.query)
        member("detail", record.detail)
        out.append(0x7D)
        return out
    }

    /// The record of a row's bytes; nil for bytes that are none.
    static func decode(_ bytes: [UInt8]) -> AuditRecord? {
        guard let root = try? JSONDocument(parsing: bytes, limits: .stored),
            let category = root["category"]?.string.flatMap(AuditRecord.Category.init(rawValue:)),
            let interaction = root["interaction"]?.string,
            let action = root["action"]?.string.flatMap(AuditRecord.Action.init(rawValue:)),
            let outcome = root["outcome"]?.string.flatMap({ Int($0) }).flatMap(AuditRecord.Outcome.init(rawValue:)),
            let kind = root["principalKind"]?.string.flatMap(Principal.Kind.init(rawValue:)),
            let principal = root["principal"]?.string
        else { return nil }
        var record = AuditRecord(
            category: category, interaction: interaction, action: action, outcome: outcome,
            principal: Principal(kind: kind, id: principal), sourceAddress: root["source"]?.string,
            requestID: root["request"]?.string ?? "", tokenID: root["token"]?.string,
            entity: root["entity"]?.string, patientID: root["patient"]?.string, query: root["query"]?.string,
            detail: root["detail"]?.string)
        record.otherPatientIDs = others(root["others"]?.string)
        return record
    }

    private static func others(_ text: String?) -> [String] { text?.split(separator: " ").map { String($0) } ?? [] }

    /// The patients of a row's bytes; none for bytes that are no record.
    static func patients(_ bytes: [UInt8]) -> [String] {
        guard let root = try? JSONDocument(parsing: bytes, limits: .stored) else { return [] }
        return (root["patient"]?.string.map { [$0] } ?? []) + others(root["others"]?.string)
    }
}
