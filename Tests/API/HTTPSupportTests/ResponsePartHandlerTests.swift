import NIOCore
import NIOEmbedded
import NIOHTTP1
import TestSupport
import Testing

@testable import HTTPSupport

/// What leaves when, behind the HTTP/1 encoder.
@Suite(.takingTurns) struct ResponsePartHandlerTests {
    private func part(_ status: HTTPResponseStatus) -> HTTPServerResponsePart {
        .head(HTTPResponseHead(version: .http1_1, status: status))
    }

    /// How many parts have left.
    private func sent(_ channel: EmbeddedChannel) throws -> Int {
        var count = 0
        while try channel.readOutbound(as: HTTPServerResponsePart.self) != nil { count += 1 }
        return count
    }

    @Test("A head leaves with what follows it; an interim head at once (RFC 9110 §15.2)")
    func headIsHeld() throws {
        let channel = EmbeddedChannel(handler: ResponsePartHandler())
        channel.write(part(.continue), promise: nil)
        channel.flush()
        #expect(try sent(channel) == 1)
        for next in [HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(string: "x"))), .end(nil)] {
            channel.write(part(.ok), promise: nil)
            channel.flush()
            #expect(try sent(channel) == 0)
            channel.write(next, promise: nil)
            channel.flush()
            #expect(try sent(channel) == 2)
        }
        _ = try channel.finish()
    }

    @Test("Pieces leave with the head before them, in order, and the promise is kept")
    func pieces() throws {
        let handler = ResponsePartHandler()
        let channel = EmbeddedChannel(handler: handler)
        channel.write(part(.ok), promise: nil)
        channel.flush()
        let promise = channel.eventLoop.makePromise(of: Void.self)
        handler.write([.bytes(ByteBuffer(string: "a")), .bytes(ByteBuffer(string: "b"))], promise: promise)
        try promise.futureResult.wait()
        #expect(try channel.readOutbound(as: HTTPServerResponsePart.self) == part(.ok))
        for text in ["a", "b"] {
            #expect(
                try channel.readOutbound(as: HTTPServerResponsePart.self)
                    == .body(.byteBuffer(ByteBuffer(string: text))))
        }
        _ = try channel.finish()
    }

    @Test("After the connection has ended a write fails, and holds nothing")
    func ended() throws {
        let handler = ResponsePartHandler()
        let channel = EmbeddedChannel(handler: handler)
        _ = try channel.finish()
        let promise = channel.eventLoop.makePromise(of: Void.self)
        handler.write([.bytes(ByteBuffer(string: "a"))], promise: promise)
        #expect(throws: ChannelError.self) { try promise.futureResult.wait() }
    }
}
