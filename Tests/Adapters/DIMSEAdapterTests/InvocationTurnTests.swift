import DICOMData
import DICOMNetwork
import Logging
import NIOCore
import NIOEmbedded
import TestSupport
import Testing

@testable import DIMSEAdapter

/// Several that ask on one association take turns, in a channel without a socket. PS3.7 §D.3.3.3.
@Suite(.takingTurns) struct InvocationTurnTests {
    /// An association that this side asked for.
    private final class Association {
        let channel = EmbeddedChannel()
        let exchange: DIMSEExchange
        private let work: AsyncStream<DIMSEExchange.Work>
        /// What became of each request, by its number in the order of asking.
        var ends: [String] = []

        init() throws {
            let loop = channel.embeddedEventLoop
            let (work, continuation) = AsyncStream.makeStream(of: DIMSEExchange.Work.self)
            self.work = work
            exchange = DIMSEExchange(
                services: [:], eventLoop: loop, timers: DIMSETimers(), work: continuation,
                logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
                associated: loop.makePromise())
            let request = AssociateRequest.of([(1, UID.verification)])
            try channel.pipeline.syncOperations.addHandler(
                AssociationHandler(user: exchange, request: request, timers: DIMSETimers(), limits: NetworkLimits()))
            try channel.connect(to: SocketAddress(unixDomainSocketPath: "/peer")).wait()
            _ = try written()
            try channel.writeInbound(PDU.associateAccept(request.accepted()))
        }

        /// The commands written since the last call.
        func written() throws -> [DIMSEMessage] {
            var messages: [DIMSEMessage] = []
            var decoder = PDUDecoder()
            while var bytes = try channel.readOutbound(as: ByteBuffer.self) {
                while let pdu = try decoder.next(from: &bytes) {
                    guard case .data(let values) = pdu else { continue }
                    for value in values where value.isCommand {
                        messages.append(
                            try DIMSEMessage(contextID: 1, command: CommandSet(decoding: value.fragment)))
                    }
                }
            }
            return messages
        }

        func find(_ name: String) {
            let exchange = exchange
            exchange.inTurn {
                exchange.invoke(contextID: 1, dataSet: nil, bounds: ResponseBounds()) {
                    .cFindRequest(messageID: $0, sopClassUID: UID.verification)
                }
            }
            .assumeIsolated().whenComplete { self.note(name, $0) }
        }

        func note(_ name: String, _ result: Result<[DIMSEResponse], any Error>) {
            switch result {
            case .success(let responses): ends.append("\(name) \(responses.count)")
            case .failure(let error): ends.append("\(name) \((error as? SCUError).map { "\($0)" } ?? "\(error)")")
            }
        }

        func respond(to request: DIMSEMessage, _ status: DIMSEStatus = .success) throws {
            let command = CommandSet.response(to: request, status: status)
            try channel.writeInbound(
                PDU.data([
                    PresentationDataValue(contextID: 1, isCommand: true, isLast: true, fragment: command.encoded())
                ]))
        }
    }

    @Test("Requests go out one after the other in the order of asking, each after the final response to the one before")
    func turns() throws {
        let association = try Association()
        for name in ["a", "b", "c"] { association.find(name) }
        let first = try association.written()
        #expect(first.map(\.messageID) == [1])
        try association.respond(to: first[0], .pending)
        #expect(try association.written().isEmpty)
        try association.respond(to: first[0])
        #expect(association.ends == ["a 2"])
        let second = try association.written()
        #expect(second.map(\.messageID) == [2])
        // One that comes now is behind the one that waits.
        association.find("d")
        try association.respond(to: second[0])
        let third = try association.written()
        #expect(third.map(\.messageID) == [3])
        try association.respond(to: third[0])
        let fourth = try association.written()
        try association.respond(to: fourth[0])
        #expect(association.ends == ["a 2", "b 1", "c 1", "d 1"])
        #expect(try association.written().isEmpty)
        _ = try association.channel.finish(acceptAlreadyClosed: true)
    }

    @Test("Who asks again in the moment of an answer is behind those who wait")
    func fair() throws {
        let association = try Association()
        let exchange = association.exchange
        exchange.inTurn {
            exchange.invoke(contextID: 1, dataSet: nil, bounds: ResponseBounds()) {
                .cFindRequest(messageID: $0, sopClassUID: UID.verification)
            }
        }.assumeIsolated().whenComplete {
            association.note("a", $0)
            association.find("again")
        }
        association.find("b")
        for _ in 0..<3 {
            for request in try association.written() { try association.respond(to: request) }
        }
        #expect(association.ends == ["a 1", "b 1", "again 1"])
        _ = try association.channel.finish(acceptAlreadyClosed: true)
    }

    @Test("A request whose data set comes part by part waits for its turn too, and keeps the others waiting to its end")
    func streamed() throws {
        let association = try Association()
        let exchange = association.exchange
        let loop = association.channel.embeddedEventLoop
        association.find("a")
        var message: Int?
        exchange.inTurn {
            loop.makeSucceededFuture(
                exchange.beginInvoking(contextID: 1) {
                    .cStoreRequest(messageID: $0, sopClassUID: UID.ctImageStorage, sopInstanceUID: "1.2.3")
                })
        }.assumeIsolated().whenSuccess { begun in
            message = begun.message
            begun.responses.assumeIsolated().whenComplete { association.note("store", $0) }
        }
        association.find("b")
        let first = try association.written()
        #expect(first.map(\.field) == [.cFindRequest])
        #expect(message == nil)
        try association.respond(to: first[0])
        let second = try association.written()
        #expect(second.map(\.field) == [.cStoreRequest])
        let number = try #require(message)
        _ = exchange.append(ByteBuffer(repeating: 1, count: 10), isLast: true, to: number)
        #expect(try association.written().isEmpty)
        try association.respond(to: second[0])
        let third = try association.written()
        #expect(third.map(\.field) == [.cFindRequest])
        try association.respond(to: third[0])
        #expect(association.ends == ["a 1", "store 1", "b 1"])
        _ = try association.channel.finish(acceptAlreadyClosed: true)
    }

    @Test("At the end of the association all that wait fail with it; one more than may wait is refused at once")
    func ended() throws {
        let association = try Association()
        for number in 0...DIMSEExchange.waitingMax { association.find("\(number)") }
        #expect(association.ends.isEmpty)
        association.find("more")
        #expect(association.ends == ["more busy"])
        #expect(try association.written().count == 1)
        association.ends = []
        try association.channel.writeInbound(PDU.abort(.byUser))
        #expect(association.ends.count == DIMSEExchange.waitingMax + 1)
        let last = "\(SCUError.abortedByPeer(.byUser))"
        #expect(association.ends.allSatisfy { $0.hasSuffix(last) })
        association.find("late")
        #expect(association.ends.last == "late " + last)
        _ = try association.channel.finish(acceptAlreadyClosed: true)
    }
}
