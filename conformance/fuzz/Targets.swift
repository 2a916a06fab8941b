// What libFuzzer calls: one of our own decoders, chosen by HILUM_FUZZ. A decoder may refuse its input; a trap, a hang or
// memory beyond the limits of run.sh is a finding. See run.sh.
import DICOMData
import DICOMPixels
import FHIRModel
import Glibc
import HL7v2

/// Of a frame: rows and columns as 16 bits in little endian, samples, bytes of a sample; then the codestream.
private struct Frame {
    let rows: Int
    let columns: Int
    let samples: Int
    let sampleBytes: Int
    let bytes: [UInt8]

    init?(_ input: UnsafeRawBufferPointer) {
        guard input.count > 6 else { return nil }
        rows = Int(input[0]) | Int(input[1]) << 8
        columns = Int(input[2]) | Int(input[3]) << 8
        samples = Int(input[4] % 4) + 1
        sampleBytes = Int(input[5] % 2) + 1
        bytes = [UInt8](input[6...])
        // As the limits of the server have it, only smaller: what is found shall be found soon.
        guard rows * columns <= 1 << 16 else { return nil }
    }

    /// Native pixels are all that comes out, or nothing.
    func check(_ decoded: [UInt8]?) {
        precondition(decoded.map { $0.count == rows * columns * samples * sampleBytes } ?? true)
    }
}

private func dataSet(_ bytes: [UInt8]) {
    guard let file = try? Part10File.decode(bytes), let again = try? file.encode() else { return }
    // What was written is read.
    guard (try? Part10File.decode(again)) != nil else { fatalError("what was encoded cannot be decoded") }
    _ = try? DICOMJSON.encode(file.dataSet)
}

private func hl7(_ bytes: [UInt8]) {
    _ = try? Parser().parse(bytes)
    var reader = BatchFileReader()
    _ = try? reader.read(bytes)
    _ = try? reader.finish()
}

private func json(_ bytes: [UInt8]) {
    guard let document = try? JSONDocument(parsing: bytes) else { return }
    guard (try? JSONDocument(parsing: JSONWriter.compact(document.root))) != nil else {
        fatalError("what was written cannot be read")
    }
}

private let target: @Sendable (UnsafeRawBufferPointer) -> Void = {
    switch getenv("HILUM_FUZZ").map({ String(cString: $0) }) {
    case "rle":
        { input in
            guard let frame = Frame(input) else { return }
            frame.check(
                RLEFrame.decoded(
                    frame.bytes, pixels: frame.rows * frame.columns, samples: frame.samples,
                    sampleBytes: frame.sampleBytes))
        }
    case "jpeg-lossless": { input in Frame(input).map { $0.check(JPEGLosslessFrame.decoded($0)) } }
    case "jpeg-sequential": { input in Frame(input).map { $0.check(JPEGSequentialFrame.decoded($0)) } }
    case "jpeg-ls": { input in Frame(input).map { $0.check(JPEGLSFrame.decoded($0)) } }
    case "jpeg-2000": { input in Frame(input).map { $0.check(JPEG2000Frame.decoded($0)) } }
    case "dicom": { dataSet([UInt8]($0)) }
    case "dicom-json": { _ = try? DICOMJSON.decode([UInt8]($0)) }
    case "hl7": { hl7([UInt8]($0)) }
    case "json": { json([UInt8]($0)) }
    default: fatalError("HILUM_FUZZ names no decoder")
    }
}()

extension JPEGLosslessFrame {
    fileprivate static func decoded(_ f: Frame) -> [UInt8]? {
        decoded(f.bytes, rows: f.rows, columns: f.columns, samples: f.samples, sampleBytes: f.sampleBytes)
    }
}

extension JPEGSequentialFrame {
    fileprivate static func decoded(_ f: Frame) -> [UInt8]? {
        decoded(f.bytes, rows: f.rows, columns: f.columns, samples: f.samples, sampleBytes: f.sampleBytes)
    }
}

extension JPEGLSFrame {
    fileprivate static func decoded(_ f: Frame) -> [UInt8]? {
        decoded(f.bytes, rows: f.rows, columns: f.columns, samples: f.samples, sampleBytes: f.sampleBytes)
    }
}

extension JPEG2000Frame {
    fileprivate static func decoded(_ f: Frame) -> [UInt8]? {
        decoded(f.bytes, rows: f.rows, columns: f.columns, samples: f.samples, sampleBytes: f.sampleBytes)
    }
}

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafeRawPointer?, _ count: Int) -> CInt {
    target(UnsafeRawBufferPointer(start: start, count: count))
    return 0
}
