import DICOMData
import DICOMPixels
import PixelCodecs

/// What goes over the channel between the server and a process that reads pixels: a length of four bytes and that many
/// bytes of one message, numbers in little endian. The pixels themselves lie in shared memory from its first byte.
enum PixelMessage {
    /// Bytes of a message at most; none needs a fifth of them.
    static let bytesMax = 4_096

    /// From the server.
    enum Request: Equatable {
        case decode(ImagePixel, TransferSyntax, DecodingOptions, bytes: Int)
        /// The frame without its bytes.
        case encode(FrameShape, TransferSyntax, EncodingOptions, bytes: Int)
        /// The bytes are two profiles, that of the frame and that of the colours that are wanted, and the frame.
        case convert(FrameShape, profile: Int, target: Int, bytes: Int)

        /// Bytes that belong to it in shared memory.
        var bytes: Int {
            switch self {
            case .decode(_, _, _, let bytes), .encode(_, _, _, let bytes), .convert(_, _, _, let bytes): bytes
            }
        }
    }

    /// From the process.
    enum Reply: Equatable {
        /// The process is in its sandbox: the bits of `hilum_sandbox_enter`.
        case ready(protection: UInt8)
        case decoded(FrameShape, bytes: Int, retires: Bool)
        case encoded(photometricInterpretation: String, isLossy: Bool, bytes: Int, retires: Bool)
        case refused(PixelCodecError, retires: Bool)

        /// The process wants to be replaced before the next frame.
        var retires: Bool {
            switch self {
            case .ready: false
            case .decoded(_, _, let retires), .encoded(_, _, _, let retires), .refused(_, let retires): retires
            }
        }
    }
}

extension FrameShape {
    /// nil at the end of a message, and for numbers that no frame has.
    fileprivate init?(_ reader: inout PixelMessageReader) {
        guard let rows = reader.number(), let columns = reader.number(), let samples = reader.number(),
            let size = reader.number(), let bits = reader.number(), let signed = reader.number(),
            let photometric = reader.text()
        else { return nil }
        self.init(
            rows: rows, columns: columns, samplesPerPixel: samples, sampleBytes: size, bitsStored: bits,
            isSigned: signed == 1, photometricInterpretation: photometric)
    }

    fileprivate func write(_ writer: inout PixelMessageWriter) {
        for number in [rows, columns, samplesPerPixel, sampleBytes, bitsStored, isSigned ? 1 : 0] {
            writer.number(number)
        }
        writer.text(photometricInterpretation)
    }
}

extension PixelMessage.Request {
    /// The message, without its length.
    var encoded: [UInt8] {
        var writer = PixelMessageWriter()
        switch self {
        case .decode(let image, let syntax, let options, let bytes):
            writer.number(1)
            writer.text(syntax.uid)
            for number in [
                image.rows, image.columns, image.samplesPerPixel, image.bitsAllocated, image.bitsStored, image.highBit,
                image.isSigned ? 1 : 0, image.isPlanar ? 1 : 0, options.reduction, options.wantsRGB ? 1 : 0, bytes,
            ] { writer.number(number) }
            // Without one, numbers that no region has.
            for number in options.region.map({ [$0.left, $0.top, $0.columns, $0.rows] }) ?? [0, 0, 0, 0] {
                writer.number(number)
            }
            writer.text(image.photometricInterpretation)
        case .encode(let shape, let syntax, let options, let bytes):
            writer.number(2)
            writer.text(syntax.uid)
            shape.write(&writer)
            for number in [
                options.quality, options.halvesChrominance ? 1 : 0, options.near,
                Int(bitPattern: UInt(options.ratio.bitPattern)), bytes,
            ] { writer.number(number) }
        case .convert(let shape, let profile, let target, let bytes):
            writer.number(7)
            shape.write(&writer)
            for number in [profile, target, bytes] { writer.number(number) }
        }
        return writer.bytes
    }

