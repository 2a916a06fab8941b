import DICOMData
import DICOMPixels
import PixelCodecs

/// What a presentation state makes of a picture: colours of a palette, its own overlays, the displayed area, graphics.
/// PS3.4 §N.2.
extension ImageRendering {
    /// The size of the picture of a frame under a state, and where its pixels come to lie.
    func layout(
        _ state: PresentationState, number: Int, viewport: Viewport?
    ) throws(RenderingError) -> DisplayedLayout {
        let area =
            state.area(sopInstanceUID, frame: number) ?? DisplayedArea(rows: image.rows, columns: image.columns)
        // A region is one of what the state shows: cut out of the whole.
        let viewport = viewport.flatMap { $0.region == Viewport.Region() ? $0 : nil }
        return try DisplayedLayout(
            area, state.transformation, aspect: area.aspect ?? attributes.aspect(frame: number), viewport)
    }

    /// Brings a picture of the image's pixels, shutters and overlays in it, to what the state shows.
    func presented(
        _ picture: RenderedImage, by state: PresentationState, number: Int, viewport: Viewport?
    ) throws(RenderingError) -> RenderedImage {
        let layout = try layout(state, number: number, viewport: viewport)
        var shown = try layout.picture(of: picture)
        try draw(state, number, layout, onto: &shown)
        guard let viewport, viewport.region != Viewport.Region() else { return shown }
        return try Resampling.resampled(
            shown,
            Placement(
                rows: shown.rows, columns: shown.columns, frameRows: shown.rows, frameColumns: shown.columns,
                aspect: 1, viewport))
    }

    /// Draws the layers in their order; those that nothing names come last, in white.
    private func draw(
        _ state: PresentationState, _ number: Int, _ layout: DisplayedLayout, onto picture: inout RenderedImage
    ) throws(RenderingError) {
        let annotations = state.annotations.filter { $0.images.includes(sopInstanceUID, frame: number) }
        guard !annotations.isEmpty else { return }
        var layers: [String: [GraphicAnnotation]] = [:]
        for annotation in annotations { layers[annotation.layer, default: []].append(annotation) }
        let drawing = GraphicDrawing(layout, tile: tileOrigin(number: number))
        var coverage = Coverage(rows: picture.rows, columns: picture.columns)
        func show(_ colour: PresentationColour, opacity: Double = 1) throws(RenderingError) {
            if !colour.isGrey { picture = try Self.inColour(picture) }
            try coverage.blend(colour, opacity: opacity, onto: &picture)
        }
        func show(_ paint: GraphicPaint) throws(RenderingError) { try show(paint.colour, opacity: paint.opacity) }
        func draw(_ annotations: [GraphicAnnotation], _ colour: PresentationColour) throws(RenderingError) {
            for annotation in annotations {
                // Of very much that is drawn the last looks as its layer says.
                for graphic in annotation.graphics where drawing.places([graphic.units]) {
                    if let style = graphic.style, let shadow = style.shadow, !coverage.isBusy {
                        try show(colour)
                        try drawing.shadow(shadow, of: graphic, style, on: &coverage)
                        try show(shadow.paint)
                    }
                    if let fill = graphic.fill, graphic.isFilled, !coverage.isBusy {
                        try show(colour)
                        try drawing.fill(graphic, on: &coverage)
                        try show(fill)
                    } else {
                        try drawing.fill(graphic, on: &coverage)
                    }
                    guard let style = graphic.style, !coverage.isBusy else {
                        try drawing.line(graphic, on: &coverage)
                        continue
                    }
                    try show(colour)
                    if let off = style.off {
                        try drawing.line(graphic, style, isOn: false, on: &coverage)
                        try show(off)
                    }
                    try drawing.line(graphic, style, isOn: true, on: &coverage)
                    try show(style.on)
                }
                for text in annotation.texts where drawing.places([text.box?.units, text.anchor?.units]) {
                    try drawing.anchor(text, on: &coverage)
                    let (paint, shadow) = coverage.isBusy ? (nil, nil) : (text.paint, text.shadow)
                    if paint != nil || shadow != nil { try show(colour) }
                    if let shadow {
                        try drawing.shadow(shadow, of: text, on: &coverage)
                        try show(shadow.paint)
                    }
                    try drawing.letters(text, on: &coverage)
                    if let paint { try show(paint) }
                }
            }
            try show(colour)
        }
        for layer in state.layers {
            guard let own = layers.removeValue(forKey: layer.name) else { continue }
            try draw(own, layer.colour)
        }
        for (_, rest) in layers.sorted(by: { $0.key < $1.key }) { try draw(rest, .white) }
    }

