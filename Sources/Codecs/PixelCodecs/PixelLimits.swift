import DICOMPixels

/// What one frame may ask for, looked at before any codec sees its bytes.
package struct PixelLimits: Sendable, Equatable {
    /// Samples of a frame: rows x columns x samples per pixel. 2^27 is a mammogram of 30,000 x 4,000 and more; JPEG 2000
    /// takes 4 bytes of working memory for each, and as many for its wavelets.
    package var samplesMax: Int
    /// Bytes of a compressed frame.
    package var codestreamBytesMax: Int
    /// Scans of a JPEG: each goes over the whole image again. ITU-T T.81 §G.1.1.1.1 needs about ten.
    package var scansMax: Int
    /// Tiles of a JPEG 2000 codestream.
    package var tilesMax: Int

    package static let `default` = PixelLimits(
        samplesMax: 1 << 27, codestreamBytesMax: 1 << 28, scansMax: 100, tilesMax: 4_096)

    package init(samplesMax: Int, codestreamBytesMax: Int, scansMax: Int, tilesMax: Int) {
        self.samplesMax = samplesMax
        self.codestreamBytesMax = codestreamBytesMax
        self.scansMax = scansMax
        self.tilesMax = tilesMax
    }

    /// Throws `.tooLarge` for an image or a codestream beyond them.
    package func check(_ image: ImagePixel, codestreamBytes: Int) throws(PixelCodecError) {
        // Each is at most 65,535 and 16.
        let samples = image.rows * image.columns * image.samplesPerPixel
        guard samples <= samplesMax else { throw .tooLarge(limit: "samplesMax", value: samples) }
        guard codestreamBytes <= codestreamBytesMax else {
            throw .tooLarge(limit: "codestreamBytesMax", value: codestreamBytes)
        }
    }
}
