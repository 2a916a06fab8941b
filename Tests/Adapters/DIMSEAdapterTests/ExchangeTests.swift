import DICOMData
import DICOMNetwork
import NIOCore
import Synchronization
import TestSupport
import Testing
import Workflow

@testable import DIMSEAdapter

/// Both sides of one association ask and answer. PS3.7 §7, §D.3.3.4.
@Suite(.takingTurns) struct ExchangeTests {
    /// Answers C-GET by sending one object, part by part, to the peer that asked.
    private struct SendingSCP: ServiceClassProvider {
        let abstractSyntaxes = [
            UID.studyRootGet: SupportedAbstractSyntax(transferSyntaxes: ["1.2.840.10008.1.2"]),
            RecordingSCP.sopClass: SupportedAbstractSyntax(
                transferSyntaxes: ["1.2.840.10008.1.2"], requestorMayBeSCP: true),
        ]
        let role = Peer.Role.store
        var roleAsSCU: Peer.Role? { .store }
        let content: [UInt8]
        /// Stops after this many bytes.
        var failsAfter = Int.max
        /// Sizes, in turn, of the parts that a part stream gets; empty for parts that are sent as they are.
        var windows: [Int] = []
        /// The most that the part stream held back.
        let held = Held()

        final class Held: Sendable { let most = Mutex(0) }
        struct Broken: Error {}

        func stream(to writer: DataSetWriter) async throws {
            var stream = PartStream(writer)
            var (position, turn) = (0, 0)
            while position < content.count {
                let next = min(position + windows[turn % windows.count], content.count)
                try await stream.write(ByteBuffer(bytes: content[position..<next]))
                let count = stream.held.readableBytes
                held.most.withLock { $0 = max($0, count) }
                (position, turn) = (next, turn + 1)
            }
            try await stream.finish()
        }

        func begin(_ request: DIMSERequest) -> any ServiceOperation { Operation(scp: self, request: request) }

        struct Operation: ServiceOperation {
            let scp: SendingSCP
            let request: DIMSERequest
            func receive(_ bytes: UnsafeRawBufferPointer) {}
            func abandon() {}
            func perform(_ responder: Responder) async throws {
                guard let invoker = request.invoker,
                    let context = invoker.negotiated.contexts.first(where: {
                        $0.abstractSyntax == RecordingSCP.sopClass && $0.permits(.cStoreRequest, byRequestor: false)
                    })
                else { return try await responder.send(.cannotUnderstand) }
                let responses = try await invoker.invoke(
                    context,
                    content: { writer in
                        guard scp.windows.isEmpty else { return try await scp.stream(to: writer) }
                        var position = 0
                        while position < scp.content.count {
                            if position >= scp.failsAfter { throw Broken() }
                            let next = min(position + 100_000, scp.content.count)
                            try await writer.append(
                                ByteBuffer(bytes: scp.content[position..<next]), isLast: next == scp.content.count
                            ).get()
                            // An answer of ours waits for the end of the message that is under way.
                            position = next
                        }
                    }
                ) { .cStoreRequest(messageID: $0, sopClassUID: RecordingSCP.sopClass, sopInstanceUID: "1.2.3") }
                try await responder.send(responses.last?.message.status ?? .processingFailure)
            }
        }
    }