    /// A grey picture as one of three samples.
    static func inColour(_ picture: RenderedImage) throws(RenderingError) -> RenderedImage {
        guard picture.samplesPerPixel == 1 else { return picture }
        var bytes = [UInt8](repeating: 0, count: 3 * picture.bytes.count)
        for (index, grey) in picture.bytes.enumerated() {
            for sample in 0..<3 { bytes[3 * index + sample] = grey }
        }
        guard
            let colour = RenderedImage(rows: picture.rows, columns: picture.columns, samplesPerPixel: 3, bytes: bytes)
        else { throw .tooLarge }
        return colour
    }

    // MARK: Subtraction

    /// The frames that a frame, from 1, is shown with; nil for one that is shown by itself. A state says so, else an
    /// image whose Recommended Viewing Mode is SUB. PS3.3 §C.7.6.10, §C.8.19.7. Throws `.unsupported` for a mask that
    /// is not applied here, where a state has it.
    package func subtraction(number: Int) throws(RenderingError) -> MaskSubtraction? {
        guard image.samplesPerPixel == 1, image.frameCount > 1, !isColour else { return nil }
        if let state { return try MaskSubtraction(state.dataSet, frame: number, of: image.frameCount) }
        guard header.string(.recommendedViewingMode) == "SUB" else { return nil }
        return try? MaskSubtraction(header, frame: number, of: image.frameCount)
    }

    /// Adds a frame, from 1, to a mean.
    package func add(_ frame: NativeFrame, number: Int, to mean: inout FrameMean) {
        mean.add(frame, isFloat: isFloat, modality(frame, number))
    }

    /// The mean of the contrast frames less that of the masks: floating point samples, to be rendered as a difference.
    /// Throws `.noImage` where no frame of this image was added to either.
    package func difference(
        _ subtraction: MaskSubtraction, contrast: FrameMean, mask: FrameMean
    ) throws(RenderingError) -> NativeFrame {
        guard
            let frame = contrast.less(mask, rows: image.rows, columns: image.columns, shift: subtraction.shift)
        else { throw .noImage }
        return frame
    }

    // MARK: Supplemental palette

    /// A MONOCHROME2 frame some of whose values are colours: those from the first that its palette maps on.
    /// PS3.3 §C.7.6.19.
    func supplemented(_ grey: [UInt8], _ frame: NativeFrame, _ palette: PaletteTable) -> [UInt8] {
        var out = [UInt8](repeating: 0, count: 3 * grey.count)
        let colours = palette.colours(of: frame)
        let bits = min(16, frame.bitsStored)
        let mask = 1 << bits - 1
        for index in grey.indices {
            let low = Int(frame.bytes[index * frame.sampleBytes])
            let high = frame.sampleBytes > 1 ? Int(frame.bytes[index * frame.sampleBytes + 1]) << 8 : 0
            let pattern = (low | high) & mask
            let isNegative = frame.isSigned && pattern >> (bits - 1) == 1
            let value = isNegative ? pattern - 1 << bits : pattern
            for sample in 0..<3 {
                out[3 * index + sample] = value >= palette.firstMapped ? colours[sample][pattern] : grey[index]
            }
        }
        return out
    }
}
