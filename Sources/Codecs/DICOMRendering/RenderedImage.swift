/// A picture for a screen: 8 bits a sample, grey or RGB.
///
/// *Shape*: row by row, pixel by pixel; one byte of grey, or red, green and blue. Grey of 0 is black.
package struct RenderedImage: Sendable, Equatable {
    package let rows: Int
    package let columns: Int
    /// 1 or 3.
    package let samplesPerPixel: Int
    package var bytes: [UInt8]

    /// nil for a number of bytes that is not that of the pixels, sides outside 1...65,535 and samples other than 1 and 3.
    package init?(rows: Int, columns: Int, samplesPerPixel: Int, bytes: [UInt8]) {
        guard (1...0xFFFF).contains(rows), (1...0xFFFF).contains(columns), samplesPerPixel == 1 || samplesPerPixel == 3,
            bytes.count == rows * columns * samplesPerPixel
        else { return nil }
        self.rows = rows
        self.columns = columns
        self.samplesPerPixel = samplesPerPixel
        self.bytes = bytes
    }
}

/// Why an image was not rendered. Never holds a pixel or a value of the data set.
package enum RenderingError: Error, Equatable, Sendable {
    /// The data set describes no image, or the frame is not of it.
    case noImage
    /// What cannot be shown: the defined term, or the number of samples.
    case unsupported(String)
    /// The region that was asked for lies beside the image.
    case regionOutside
    /// The picture would have more pixels than ``ImageRendering/pixelsMax``.
    case tooLarge
}

extension RenderingError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .noImage: "there is no image that could be rendered"
        case .unsupported(let what): "\(what) is not rendered here"
        case .regionOutside: "the region lies beside the image"
        case .tooLarge: "the rendered image would be too large; ask for a smaller viewport"
        }
    }
}
