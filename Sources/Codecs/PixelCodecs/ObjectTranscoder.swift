import DICOMData
import DICOMPixels

/// An image from its own transfer syntax to another: one frame at a time, and what its data set has to say of them then.
///
/// - Without loss everything but the encoding stays: the object is the same instance. PS3.5 §8.2.
/// - With loss the object is another instance, derived from this one. PS3.3 §C.7.6.1.1.5.
/// - Native pixels, and RLE, get the cells as they were coded, with all of their bits. Colour of JPEG with loss is made
///   RGB, as other toolkits make it; colour of anything else stays what it is.
package struct ObjectTranscoder: Sendable {
    package let source: TransferSyntax
    package let target: TransferSyntax
    let image: ImagePixel
    private let encoding: EncodingOptions
    /// Whether cells go over whole: what stands beside the values, such as an overlay, is kept.
    private let keepsCells: Bool

    /// What one frame became.
    package struct Frame: Sendable, Equatable {
        /// A native frame, or one fragment without the byte that makes it even.
        package let bytes: [UInt8]
        /// What the data set says of the frame. All frames of an object are of one kind.
        package let kind: Kind
        /// Bytes of the frame without compression.
        package let nativeBytes: Int
    }

    /// What a data set says of its frames.
    package struct Kind: Sendable, Equatable {
        let photometricInterpretation: String
        let bitsAllocated: Int
        let bitsStored: Int
        let highBit: Int
    }

    /// Throws `.unsupported` for an image that cannot be read, or not be had in the target, and `.tooLarge` for one whose
    /// native pixels are too many for one element.
    ///
    /// - Parameters:
    ///   - dataSet: the attributes of the image; its pixels are not looked at.
    ///   - source: in which frames are given; for what was inflated, Explicit VR Little Endian.
    ///   - target: Explicit or Implicit VR Little Endian, or one that frames can be written in.
    package init(
        _ dataSet: DataSet, from source: TransferSyntax, to target: TransferSyntax,
        encoding: EncodingOptions = EncodingOptions()
    ) throws(PixelCodecError) {
        guard let image = ImagePixel(dataSet), !dataSet.contains(.floatPixelData),
            !dataSet.contains(.doubleFloatPixelData)
        else { throw .unsupported("an image without integer pixels") }
        guard FrameDecoder.reads(source) else { throw .unsupported(source.description) }
        guard image.bitsAllocated % 8 == 0 else {
            throw .unsupported("an image of \(image.bitsAllocated) bits allocated")
        }
        self.image = image
        self.source = source
        self.target = target
        self.encoding = encoding
        keepsCells =
            !target.isEncapsulated || target == .rleLossless
            || dataSet.elements.contains { Self.isOverlayPosition($0.tag) && (dataSet.int($0.tag) ?? 0) > 0 }
        if target.isEncapsulated {
            try Self.check(image, target)
        } else {
            guard !target.isDeflated, !target.isBigEndian else { throw .unsupported(target.description) }
            let (bytes, isOver) = nativeFrameBytes.multipliedReportingOverflow(by: image.frameCount)
            guard !isOver, bytes < Int(UInt32.max) - 1 else {
                throw .tooLarge(limit: "4294967294 bytes of Pixel Data", value: isOver ? .max : bytes)
            }
        }
    }

    /// Whether an encoder has what an image needs: see ``FrameEncoder``.
    private static func check(_ image: ImagePixel, _ target: TransferSyntax) throws(PixelCodecError) {
        let (samples, bits) = (image.samplesPerPixel, image.bitsAllocated)
        let isFit: Bool
        switch target {
        case .rleLossless: isFit = samples * bits / 8 <= 15
        case .jpegBaseline:
            isFit =
                (samples == 1 || samples == 3) && !image.isSigned && (bits == 8 || bits == 16 && image.bitsStored <= 8)
        case .jpegLSNearLossless: isFit = (samples == 1 || samples == 3) && !image.isSigned && bits <= 16
        default: isFit = FrameEncoder.writes(target) && (samples == 1 || samples == 3) && bits <= 16
        }
        // An index into a palette is no shade. PS3.5 §8.2.1.
        guard isFit, lossMethod(of: target) == nil || image.photometricInterpretation != "PALETTE COLOR" else {
            throw .unsupported("\(target) of \(samples) samples of \(image.bitsStored) bits")
        }
    }

    /// Overlay Bit Position of any group. PS3.3 §C.9.2.
    private static func isOverlayPosition(_ tag: Tag) -> Bool { tag.group & 0xFF01 == 0x6000 && tag.element == 0x0102 }

    /// What values are lost by in a transfer syntax that we write or read so; nil where none need be.
    /// PS3.3 §C.7.6.1.1.5.2.
    private static func lossMethod(of syntax: TransferSyntax) -> String? {
        switch syntax {
        case .jpegBaseline, .jpegExtended: "ISO_10918_1"
        case .jpegLSNearLossless: "ISO_14495_1"
        case .jpeg2000: "ISO_15444_1"
        default: nil
        }
    }

    /// Whether what is written in a transfer syntax loses values. PS3.3 §C.7.6.1.1.5.
    package static func losesValues(in syntax: TransferSyntax) -> Bool { lossMethod(of: syntax) != nil }

    /// Whether the object becomes another instance. PS3.3 §C.7.6.1.1.5.
    package var losesValues: Bool { target.isEncapsulated && target != source && Self.losesValues(in: target) }

    /// Bytes of a frame without compression, colour at every pixel.
    package var nativeFrameBytes: Int {
        image.rows * image.columns * image.samplesPerPixel * image.bitsAllocated / 8
    }

    /// At least 1.
    package var frameCount: Int { image.frameCount }

    // MARK: Frames

    /// One frame in the target. Throws what `coding` throws.
    ///
    /// - Parameter bytes: as `PixelDataLayout.frameBytes` gives it.
    package func frame(_ bytes: [UInt8], by coding: any PixelCoding) async throws -> Frame {
        let isLossyJPEG = source == .jpegBaseline || source == .jpegExtended
        let options = DecodingOptions(wantsRGB: isLossyJPEG)
        // Native pixels are read by our own code alone, and need no process.
        let decoder: any PixelCoding = source.isEncapsulated ? coding : DirectPixelCoding()
        let decoded = try await decoder.decode(
            bytes, keepsCells ? cells : image, transferSyntax: source, options: options)
        try Task.checkCancellation()
        guard target.isEncapsulated else {
            return Frame(
                bytes: decoded.bytes, kind: kind(decoded, decoded.photometricInterpretation),
                nativeBytes: decoded.bytes.count)
        }
        let given = try fitted(decoded)
        let encoded = try await coding.encode(given, as: target, options: encoding)
        return Frame(
            bytes: encoded.bytes, kind: kind(given, encoded.photometricInterpretation), nativeBytes: given.bytes.count)
    }

    /// The image with every bit of a cell in its values.
    private var cells: ImagePixel {
        ImagePixel(
            rows: image.rows, columns: image.columns, samplesPerPixel: image.samplesPerPixel,
            photometricInterpretation: image.photometricInterpretation, bitsAllocated: image.bitsAllocated,
            bitsStored: image.bitsAllocated, highBit: image.bitsAllocated - 1, isSigned: image.isSigned,
            isPlanar: image.isPlanar) ?? image
    }

    /// JPEG Baseline has samples of one byte.
    private func fitted(_ frame: NativeFrame) throws(PixelCodecError) -> NativeFrame {
        guard target == .jpegBaseline, frame.sampleBytes == 2 else { return frame }
        guard frame.bitsStored <= 8, !frame.isSigned,
            let narrow = NativeFrame(
                rows: frame.rows, columns: frame.columns, samplesPerPixel: frame.samplesPerPixel, sampleBytes: 1,
                bitsStored: frame.bitsStored, isSigned: false,
                photometricInterpretation: frame.photometricInterpretation,
                bytes: stride(from: 0, to: frame.bytes.count, by: 2).map { frame.bytes[$0] })
        else { throw .unsupported("\(target) of \(frame.bitsStored) bits") }
        return narrow
    }

    private func kind(_ frame: NativeFrame, _ photometric: String) -> Kind {
        var (stored, high) = (image.bitsStored, image.highBit)
        if target == .jpegBaseline {
            (stored, high) = (8, 7)
        } else if !keepsCells {
            stored = max(stored, frame.bitsStored)
            high = stored - 1
        } else if frame.bitsStored <= stored {
            // The codestream had values, not cells.
            high = stored - 1
        }
        return Kind(
            photometricInterpretation: photometric, bitsAllocated: 8 * frame.sampleBytes, bitsStored: stored,
            highBit: high)
    }

    // MARK: The data set

    /// The data set as the target has it, without its pixels.
    ///
    /// - Parameters:
    ///   - first: a frame of the object.
    ///   - derivedUID: the SOP Instance UID of what is derived; only where ``losesValues``.
    package func dataSet(_ original: DataSet, with first: Frame, derivedUID: String? = nil) -> DataSet {
        var set = original
        // Of the frames as they were. PS3.3 §C.7.6.3.1.8.
        for tag in [
            Tag.pixelData, .extendedOffsetTable, .extendedOffsetTableLengths, .encapsulatedPixelDataValueTotalLength,
        ] { set.remove(tag) }
        if image.samplesPerPixel > 1 { set.set(.planarConfiguration, .US, int: 0) }
        if !first.kind.photometricInterpretation.isEmpty {
            set.set(.photometricInterpretation, .CS, string: first.kind.photometricInterpretation)
        }
        set.set(.bitsAllocated, .US, int: first.kind.bitsAllocated)
        set.set(.bitsStored, .US, int: first.kind.bitsStored)
        set.set(.highBit, .US, int: first.kind.highBit)
        if losesValues {
            note(
                loss: Self.lossMethod(of: target) ?? "", ratio: Self.ratio(first.nativeBytes, first.bytes.count),
                in: &set)
            if let derivedUID { derive(&set, from: original, as: derivedUID) }
        } else if source == .jpegBaseline || source == .jpegExtended, set.string(.lossyImageCompression) != "01" {
            // Its values were lost whether or not its maker says so, and now only the data set can tell.
            set.set(.lossyImageCompression, .CS, string: "01")
            if set.strings(.lossyImageCompressionMethod).isEmpty {
                set.set(.lossyImageCompressionMethod, .CS, string: Self.lossMethod(of: source) ?? "")
            }
        }
        return set
    }

    /// The VR of Pixel Data in the target. PS3.5 §A.1, §A.2, §A.4.
    package func pixelVR(_ first: Frame) -> VR {
        target.isEncapsulated || (!target.isImplicit && first.kind.bitsAllocated <= 8) ? .OB : .OW
    }

    private static func ratio(_ native: Int, _ coded: Int) -> Double {
        (100 * Double(native) / Double(max(1, coded))).rounded() / 100
    }

    /// Once more with loss: values are appended to those of earlier times. PS3.3 §C.7.6.1.1.5.1, §C.7.6.1.1.5.2.
    private func note(loss method: String, ratio: Double, in set: inout DataSet) {
        let methods = set.strings(.lossyImageCompressionMethod) + [method]
        let ratios = set.doubles(.lossyImageCompressionRatio) + [ratio]
        set.set(.lossyImageCompression, .CS, string: "01")
        set.set(.lossyImageCompressionMethod, .CS, strings: methods)
        set.set(.lossyImageCompressionRatio, .DS, doubles: ratios)
    }

    /// A new instance that tells what it was made of. PS3.3 §C.7.6.1.1.2, §C.7.6.1.1.3, §C.12.4.1.
    private func derive(_ set: inout DataSet, from original: DataSet, as uid: String) {
        set.set(.sopInstanceUID, .UI, string: uid)
        var type = original.strings(.imageType)
        if type.isEmpty { type = ["DERIVED", "PRIMARY"] } else { type[0] = "DERIVED" }
        set.set(.imageType, .CS, strings: type)
        let words = "Lossy compression, \(target)"
        let before = original.string(.derivationDescription).map { $0 + "; " } ?? ""
        set.set(.derivationDescription, .ST, string: String((before + words).suffix(1_024)))
        let codes = original.items(Self.derivationCodeSequence)
        set.set(Self.derivationCodeSequence, .SQ, items: codes + [Self.code("113040", "Lossy Compression")])
        var source = DataSet()
        source.set(.referencedSOPClassUID, .UI, string: original.uid(.sopClassUID) ?? "")
        source.set(.referencedSOPInstanceUID, .UI, string: original.uid(.sopInstanceUID) ?? "")
        source.set(
            .purposeOfReferenceCodeSequence, .SQ, items: [Self.code("121320", "Uncompressed predecessor")])
        set.set(.sourceImageSequence, .SQ, items: original.items(.sourceImageSequence) + [source])
    }

    private static let derivationCodeSequence = Tag(0x0008, 0x9215)

    /// PS3.16 CID 7203, CID 7202.
    private static func code(_ value: String, _ meaning: String) -> DataSet {
        var code = DataSet()
        code.set(.codeValue, .SH, string: value)
        code.set(.codingSchemeDesignator, .SH, string: "DCM")
        code.set(.codeMeaning, .LO, string: meaning)
        return code
    }
}
