import DICOMData
import DICOMPixels
import Foundation
import PixelCodecs

/// Decodes the frames of files and, if asked, encodes them again, so that other programs can compare: what
/// `hilum pixels --decode` does. One line a frame on standard output, in fields divided by tabs.
struct PixelTrial {
    /// Where `NAME-FRAME.raw` and `NAME-FRAME.coded` go.
    let folder: String
    let options: DecodingOptions
    /// What each frame is encoded in, behind its decoding.
    let target: TransferSyntax?
    let encoding: EncodingOptions
    /// Frames of a file at most.
    let framesMax: Int
    let codec: any PixelCoding

    /// One file; `name` begins the names of what is written.
    func run(_ path: String, name: String) async {
        guard let data = FileManager.default.contents(atPath: path) else {
            print("\(name)\t-\terror\tcannot be read")
            return
        }
        let file: Part10File
        let syntax: TransferSyntax
        do {
            file = try Part10File.decode(Array(data))
            syntax = try file.meta.transferSyntax()
        } catch {
            print("\(name)\t-\terror\t\(error)")
            return
        }
        guard let image = ImagePixel(file.dataSet), let frames = InstanceFrames(file.dataSet, transferSyntax: syntax)
        else {
            print("\(name)\t-\tnone\tno usable image")
            return
        }
        for index in 0..<min(frames.count, framesMax) {
            guard let bytes = frames.frame(index) else {
                print("\(name)\t\(index)\terror\tno such frame")
                continue
            }
            do { try await frame(bytes, index, image, syntax, name) } catch {
                print("\(name)\t\(index)\terror\t\(error)")
            }
        }
    }

    private func frame(
        _ bytes: [UInt8], _ index: Int, _ image: ImagePixel, _ syntax: TransferSyntax, _ name: String
    ) async throws {
        let clock = ContinuousClock()
        var start = clock.now
        let decoded = try await codec.decode(bytes, image, transferSyntax: syntax, options: options)
        let decoding = clock.now - start
        try Data(decoded.bytes).write(to: URL(fileURLWithPath: "\(folder)/\(name)-\(index).raw"))
        var fields = [
            name, "\(index)", "frame", "\(decoded.rows)", "\(decoded.columns)", "\(decoded.samplesPerPixel)",
            "\(decoded.sampleBytes)", "\(decoded.bitsStored)", decoded.isSigned ? "signed" : "unsigned",
            decoded.photometricInterpretation, "\(Self.nanoseconds(decoding))",
        ]
        if let target {
            start = clock.now
            do {
                let coded = try await codec.encode(decoded, as: target, options: encoding)
                let coding = clock.now - start
                try Data(coded.bytes).write(to: URL(fileURLWithPath: "\(folder)/\(name)-\(index).coded"))
                fields += [coded.photometricInterpretation, coded.isLossy ? "lossy" : "lossless"]
                fields.append("\(Self.nanoseconds(coding))")
            } catch {
                fields += ["-", "refused", "\(error)"]
            }
        }
        print(fields.joined(separator: "\t"))
    }

    private static func nanoseconds(_ duration: Duration) -> Int64 {
        duration.components.seconds * 1_000_000_000 + duration.components.attoseconds / 1_000_000_000
    }
}
