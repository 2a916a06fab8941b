import DICOMPixels
import PixelCodecs

/// Which part of a whole frame a picture's pixels are, in pixels as they were decoded.
struct FramePart: Sendable, Equatable {
    var left = 0
    var top = 0
    /// Of the whole frame.
    var columns: Int
    var rows: Int
}

/// Pictures of a region whose pixels alone are decoded. PS3.18 §8.3.5.1.3.
extension ImageRendering {
    /// Pixels of a part beyond those that a picture is made of, each way: neighbours that it lies between, and what
    /// halved sides that were rounded up move.
    private static let margin = 2

    /// How a frame, from 1, is to be decoded for a picture: smaller where a smaller picture is wanted, and of a region
    /// that part alone where the picture is the same without the rest. Its region is then that of ``Options/region``.
    ///
    /// The rest is needed for a window that is made of the frame's values, for overlays, subtracted frames, and for
    /// what a presentation state does.
    ///
    /// - Parameter decodesRegions: the codec decodes a part without the rest.
    package func decoding(number: Int, options: Options, decodesRegions: Bool) -> DecodingOptions {
        let whole = DecodingOptions(reduction: reduction(for: options.viewport), wantsRGB: true)
        guard decodesRegions, let viewport = options.viewport, overlays.isEmpty, state == nil, !subtracts,
            options.window != nil || options.defaultWindow != nil || !lacksWindow(number: number),
            let seen = try? Placement(
                rows: image.rows, columns: image.columns, frameRows: image.rows, frameColumns: image.columns,
                aspect: attributes.aspect(frame: number), viewport)
        else { return whole }
        var halvings = 0
        if canBeHalved {
            halvings = Self.halvings(columns: Int(seen.width), rows: Int(seen.height), for: viewport)
        }
        let size = image.halved(halvings)
        let across = Self.span(seen.x, seen.width, image.columns, halved: size.columns, halvings)
        let down = Self.span(seen.y, seen.height, image.rows, halved: size.rows, halvings)
        guard across.count < image.columns || down.count < image.rows,
            let region = FrameRegion(
                left: across.lowerBound, top: down.lowerBound, columns: across.count, rows: down.count)
        else { return whole }
        return DecodingOptions(reduction: halvings, wantsRGB: true, region: region)
    }

    /// The pixels of a line of `count` that a picture of a part of it is made of, from a multiple of 2^halvings to one, or
    /// to the end.
    private static func span(
        _ start: Double, _ length: Double, _ count: Int, halved: Int, _ halvings: Int
    ) -> Range<Int> {
        let scale = Double(halved) / Double(count)
        let low = max(0, Int((start * scale).rounded(.down)) - margin)
        let high = min(halved, Int(((start + length) * scale).rounded(.up)) + margin)
        return low << halvings..<max(low << halvings, min(count, high << halvings))
    }

    /// How often sides may be halved before they are smaller than a picture that fits into a viewport; the larger side
    /// decides, as the other one is not filled.
    static func halvings(columns: Int, rows: Int, for viewport: Viewport) -> Int {
        var halvings = 0
        while halvings < 8,
            max(columns >> (halvings + 1) / viewport.width, rows >> (halvings + 1) / viewport.height) >= 1
        {
            halvings += 1
        }
        return halvings
    }

    /// Where in the whole frame the values lie that were decoded. Throws `.noImage` where they are not those of the
    /// region, or the whole frame is needed.
    func part(_ values: RenderedImage, _ options: Options) throws(RenderingError) -> FramePart {
        guard let region = options.region else { return FramePart(columns: values.columns, rows: values.rows) }
        guard overlays.isEmpty, state == nil, region.lies(in: image),
            let halvings = (0...8).first(where: { image.halved($0, of: region) == (values.rows, values.columns) }),
            region.left % (1 << halvings) == 0, region.top % (1 << halvings) == 0
        else { throw .noImage }
        let whole = image.halved(halvings)
        return FramePart(
            left: region.left >> halvings, top: region.top >> halvings, columns: whole.columns, rows: whole.rows)
    }
}
