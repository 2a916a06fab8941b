import DICOMData
import DICOMPixels
import PixelCodecs

/// How the frames of one image are shown: what its data set says of grey and colour, overlays and shutters, put together
/// once for all its frames. PS3.4 §N.2, PS3.3 §C.11.
///
/// The order is that of the pixel transformation sequence: modality LUT, VOI LUT, polarity; shutter and overlays; the
/// region; the size. Under a presentation state that state says all of it. Nothing traps on any data set or frame.
package struct ImageRendering: Sendable {
    /// Pixels of a picture.
    package static let pixelsMax = 1 << 27

    /// What a caller wishes beyond what the data set says.
    package struct Options: Sendable, Equatable {
        /// In place of the image's own; grey images only.
        package var window: VOIWindow?
        /// Which of the image's own windows or VOI LUTs, from 0; the first where there are fewer.
        package var windowIndex = 0
        /// For an image without one: computed once for a series by ``ImageRendering/values(countedIn:number:)``.
        package var defaultWindow: VOIWindow?
        package var drawsOverlays = true
        /// The frame is the difference of others: see ``ImageRendering/subtraction(number:)``.
        package var isDifference = false
        /// nil: pixel for pixel, but for pixels that are not square.
        package var viewport: Viewport?
        /// The part of the image that the frame holds; nil for all of it. See
        /// ``ImageRendering/decoding(number:options:decodesRegions:)``.
        package var region: FrameRegion?

        package init() {}
    }

    /// The image's own description.
    package let image: ImagePixel
    let header: DataSet
    let attributes: FrameAttributes
    let isFloat: Bool
    /// Those of a state before the image's own of the same group.
    let overlays: [OverlayPlane]
    /// In place of what the image says of its look; nil for none.
    let state: PresentationState?
    let sopInstanceUID: String
    /// Of a grey image some of whose values are colours. PS3.3 §C.7.6.19.
    let supplement: PaletteTable?

    /// Reads what is common to all frames.
    ///
    /// - Parameters:
    ///   - header: the attributes of an image, the values of ``externalPaths(in:)`` put into their places.
    ///   - state: what it is to be shown by; nil for what it says itself.
    ///
    /// Throws `.noImage` for a data set that describes none.
    package init(_ header: DataSet, state: PresentationState? = nil) throws(RenderingError) {
        guard let image = ImagePixel(header) else { throw .noImage }
        self.image = image
        self.header = header
        attributes = FrameAttributes(header)
        isFloat = header.contains(.floatPixelData) || header.contains(.doubleFloatPixelData)
        self.state = state
        sopInstanceUID = header.uid(.sopInstanceUID) ?? ""
        let own = OverlayPlane.planes(header, image)
        let others = state.map { OverlayPlane.planes($0.dataSet, image) } ?? []
        overlays = others + own.filter { plane in !others.contains { $0.group == plane.group } }
        let isSupplemented =
            image.samplesPerPixel == 1 && image.photometricInterpretation == "MONOCHROME2" && !isFloat
            && image.bitsAllocated <= 16 && ["COLOR", "MIXED"].contains(header.string(.pixelPresentation) ?? "")
        supplement = isSupplemented ? PaletteTable(header, isSigned: image.isSigned) : nil
    }

    /// Where the stored cells of a frame are wanted besides its values.
    package var wantsCells: Bool { overlays.contains { $0.needsCells } }

    /// Colour: of three samples, or by a palette.
    package var isColour: Bool { image.samplesPerPixel > 1 || image.photometricInterpretation == "PALETTE COLOR" }

    /// How often both sides may be halved in decoding where a picture of this size is wanted; 0 where every pixel counts.
    package func reduction(for viewport: Viewport?) -> Int {
        guard let viewport, viewport.region == Viewport.Region(), canBeHalved else { return 0 }
        return Self.halvings(columns: image.columns, rows: image.rows, for: viewport)
    }

    /// The mean of neighbours is what is seen of them.
    var canBeHalved: Bool {
        overlays.isEmpty && image.bitsAllocated > 1 && image.photometricInterpretation != "PALETTE COLOR"
            && state == nil && supplement == nil && !subtracts
    }

    /// Bytes of the picture of a frame, from 1. Throws `.regionOutside` and `.tooLarge`.
    package func pictureBytes(number: Int, viewport: Viewport?) throws(RenderingError) -> Int {
        if let state {
            // With one layer of graphics; and the part that a region is.
            let layout = try layout(state, number: number, viewport: viewport)
            let region = viewport.map { 3 * $0.width * $0.height } ?? 0
            return 4 * layout.rows * layout.columns + region
        }
        let placement = try Placement(
            rows: image.rows, columns: image.columns, frameRows: image.rows, frameColumns: image.columns,
            aspect: attributes.aspect(frame: number), viewport)
        return placement.rows * placement.columns * (isColour || supplement != nil ? 3 : 1)
    }

    /// The window to show frames with that bring none: of grey with more than 8 bits. nil where none is needed.
    ///
    /// - Parameter isDifference: the frame is one of others.
    package func defaultWindow(of frame: NativeFrame, number: Int, isDifference: Bool = false) -> VOIWindow? {
        guard needsDefaultWindow(number: number) else { return nil }
        if isDifference {
            return GreyTransform.Modality.identity.window(over: frame, isFloat: true, padding: nil)
        }
        // One of a frame that is shown as it is would be none for the differences.
        if subtracts { return nil }
        let padding = padding(frame)
        return modality(frame, number).window(over: frame, isFloat: isFloat, padding: padding)
    }

    /// The values of a frame, from 1, that is shown by a window and brings none, for one over frames of several images.
    /// nil for others, and for what is shown as the difference of frames.
    package func values(countedIn frame: NativeFrame, number: Int) -> ValueCounts? {
        guard !subtracts, needsDefaultWindow(number: number) else { return nil }
        return modality(frame, number).values(of: frame, isFloat: isFloat, padding: padding(frame))
    }

    /// Whether a frame, from 1, has no window and no VOI LUT, and more values than a screen shows.
    /// Or it is a difference, of which the image's own window is none.
    package func needsDefaultWindow(number: Int) -> Bool {
        guard state?.kind != .grey, state?.kind != .pseudoColour else { return false }
        return subtracts || lacksWindow(number: number)
    }

    func lacksWindow(number: Int) -> Bool {
        guard !isColour, isFloat || image.bitsStored > 8 else { return false }
        let group = attributes.group(.frameVOILUTSequence, frame: number)
        return attributes.windows(frame: number).isEmpty && group.items(.voilutSequence).isEmpty
    }

    /// Frames of the image are shown as differences, by its own wish.
    package var subtracts: Bool {
        state == nil && image.frameCount > 1 && image.samplesPerPixel == 1
            && header.string(.recommendedViewingMode) == "SUB" && header.contains(.maskSubtractionSequence)
    }

    /// For how long a frame is shown where frames are shown one after another, in hundredths of a second, 2...1,000: by
    /// Recommended Display Frame Rate, Cine Rate or Frame Time; else a tenth of a second. PS3.3 §C.7.6.5.1.1.
    package var frameHundredths: Int {
        let rate = header.double(.recommendedDisplayFrameRate) ?? header.double(.cineRate)
        let milliseconds = rate.map { 1_000 / $0 } ?? header.double(.frameTime) ?? 100
        return Int(max(2, min(1_000, milliseconds.isNaN ? 10 : (milliseconds / 10).rounded())))
    }

    /// A frame as a picture.
    ///
    /// - Parameters:
    ///   - frame: decoded with `wantsRGB`; it may be smaller than the image.
    ///   - number: of the frame, from 1.
    ///   - cells: the frame as stored where it is native, for overlays in unused bits.
    ///
    /// Throws every case of ``RenderingError``.
    package func render(
        _ frame: NativeFrame, number: Int, cells: [UInt8]? = nil, options: Options = Options()
    ) throws(RenderingError) -> RenderedImage {
        // Looked at first: what is wrong with a wish costs nothing.
        if state == nil { _ = try placement(rows: image.rows, columns: image.columns, number, options) }
        let values = try values(of: frame, number: number, options: options)
        return try render(values, number: number, cells: cells, options: options)
    }

    /// What the values of a frame are on a screen, as large as the frame: grey or colour, nothing over it yet.
    /// Parameters and errors as ``render(_:number:cells:options:)``.
    package func values(
        of frame: NativeFrame, number: Int, options: Options
    ) throws(RenderingError) -> RenderedImage {
        guard frame.samplesPerPixel == image.samplesPerPixel, frame.rows <= image.rows, frame.columns <= image.columns
        else { throw .noImage }
        let shown = try shown(frame, number, options)
        guard
            let values = RenderedImage(
                rows: frame.rows, columns: frame.columns, samplesPerPixel: shown.count / (frame.rows * frame.columns),
                bytes: shown)
        else { throw .noImage }
        return values
    }

    private func placement(
        rows: Int, columns: Int, _ number: Int, _ options: Options
    ) throws(RenderingError) -> Placement {
        try Placement(
            rows: image.rows, columns: image.columns, frameRows: rows, frameColumns: columns,
            aspect: attributes.aspect(frame: number), options.viewport)
    }

    /// The picture of ``values(of:number:options:)``: shutters, overlays, the state's graphics, the region and the size.
    package func render(
        _ values: RenderedImage, number: Int, cells: [UInt8]? = nil, options: Options
    ) throws(RenderingError) -> RenderedImage {
        guard values.rows <= image.rows, values.columns <= image.columns else { throw .noImage }
        let part = try part(values, options)
        var picture = values
        let aspect = attributes.aspect(frame: number)
        let shutter = state.map(\.shutter) ?? attributes.shutter(frame: number)
        shutter?.cover(&picture, part, rows: image.rows, columns: image.columns, aspect: aspect)
        // Planes have a bit for each pixel of the image.
        if values.rows == image.rows, values.columns == image.columns {
            for plane in overlays where shutter?.overlayGroup == plane.group {
                cover(&picture, by: plane, number, cells, grey: shutter?.grey ?? 0)
            }
            if options.drawsOverlays {
                for plane in overlays where shutter?.overlayGroup != plane.group {
                    guard let state else {
                        plane.draw(onto: &picture, frame: number, cells: cells)
                        continue
                    }
                    guard let layer = state.layer(ofOverlay: plane.group) else { continue }
                    plane.draw(onto: &picture, frame: number, cells: cells, grey: layer.colour.grey)
                }
            }
        }
        if let state { return try presented(picture, by: state, number: number, viewport: options.viewport) }
        return try Resampling.resampled(
            picture, placement(rows: part.rows, columns: part.columns, number, options), part)
    }

    private func cover(
        _ picture: inout RenderedImage, by plane: OverlayPlane, _ number: Int, _ cells: [UInt8]?, grey: UInt8
    ) {
        let (columns, samples) = (picture.columns, picture.samplesPerPixel)
        plane.mark(rows: picture.rows, columns: columns, frame: number, cells: cells) { row, column in
            for sample in 0..<samples { picture.bytes[(row * columns + column) * samples + sample] = grey }
        }
    }

    // MARK: Values to grey and colour

    private func shown(_ frame: NativeFrame, _ number: Int, _ options: Options) throws(RenderingError) -> [UInt8] {
        if frame.samplesPerPixel == 3 { return try rgb(frame) }
        guard frame.samplesPerPixel == 1 else { throw .unsupported("an image of \(frame.samplesPerPixel) samples") }
        switch image.photometricInterpretation {
        case "PALETTE COLOR":
            guard frame.sampleBytes <= 2, let palette = PaletteTable(header, isSigned: frame.isSigned) else {
                throw .unsupported("PALETTE COLOR without its tables")
            }
            return palette.applied(to: frame)
        case "MONOCHROME1", "MONOCHROME2", "":
            var transform = GreyTransform(
                modality: options.isDifference ? .identity : modality(frame, number),
                voi: options.isDifference ? differenceVOI(frame, number, options) : voi(frame, number, options),
                isInverse: isInverse, padding: options.isDifference ? nil : padding(frame))
            transform.presentation = greyState?.presentationLUT
            let grey = transform.applied(to: frame, isFloat: isFloat || options.isDifference)
            if let palette = state?.palette { return palette.applied(toGrey: grey) }
            if let supplement, frame.sampleBytes <= 2 { return supplemented(grey, frame, supplement) }
            return grey
        default: throw .unsupported(Self.term(image.photometricInterpretation))
        }
    }

    /// A defined term as it may stand in an answer: nothing that is none gets there.
    private static func term(_ text: String) -> String {
        let isTerm = text.utf8.count <= 16 && text.utf8.allSatisfy { (0x30...0x5F).contains($0) || $0 == 0x20 }
        return isTerm ? text : "this photometric interpretation"
    }

    /// Colour of 8 bits, more of them brought to 8.
    private func rgb(_ frame: NativeFrame) throws(RenderingError) -> [UInt8] {
        let isYBR = ["YBR_FULL", "YBR_FULL_422"].contains(frame.photometricInterpretation)
        guard isYBR || frame.photometricInterpretation == "RGB" else {
            throw .unsupported(Self.term(frame.photometricInterpretation))
        }
        if frame.sampleBytes == 1, frame.bitsStored == 8 { return isYBR ? frame.inRGB().bytes : frame.bytes }
        let count = 3 * frame.rows * frame.columns
        let (size, bits) = (frame.sampleBytes, frame.bitsStored)
        // The upper 16 bits at most, brought to 8.
        let (down, most) = (max(0, bits - 16), 1 << min(16, bits) - 1)
        let bytes = (0..<count).map { index in
            var pattern: UInt64 = 0
            for byte in 0..<size { pattern |= UInt64(frame.bytes[index * size + byte]) << UInt64(8 * byte) }
            return UInt8(truncatingIfNeeded: Int((pattern >> UInt64(down)) & UInt64(most)) * 255 / most)
        }
        guard isYBR else { return bytes }
        let narrow = NativeFrame(
            rows: frame.rows, columns: frame.columns, samplesPerPixel: 3, sampleBytes: 1, bitsStored: 8,
            isSigned: false, photometricInterpretation: "YBR_FULL", bytes: bytes)
        return narrow?.inRGB().bytes ?? bytes
    }
}
