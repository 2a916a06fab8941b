import DICOMData
import DICOMPixels
import PixelCodecs

/// How the frames of one image are shown: what its data set says of grey and colour, overlays and shutters, put together
/// once for all its frames. PS3.4 §N.2, PS3.3 §C.11.
///
/// The order is that of the pixel transformation sequence: modality LUT, VOI LUT, polarity; shutter and overlays; the
/// region; the size. Nothing traps on any data set or frame.
package struct ImageRendering: Sendable {
    /// Pixels of a picture.
    package static let pixelsMax = 1 << 27

    /// What a caller wishes beyond what the data set says.
    package struct Options: Sendable, Equatable {
        /// In place of the image's own; grey images only.
        package var window: VOIWindow?
        /// Which of the image's own windows or VOI LUTs, from 0; the first where there are fewer.
        package var windowIndex = 0
        /// For an image without one: computed once for a series by ``ImageRendering/defaultWindow(of:number:)``.
        package var defaultWindow: VOIWindow?
        package var drawsOverlays = true
        /// nil: pixel for pixel, but for pixels that are not square.
        package var viewport: Viewport?

        package init() {}
    }

    /// The image's own description.
    package let image: ImagePixel
    private let header: DataSet
    private let attributes: FrameAttributes
    private let isFloat: Bool
    private let overlays: [OverlayPlane]

    /// Reads what is common to all frames.
    ///
    /// - Parameter header: the attributes of an image, the values of ``externalPaths(in:)`` put into their places.
    ///
    /// Throws `.noImage` for a data set that describes none.
    package init(_ header: DataSet) throws(RenderingError) {
        guard let image = ImagePixel(header) else { throw .noImage }
        self.image = image
        self.header = header
        attributes = FrameAttributes(header)
        isFloat = header.contains(.floatPixelData) || header.contains(.doubleFloatPixelData)
        overlays = OverlayPlane.planes(header, image)
    }

    /// Where the stored cells of a frame are wanted besides its values.
    package var wantsCells: Bool { overlays.contains { $0.needsCells } }

    /// Colour: of three samples, or by a palette.
    package var isColour: Bool { image.samplesPerPixel > 1 || image.photometricInterpretation == "PALETTE COLOR" }

    /// How often both sides may be halved in decoding where a picture of this size is wanted; 0 where every pixel counts.
    package func reduction(for viewport: Viewport?) -> Int {
        guard let viewport, viewport.region == Viewport.Region(), overlays.isEmpty, image.bitsAllocated > 1,
            image.photometricInterpretation != "PALETTE COLOR"
        else { return 0 }
        var halvings = 0
        // The larger side decides: the other one is not filled.
        while halvings < 8,
            max(image.columns >> (halvings + 1) / viewport.width, image.rows >> (halvings + 1) / viewport.height) >= 1
        {
            halvings += 1
        }
        return halvings
    }

    /// Bytes of the picture of a frame, from 1. Throws `.regionOutside` and `.tooLarge`.
    package func pictureBytes(number: Int, viewport: Viewport?) throws(RenderingError) -> Int {
        let placement = try Placement(
            rows: image.rows, columns: image.columns, frameRows: image.rows, frameColumns: image.columns,
            aspect: attributes.aspect(frame: number), viewport)
        return placement.rows * placement.columns * (isColour ? 3 : 1)
    }

    /// The window to show frames with that bring none: of grey with more than 8 bits. nil where none is needed.
    package func defaultWindow(of frame: NativeFrame, number: Int) -> VOIWindow? {
        guard needsDefaultWindow(number: number) else { return nil }
        let padding = padding(frame)
        return modality(frame, number).window(over: frame, isFloat: isFloat, padding: padding)
    }

    /// Whether a frame, from 1, has no window and no VOI LUT, and more values than a screen shows.
    package func needsDefaultWindow(number: Int) -> Bool {
        guard !isColour, isFloat || image.bitsStored > 8 else { return false }
        let group = attributes.group(.frameVOILUTSequence, frame: number)
        return attributes.windows(frame: number).isEmpty && group.items(.voilutSequence).isEmpty
    }

    /// For how long a frame is shown where frames are shown one after another, in hundredths of a second, 2...1,000: by
    /// Recommended Display Frame Rate, Cine Rate or Frame Time; else a tenth of a second. PS3.3 §C.7.6.5.1.1.
    package var frameHundredths: Int {
        let rate = header.double(.recommendedDisplayFrameRate) ?? header.double(.cineRate)
        let milliseconds = rate.map { 1_000 / $0 } ?? header.double(.frameTime) ?? 100
        return Int(max(2, min(1_000, milliseconds.isNaN ? 10 : (milliseconds / 10).rounded())))
    }

    /// The image's own colour profile, bytes of ICC.1; nil for none. PS3.3 §C.11.15.
    package var iccProfile: [UInt8]? {
        guard image.samplesPerPixel == 3 else { return nil }
        let profile = header.bytes(.iccProfile) ?? header.item(.opticalPathSequence)?.bytes(.iccProfile)
        // The header of a profile is 128 bytes.
        return profile.flatMap { $0.count > 128 ? $0 : nil }
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
        guard frame.samplesPerPixel == image.samplesPerPixel, frame.rows <= image.rows, frame.columns <= image.columns
        else { throw .noImage }
        let aspect = attributes.aspect(frame: number)
        let placement = try Placement(
            rows: image.rows, columns: image.columns, frameRows: frame.rows, frameColumns: frame.columns,
            aspect: aspect, options.viewport)
        let shown = try shown(frame, number, options)
        let samples = shown.count / (frame.rows * frame.columns)
        guard
            var picture = RenderedImage(
                rows: frame.rows, columns: frame.columns, samplesPerPixel: samples, bytes: shown)
        else { throw .noImage }
        let shutter = attributes.shutter(frame: number)
        shutter?.cover(&picture, rows: image.rows, columns: image.columns, aspect: aspect)
        // Planes have a bit for each pixel of the image.
        if frame.rows == image.rows, frame.columns == image.columns {
            for plane in overlays where shutter?.overlayGroup == plane.group {
                cover(&picture, by: plane, number, cells, grey: shutter?.grey ?? 0)
            }
            if options.drawsOverlays {
                for plane in overlays where shutter?.overlayGroup != plane.group {
                    plane.draw(onto: &picture, frame: number, cells: cells)
                }
            }
        }
        return try Resampling.resampled(picture, placement)
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
            let transform = GreyTransform(
                modality: modality(frame, number), voi: voi(frame, number, options), isInverse: isInverse,
                padding: padding(frame))
            return transform.applied(to: frame, isFloat: isFloat)
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

    /// MONOCHROME1 and INVERSE are two ways to say it once. PS3.3 §C.8.11.3.1.2 pairs them.
    private var isInverse: Bool {
        image.photometricInterpretation == "MONOCHROME1" || header.string(.presentationLUTShape) == "INVERSE"
    }

    /// Modality LUT Sequence, else slope and intercept. The table of an X-ray image whose values are logarithmic or for
    /// display leads back to doses, not to what is shown. PS3.3 §C.11.1, §C.8.7.1.1.2.
    private func modality(_ frame: NativeFrame, _ number: Int) -> GreyTransform.Modality {
        let isXRay = ["XA", "XRF"].contains(header.string(.modality) ?? "")
        let isShown = ["LOG", "DISP"].contains(header.string(.pixelIntensityRelationship) ?? "")
        if !(isXRay && isShown), let item = header.item(.modalityLUTSequence),
            let table = LookUpTable(item, isSigned: frame.isSigned)
        {
            return .table(table)
        }
        guard let (slope, intercept) = attributes.rescale(frame: number) else { return .identity }
        return slope == 1 && intercept == 0 ? .identity : .rescale(slope: slope, intercept: intercept)
    }

    private func voi(_ frame: NativeFrame, _ number: Int, _ options: Options) -> GreyTransform.VOI {
        if let window = options.window { return .window(window) }
        let modality = modality(frame, number)
        let group = attributes.group(.frameVOILUTSequence, frame: number)
        let tables = group.items(.voilutSequence).prefix(64).compactMap { item in
            LookUpTable(item, isSigned: isSignedOutput(frame, modality))
        }
        // Where both are there, the table is what the maker drew; either may be applied. PS3.3 §C.11.2.1.
        if let table = tables.indices.contains(options.windowIndex) ? tables[options.windowIndex] : tables.first {
            return .table(table)
        }
        let windows = attributes.windows(frame: number)
        if let window = windows.indices.contains(options.windowIndex) ? windows[options.windowIndex] : windows.first {
            return .window(window)
        }
        if needsDefaultWindow(number: number) {
            let window =
                options.defaultWindow ?? modality.window(over: frame, isFloat: isFloat, padding: padding(frame))
            if let window { return .window(window) }
        }
        let (low, high) = Self.ends(frame)
        if case .table(let table) = modality { return .range(low: 0, high: Double(table.maximum)) }
        let ends = [modality.value(low), modality.value(high)]
        return .range(low: min(ends[0], ends[1]), high: max(ends[0], ends[1]))
    }

    /// The least and greatest stored values that there can be.
    private static func ends(_ frame: NativeFrame) -> (Double, Double) {
        let bits = Double(sign: .plus, exponent: frame.bitsStored, significand: 1)
        return frame.isSigned ? (-bits / 2, bits / 2 - 1) : (0, bits - 1)
    }

    private func isSignedOutput(_ frame: NativeFrame, _ modality: GreyTransform.Modality) -> Bool {
        switch modality {
        case .identity: frame.isSigned
        case .rescale: min(modality.value(Self.ends(frame).0), modality.value(Self.ends(frame).1)) < 0
        case .table: false
        }
    }

    /// Pixel Padding Value, with its range limit, of integer grey. PS3.3 §C.7.5.1.1.2.
    private func padding(_ frame: NativeFrame) -> ClosedRange<Int>? {
        guard !isFloat, !isColour else { return nil }
        func value(_ tag: Tag) -> Int? {
            guard let bytes = header.bytes(tag), bytes.count >= 2 else { return nil }
            let pattern = words(bytes, max: 1)[0]
            return frame.isSigned ? Int(Int16(bitPattern: pattern)) : Int(pattern)
        }
        guard let one = value(.pixelPaddingValue) else { return nil }
        let other = value(.pixelPaddingRangeLimit) ?? one
        return min(one, other)...max(one, other)
    }
}
