import Access
import DICOMData
import DICOMPixels
import DICOMRendering
import DICOMTranslation
import HTTPSupport
import PixelCodecs
import Synchronization
import Workflow

/// The frames of one stored instance as pictures: read, decoded by the pixel codecs, rendered and encoded. Decoding is
/// their business; what is of our own making is worked on here, so never on an event loop.
struct RenderedInstance: Sendable {
    let header: StoredHeader
    private let rendering: ImageRendering
    private let source: FrameSource
    private let reader: (any BlobReading)?
    private let pixels: any PixelCoding
    private let memory: MemoryBudget
    private let lastMask = LastMask()
    /// Tables and overlays, which `rendering` keeps.
    private let held: MemoryReservation

    /// The mean of the mask frames that were put together last: most frames of a run are shown less the same ones.
    private final class LastMask: Sendable {
        private struct Known {
            var frames: [Int]
            var mean: FrameMean
            /// Held as long as it is.
            var reservation: MemoryReservation
        }
        private let known = Mutex<Known?>(nil)

        func mean(of frames: [Int]) -> FrameMean? {
            known.withLock { $0?.frames == frames ? $0?.mean : nil }
        }

        func keep(_ mean: FrameMean, of frames: [Int], _ reservation: MemoryReservation) {
            known.withLock { $0 = Known(frames: frames, mean: mean, reservation: reservation) }
        }
    }

    /// What is the same for all pictures of an answer.
    struct Form: Sendable {
        var type: RenderedType
        var query: RenderedQuery
        var drawsOverlays = true
        /// For frames that bring no window; each frame's own where it is nil.
        var defaultWindow: VOIWindow?
        /// Who is written into the corner where `query` wants it: see ``DICOMwebRoutes/named(_:_:_:)``.
        var patient: DataSet?
    }

    /// Opens the instance and brings the look-up tables and overlays that were left in its file. Throws
    /// `RenderingError` for what is no image, and `StoreError`.
    ///
    /// - Parameter state: what it is shown by; nil for what it says itself.
    init(
        _ header: StoredHeader, blobs: any BlobStoring, pixels: any PixelCoding, memory: MemoryBudget,
        state: PresentationState? = nil
    ) async throws {
        self.header = header
        self.pixels = pixels
        self.memory = memory
        source = try await FrameSource(header, blobs: blobs, memory: memory)
        reader = header.transferSyntax.isDeflated ? nil : try await blobs.open(header.instance.blobID)
        let (source, reader) = (source, reader)
        let whole = try await ValuesInFile.brought(header, memory: memory) { range in
            try await source.bytes(range, from: reader)
        }
        held = whole.held
        rendering = try ImageRendering(whole.dataSet, state: state)
    }

    /// The frame that stands for all: the middle one.
    var representative: Int { (max(1, source.layout.frameCount) + 1) / 2 }

    /// Its frames are shown less masks: a window for them is none for other images.
    var subtracts: Bool { rendering.subtracts }

    /// There are others beside the frame that stands for all.
    var hasSeveralFrames: Bool { source.layout.frameCount > 1 }

    /// Whether one of these frames, from 1, is shown by a window and brings none.
    func needsDefaultWindow(_ numbers: some Sequence<Int>) -> Bool {
        numbers.contains { rendering.needsDefaultWindow(number: $0) }
    }

    /// Whether frames of an image need the window of their series: the one that stands for all where `numbers` are nil.
    static func needsSeriesWindow(_ header: StoredHeader, _ numbers: [Int]? = nil) -> Bool {
        guard let rendering = try? ImageRendering(header.dataSet), !rendering.subtracts else { return false }
        let count = (header.layout ?? header.inflatedLayout)?.frameCount ?? 1
        return (numbers ?? [(max(1, count) + 1) / 2]).contains { rendering.needsDefaultWindow(number: $0) }
    }

    /// The values of the frame that stands for all, where it brings no window and is no difference; else nil. Throws as
    /// ``file(_:_:)``.
    func values() async throws -> ValueCounts? {
        guard !subtracts, rendering.needsDefaultWindow(number: representative) else { return nil }
        let reservation = try reserve(0)
        defer { reservation.release() }
        let frame = try await decoded(representative, DecodingOptions(wantsRGB: true)).frame
        return await withTaskExecutorPreference(globalConcurrentExecutor) {
            rendering.values(countedIn: frame, number: representative)
        }
    }

    /// The window for frames that bring none, of the middle frame; nil where none is needed.
    func defaultWindow() async throws -> VOIWindow? {
        guard rendering.needsDefaultWindow(number: representative) else { return nil }
        let reservation = try reserve(0)
        defer { reservation.release() }
        let (frame, _, isDifference) = try await shown(representative, DecodingOptions(wantsRGB: true))
        return await withTaskExecutorPreference(globalConcurrentExecutor) {
            rendering.defaultWindow(of: frame, number: representative, isDifference: isDifference)
        }
    }