    @discardableResult
    private func getting<Value: Sendable>(
        _ test: TestListener, _ receiver: RecordingSCP, role: RoleSelection?,
        _ body: (SCUAssociation, PresentationContext) async throws -> Value
    ) async throws -> Value {
        var terms = SCUAssociation.Terms()
        terms.roles = [role].compactMap { $0 }
        terms.services = [receiver]
        let syntaxes = ["1.2.840.10008.1.2"]
        let association = try await SCUAssociation.open(
            test.destination, contexts: [(UID.studyRootGet, syntaxes), (RecordingSCP.sopClass, syntaxes)], terms: terms)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await association.serve() }
            let context = try #require(association.negotiated.contexts.first)
            let result: Result<Value, any Error>
            do { result = .success(try await body(association, context)) } catch { result = .failure(error) }
            try? await association.release()
            return try result.get()
        }
    }

    private func get(_ id: UInt16) -> CommandSet {
        .request(.cGetRequest, messageID: id, affectedSOPClassUID: UID.studyRootGet, hasDataSet: false)
    }

    @Test(
        "PS3.7 §9.1.3: the acceptor stores to the requestor on its association, in parts, and then answers",
        arguments: [2, 100_000, 300_002])
    func storesBack(size: Int) async throws {
        let content = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 9) }
        let receiver = RecordingSCP()
        try await TestListener.run(services: [SendingSCP(content: content), VerificationSCP()]) { test in
            let role = RoleSelection(sopClassUID: RecordingSCP.sopClass, scu: false, scp: true)
            try await getting(test, receiver, role: role) { association, context in
                for count in 1...2 {
                    let responses = try await association.request(context, nil) { get($0) }
                    #expect(responses.map(\.message.status) == [.success])
                    receiver.state.withLock { #expect($0.received == Array(repeating: content, count: count)) }
                }
            }
        }
    }

    @Test(
        "Parts of odd length, as they are inflated, are stored whole, and no more is held back than a part",
        arguments: [[65_535], [1], [300_001], [262_143, 3], [1] + [Int](repeating: 100_000, count: 50)])
    func oddParts(windows: [Int]) async throws {
        for size in [2, windows == [1] ? 600_000 : 3_000_000] {
            let content = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ $0 >> 9) }
            let receiver = RecordingSCP()
            let scp = SendingSCP(content: content, windows: windows)
            try await TestListener.run(services: [scp]) { test in
                let role = RoleSelection(sopClassUID: RecordingSCP.sopClass, scu: false, scp: true)
                try await getting(test, receiver, role: role) { association, context in
                    let responses = try await association.request(context, nil) { get($0) }
                    #expect(responses.map(\.message.status) == [.success])
                }
            }
            receiver.state.withLock { #expect($0.received == [content]) }
            #expect(scp.held.most.withLock { $0 } <= 600_000)
        }
    }

    @Test(
        "PS3.7 §D.3.3.4: without the role nothing is stored to the requestor; a role that was not asked for is not had")
    func roles() async throws {
        let receiver = RecordingSCP()
        try await TestListener.run(services: [SendingSCP(content: [1, 2])]) { test in
            try await getting(test, receiver, role: nil) { association, context in
                let responses = try await association.request(context, nil) { get($0) }
                #expect(responses.map(\.message.status) == [.cannotUnderstand])
                let stored = try #require(association.negotiated.contexts.last)
                #expect(stored.requestorIsSCU)
                #expect(!stored.requestorIsSCP)
            }
            // As SCP only, the requestor asks for no operation: it is told so.
            let role = RoleSelection(sopClassUID: RecordingSCP.sopClass, scu: false, scp: true)
            try await getting(test, receiver, role: role) { association, _ in
                let stored = try #require(association.negotiated.contexts.last)
                #expect(!stored.requestorIsSCU)
                #expect(stored.requestorIsSCP)
                let responses = try await association.request(stored, ByteBuffer(bytes: [1, 2])) {
                    .cStoreRequest(messageID: $0, sopClassUID: RecordingSCP.sopClass, sopInstanceUID: "1.2.3")
                }
                #expect(responses.map(\.message.status) == [.sopClassNotSupported])
            }
        }
        receiver.state.withLock { #expect($0.received.isEmpty) }
    }

    @Test("A data set that cannot be finished aborts the association: the peer never takes half of it for whole")
    func brokenSource() async throws {
        let receiver = RecordingSCP()
        let scp = SendingSCP(content: [UInt8](repeating: 7, count: 400_000), failsAfter: 200_000)
        try await TestListener.run(services: [scp]) { test in
            let role = RoleSelection(sopClassUID: RecordingSCP.sopClass, scu: false, scp: true)
            try await getting(test, receiver, role: role) { association, context in
                await #expect(throws: SCUError.abortedByPeer(.byUser)) {
                    try await association.request(context, nil) { get($0) }
                }
            }
        }
        receiver.state.withLock {
            #expect($0.received.isEmpty)
            #expect($0.abandoned == 1)
        }
    }

    @Test("What the peer stores once nobody serves the association any more is undone")
    func unserved() async throws {
        let receiver = RecordingSCP()
        try await RawAcceptor.run { reader, writer in
            _ = try await reader.accept(writer)
            guard let (context, command) = try await reader.command(writer) else { return }
            let store = CommandSet.cStoreRequest(
                messageID: 1, sopClassUID: RecordingSCP.sopClass, sopInstanceUID: "1.2.3")
            try await writer.write(data(store, context: context))
            try await writer.write(data([1, 2], context: context, isCommand: false))
            try await writer.write(data(response(to: command, .success), context: context))
            while try await reader.next() != nil {}
        } _: { port in
            var terms = SCUAssociation.Terms()
            terms.roles = [RoleSelection(sopClassUID: RecordingSCP.sopClass, scu: true, scp: true)]
            terms.services = [receiver]
            let association = try await SCUAssociation.open(
                RawAcceptor.destination(port), contexts: [(RecordingSCP.sopClass, ["1.2.840.10008.1.2"])],
                terms: terms)
            let serving = Task { await association.serve() }
            serving.cancel()
            await serving.value
            let context = try #require(association.negotiated.contexts.first)
            _ = try await association.request(context, nil) { .cEchoRequest(messageID: $0) }
            await association.abort()
        }
        receiver.state.withLock {
            #expect($0.received.isEmpty)
            #expect($0.abandoned == 1)
        }
    }

    @Test("A requestor that offers no service ends an association on which it is asked for one")
    func unaskedRequest() async throws {
        let receiver = RecordingSCP()
        try await TestListener.run(services: [SendingSCP(content: [1, 2])]) { test in
            let syntaxes = ["1.2.840.10008.1.2"]
            var terms = SCUAssociation.Terms()
            terms.roles = [RoleSelection(sopClassUID: RecordingSCP.sopClass, scu: true, scp: true)]
            let association = try await SCUAssociation.open(
                test.destination, contexts: [(UID.studyRootGet, syntaxes), (RecordingSCP.sopClass, syntaxes)],
                terms: terms)
            let context = try #require(association.negotiated.contexts.first)
            await #expect(throws: SCUError.aborted(.byUser)) {
                try await association.request(context, nil) { get($0) }
            }
        }
        receiver.state.withLock { #expect($0.received.isEmpty) }
    }
}
