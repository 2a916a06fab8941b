import Access
import DICOMData
import DICOMPixels
import HTTPSupport
import HTTPTypes
import Hummingbird
import PixelCodecs
import Testing

@testable import DICOMwebAPI

/// Frames and instances in another transfer syntax than their own. PS3.18 §8.7.3, §10.4.
@Suite("Transcoding over the web")
struct TranscodingTests {
    private static let explicit = "1.2.840.10008.1.2.1"

    /// Frames of 3 x 5 values of 12 bits, signed.
    private static func image(frames: Int) -> DataSet {
        var set = DataSet()
        set.set(.sopClassUID, string: UID.ctImageStorage)
        set.set(.sopInstanceUID, string: ResultTests.uid)
        set.set(.patientName, string: "Doe^Jane")
        set.set(.samplesPerPixel, int: 1)
        set.set(.photometricInterpretation, string: "MONOCHROME2")
        if frames > 1 { set.set(.numberOfFrames, int: frames) }
        set.set(.rows, int: 3)
        set.set(.columns, int: 5)
        set.set(.bitsAllocated, int: 16)
        set.set(.bitsStored, int: 12)
        set.set(.highBit, int: 11)
        set.set(.pixelRepresentation, int: 1)
        return set
    }

    private static func frame(_ number: Int) -> [UInt8] {
        (0..<15).flatMap { index -> [UInt8] in
            let value = (index * 331 + number * 97) % 4_096 - 2_048
            return [UInt8(truncatingIfNeeded: value), UInt8(truncatingIfNeeded: value >> 8)]
        }
    }

