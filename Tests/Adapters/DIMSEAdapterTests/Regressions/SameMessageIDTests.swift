import DICOMData
import DICOMNetwork
import NIOCore
import Synchronization
import TestSupport
import Testing
import Workflow

import DIMSEAdapter

/// pynetdicom and others use Message ID 1 in every request of an association.
@Suite(.takingTurns) struct SameMessageIDTests {
    /// Its first operation answers, and returns only when the second request is there.
    private final class SlowToReturn: ServiceClassProvider {
        let abstractSyntaxes = RecordingSCP().abstractSyntaxes
        let role = Peer.Role.store
        let begun = Atomic<Int>(0)
        let secondIsHere = Gate()

        func begin(_ request: DIMSERequest) -> any ServiceOperation {
            let number = begun.add(1, ordering: .relaxed).newValue
            if number == 2 { secondIsHere.open() }
            return Operation(scp: self, number: number)
        }

        private struct Operation: ServiceOperation {
            let scp: SlowToReturn
            let number: Int
            func receive(_ bytes: UnsafeRawBufferPointer) {}
            func perform(_ responder: Responder) async throws {
                try await responder.send(.success)
                if number == 1 { await scp.secondIsHere.wait() }
            }
            func abandon() {}
        }
    }

    @Test("PS3.7 §9.1.1: a request with the message ID of the one before is not answered for it")
    func oneAfterTheOther() async throws {
        try await TestListener.run(services: [SlowToReturn()]) { test in
            let store = CommandSet.cStoreRequest(
                messageID: 1, sopClassUID: RecordingSCP.sopClass, sopInstanceUID: "1.2.3")
            _ = try await RawPeer.exchange(port: test.port) { writer, reader in
                try await writer.write(associateRequest([(1, RecordingSCP.sopClass)]))
                _ = try await reader.next()
                for _ in 1...3 {
                    try await writer.write(data(store))
                    try await writer.write(data([1, 2], isCommand: false))
                    #expect(status(of: try await reader.next()) == .success)
                }
                try await writer.write(PDU.releaseRequest.encoded())
            }
        }
    }
}
