import DICOMPixels

/// What one frame may ask for, looked at before any codec sees its bytes.
package struct PixelLimits: Sendable, Equatable {
    /// Samples of a frame, or of the part of it that is decoded: rows x columns x samples per pixel. 2^27 is a mammogram
    /// of 30,000 x 4,000 and more; JPEG 2000 takes 4 bytes of working memory for each, and as many for its wavelets.
    package var samplesMax: Int
    /// Samples of a frame of which a part is decoded without the rest. 2^31 is 26,000 x 26,000 in colour.
    package var wholeSamplesMax: Int
    /// Bytes of a compressed frame.
    package var codestreamBytesMax: Int
    /// Scans of a JPEG: each goes over the whole image again. ITU-T T.81 §G.1.1.1.1 needs about ten.
    package var scansMax: Int
    /// Tiles of a JPEG 2000 codestream.
    package var tilesMax: Int
    /// Code-blocks, by its main header, of a JPEG 2000 codestream of more than ``samplesMax`` samples. Each takes some 200
    /// bytes in its tile whether it is decoded or not. 2^21 of 64 x 64 are more than ``wholeSamplesMax``.
    package var blocksMax: Int

    package static let `default` = PixelLimits(
        samplesMax: 1 << 27, codestreamBytesMax: 1 << 28, scansMax: 100, tilesMax: 4_096)

    package init(
        samplesMax: Int, codestreamBytesMax: Int, scansMax: Int, tilesMax: Int, wholeSamplesMax: Int = 1 << 31,
        blocksMax: Int = 1 << 21
    ) {
        self.samplesMax = samplesMax
        self.codestreamBytesMax = codestreamBytesMax
        self.scansMax = scansMax
        self.tilesMax = tilesMax
        self.wholeSamplesMax = wholeSamplesMax
        self.blocksMax = blocksMax
    }

    /// Throws `.tooLarge` for an image or a codestream beyond them.
    ///
    /// - Parameter region: the part of the image that is decoded without the rest; nil for all of it.
    package func check(
        _ image: ImagePixel, codestreamBytes: Int, region: FrameRegion? = nil
    ) throws(PixelCodecError) {
        // Each is at most 65,535 and 16.
        let whole = image.rows * image.columns * image.samplesPerPixel
        let samples = region.map { $0.rows * $0.columns * image.samplesPerPixel } ?? whole
        guard samples <= samplesMax else { throw .tooLarge(limit: "samplesMax", value: samples) }
        guard region == nil || whole <= wholeSamplesMax else {
            throw .tooLarge(limit: "wholeSamplesMax", value: whole)
        }
        guard codestreamBytes <= codestreamBytesMax else {
            throw .tooLarge(limit: "codestreamBytesMax", value: codestreamBytes)
        }
    }
}
