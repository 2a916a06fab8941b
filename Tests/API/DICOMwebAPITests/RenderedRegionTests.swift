import DICOMRendering
import HTTPSupport
import HTTPTypes
import Hummingbird
import PixelCodecs
import Testing
import Workflow

@testable import DICOMData
@testable import DICOMwebAPI

/// Regions of images whose codec decodes a part alone, through the routes. PS3.18 §8.3.5.1.3.
extension RenderedTests {
    private static let (lines, width) = (60, 80)

    private static func sloped() -> [UInt8] {
        (0..<lines * width).map { UInt8(truncatingIfNeeded: $0 / width * 3 + $0 % width * 2 + $0 * 5 % 7) }
    }

    /// The same image without and with JPEG 2000: 1.1 and 1.2.
    private static func objects() throws -> [Object] {
        let native = image([sloped()], rows: lines, columns: width)
        let frame = try #require(
            NativeFrame(
                rows: lines, columns: width, samplesPerPixel: 1, sampleBytes: 1, bitsStored: 8, isSigned: false,
                photometricInterpretation: "MONOCHROME2", bytes: sloped()))
        var coded = native
        let fragment = try FrameEncoder.encode(frame, as: .jpeg2000Lossless).bytes
        coded[.pixelData] = DataElement(.pixelData, .OB, .fragments(EncapsulatedValue(fragments: [fragment])))
        return [Object(set: native, uid: "1.1"), Object(set: coded, uid: "1.2", syntax: .jpeg2000Lossless)]
    }

    @Test("PS3.18 §8.3.5.1.3: of JPEG 2000 the region alone is decoded, and gives the picture of the whole image")
    func regionAlone() async throws {
        var limits = PixelLimits.default
        // The largest region that is asked for, with its margin.
        limits.samplesMax = 28 * 28
        let objects = try Self.objects()
        let small = try Self.routes(objects, pixels: DirectPixelCoding(limits: limits))
        let large = try Self.routes(objects)
        func picture(_ routes: DICOMwebRoutes, _ uid: String, _ query: String) async throws -> [UInt8] {
            try await Self.body(
                try await routes.renderedInstance(Self.request("image/png", query: query, instance: uid)))
        }
        for viewport in ["20,20,30,10,20,20", "50,40,0,40.5,-20,19.5", "20,20,62,0,17.25,-16.75"] {
            let native = try await picture(large, "1.1", "viewport=\(viewport)")
            #expect(try await picture(small, "1.2", "viewport=\(viewport)") == native, "\(viewport)")
        }
        #expect(try await Self.size(picture(small, "1.2", "viewport=40,10,30,10,20,20")) == [10, 10])
        let refusal = PixelCodecError.tooLarge(limit: "samplesMax", value: Self.lines * Self.width)
        await #expect(throws: refusal) { try await picture(small, "1.2", "") }
        await #expect(throws: refusal) { try await picture(small, "1.1", "viewport=20,20,30,10,20,20") }
    }
}
