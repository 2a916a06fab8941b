import Access
import DICOMData
import DICOMNetwork
import Logging
import NIOCore
import NIOEmbedded
import TestSupport
import Testing

@testable import DIMSEAdapter

/// How long a peer may take to answer, in a channel without a socket whose clock the test moves. PS3.7 §9.1.2.
@Suite(.takingTurns) struct InvocationTests {
    /// An association that this side asked for and on which it is stored to, and a C-FIND on it.
    private final class Query {
        let channel = EmbeddedChannel()
        let exchange: DIMSEExchange
        var end: Result<[DIMSEResponse], any Error>?
        private let flag = CancellationFlag()
        private let work: AsyncStream<DIMSEExchange.Work>

        init(cancelAfter: Int? = nil) throws {
            let loop = channel.embeddedEventLoop
            let (work, continuation) = AsyncStream.makeStream(of: DIMSEExchange.Work.self)
            self.work = work
            var timers = DIMSETimers()
            timers.response = .seconds(60)
            exchange = DIMSEExchange(
                services: [RecordingSCP.sopClass: RecordingSCP()], eventLoop: loop, timers: timers,
                work: continuation, logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
                associated: loop.makePromise(),
                info: AssociationInfo(
                    id: "scu", calledAETitle: title("PACS"), callingAETitle: title("HILUM"),
                    access: .server(requestID: "scu")))
            var request = AssociateRequest.of(
                [(1, UID.studyRootFind), (3, RecordingSCP.sopClass)], called: "PACS", calling: "HILUM")
            request.userInformation.roleSelections = [
                RoleSelection(sopClassUID: RecordingSCP.sopClass, scu: false, scp: true)
            ]
            try channel.pipeline.syncOperations.addHandler(
                AssociationHandler(user: exchange, request: request, timers: timers, limits: NetworkLimits()))
            try channel.connect(to: SocketAddress(unixDomainSocketPath: "/peer")).wait()
            try channel.writeInbound(PDU.associateAccept(request.accepted()))
            var bounds = ResponseBounds()
            bounds.cancelAfter = cancelAfter
            bounds.cancellation = flag
            let count = NIOLoopBoundBox(0, eventLoop: loop)
            bounds.onPending = { _ in count.value += 1 }
            self.count = count
            exchange.invoke(contextID: 1, dataSet: ByteBuffer(bytes: [1, 2]), bounds: bounds) {
                .cFindRequest(messageID: $0, sopClassUID: UID.studyRootFind)
            }.assumeIsolated().whenComplete { self.end = $0 }
        }

        private let count: NIOLoopBoundBox<Int>
        var given: Int { count.value }
        var hasTimedOut: Bool {
            if case .failure(let error as SCUError)? = end { error == .timedOut } else { false }
        }

        func advance(_ seconds: Int64) { channel.embeddedEventLoop.advanceTime(by: .seconds(seconds)) }
        func cancel() { exchange.cancelInvocation(flag) }

        /// A pending response whose data set follows.
        func announce(_ status: DIMSEStatus = .pending, hasDataSet: Bool = true) throws {
            let request = CommandSet.cFindRequest(messageID: 1, sopClassUID: UID.studyRootFind)
            try write(
                response(to: request, status, hasDataSet: hasDataSet).encoded(), isCommand: true, isLast: true)
        }

        func write(_ bytes: ByteBuffer, isCommand: Bool = false, isLast: Bool, contextID: UInt8 = 1) throws {
            try channel.writeInbound(
                PDU.data([
                    PresentationDataValue(contextID: contextID, isCommand: isCommand, isLast: isLast, fragment: bytes)
                ]))
        }

        func finish() throws { _ = try channel.finish(acceptAlreadyClosed: true) }
    }

    @Test("Each whole response gives the peer its time anew; silence ends it")
    func silence() throws {
        let query = try Query()
        for _ in 0..<5 {
            query.advance(50)
            try query.announce()
            try query.write(ByteBuffer(repeating: 0, count: 10), isLast: true)
        }
        #expect(query.given == 5 && query.end == nil)
        query.advance(59)
        #expect(query.end == nil)
        query.advance(2)
        #expect(query.hasTimedOut)
        try query.finish()
    }

    @Test("Bytes that drip are no progress; as many as the least rate asks for are")
    func drip() throws {
        let slow = try Query()
        try slow.announce()
        for _ in 0..<3 {
            slow.advance(15)
            try slow.write(ByteBuffer(repeating: 0, count: 2), isLast: false)
        }
        #expect(slow.end == nil)
        slow.advance(16)
        #expect(slow.hasTimedOut)
        try slow.finish()

        let steady = try Query()
        try steady.announce()
        for _ in 0..<10 {
            steady.advance(50)
            try steady.write(ByteBuffer(repeating: 0, count: 60 * 256), isLast: false)
        }
        #expect(steady.end == nil)
        try steady.finish()
    }

    @Test("While we store what it sent, the peer is not late with its response")
    func storing() throws {
        let query = try Query()
        let store = CommandSet.cStoreRequest(
            messageID: 7, sopClassUID: RecordingSCP.sopClass, sopInstanceUID: "1.2.3")
        try query.write(store.encoded(), isCommand: true, isLast: true, contextID: 3)
        // Nobody here performs it: it is being stored for as long as it takes.
        try query.write(ByteBuffer(bytes: [1, 2]), isLast: true, contextID: 3)
        for _ in 0..<10 { query.advance(59) }
        #expect(query.end == nil)
        try query.announce(.success, hasDataSet: false)
        guard case .success(let responses)? = query.end else { return #expect(Bool(false), "no response") }
        #expect(responses.map(\.message.status) == [.success])
        try query.finish()
    }

    /// A query that was cancelled after two matches, as one more than was asked for or by its user.
    private func cancelledQuery(isOverLimit: Bool) throws -> Query {
        let query = try Query(cancelAfter: isOverLimit ? 1 : nil)
        for _ in 0..<2 {
            try query.announce()
            try query.write(ByteBuffer(repeating: 0, count: 10), isLast: true)
        }
        if !isOverLimit { query.cancel() }
        return query
    }

    @Test("After a C-CANCEL of ours the peer has its time once, whatever it sends")
    func cancelled() throws {
        for isOverLimit in [true, false] {
            let query = try cancelledQuery(isOverLimit: isOverLimit)
            let given = query.given
            for _ in 0..<5 {
                query.advance(11)
                try query.announce(hasDataSet: false)
            }
            #expect(query.end == nil)
            if isOverLimit { #expect(query.given == given && given == 1) }
            query.advance(6)
            #expect(query.hasTimedOut)
            try query.finish()
        }
    }

    @Test("A final response after the cancellation ends it; more than was asked for is told as such")
    func finalResponse() throws {
        for isOverLimit in [true, false] {
            let query = try cancelledQuery(isOverLimit: isOverLimit)
            try query.announce(.cancelled, hasDataSet: false)
            switch query.end {
            case .failure(let error as SCUError)?: #expect(isOverLimit && error == .responsesOverLimit)
            case .success(let rest)?: #expect(!isOverLimit && rest.map(\.message.status) == [.cancelled])
            default: Issue.record("no end")
            }
            #expect(query.exchange.isIdle)
            try query.finish()
        }
    }
}
