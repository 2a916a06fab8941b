import NIOCore

/// The limits of one HTTP request. All configurable; the defaults are what the conformance pages promise.
package struct HTTPLimits: Sendable, Hashable {
    /// Names and values of all fields together, in bytes, with 4 bytes a field for `: ` and the line end.
    package var headerBytesMax = 32 * 1024
    package var headerFieldsMax = 100
    /// Path and query as sent, in bytes.
    package var targetBytesMax = 16 * 1024
    package var queryParametersMax = 1000
    /// What ``APIRequest/collectBody(limit:)`` collects unless told otherwise, in bytes.
    package var bodyBytesMax = 16 * 1024 * 1024
    /// A body must reach this mean rate in each grace time.
    package var bodyBytesPerSecondMin = 1024
    package var bodyGrace: TimeAmount = .seconds(30)
    /// How long an answer may wait for a peer that does not read it.
    package var write: TimeAmount = .seconds(30)
    /// Responses that stream stored bytes at the same time; more wait their turn. Each may hold a few chunks.
    package var bulkResponsesMax = 32
    /// From the connection to the head of its first request, the TLS handshake included.
    package var firstRequest: TimeAmount = .seconds(10)
    /// How long a connection may stay open without a request.
    package var idle: TimeAmount = .seconds(75)
    /// Of a request that goes on when its answer is complete: read so that the peer can read the answer, in bytes.
    package var drainBytesMax = 256 * 1024
    /// How long such a request may go on.
    package var drain: TimeAmount = .seconds(2)
    /// Of a body in parts.
    package var multipart = MultipartLimits()
    package init() {}

    /// What the decoder collects of a head or of trailers before anybody else may judge it, in bytes.
    var headBytesMax: Int { headerBytesMax + targetBytesMax + (16 << 10) }
    /// What may arrive for a request that is neither its head nor its body, beside 16 bytes for each of the body's: a
    /// chunk of one byte is six.
    var framingBytesMax: Int { headBytesMax + (64 << 10) }
}
