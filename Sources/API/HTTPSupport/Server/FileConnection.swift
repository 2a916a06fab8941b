import NIOCore

/// A connection whose kernel can take ranges of files by itself: HTTP/1 in clear text.
///
/// The listener decides that from the connection and tells the request (``APIRequest/files``); over TLS, and inside the
/// process, there is none, and bodies are written as bytes.
package final class FileConnection: Sendable {
    /// A part of a body.
    package enum Piece: Sendable {
        case bytes(ByteBuffer)
        /// A range of a file in bytes from its start. The file does not shrink while it is sent.
        case file(SentFile, Range<Int64>)
    }

    private let loop: any EventLoop
    private let handler: NIOLoopBound<ResponsePartHandler>

    /// On the connection's event loop.
    init(_ handler: ResponsePartHandler, loop: any EventLoop) {
        self.loop = loop
        self.handler = NIOLoopBound(handler, eventLoop: loop)
    }

    /// Writes pieces of the response's body behind what was written before, and returns when the kernel has taken all of
    /// them: so the peer sets the pace, and nothing is held but the open file. Throws when the connection ended.
    ///
    /// Only from within the body of a response, whose head has been written.
    package func write(_ pieces: [Piece]) async throws {
        let promise = loop.makePromise(of: Void.self)
        if loop.inEventLoop {
            handler.value.write(pieces, promise: promise)
        } else {
            loop.execute { [handler] in handler.value.write(pieces, promise: promise) }
        }
        try await promise.futureResult.get()
    }

    /// The connection of the request that this task answers; set by ``HTTPListener`` alone.
    @TaskLocal static var current: FileConnection?
}

/// An open file that is sent from. Its owner keeps the descriptor open as long as this lives.
package final class SentFile: Sendable {
    let handle: NIOFileHandle
    private let owner: any Sendable

    /// - Parameters:
    ///   - descriptor: open for reading; it is not closed here.
    ///   - owner: what closes the descriptor when it is released itself.
    package init(descriptor: CInt, owner: any Sendable) {
        handle = NIOFileHandle(_deprecatedTakingOwnershipOfDescriptor: descriptor)
        self.owner = owner
    }

    deinit { _ = try? handle.takeDescriptorOwnership() }
}
