import DICOMData
import DICOMNetwork
import NIOCore
import NIOEmbedded
import TestSupport
import Testing

@testable import DIMSEAdapter

/// PS3.8 §9.2 and §9.3 in a channel without a socket, whose clock the test moves.
@Suite(.takingTurns) struct AssociationHandlerTests {
    /// What a handler tells its user.
    private final class RecordingUser: AssociationUser {
        var handler: AssociationHandler?
        var isWorking = false
        var accepted: NegotiatedAssociation?
        var messages: [DIMSEMessage] = []
        var bytes = 0
        var end: AssociationEnd?
        func attach(_ handler: AssociationHandler) { self.handler = handler }
        func associationRequested(_ request: AssociateRequest) { handler?.reject(.localLimitExceeded) }
        func associationAccepted(_ association: NegotiatedAssociation) { accepted = association }
        func received(_ message: DIMSEMessage) { messages.append(message) }
        func received(dataSet fragment: ByteBuffer, isLast: Bool) { bytes += fragment.readableBytes }
        func releaseRequested() { handler?.respondToRelease() }
        func associationEnded(_ end: AssociationEnd) { self.end = end }
    }

    private static let request = AssociateRequest.of([(1, UID.ctImageStorage)])
    private static let accept = request.accepted(maximumLength: 1030)

    private func channel(_ user: RecordingUser, requests: Bool = true) throws -> EmbeddedChannel {
        var timers = DIMSETimers()
        timers.idle = .seconds(60)
        timers.artim = .seconds(30)
        let channel = EmbeddedChannel(
            handler: AssociationHandler(
                user: user, request: requests ? Self.request : nil, timers: timers, limits: NetworkLimits()))
        try channel.connect(to: SocketAddress(unixDomainSocketPath: "/peer")).wait()
        return channel
    }

    /// The PDUs written since the last call.
    private func written(_ channel: EmbeddedChannel) throws -> [PDU] {
        var pdus: [PDU] = []
        var decoder = PDUDecoder()
        while var bytes = try channel.readOutbound(as: ByteBuffer.self) {
            while let pdu = try decoder.next(from: &bytes) { pdus.append(pdu) }
        }
        return pdus
    }

    /// An association of which the peer takes 1024 bytes a PDU.
    private func established(_ user: RecordingUser) throws -> EmbeddedChannel {
        let channel = try channel(user)
        #expect(try written(channel) == [.associateRequest(Self.request)])
        try channel.writeInbound(PDU.associateAccept(Self.accept))
        #expect(user.accepted?.contexts.map(\.id) == [1])
        return channel
    }

    /// Command or data set, last or not, and bytes of each PDV.
    private func values(_ pdus: [PDU]) -> [String] {
        pdus.flatMap { pdu -> [String] in
            guard case .data(let values) = pdu else { return ["\(pdu)"] }
            return values.map {
                "\($0.isCommand ? "C" : "D")\($0.isLast ? "!" : "")"
                    + ($0.isCommand ? "" : "\($0.fragment.readableBytes)")
            }
        }
    }

    private let store = CommandSet.cStoreRequest(
        messageID: 1, sopClassUID: UID.ctImageStorage, sopInstanceUID: "1.2.3")

