import Hummingbird
import NIOCore

/// Reads a multipart request body part by part without ever holding a part: back-pressure reaches the peer.
///
///     var reader = try MultipartReader(request)
///     while let headers = try await reader.nextPart() {
///         while let piece = try await reader.nextPiece() { … }
///     }
package struct MultipartReader {
    private var scanner: MultipartScanner
    private var pieces: RequestBody.AsyncIterator
    private var inPart = false
    private var hasEnded = false

    /// Throws ``MultipartError`` for a missing or illegal boundary, ``HTTPFailure`` for a bad
    /// Content-Type and for a body that is coded.
    package init(_ request: APIRequest, limits: MultipartLimits? = nil) throws {
        guard let type = try request.contentType() else { throw MultipartError.noBoundary }
        scanner = try MultipartScanner(contentType: type, limits: limits ?? request.limits.multipart)
        pieces = try request.plainBody().makeAsyncIterator()
    }

    /// The headers of the next part, passing over what was not read of the current one. Nil after the last part.
    /// Throws ``MultipartError``, and `HTTPFailure(.timeout)` for a body that drips.
    package mutating func nextPart() async throws -> MultipartHeaders? {
        while let event = try await event() {
            if case .partBegan(let headers) = event {
                inPart = true
                return headers
            }
        }
        return nil
    }

    /// The next piece of the current part's content; nil at its end. Errors as ``nextPart()``.
    package mutating func nextPiece() async throws -> ByteBuffer? {
        guard inPart else { return nil }
        while let event = try await event() {
            switch event {
            case .content(let piece): return piece
            case .partEnded:
                inPart = false
                return nil
            case .partBegan, .closed: continue
            }
        }
        return nil
    }

    private mutating func event() async throws -> MultipartScanner.Event? {
        while true {
            if let event = try scanner.next() { return event }
            if hasEnded { return nil }
            if let piece = try await pieces.next() {
                scanner.feed(piece)
            } else {
                hasEnded = true
                try scanner.finish()
            }
        }
    }
}
