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
        member("query", record.query)
        member("detail", record.detail)
        out.append(0x7D)
        return out
    }

    /// The record of such bytes; nil for what no version of this server wrote.
    static func decode(_ bytes: [UInt8]) -> AuditRecord? {
        guard let document = try? JSONDocument(parsing: bytes, limits: .stored) else { return nil }
        func member(_ name: String) -> String? { document.root[name]?.string }
        guard let category = member("category").flatMap(AuditRecord.Category.init),
            let interaction = member("interaction"), let action = member("action").flatMap(AuditRecord.Action.init),
            let outcome = member("outcome").flatMap({ Int($0) }).flatMap(AuditRecord.Outcome.init),
            let kind = member("principalKind").flatMap(Principal.Kind.init), let principal = member("principal"),
            let request = member("request")
        else { return nil }
        return AuditRecord(
            category: category, interaction: interaction, action: action, outcome: outcome,
            access: AccessContext(
                principal: Principal(kind: kind, id: principal), scopes: [], requestID: request,
                sourceAddress: member("source"), tokenID: member("token")),
            entity: member("entity"), patientID: member("patient"), query: member("query"), detail: member("detail"))
    }
}
