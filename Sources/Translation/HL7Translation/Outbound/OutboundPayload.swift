import Workflow

/// What the outbox keeps of a message that is to be sent.
package enum OutboundPayload: Sendable, Hashable {
    /// The message in wire form: what is sent at each attempt, byte for byte.
    case message([UInt8])
    /// A report that is too large for the outbox, made when it is sent: of its then newest state.
    case report(EntityID, controlID: String)
    /// What could not be written, with the reason: kept for the operator, never sent.
    case unwritable(String)

    package var bytes: [UInt8] {
        switch self {
        case .message(let bytes): bytes
        case .report(let id, let controlID): Array(KeptFields.text(["report", id.value, controlID]).utf8)
        case .unwritable(let reason): Array(KeptFields.text(["unwritable", reason]).utf8)
        }
    }

    /// Nil for bytes that are no payload.
    package init?(_ bytes: [UInt8]) {
        if bytes.starts(with: Array("MSH".utf8)) {
            self = .message(bytes)
            return
        }
        guard let fields = KeptFields.fields(String(decoding: bytes, as: UTF8.self)) else { return nil }
        switch (fields.first, fields.count) {
        case ("report", 3):
            guard let report = fields[1], let controlID = fields[2] else { return nil }
            self = .report(EntityID(report), controlID: controlID)
        case ("unwritable", 2):
            guard let reason = fields[1] else { return nil }
            self = .unwritable(reason)
        default: return nil
        }
    }
}