    private static func stored(_ syntax: TransferSyntax, frames: Int = 3) throws -> DataSet {
        var set = image(frames: frames)
        guard syntax.isEncapsulated else {
            set.set(.pixelData, .OW, bytes: (1...frames).flatMap { frame($0) })
            return set
        }
        let fragments = try (1...frames).map { number -> [UInt8] in
            let native = try #require(
                NativeFrame(
                    rows: 3, columns: 5, samplesPerPixel: 1, sampleBytes: 2, bitsStored: 12, isSigned: true,
                    photometricInterpretation: "MONOCHROME2", bytes: frame(number)))
            return try FrameEncoder.encode(native, as: syntax).bytes
        }
        set[.pixelData] = DataElement(.pixelData, .OB, .fragments(EncapsulatedValue(fragments: fragments)))
        return set
    }

    private static func decoded(_ bytes: [UInt8], _ syntax: TransferSyntax) throws -> [UInt8] {
        let image = try #require(ImagePixel(image(frames: 1)))
        return try FrameDecoder.decode(bytes, image, transferSyntax: syntax).bytes
    }

    private static let compressed: [TransferSyntax] = [
        .rleLossless, .jpegLosslessSV1, .jpegLSLossless, .jpeg2000Lossless,
    ]

    // MARK: Frames

    @Test(
        "Octets of compressed frames are their values in little endian, several in the order asked",
        arguments: compressed)
    func octets(_ syntax: TransferSyntax) async throws {
        let (routes, _) = try ResultTests.routes(try Self.stored(syntax), syntax)
        let one = try await routes.frames(ResultTests.request(accept: "application/octet-stream", frames: "2"))
        #expect(one.headers[.contentType] == "application/octet-stream;transfer-syntax=\(Self.explicit)")
        #expect(try await ResultTests.body(one) == Self.frame(2))
        let all = try await routes.frames(
            ResultTests.request(accept: "multipart/related; type=\"application/octet-stream\"", frames: "3,1,2"))
        #expect(
            all.headers[.contentType] == "multipart/related; type=\"application/octet-stream\"; boundary=bound")
        let body = try await ResultTests.body(all)
        #expect(ResultTests.parts(body) == [3, 1, 2].map { Self.frame($0) })
        let text = String(decoding: body, as: UTF8.self)
        #expect(text.contains("Content-Type: application/octet-stream;transfer-syntax=\(Self.explicit)\r\n"))
        #expect(text.contains("/frames/3\r\n"))
        // As it is stored where any will do.
        let stored = try await routes.frames(
            ResultTests.request(accept: "application/octet-stream; transfer-syntax=*", frames: "1"))
        #expect(stored.headers[.contentType] == "application/octet-stream;transfer-syntax=\(syntax.uid)")
    }

    @Test("Image types of native and of otherwise compressed frames keep every value (Table 8.7.3-5)")
    func encoded() async throws {
        for stored in [TransferSyntax.explicitVRLittleEndian, .explicitVRBigEndian] + Self.compressed {
            let (routes, _) = try ResultTests.routes(try Self.stored(stored), stored)
            for (type, syntax) in [
                ("image/jpeg", TransferSyntax.jpegLosslessSV1), ("image/jls", .jpegLSLossless),
                ("image/jp2", .jpeg2000Lossless), ("image/dicom-rle", .rleLossless),
            ] {
                let response = try await routes.frames(ResultTests.request(accept: type, frames: "3"))
                #expect(response.headers[.contentType] == "\(type);transfer-syntax=\(syntax.uid)")
                let bytes = try await ResultTests.body(response)
                #expect(try Self.decoded(bytes, syntax) == Self.frame(3), "\(stored) \(type)")
            }
        }
    }

    @Test("Deflated frames are encoded too (PS3.5 §A.5)")
    func deflated() async throws {
        let (routes, _) = try ResultTests.routes(
            try Self.stored(.explicitVRLittleEndian), .deflatedExplicitVRLittleEndian)
        let response = try await routes.frames(
            ResultTests.request(accept: "multipart/related; type=image/jls", frames: "2,3"))
        let parts = ResultTests.parts(try await ResultTests.body(response))
        #expect(try parts.map { try Self.decoded($0, .jpegLSLossless) } == [Self.frame(2), Self.frame(3)])
    }

    private static func failure(_ body: () async throws -> Response) async -> HTTPFailure? {
        do {
            _ = try await body()
            return nil
        } catch {
            return (error as? HTTPFailure) ?? StatusReport().failure(for: error)
        }
    }

    @Test(
        "What cannot be made is 406 with what there is, or the next wish; a damaged frame 409, one that is not there 404"
    )
    func refused() async throws {
        var set = try Self.stored(.jpegLSLossless)
        guard case .fragments(var value)? = set[.pixelData]?.value else { return }
        value.fragments[1] = [0xFF, 0xD8, 0xFF, 0xF7]
        set[.pixelData] = DataElement(.pixelData, .OB, .fragments(value))
        let (routes, _) = try ResultTests.routes(set, .jpegLSLossless)
        // Twelve signed bits are no JPEG Baseline.
        let none = await Self.failure {
            try await routes.frames(
                ResultTests.request(accept: "image/jpeg; transfer-syntax=1.2.840.10008.1.2.4.50", frames: "1"))
        }
        #expect(none?.code == .notAcceptable)
        #expect(none?.message.contains("type=\"image/jls\"; transfer-syntax=1.2.840.10008.1.2.4.80") == true)
        #expect(none?.message.contains("type=\"application/octet-stream\"") == true)
        let next = try await routes.frames(
            ResultTests.request(
                accept: "image/jpeg; transfer-syntax=1.2.840.10008.1.2.4.50, image/dicom-rle;q=0.1", frames: "1"))
        #expect(next.headers[.contentType] == "image/dicom-rle;transfer-syntax=1.2.840.10008.1.2.5")
        let damaged = await Self.failure {
            try await routes.frames(ResultTests.request(accept: "application/octet-stream", frames: "2"))
        }
        #expect(damaged?.code == .conflict)
        // It can be had as it lies here.
        let asStored = try await routes.frames(
            ResultTests.request(accept: "application/octet-stream, image/jls;q=0.5", frames: "2"))
        #expect(asStored.headers[.contentType] == "image/jls;transfer-syntax=1.2.840.10008.1.2.4.80")
        let absent = await Self.failure {
            try await routes.frames(ResultTests.request(accept: "application/octet-stream", frames: "4"))
        }
        #expect(absent?.code == .notFound)
        // Behind the first, the body breaks.
        let broken = try await routes.frames(
            ResultTests.request(accept: "multipart/related; type=\"application/octet-stream\"", frames: "1,2"))
        await #expect(throws: PixelCodecError.self) { try await ResultTests.body(broken) }
    }

    private struct Busy: PixelCoding {
        struct Failure: PixelCodingFailure { let isTemporary = true }
        func decode(
            _ frame: [UInt8], _ image: ImagePixel, transferSyntax: TransferSyntax, options: DecodingOptions
        ) async throws -> NativeFrame { throw Failure() }
        func encode(
            _ frame: NativeFrame, as transferSyntax: TransferSyntax, options: EncodingOptions
        ) async throws -> EncodedFrame { throw Failure() }
        func convert(
            _ frame: NativeFrame, from profile: [UInt8], to target: [UInt8]
        ) async throws -> NativeFrame { throw Failure() }
    }

    @Test("While no process is free it is 503 with Retry-After, and what is sent as it is stored is sent")
    func busy() async throws {
        let (routes, _) = try ResultTests.routes(
            of: [(ResultTests.uid, try Self.stored(.rleLossless), .rleLossless)], pixels: Busy())
        for accept in ["application/octet-stream", "image/jls"] {
            let failure = await Self.failure {
                try await routes.frames(ResultTests.request(accept: accept, frames: "1"))
            }
            #expect(failure?.code == .unavailable && failure?.headers[.retryAfter] != nil)
        }
        for accept in [nil, "application/dicom", "application/dicom; transfer-syntax=\(Self.explicit)"] {
            let failure = await Self.failure { try await routes.retrieve(ResultTests.request(accept: accept)) }
            #expect(failure?.code == .unavailable)
        }
        let stored = ResultTests.request(accept: "application/dicom; transfer-syntax=*")
        #expect(try await routes.retrieve(stored).status == .ok)
        #expect(try await routes.frames(ResultTests.request(frames: "1")).status == .ok)
    }

    // MARK: Instances

    @Test(
        "An instance in Explicit VR Little Endian, named or not, alone and in parts; for any as it is stored",
        arguments: compressed)
    func instance(_ syntax: TransferSyntax) async throws {
        let (routes, _) = try ResultTests.routes(try Self.stored(syntax), syntax)
        let native = (1...3).flatMap { Self.frame($0) }
        let single = "application/dicom"
        let parts = "multipart/related; type=\"application/dicom\""
        for accept in [
            single, parts, single + "; transfer-syntax=\(Self.explicit)", parts + "; transfer-syntax=\(Self.explicit)",
        ] {
            let response = try await routes.retrieve(ResultTests.request(accept: accept))
            var bytes = try await ResultTests.body(response)
            #expect(response.headers[.contentLength] != nil)
            if accept.hasPrefix("multipart") {
                #expect(
                    String(decoding: bytes, as: UTF8.self).contains(
                        "Content-Type: application/dicom;transfer-syntax=\(Self.explicit)\r\n"))
                bytes = try #require(ResultTests.parts(bytes).first)
            } else {
                #expect(
                    response.headers[.contentType] == "application/dicom;transfer-syntax=\(Self.explicit)")
            }
            let file = try Part10File.decode(bytes)
            #expect(try file.meta.transferSyntax() == .explicitVRLittleEndian)
            #expect(file.dataSet.bytes(.pixelData) == native)
            #expect(file.dataSet.uid(.sopInstanceUID) == ResultTests.uid)
        }
        for accept in [single, parts] {
            let stored = try await routes.retrieve(ResultTests.request(accept: accept + "; transfer-syntax=*"))
            var whole = try await ResultTests.body(stored)
            if accept.hasPrefix("multipart") { whole = try #require(ResultTests.parts(whole).first) }
            #expect(try Part10File.decode(whole).meta.transferSyntax() == syntax)
        }
    }

    /// The transfer syntax of an instance without one being named, and whether its tag is a strong one.
    private static func byDefault(
        _ set: DataSet, _ syntax: TransferSyntax, budget: MemoryBudget = .unlimited,
        _ fields: [(HTTPField.Name, String)] = []
    ) async throws -> (syntax: TransferSyntax?, tag: String?, status: HTTPResponse.Status) {
        let (routes, _) = try ResultTests.routes(of: [(ResultTests.uid, set, syntax)], budget: budget)
        let response = try await routes.retrieve(SinglePartTests.request(accept: "application/dicom", fields))
        let uid = response.headers[.contentType]?.split(separator: "=").last.flatMap { TransferSyntax(uid: $0) }
        return (uid, response.headers[.eTag], response.status)
    }

    @Test("PS3.18 §8.7.3.4: what is kept with loss, is damaged or never fits goes as stored where nothing is named")
    func exceptions() async throws {
        // Of a syntax that may lose, what does not say that it lost nothing.
        for said in [nil, "01", "00"] {
            var set = try Self.stored(.jpeg2000)
            if let said { set.set(.lossyImageCompression, string: said) }
            let found = try await Self.byDefault(set, .jpeg2000)
            #expect(found.syntax == (said == "00" ? .explicitVRLittleEndian : .jpeg2000), "\(said ?? "nothing")")
            #expect(found.tag?.hasPrefix("W/") == (said == "00"))
        }
        var damaged = try Self.stored(.jpegLSLossless, frames: 1)
        damaged[.pixelData] = DataElement(
            .pixelData, .OB, .fragments(EncapsulatedValue(fragments: [[0xFF, 0xD8, 0xFF, 0xF7]])))
        let found = try await Self.byDefault(damaged, .jpegLSLossless)
        #expect(found.syntax == .jpegLSLossless)
        // The tag is that of what is sent.
        let tag = try #require(found.tag)
        #expect(try await Self.byDefault(damaged, .jpegLSLossless, [(.ifNoneMatch, tag)]).status == .notModified)
        #expect(try await Self.byDefault(damaged, .jpegLSLossless, [(.ifMatch, tag)]).status == .ok)
        #expect(
            try await Self.byDefault(damaged, .jpegLSLossless, [(.ifMatch, "\"x\"")]).status == .preconditionFailed)
        #expect(
            try await Self.byDefault(damaged, .jpegLSLossless, [(.range, "bytes=0-1"), (.ifRange, tag)]).status
                == .partialContent)
        let large = try Self.stored(.rleLossless)
        #expect(
            try await Self.byDefault(large, .rleLossless, budget: MemoryBudget(bytesMax: 64)).syntax == .rleLossless)
    }

    @Test("An instance in another compression: the same without loss, another with loss (PS3.3 §C.7.6.1.1.5)")
    func compressedInstance() async throws {
        let (routes, _) = try ResultTests.routes(try Self.stored(.explicitVRLittleEndian), .explicitVRLittleEndian)
        for (syntax, isSame) in [(TransferSyntax.jpegLSLossless, true), (.jpeg2000, false)] {
            let response = try await routes.retrieve(
                ResultTests.request(accept: "application/dicom; transfer-syntax=\(syntax.uid)"))
            let file = try Part10File.decode(try await ResultTests.body(response))
            #expect(try file.meta.transferSyntax() == syntax)
            #expect((file.dataSet.uid(.sopInstanceUID) == ResultTests.uid) == isSame)
            #expect(file.meta.sopInstanceUID == file.dataSet.uid(.sopInstanceUID))
            #expect(file.dataSet.contains(.lossyImageCompression) != isSame)
            let frames = try #require(InstanceFrames(file.dataSet, transferSyntax: syntax))
            #expect(frames.count == 3)
            if isSame {
                #expect(try Self.decoded(try #require(frames.frame(1)), syntax) == Self.frame(2))
            }
        }
    }

    @Test("A study of many kinds: each part says what it is, and what cannot be decoded goes as it is stored")
    func study() async throws {
        var damaged = try Self.stored(.jpegLSLossless, frames: 1)
        damaged[.pixelData] = DataElement(
            .pixelData, .OB, .fragments(EncapsulatedValue(fragments: [[0xFF, 0xD8, 0xFF, 0xF7]])))
        var report = DataSet()
        report.set(.sopInstanceUID, string: "1.5")
        let (routes, _) = try ResultTests.routes(of: [
            ("1.1", try Self.stored(.explicitVRLittleEndian), .explicitVRLittleEndian),
            ("1.2", try Self.stored(.rleLossless), .rleLossless),
            ("1.3", try Self.stored(.explicitVRLittleEndian), .implicitVRLittleEndian),
            ("1.4", damaged, .jpegLSLossless), ("1.5", report, .explicitVRLittleEndian),
            ("1.6", try Self.stored(.jpeg2000Lossless), .jpeg2000Lossless),
        ])
        let native = (1...3).flatMap { Self.frame($0) }
        for name in ["", "; transfer-syntax=\(Self.explicit)"] {
            let explicit = try await routes.retrieve(
                ResultTests.request(accept: "multipart/related; type=\"application/dicom\"" + name, isStudy: true))
            let files = try ResultTests.parts(try await ResultTests.body(explicit)).map { try Part10File.decode($0) }
            #expect(
                try files.map { try $0.meta.transferSyntax() } == [
                    .explicitVRLittleEndian, .explicitVRLittleEndian, .explicitVRLittleEndian, .jpegLSLossless,
                    .explicitVRLittleEndian, .explicitVRLittleEndian,
                ])
            for index in [0, 1, 2, 5] { #expect(files[index].dataSet.bytes(.pixelData) == native, "\(index)") }
        }
        let any = try await routes.retrieve(
            ResultTests.request(
                accept: "multipart/related; type=\"application/dicom\"; transfer-syntax=*", isStudy: true))
        let stored = try ResultTests.parts(try await ResultTests.body(any)).map { try Part10File.decode($0) }
        #expect(
            try stored.map { try $0.meta.transferSyntax() } == [
                .explicitVRLittleEndian, .rleLossless, .explicitVRLittleEndian, .jpegLSLossless,
                .explicitVRLittleEndian, .jpeg2000Lossless,
            ])
        // The same in one compression: what has no pixels has none there either.
        let rle = try await routes.retrieve(
            ResultTests.request(
                accept: "multipart/related; type=\"application/dicom\"; transfer-syntax=1.2.840.10008.1.2.5",
                isStudy: true))
        let others = try ResultTests.parts(try await ResultTests.body(rle)).map { try Part10File.decode($0) }
        #expect(
            try others.map { try $0.meta.transferSyntax() } == [
                .rleLossless, .rleLossless, .rleLossless, .jpegLSLossless, .explicitVRLittleEndian, .rleLossless,
            ])
    }
}
