import DICOMData
import DICOMPixels

/// Who decodes and encodes frames, and converts their colours, for a door: child processes in a server.
///
/// All throw ``PixelCodecError`` for what is wrong with the frame or the wish, `CancellationError`, and a
/// ``PixelCodingFailure`` where the frame could not be tried or its process did not live to the end.
package protocol PixelCoding: Sendable {
    /// As `FrameDecoder.decode`.
    func decode(
        _ frame: [UInt8], _ image: ImagePixel, transferSyntax: TransferSyntax, options: DecodingOptions
    ) async throws -> NativeFrame

    /// As `FrameEncoder.encode`.
    func encode(
        _ frame: NativeFrame, as transferSyntax: TransferSyntax, options: EncodingOptions
    ) async throws -> EncodedFrame

    /// As `ColourConversion.convert`.
    func convert(_ frame: NativeFrame, from profile: [UInt8], to target: [UInt8]) async throws -> NativeFrame
}

/// What an implementation of ``PixelCoding`` throws where nothing is known to be wrong with the frame.
package protocol PixelCodingFailure: Error {
    /// The frame was not tried: the same call can succeed in a moment.
    var isTemporary: Bool { get }
}

/// Decodes and encodes where it is called: for tools and tests, and for pixels of our own. Frames of others belong into a
/// process of their own.
package struct DirectPixelCoding: PixelCoding {
    package let limits: PixelLimits

    package init(limits: PixelLimits = .default) { self.limits = limits }

    package func decode(
        _ frame: [UInt8], _ image: ImagePixel, transferSyntax: TransferSyntax, options: DecodingOptions
    ) async throws -> NativeFrame {
        try FrameDecoder.decode(frame, image, transferSyntax: transferSyntax, options: options, limits: limits)
    }

    package func encode(
        _ frame: NativeFrame, as transferSyntax: TransferSyntax, options: EncodingOptions
    ) async throws -> EncodedFrame {
        try FrameEncoder.encode(frame, as: transferSyntax, options: options, limits: limits)
    }

    package func convert(
        _ frame: NativeFrame, from profile: [UInt8], to target: [UInt8]
    ) async throws -> NativeFrame {
        try ColourConversion.convert(frame, from: profile, to: target, limits: limits)
    }
}
