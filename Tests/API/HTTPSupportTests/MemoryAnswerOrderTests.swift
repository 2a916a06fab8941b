import HTTPTypes
import Logging
import NIOCore
import NIOEmbedded
import NIOHTTPTypes
import TestSupport
import Testing

@testable import HTTPSupport

/// What waits for what around an answer from memory, one step at a time.
@Suite(.takingTurns) struct MemoryAnswerOrderTests {
    private struct Broken: Error {}

    /// Stands before the handler: counts the reads that the socket is asked for, and can stop what is to leave.
    private final class Front: ChannelOutboundHandler {
        typealias OutboundIn = HTTPResponsePart
        var reads = 0
        var isStopped = false
        private var context: ChannelHandlerContext?

        func handlerAdded(context: ChannelHandlerContext) { self.context = context }
        func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }
        func read(context: ChannelHandlerContext) {
            reads += 1
            context.read()
        }
        func flush(context: ChannelHandlerContext) { if !isStopped { context.flush() } }
        func release() {
            isStopped = false
            context?.flush()
        }
    }

    /// Stands behind the handler: what has passed it.
    private final class Back: ChannelInboundHandler {
        typealias InboundIn = HTTPRequestPart
        var seen: [String] = []

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head): seen.append(head.path ?? "")
            case .body: seen.append("body")
            case .end: seen.append("end")
            }
        }
        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) { seen.append("\(event)") }
        func errorCaught(context: ChannelHandlerContext, error: any Error) { seen.append("\(error)") }
    }

    /// One connection, everything on the calling thread.
    private struct Connection {
        let trail = MemoryAnswerSupport.GatedTrail()
        let front = Front()
        let back = Back()
        let channel: EmbeddedChannel

        init() throws {
            let memory = MemoryAnswerSupport.memory(try MemoryAnswerSupport.responder(trail))
            let handler = MemoryAnswerHandler(
                memory, parts: ResponsePartHandler(), files: nil,
                logger: Logger(label: "test") { _ in
                    SwiftLogNoOpLogHandler()
                })
            channel = EmbeddedChannel(handlers: [front, handler, back])
            try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1), promise: nil)
            back.seen = []
            front.reads = 0
        }

        func ask(_ id: String, token: String = "good") throws {
            var fields = HTTPFields()
            fields[.authorization] = "Bearer \(token)"
            let head = HTTPRequest(method: .get, scheme: "http", authority: "h", path: "/x/\(id)", headerFields: fields)
            try channel.writeInbound(HTTPRequestPart.head(head))
            try channel.writeInbound(HTTPRequestPart.end(nil))
            channel.embeddedEventLoop.run()
        }

        /// Writes a usual answer.
        func answer() throws {
            channel.write(HTTPResponsePart.head(HTTPResponse(status: .accepted)), promise: nil)
            channel.writeAndFlush(HTTPResponsePart.end(nil), promise: nil)
        }

        func record() {
            trail.open()
            channel.embeddedEventLoop.run()
        }

        /// The bodies of answers from memory, and the status of others, since it was last asked.
        func left() throws -> [String] {
            var all: [String] = []
            while let part = try channel.readOutbound(as: HTTPResponsePart.self) {
                switch part {
                case .head(let head): if head.status != .ok { all.append("\(head.status.code)") }
                case .body(let bytes): all.append(String(buffer: bytes))
                case .end: break
                }
            }
            return all
        }
    }

    @Test("Behind a request on the usual way all that comes takes that way, until the last of them is answered")
    func usual() throws {
        let connection = try Connection()
        for id in ["a", "cold", "b"] { try connection.ask(id) }
        #expect(try connection.left() == ["<memory a>"])
        #expect(connection.back.seen == ["/x/cold", "end", "/x/b", "end"])
        try connection.answer()
        try connection.ask("c")
        try connection.answer()
        try connection.answer()
        #expect(connection.back.seen.suffix(2) == ["/x/c", "end"])
        #expect(connection.trail.entities == ["a"])
        try connection.ask("d")
        #expect(try connection.left() == ["202", "202", "202", "<memory d>"])
        _ = try connection.channel.finish()
    }

    @Test("House decision 5: who may read a part of the type only is never answered from memory")
    func part() throws {
        let connection = try Connection()
        for token in ["good", "part"] { try connection.ask("a", token: token) }
        #expect(try connection.left() == ["<memory a>"])
        #expect(connection.back.seen == ["/x/a", "end"])
        _ = try connection.channel.finish()
    }

    @Test("While an audit row is written nothing leaves and nothing passes; then all of it, in its order")
    func recording() throws {
        let connection = try Connection()
        connection.trail.close()
        for id in ["a", "b", "cold"] { try connection.ask(id) }
        connection.channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        connection.channel.pipeline.fireErrorCaught(Broken())
        connection.channel.read()
        #expect(try connection.left().isEmpty)
        #expect(connection.back.seen.isEmpty)
        #expect(connection.trail.entities == ["a"])
        #expect(connection.front.reads == 0)
        connection.record()
        #expect(try connection.left() == ["<memory a>", "<memory b>"])
        #expect(connection.trail.entities == ["a", "b"])
        #expect(connection.front.reads == 1)
        #expect(connection.back.seen == ["/x/cold", "end", "inputClosed", "Broken()"])
        _ = try? connection.channel.finish()
    }

    @Test("A peer that takes nothing holds one answer; what it sends behind it waits, and no more is read")
    func sending() throws {
        let connection = try Connection()
        connection.front.isStopped = true
        connection.channel.isWritable = false
        for id in ["a", "b", "cold"] { try connection.ask(id) }
        connection.channel.read()
        #expect(connection.trail.entities == ["a"])
        #expect(connection.back.seen.isEmpty)
        #expect(connection.front.reads == 0)
        connection.channel.isWritable = true
        connection.front.release()
        connection.channel.embeddedEventLoop.run()
        #expect(try connection.left() == ["<memory a>", "<memory b>"])
        #expect(connection.trail.entities == ["a", "b"])
        #expect(connection.front.reads == 1)
        #expect(connection.back.seen == ["/x/cold", "end"])
        _ = try connection.channel.finish()
    }

    @Test("When its audit row cannot be kept a request passes whole, and what waited behind it follows")
    func failing() throws {
        let connection = try Connection()
        connection.trail.fail()
        for id in ["a", "b"] { try connection.ask(id) }
        #expect(try connection.left().isEmpty)
        #expect(connection.back.seen == ["/x/a", "end", "/x/b", "end"])
        _ = try connection.channel.finish()
    }

    @Test("A body that follows a head from memory after all sends the request the usual way")
    func body() throws {
        let connection = try Connection()
        var fields = HTTPFields()
        fields[.authorization] = "Bearer good"
        let head = HTTPRequest(method: .get, scheme: "http", authority: "h", path: "/x/a", headerFields: fields)
        try connection.channel.writeInbound(HTTPRequestPart.head(head))
        #expect(connection.back.seen.isEmpty)
        try connection.channel.writeInbound(HTTPRequestPart.body(ByteBuffer(string: "x")))
        try connection.channel.writeInbound(HTTPRequestPart.end(nil))
        #expect(connection.back.seen == ["/x/a", "body", "end"])
        #expect(connection.trail.entities.isEmpty)
        _ = try connection.channel.finish()
    }
}
