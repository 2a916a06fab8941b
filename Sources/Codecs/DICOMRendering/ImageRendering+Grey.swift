import DICOMData
import DICOMPixels
import PixelCodecs

/// What makes grey of stored values: modality LUT, VOI LUT and polarity, of the image or of the presentation state that
/// stands in its place. PS3.4 §N.2.1.
extension ImageRendering {
    /// MONOCHROME1 and INVERSE are two ways to say it once. PS3.3 §C.8.11.3.1.2 pairs them.
    /// Under a state that of the state alone counts: PS3.4 §N.2.1.3.
    var isInverse: Bool {
        if let greyState { return greyState.isInverse }
        return image.photometricInterpretation == "MONOCHROME1" || header.string(.presentationLUTShape) == "INVERSE"
    }

    /// Modality LUT Sequence, else slope and intercept. The table of an X-ray image whose values are logarithmic or for
    /// display leads back to doses, not to what is shown. PS3.3 §C.11.1, §C.8.7.1.1.2.
    func modality(_ frame: NativeFrame, _ number: Int) -> GreyTransform.Modality {
        modality(isSigned: frame.isSigned, number)
    }

    private func modality(isSigned: Bool, _ number: Int) -> GreyTransform.Modality {
        if let greyState { return Self.modality(of: greyState, isSigned: isSigned) }
        let isXRay = ["XA", "XRF"].contains(header.string(.modality) ?? "")
        let isShown = ["LOG", "DISP"].contains(header.string(.pixelIntensityRelationship) ?? "")
        if !(isXRay && isShown), let item = header.item(.modalityLUTSequence),
            let table = LookUpTable(item, isSigned: isSigned)
        {
            return .table(table)
        }
        guard let (slope, intercept) = attributes.rescale(frame: number) else { return .identity }
        return slope == 1 && intercept == 0 ? .identity : .rescale(slope: slope, intercept: intercept)
    }

    func voi(_ frame: NativeFrame, _ number: Int, _ options: Options) -> GreyTransform.VOI {
        if let window = options.window { return .window(window) }
        let modality = modality(frame, number)
        if let greyState { return lookUp(greyState, frame, number, modality) ?? Self.range(frame, modality) }
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
        if lacksWindow(number: number) {
            let common = subtracts ? nil : options.defaultWindow
            let window = common ?? modality.window(over: frame, isFloat: isFloat, padding: padding(frame))
            if let window { return .window(window) }
        }
        return Self.range(frame, modality)
    }

    /// Everything that the modality LUT can give: the lowest is black, the highest white.
    private static func range(_ frame: NativeFrame, _ modality: GreyTransform.Modality) -> GreyTransform.VOI {
        if case .table(let table) = modality { return .range(low: 0, high: Double(table.maximum)) }
        let (low, high) = ends(frame)
        let ends = [modality.value(low), modality.value(high)]
        return .range(low: min(ends[0], ends[1]), high: max(ends[0], ends[1]))
    }

    // MARK: Under a presentation state

    /// The state, where it says what grey is.
    var greyState: PresentationState? { state?.kind == .colour ? nil : state }

    private static func modality(of state: PresentationState, isSigned: Bool) -> GreyTransform.Modality {
        if let item = state.dataSet.item(.modalityLUTSequence), let table = LookUpTable(item, isSigned: isSigned) {
            return .table(table)
        }
        // A state has no functional groups.
        guard let (slope, intercept) = FrameAttributes(state.dataSet).rescale(frame: 1) else { return .identity }
        return .rescale(slope: slope, intercept: intercept)
    }

    /// The VOI LUT of a state for a frame; nil for none.
    private func lookUp(
        _ state: PresentationState, _ frame: NativeFrame, _ number: Int, _ modality: GreyTransform.Modality
    ) -> GreyTransform.VOI? {
        guard let item = state.lookUp(sopInstanceUID, frame: number) else { return nil }
        if let table = item.item(.voilutSequence).flatMap({
            LookUpTable($0, isSigned: isSignedOutput(frame, modality))
        }) {
            return .table(table)
        }
        return FrameAttributes(item).windows(frame: number).first.map { .window($0) }
    }

    /// What a difference of frames is shown by: the caller's window, that of the state, else as much below no
    /// difference as above it; of an image by itself from the 0.5th to the 99.5th percentile.
    func differenceVOI(_ frame: NativeFrame, _ number: Int, _ options: Options) -> GreyTransform.VOI {
        if let window = options.window { return .window(window) }
        if let state {
            // Tables of values below 0 are signed.
            if let item = state.lookUp(sopInstanceUID, frame: number) {
                if let table = item.item(.voilutSequence).flatMap({ LookUpTable($0, isSigned: true) }) {
                    return .table(table)
                }
                if let window = FrameAttributes(item).windows(frame: number).first { return .window(window) }
            }
            let reach = mostDifference(number)
            return .range(low: -reach, high: reach)
        }
        let window =
            options.defaultWindow
            ?? GreyTransform.Modality.identity.window(over: frame, isFloat: true, padding: nil)
        return window.map { .window($0) } ?? .range(low: -1, high: 1)
    }

    /// How far two values of the image's can be apart, in units of the modality LUT's output.
    private func mostDifference(_ number: Int) -> Double {
        let bits = Double(sign: .plus, exponent: image.bitsStored, significand: 1)
        switch modality(isSigned: image.isSigned, number) {
        case .identity: return bits - 1
        case .rescale(let slope, _): return (bits - 1) * slope.magnitude
        case .table(let table): return Double(table.maximum)
        }
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
    func padding(_ frame: NativeFrame) -> ClosedRange<Int>? {
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
