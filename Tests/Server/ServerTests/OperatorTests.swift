import Access
import Foundation
import TestSupport
import Testing

@testable import hilum

@Suite(.takingTurns) struct OperatorTests {
    @Test("What a person does by a command is on record under the name of their account, not as the server's work")
    func named() {
        let access = AccessContext.operatorOfThisMachine(requestID: "hilum test")
        #expect(access.principal.kind == .operator)
        #expect(access.principal.id == ProcessInfo.processInfo.userName)
        #expect(!access.principal.id.isEmpty)
        #expect(access.visibility(.update, of: "MessageHeader").isWhole)
        #expect(access.requestID == "hilum test")
        #expect(OutboxCommand.access.principal == access.principal)
    }
}