    @Test("PS3.8 §E: a data set that comes part by part goes out as it comes, and no other message in between")
    func streamed() throws {
        let user = RecordingUser()
        let channel = try established(user)
        let begun = try #require(user.handler?.begin(store, contextID: 1))
        #expect(values(try written(channel)) == ["C!"])
        let second = try #require(user.handler?.send(.cEchoRequest(messageID: 2), dataSet: nil, contextID: 1))
        var sent: [String] = []
        begun.isSent.assumeIsolated().whenSuccess { sent.append("store") }
        second.assumeIsolated().whenSuccess { sent.append("echo") }
        #expect(try written(channel).isEmpty)
        let part = try #require(
            user.handler?.append(ByteBuffer(repeating: 1, count: 2048), isLast: false, to: begun.message))
        part.assumeIsolated().whenSuccess { sent.append("part") }
        #expect(values(try written(channel)) == ["D1024", "D1024"])
        #expect(sent == ["part"])
        #expect(user.handler?.append(ByteBuffer(repeating: 2, count: 1026), isLast: true, to: begun.message) != nil)
        #expect(values(try written(channel)) == ["D1024", "D!2", "C!"])
        #expect(sent == ["part", "store", "echo"])
        // It has ended: nothing more belongs to it.
        #expect(user.handler?.append(ByteBuffer(), isLast: true, to: begun.message) == nil)
        _ = try channel.finish(acceptAlreadyClosed: true)
    }

    @Test("A peer that does not read holds back what is written, and gets it once it reads")
    func backPressure() throws {
        let user = RecordingUser()
        let channel = try established(user)
        channel.isWritable = false
        let sent = try #require(
            user.handler?.send(store, dataSet: ByteBuffer(repeating: 1, count: 3000), contextID: 1))
        #expect(try written(channel).isEmpty)
        channel.isWritable = true
        channel.pipeline.fireChannelWritabilityChanged()
        #expect(values(try written(channel)) == ["C!", "D1024", "D1024", "D!952"])
        try sent.wait()
        _ = try channel.finish(acceptAlreadyClosed: true)
    }

    @Test("A peer that takes nothing of a message for the idle time is aborted, one that takes some is not")
    func takesNothing() throws {
        let user = RecordingUser()
        user.isWorking = true
        let channel = try established(user)
        // Long without work of either side: the time begins with the message.
        channel.embeddedEventLoop.advanceTime(by: .seconds(200))
        #expect(user.end == nil)
        let begun = try #require(user.handler?.begin(store, contextID: 1))
        for _ in 0..<5 {
            channel.embeddedEventLoop.advanceTime(by: .seconds(50))
            #expect(user.handler?.append(ByteBuffer(repeating: 1, count: 2), isLast: false, to: begun.message) != nil)
        }
        // While the next part is being made the peer waits, not we.
        channel.embeddedEventLoop.advanceTime(by: .seconds(130))
        #expect(user.end == nil)
        channel.isWritable = false
        let last = try #require(
            user.handler?.append(ByteBuffer(repeating: 1, count: 2), isLast: true, to: begun.message))
        var failed = false
        last.assumeIsolated().whenFailure { _ in failed = true }
        channel.embeddedEventLoop.advanceTime(by: .seconds(121))
        #expect(user.end == .timedOut)
        #expect(failed)
        _ = try channel.finish(acceptAlreadyClosed: true)
    }

    @Test("PS3.8 §9.1.5: an acceptor that is asked for nothing closes when ARTIM runs out; a rejected peer too")
    func artim() throws {
        let silent = RecordingUser()
        let first = try channel(silent, requests: false)
        first.embeddedEventLoop.advanceTime(by: .seconds(29))
        #expect(first.isActive)
        first.embeddedEventLoop.advanceTime(by: .seconds(2))
        #expect(!first.isActive)

        let rejected = RecordingUser()
        let second = try channel(rejected, requests: false)
        try second.writeInbound(PDU.associateRequest(Self.request))
        #expect(try written(second) == [.associateReject(.localLimitExceeded)])
        #expect(rejected.end == .rejected(.localLimitExceeded))
        #expect(second.isActive)
        second.embeddedEventLoop.advanceTime(by: .seconds(31))
        #expect(!second.isActive)
    }

    @Test("PS3.8 Table 9-26: bytes that are no PDU end the association, and what waits to be sent fails")
    func invalid() throws {
        let user = RecordingUser()
        let channel = try established(user)
        let begun = try #require(user.handler?.begin(store, contextID: 1))
        _ = try written(channel)
        channel.pipeline.fireErrorCaught(PDUError.unrecognizedType(9))
        #expect(try written(channel) == [.abort(.unrecognizedPDU)])
        #expect(user.end == .aborted(.unrecognizedPDU))
        #expect(throws: (any Error).self) { try begun.isSent.wait() }
        #expect(user.handler?.send(store, dataSet: nil, contextID: 1) == nil)
        _ = try channel.finish(acceptAlreadyClosed: true)
    }
}
