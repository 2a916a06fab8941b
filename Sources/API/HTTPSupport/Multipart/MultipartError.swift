/// The limits of a multipart body. All configurable.
package struct MultipartLimits: Sendable, Hashable {
    /// RFC 2046 §5.1.1 allows no longer boundary, in bytes.
    package static let boundaryBytesMax = 70
    /// The header block of one part, in bytes with its line ends.
    package var partHeaderBytesMax = 8 * 1024
    package var partHeaderFieldsMax = 32
    /// The content of one part, in bytes.
    package var partBytesMax: Int64 = 2 << 30
    package var partsMax = 100_000
    package init() {}
}

/// Why a multipart body cannot be read. `offset` counts bytes of the body from its start.
package enum MultipartError: Error, Hashable, Sendable {
    /// The Content-Type is not multipart, or has no `boundary`.
    case noBoundary
    /// The boundary is longer than 70 bytes, empty, ends in a space, or holds other than the characters of RFC 2046.
    case malformedBoundary
    /// The body ended before the first delimiter.
    case neverOpened
    /// The body ended inside a part: there was no closing delimiter.
    case neverClosed(offset: Int64)
    /// A part's header block has no end within the limit, or too many fields.
    case partHeadersTooLarge(offset: Int64)
    /// A line of a part's header block is not `name: value` ended by CR LF.
    case malformedPartHeader(offset: Int64)
    case partTooLarge(offset: Int64)
    case tooManyParts(offset: Int64)

    /// The error as an answer: 413 for the limits, 400 for the rest.
    package var failure: HTTPFailure {
        switch self {
        case .noBoundary: HTTPFailure(.malformed, "The Content-Type has no multipart boundary", closesConnection: true)
        case .malformedBoundary: HTTPFailure(.malformed, "The multipart boundary is not legal", closesConnection: true)
        case .neverOpened: HTTPFailure(.malformed, "The multipart body has no part")
        case .neverClosed(let offset):
            HTTPFailure(.malformed, "The multipart body ends at byte \(offset) without its closing delimiter")
        case .partHeadersTooLarge(let offset):
            HTTPFailure(.tooLarge, "The part headers at byte \(offset) are too large", closesConnection: true)
        case .malformedPartHeader(let offset):
            HTTPFailure(.malformed, "The part header at byte \(offset) is malformed", closesConnection: true)
        case .partTooLarge(let offset):
            HTTPFailure(.tooLarge, "The part at byte \(offset) is too large", closesConnection: true)
        case .tooManyParts(let offset):
            HTTPFailure(.tooLarge, "There are too many parts at byte \(offset)", closesConnection: true)
        }
    }
}
