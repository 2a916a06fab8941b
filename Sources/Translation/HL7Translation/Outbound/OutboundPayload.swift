import Workflow

/// What the outbox keeps of a message that is to be sent.
package enum OutboundPayload: Sendable, Hashable {
    /// The message in wire form: what is sent at each attempt, byte for byte.
    case message([UInt8])
    /// A report that is too large for the outbox, made when it is sent: of its then newest state.
    case report(EntityID, controlID: String)
    /// What could not be written, with the reason: kept for the operator, never sent.
    case unwritable(String)

    /// The message itself; else a word for the case and what belongs to it, each behind a tab.
    package var bytes: [UInt8] {
        switch self {
        case .message(let bytes): bytes
        case .report(let id, let controlID): Array("report\t\(id.value)\t\(controlID)".utf8)
        case .unwritable(let reason): Array("unwritable\t\(reason)".utf8)
        }
    }

    /// Nil for bytes that are no payload.
    package init?(_ bytes: [UInt8]) {
        if bytes.starts(with: Array("MSH".utf8)) {
            self = .message(bytes)
            return
        }
        let parts = bytes.split(separator: 0x09, maxSplits: 2).map { String(decoding: $0, as: UTF8.self) }
        switch (parts.first, parts.count) {
        case ("report", 3): self = .report(EntityID(parts[1]), controlID: parts[2])
        case ("unwritable", 2...): self = .unwritable(parts.dropFirst().joined(separator: "\t"))
        default: return nil
        }
    }
}
