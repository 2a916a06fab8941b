import DICOMData
import DICOMPixels

/// Frames that are tiles of a larger image. PS3.3 §C.7.6.17.3, §C.8.12.14.
extension ImageRendering {
    /// Where a frame, from 1, begins in the total pixel matrix, in its pixels, 0, 0 being its upper left corner; nil where
    /// the image has none, or does not say where its frames lie in it.
    func tileOrigin(number: Int) -> Coverage.Point? {
        guard (1...Int(UInt32.max)).contains(number), let columns = header.int(.totalPixelMatrixColumns), columns > 0,
            let rows = header.int(.totalPixelMatrixRows), rows > 0
        else { return nil }
        let position = attributes.group(.planePositionSlideSequence, frame: number)
        if let column = position.int(.columnPositionInTotalImagePixelMatrix),
            let row = position.int(.rowPositionInTotalImagePixelMatrix)
        {
            return Coverage.Point(Double(column) - 1, Double(row) - 1)
        }
        // Of a concatenation the frames before this instance's count too.
        let before = header.int(.concatenationFrameOffsetNumber) ?? 0
        guard header.string(.dimensionOrganizationType) == "TILED_FULL", (0...Int(UInt32.max)).contains(before) else {
            return nil
        }
        // Line by line, once for each plane and optical path.
        let (across, down) = ((columns - 1) / image.columns + 1, (rows - 1) / image.rows + 1)
        let place = number - 1 + before
        return Coverage.Point(
            Double(place % across * image.columns), Double(place / across % down * image.rows))
    }
}
