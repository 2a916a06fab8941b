import PixelCodecs

/// Why a frame was not tried, or not to its end, although nothing is known to be wrong with it.
package struct PixelWorkerError: PixelCodingFailure, Equatable, Sendable, CustomStringConvertible {
    package enum Code: Sendable {
        /// More frames wait than may: try again later.
        case busy
        /// The process died of this frame, or answered nonsense.
        case died
        /// The frame took longer than it may.
        case late
        /// No process could be started, or the pool is closed.
        case unavailable
    }

    package let code: Code
    /// For the log: what happened, without a word of the frame.
    package let description: String

    init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }

    package var isTemporary: Bool { code == .busy || code == .unavailable }

    /// Two errors are equal when their codes are.
    package static func == (a: PixelWorkerError, b: PixelWorkerError) -> Bool { a.code == b.code }
}