    /// One frame, from 1, as a file of the wanted type. Throws `HTTPFailure` `.notFound` past the last frame,
    /// `RenderingError`, `PixelCodecError` and `StoreError`.
    func file(_ number: Int, _ form: Form) async throws -> [UInt8] {
        try await picture(number, form) { try encoded($0, number, form) }
    }

    /// One frame, from 1, of those that are shown one after another, behind the head of the file where it is the first.
    /// Errors as ``file(_:_:)``.
    func animated(_ number: Int, isFirst: Bool, _ form: Form) async throws -> [UInt8] {
        try await picture(number, form) { picture in
            let shown = GIFEncoder.picture(picture, hundredths: rendering.frameHundredths)
            return isFirst ? GIFEncoder.head(picture, repeats: true) + shown : shown
        }
    }

    private func picture(
        _ number: Int, _ form: Form, _ encode: (RenderedImage) throws -> [UInt8]
    ) async throws -> [UInt8] {
        var options = ImageRendering.Options()
        options.window = form.query.window
        options.viewport = form.query.viewport
        options.drawsOverlays = form.drawsOverlays
        options.defaultWindow = form.defaultWindow
        let decoding = rendering.decoding(
            number: number, options: options,
            decodesRegions: FrameDecoder.decodesRegions(of: header.transferSyntax))
        options.region = decoding.region
        let bytes = try rendering.pictureBytes(number: number, viewport: options.viewport)
        let kinds = form.query.annotations
        // Of foreign length: as it goes to a process, or into the file.
        let profile = form.query.colours == .untold ? 0 : rendering.iccProfile(number: number)?.count ?? 0
        // With the letters of annotations.
        let reservation = try reserve(
            kinds.isEmpty ? bytes : bytes + bytes / 2, converts: form.query.colours.space != nil,
            profileBytes: profile,
            region: try decoding.region.map { (part: $0, stored: try source.frame(number).byteCount) })
        defer { reservation.release() }
        let (frame, cells, isDifference) = try await shown(number, decoding)
        options.isDifference = isDifference
        // Bodies are written on a connection's event loop, which has no time for pictures.
        return try await withTaskExecutorPreference(globalConcurrentExecutor) { [options] in
            var values = try rendering.values(of: frame, number: number, options: options)
            let isColour = values.samplesPerPixel == 3
            if let space = form.query.colours.space, isColour {
                values = try await converted(values, from: rendering.iccProfile(number: number), to: space)
            }
            var picture = try rendering.render(values, number: number, cells: cells, options: options)
            // Colours of graphics over grey are of sRGB.
            if let space = form.query.colours.space, !isColour {
                picture = try await converted(picture, from: nil, to: space)
            }
            if !kinds.isEmpty {
                try CornerText(header.dataSet, patient: form.patient, kinds: kinds, number: number)
                    .draw(onto: &picture)
            }
            return try encode(picture)
        }
    }

    /// A picture in the colours of a space; itself where it is grey.
    ///
    /// - Parameter profile: what its colours are of; nil for those of sRGB, which is what a picture without a profile is
    ///   taken for.
    ///
    /// Throws `HTTPFailure` `.notAcceptable` for a profile that nothing can be converted from.
    private func converted(
        _ picture: RenderedImage, from profile: [UInt8]?, to space: OutputColourSpace
    ) async throws -> RenderedImage {
        guard picture.samplesPerPixel == 3, profile != nil || space != .srgb else { return picture }
        guard
            let frame = NativeFrame(
                rows: picture.rows, columns: picture.columns, samplesPerPixel: 3, sampleBytes: 1, bitsStored: 8,
                isSigned: false, photometricInterpretation: "RGB", bytes: picture.bytes)
        else { throw RenderingError.tooLarge }
        let made: NativeFrame
        do {
            made = try await pixels.convert(
                frame, from: profile ?? OutputColourSpace.srgb.profile, to: space.profile)
        } catch PixelCodecError.unsupported(let what) {
            throw HTTPFailure(.notAcceptable, "the image has \(what): ask for iccprofile=no")
        }
        guard
            let converted = RenderedImage(
                rows: picture.rows, columns: picture.columns, samplesPerPixel: 3, bytes: made.bytes)
        else { throw RenderingError.tooLarge }
        return converted
    }

