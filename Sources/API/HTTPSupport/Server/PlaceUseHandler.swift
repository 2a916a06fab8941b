import Admission
import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Tells the place of a connection when a request is under way: between requests it may be closed to let another in, as
/// HTTP allows at any time (RFC 9112 §9.3).
final class PlaceUseHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private var place: Place?
    private var requests = 0

    func channelActive(context: ChannelHandlerContext) {
        place = Place.of(context.channel)
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if let place, case .head = unwrapInboundIn(data) {
            if requests == 0 { place.working() }
            requests += 1
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        context.write(data, promise: promise)
        guard let place, case .end = unwrapOutboundIn(data) else { return }
        requests = max(0, requests - 1)
        if requests == 0 { place.resting() }
    }
}

@available(*, unavailable)
extension PlaceUseHandler: Sendable {}
