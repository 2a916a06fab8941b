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
