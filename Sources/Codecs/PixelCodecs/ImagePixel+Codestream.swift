import DICOMPixels

extension ImagePixel {
    /// Throws `.mismatch` for a codestream of another image: other dimensions, or samples of more bits than are
    /// allocated.
    func agree(rows: Int, columns: Int, samples: Int, precision: Int) throws(PixelCodecError) {
        let facts = [
            ("Rows", self.rows, rows), ("Columns", self.columns, columns),
            ("Samples per Pixel", samplesPerPixel, samples),
        ]
        for (name, ours, theirs) in facts where ours != theirs {
            throw .mismatch(attribute: name, image: ours, codestream: theirs)
        }
        guard precision <= bitsAllocated else {
            throw .mismatch(attribute: "Bits Allocated", image: bitsAllocated, codestream: precision)
        }
    }

    /// The size of the image, or of a part of it, behind so many halvings of both sides, 0...8, each rounded up.
    package func halved(_ halvings: Int, of region: FrameRegion? = nil) -> (rows: Int, columns: Int) {
        let (rows, columns) = (region?.rows ?? self.rows, region?.columns ?? self.columns)
        return ((rows + 1 << halvings - 1) >> halvings, (columns + 1 << halvings - 1) >> halvings)
    }

    /// Whether a frame of this image, decoded with these options, can have this shape.
    package func decodes(to shape: FrameShape, _ options: DecodingOptions) -> Bool {
        shape.samplesPerPixel == samplesPerPixel
            && (0...options.reduction).contains {
                halved($0, of: options.region) == (shape.rows, shape.columns)
            }
    }
}
