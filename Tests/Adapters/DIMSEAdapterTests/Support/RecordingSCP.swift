import DICOMNetwork
import DIMSEAdapter
import Synchronization
import Workflow

/// A storage service that keeps what it gets in memory and answers when it is told to.
final class RecordingSCP: ServiceClassProvider {
    static let sopClass = "1.2.840.10008.5.1.4.1.1.2"
    let abstractSyntaxes = [
        sopClass: SupportedAbstractSyntax(transferSyntaxes: ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1"])
    ]
    let role = Peer.Role.store
    struct State {
        var received: [[UInt8]] = []
        var abandoned = 0
        var ended: [String] = []
    }
    let state = Mutex(State())
    /// Performed before the answer.
    let answer: @Sendable (Responder) async throws -> Void

    init(answer: @escaping @Sendable (Responder) async throws -> Void = { try await $0.send(.success) }) {
        self.answer = answer
    }

    func begin(_ request: DIMSERequest) -> any ServiceOperation { Operation(scp: self) }

    func associationEnds(_ association: AssociationInfo) async {
        state.withLock { $0.ended.append(association.callingAETitle.value) }
    }

    private final class Operation: ServiceOperation {
        let scp: RecordingSCP
        let bytes = Mutex<[UInt8]>([])
        init(scp: RecordingSCP) { self.scp = scp }
        func receive(_ bytes: UnsafeRawBufferPointer) { self.bytes.withLock { $0.append(contentsOf: bytes) } }
        func perform(_ responder: Responder) async throws {
            let bytes = bytes.withLock { $0 }
            scp.state.withLock { $0.received.append(bytes) }
            try await scp.answer(responder)
        }
        func abandon() { scp.state.withLock { $0.abandoned += 1 } }
    }
}

/// A gate that opens once; whoever waits then goes on.
final class Gate: Sendable {
    private struct State {
        var isOpen = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }
    private let state = Mutex(State())
    var isOpen: Bool { state.withLock { $0.isOpen } }

    func open() {
        let waiting = state.withLock { state in
            state.isOpen = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    func wait() async {
        await withCheckedContinuation { continuation in
            let isOpen = state.withLock { state in
                if !state.isOpen { state.waiting.append(continuation) }
                return state.isOpen
            }
            if isOpen { continuation.resume() }
        }
    }
}

/// Waits for what others do on their own. The time limit of the test, which cancels it, ends the wait.
func until(_ condition: () -> Bool) async throws {
    while !condition() {
        try Task.checkCancellation()
        await Task.yield()
    }
}
