import Workflow

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// What the outbox keeps of a message that is to be sent.
package enum OutboundPayload: Sendable, Hashable {
    /// The message in wire form: what is sent at each attempt, byte for byte.
    case message([UInt8])
    /// A report that is too large for the outbox, made when it is sent: of its then newest state.
    case report(EntityID, controlID: String)
    /// What could not be written, with the reason: kept for the operator, never sent.
    case unwritable(String)

    private struct Reference: Codable {
        var report: String?
        var controlID: String?
        var unwritable: String?
    }

    package var bytes: [UInt8] {
        let reference: Reference
        switch self {
        case .message(let bytes): return bytes
        case .report(let id, let controlID): reference = Reference(report: id.value, controlID: controlID)
        case .unwritable(let reason): reference = Reference(unwritable: reason)
        }
        return (try? JSONEncoder().encode(reference)).map { Array($0) } ?? []
    }

    /// Nil for bytes that are no payload.
    package init?(_ bytes: [UInt8]) {
        if bytes.starts(with: Array("MSH".utf8)) {
            self = .message(bytes)
            return
        }
        guard let reference = try? JSONDecoder().decode(Reference.self, from: Data(bytes)) else { return nil }
        if let report = reference.report, let controlID = reference.controlID {
            self = .report(EntityID(report), controlID: controlID)
        } else if let reason = reference.unwritable {
            self = .unwritable(reason)
        } else {
            return nil
        }
    }
}