    /// What is rendered of a frame: the frame, or the difference of those that it is shown with.
    private func shown(
        _ number: Int, _ options: DecodingOptions
    ) async throws -> (frame: NativeFrame, cells: [UInt8]?, isDifference: Bool) {
        guard let subtraction = try rendering.subtraction(number: number) else {
            let (frame, cells) = try await decoded(number, options)
            return (frame, cells, false)
        }
        let reservation = memory.reservation()
        defer { reservation.release() }
        let bytes = rendering.image.rows * rendering.image.columns * FrameMean.pixelBytes
        try grow(reservation, to: 3 * bytes, "no memory for frames that are subtracted")
        return try await withTaskExecutorPreference(globalConcurrentExecutor) {
            let contrast = try await mean(of: subtraction.frames, options)
            let mask: FrameMean
            if let known = lastMask.mean(of: subtraction.masks) {
                mask = known
            } else {
                mask = try await mean(of: subtraction.masks, options)
                let held = memory.reservation()
                if held.grow(to: bytes) { lastMask.keep(mask, of: subtraction.masks, held) }
            }
            return (try rendering.difference(subtraction, contrast: contrast, mask: mask), nil, true)
        }
    }

    private func mean(of numbers: [Int], _ options: DecodingOptions) async throws -> FrameMean {
        var mean = FrameMean(rows: rendering.image.rows, columns: rendering.image.columns)
        for number in numbers {
            rendering.add(try await decoded(number, options).frame, number: number, to: &mean)
        }
        return mean
    }

    private func decoded(
        _ number: Int, _ options: DecodingOptions
    ) async throws -> (frame: NativeFrame, cells: [UInt8]?) {
        let place = try source.frame(number)
        let bytes = try await source.bytes(of: place, from: reader)
        let frame = try await pixels.decode(
            bytes, rendering.image, transferSyntax: header.transferSyntax, options: options)
        return (frame, rendering.wantsCells && !header.transferSyntax.isEncapsulated ? bytes : nil)
    }

    /// Room for a frame as stored, as values and as grey or colour, and for a picture of so many bytes with its file and
    /// profile.
    ///
    /// - Parameter region: the part of the image that is decoded, and the bytes of the frame as stored; nil for the
    ///   whole, which is counted as large as stored as its values are.
    private func reserve(
        _ pictureBytes: Int, converts: Bool = false, profileBytes: Int = 0,
        region: (part: FrameRegion, stored: Int)? = nil
    ) throws -> MemoryReservation {
        let image = rendering.image
        let pixelCount = region.map { $0.part.rows * $0.part.columns } ?? image.rows * image.columns
        // What goes to a process, and what comes back.
        let converting = converts ? 3 * max(3 * pixelCount, pictureBytes) : 0
        let samples = pixelCount * image.samplesPerPixel
        let values = samples * ((image.bitsAllocated + 7) / 8)
        let reservation = memory.reservation()
        let bytes =
            (region?.stored ?? values) + values + 3 * samples + 4 * pictureBytes + converting + 2 * profileBytes
        try grow(reservation, to: bytes, "no memory for a frame that is rendered")
        return reservation
    }

    /// Throws `StoreError(.unavailable)` where there is no memory now, and `PixelCodecError.tooLarge` where there never is.
    private func grow(_ reservation: MemoryReservation, to bytes: Int, _ refusal: String) throws {
        guard bytes <= memory.bytesMax else { throw PixelCodecError.tooLarge(limit: "memory", value: bytes) }
        guard reservation.grow(to: bytes) else { throw StoreError(.unavailable, refusal) }
    }

    /// The profile of a frame's colours; that of sRGB where it has none, and nil for one that is none of RGB.
    private func own(_ number: Int) -> [UInt8]? {
        let profile = rendering.iccProfile(number: number) ?? OutputColourSpace.srgb.profile
        return ImageRendering.isOfRGB(profile) ? profile : nil
    }

    private func encoded(_ picture: RenderedImage, _ number: Int, _ form: Form) throws -> [UInt8] {
        // One of RGB says nothing of grey; colours that say nothing are taken for those of sRGB.
        let isColour = picture.samplesPerPixel == 3
        let profile: [UInt8]? =
            switch form.query.colours {
            case .own where isColour: own(number)
            case .converted(let space) where isColour: space.profile
            case .untold, .own, .converted: nil
            }
        switch form.type {
        case .png:
            guard let file = PNGEncoder.encode(picture, iccProfile: profile) else {
                throw StoreError(.unavailable, "no memory for a picture")
            }
            return file
        case .gif: return GIFEncoder.encode(picture)
        case .jpeg, .html, .text, .pdf, .mpeg, .mp4, .h265:
            guard
                let frame = NativeFrame(
                    rows: picture.rows, columns: picture.columns, samplesPerPixel: picture.samplesPerPixel,
                    sampleBytes: 1, bitsStored: 8, isSigned: false,
                    photometricInterpretation: picture.samplesPerPixel == 3 ? "RGB" : "MONOCHROME2",
                    bytes: picture.bytes)
            else { throw RenderingError.tooLarge }
            // Pixels of our own making are encoded here.
            let file = try FrameEncoder.encode(
                frame, as: .jpegBaseline, options: EncodingOptions(quality: form.query.quality ?? 90))
            return profile.map { JPEGProfile.embedding($0, in: file.bytes) } ?? file.bytes
        }
    }
}