    /// nil for what is no request.
    init?(_ message: [UInt8]) {
        var reader = PixelMessageReader(message)
        guard let kind = reader.number() else { return nil }
        if kind == 7 {
            guard let shape = FrameShape(&reader), let profile = reader.number(), let target = reader.number(),
                let bytes = reader.number(), profile >= 0, target >= 0, bytes >= 0
            else { return nil }
            self = .convert(shape, profile: profile, target: target, bytes: bytes)
            return
        }
        guard let uid = reader.text(), let syntax = TransferSyntax(uid: uid) else { return nil }
        switch kind {
        case 1:
            let numbers = (0..<15).compactMap { _ in reader.number() }
            guard numbers.count == 15, numbers[10] >= 0, let photometric = reader.text(),
                let image = ImagePixel(
                    rows: numbers[0], columns: numbers[1], samplesPerPixel: numbers[2],
                    photometricInterpretation: photometric, bitsAllocated: numbers[3], bitsStored: numbers[4],
                    highBit: numbers[5], isSigned: numbers[6] == 1, isPlanar: numbers[7] == 1)
            else { return nil }
            let region = FrameRegion(left: numbers[11], top: numbers[12], columns: numbers[13], rows: numbers[14])
            guard region != nil || numbers[11...] == [0, 0, 0, 0] else { return nil }
            self = .decode(
                image, syntax,
                DecodingOptions(reduction: numbers[8], wantsRGB: numbers[9] == 1, region: region), bytes: numbers[10])
        case 2:
            guard let shape = FrameShape(&reader) else { return nil }
            let numbers = (0..<5).compactMap { _ in reader.number() }
            guard numbers.count == 5, numbers[4] >= 0 else { return nil }
            let ratio = Double(bitPattern: UInt64(UInt(bitPattern: numbers[3])))
            self = .encode(
                shape, syntax,
                EncodingOptions(
                    quality: numbers[0], halvesChrominance: numbers[1] == 1, near: numbers[2], ratio: ratio),
                bytes: numbers[4])
        default: return nil
        }
    }
}

extension PixelMessage.Reply {
    /// The message, without its length.
    var encoded: [UInt8] {
        var writer = PixelMessageWriter()
        switch self {
        case .ready(let protection):
            writer.number(3)
            writer.number(Int(protection))
        case .decoded(let shape, let bytes, let retires):
            writer.number(4)
            shape.write(&writer)
            writer.number(bytes)
            writer.number(retires ? 1 : 0)
        case .encoded(let photometric, let isLossy, let bytes, let retires):
            writer.number(5)
            writer.text(photometric)
            for number in [isLossy ? 1 : 0, bytes, retires ? 1 : 0] { writer.number(number) }
        case .refused(let error, let retires):
            writer.number(6)
            let (code, text, first, second): (Int, String, Int, Int) =
                switch error {
                case .unsupported(let what): (0, what, 0, 0)
                case .malformed(let what): (1, what, 0, 0)
                case .mismatch(let attribute, let image, let codestream): (2, attribute, image, codestream)
                case .tooLarge(let limit, let value): (3, limit, value, 0)
                }
            writer.number(code)
            writer.text(text)
            for number in [first, second, retires ? 1 : 0] { writer.number(number) }
        }
        return writer.bytes
    }

    /// nil for what is no reply.
    init?(_ message: [UInt8]) {
        var reader = PixelMessageReader(message)
        switch reader.number() {
        case 3:
            guard let bits = reader.number(), (0...255).contains(bits) else { return nil }
            self = .ready(protection: UInt8(bits))
        case 4:
            guard let shape = FrameShape(&reader), let bytes = reader.number(), bytes >= 0,
                let retires = reader.number()
            else { return nil }
            self = .decoded(shape, bytes: bytes, retires: retires == 1)
        case 5:
            guard let photometric = reader.text(), let lossy = reader.number(), let bytes = reader.number(),
                bytes >= 0, let retires = reader.number()
            else { return nil }
            self = .encoded(
                photometricInterpretation: photometric, isLossy: lossy == 1, bytes: bytes, retires: retires == 1)
        case 6:
            guard let code = reader.number(), let text = reader.text(), let first = reader.number(),
                let second = reader.number(), let retires = reader.number()
            else { return nil }
            let error: PixelCodecError
            switch code {
            case 0: error = .unsupported(text)
            case 1: error = .malformed(text)
            case 2: error = .mismatch(attribute: text, image: first, codestream: second)
            case 3: error = .tooLarge(limit: text, value: first)
            default: return nil
            }
            self = .refused(error, retires: retires == 1)
        default: return nil
        }
    }
}

/// Writes a message: numbers of eight bytes, texts of at most 255.
struct PixelMessageWriter {
    private(set) var bytes: [UInt8] = []

    mutating func number(_ number: Int) {
        for byte in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: number >> (8 * byte))) }
    }

    mutating func text(_ text: String) {
        let utf8 = text.utf8.prefix(255)
        bytes.append(UInt8(utf8.count))
        bytes += utf8
    }
}

/// Reads a message; nil at its end.
struct PixelMessageReader {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func number() -> Int? {
        guard position + 8 <= bytes.count else { return nil }
        defer { position += 8 }
        return (0..<8).reduce(0) { $0 | Int(bytes[position + $1]) << (8 * $1) }
    }

    /// Bytes that are no printable ASCII become question marks: a text of a process that reads foreign bytes ends up in
    /// logs and answers.
    mutating func text() -> String? {
        guard position < bytes.count, position + 1 + Int(bytes[position]) <= bytes.count else { return nil }
        let count = Int(bytes[position])
        defer { position += 1 + count }
        let text = bytes[(position + 1)..<(position + 1 + count)].map { (0x20...0x7E).contains($0) ? $0 : 0x3F }
        return String(decoding: text, as: UTF8.self)
    }
}
