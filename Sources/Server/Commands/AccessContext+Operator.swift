import Access
import Foundation

extension AccessContext {
    /// Whoever runs a command at this machine, by the name of the account: nothing is kept from them, and the audit trail
    /// names them.
    static func operatorOfThisMachine(requestID: String) -> AccessContext {
        AccessContext(
            principal: Principal(kind: .operator, id: ProcessInfo.processInfo.userName), scopes: [],
            isUnrestricted: true, requestID: requestID)
    }
}

extension AuditRecord {
    /// Of a command that changes who may connect, which is a matter of the audit trail.
    ///
    /// - Parameters:
    ///   - command: its words, such as `peer set`.
    ///   - entity: whom it is about, such as `peer:CT1`.
    static func ofCommand(_ command: String, _ action: Action, _ entity: String, detail: String? = nil) -> AuditRecord {
        AuditRecord(
            category: .security, interaction: command, action: action, outcome: .success,
            access: .operatorOfThisMachine(requestID: "hilum " + command), entity: entity, detail: detail)
    }
}
