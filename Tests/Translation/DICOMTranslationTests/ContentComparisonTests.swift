import DICOMData
import DICOMPixels
import Testing
import Workflow

@testable import DICOMTranslation

/// D16: what a second sender's encoding may change and what not. PS3.5 §6.2, §7, Annex A, Annex G.
@Suite("Content: the same object in another encoding")
struct ContentComparisonTests {
    private struct Reader: BlobReading {
        let bytes: [UInt8]
        var count: Int64 { Int64(bytes.count) }
        func perform<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
            try work()
        }
        func fill(_ target: UnsafeMutableRawBufferPointer, at offset: Int64) throws {
            target.copyBytes(from: bytes[Int(offset)..<Int(offset) + target.count])
        }
    }

    private struct Blobs: BlobStoring {
        let files: [String: [UInt8]]
        func create() throws -> any BlobWriting { throw StoreError(.misuse, "test") }
        func open<Value: Sendable>(
            _ id: BlobID, then work: @escaping @Sendable (any BlobReading) throws -> Value
        ) async throws -> Value {
            guard let bytes = files[id.value] else { throw StoreError(.notFound, "test") }
            return try work(Reader(bytes: bytes))
        }
        func remove(_ id: BlobID) async throws {}
    }

    /// An image of 3 x 5 pixels, two frames, with text, names, a private block, nested items and a large value.
    static func object(samples: Int = 1, bits: Int = 16, characterSet: String = "ISO_IR 100") -> DataSet {
        var item = DataSet()
        item.set(.codeValue, string: "T-1")
        item.set(.codeMeaning, string: "Tëxt")
        var set = DataSet()
        set.set(.specificCharacterSet, string: characterSet)
        set.set(.sopClassUID, string: UID.ctImageStorage)
        set.set(.sopInstanceUID, string: "1.2.3")
        set.set(.studyInstanceUID, string: "1.2.3.4")
        set.set(.seriesInstanceUID, string: "1.2.3.5")
        set.set(.patientName, string: "Müller^Änne")
        set.set(.patientID, string: "100")
        set.set(.studyDescription, string: "Odd")
        set.set(.requestedProcedureCodeSequence, items: [item])
        set.setPrivate(group: 0x0009, creator: "ACME", element: 1, .LO, bytes: Array("private".utf8))
        set.setPrivate(group: 0x0009, creator: "ACME", element: 2, .US, bytes: [1, 2])
        set.set(Tag(0x0028, 0x3006), .OW, bytes: (0..<40_000).map { UInt8(truncatingIfNeeded: $0 * 7) })
        set.set(.samplesPerPixel, int: samples)
        set.set(.photometricInterpretation, string: samples == 3 ? "RGB" : "MONOCHROME2")
        if samples == 3 { set.set(.planarConfiguration, int: 0) }
        set.set(.numberOfFrames, int: 2)
        set.set(.rows, int: 3)
        set.set(.columns, int: 5)
        set.set(.bitsAllocated, int: bits)
        set.set(.bitsStored, int: bits)
        set.set(.highBit, int: bits - 1)
        set.set(.pixelRepresentation, int: 0)
        set.set(.pixelData, .OW, bytes: pixels(samples, bits))
        return set
    }

    private static func pixels(_ samples: Int, _ bits: Int) -> [UInt8] {
        (0..<2 * 15 * samples * bits / 8).map { UInt8(truncatingIfNeeded: $0 * $0 / 3) }
    }

    /// One frame as RLE, literal runs only. PS3.5 §G.3.
    private static func rle(_ frame: [UInt8], samples: Int, sampleBytes: Int) -> [UInt8] {
        let count = samples * sampleBytes
        var header = [UInt32(count)]
        var body: [UInt8] = []
        for segment in 0..<count {
            header.append(UInt32(64 + body.count))
            let place = segment / sampleBytes * sampleBytes + (sampleBytes - 1 - segment % sampleBytes)
            let plane = stride(from: place, to: frame.count, by: count).map { frame[$0] }
            body += [UInt8(plane.count - 1)] + plane
            if body.count % 2 == 1 { body.append(0) }
        }
        header += [UInt32](repeating: 0, count: 16 - header.count)
        return header.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> (8 * UInt32($0))) } } + body
    }

    static func encapsulated(_ set: DataSet, samples: Int, bits: Int) -> DataSet {
        let all = pixels(samples, bits)
        let frames = [Array(all[..<(all.count / 2)]), Array(all[(all.count / 2)...])].map {
            rle($0, samples: samples, sampleBytes: bits / 8)
        }
        var set = set
        set[.pixelData] = DataElement(.pixelData, .OB, .fragments(EncapsulatedValue(fragments: frames)))
        if samples == 3 { set.set(.planarConfiguration, int: 1) }
        return set
    }

    static func file(
        _ set: DataSet, _ syntax: TransferSyntax, definedLengths: Bool = false
    ) throws -> (Instance, [UInt8]) {
        let meta = try FileMeta(
            sopClassUID: UID.ctImageStorage, sopInstanceUID: "1.2.3", transferSyntax: syntax,
            sourceAETitle: definedLengths ? "OTHER" : nil
        ).encoded()
        let body = try DataSetEncoder(transferSyntax: syntax, definedLengths: definedLengths).encode(set)
        let instance = Instance(
            studyInstanceUID: "1.2.3.4", seriesInstanceUID: "1.2.3.5", sopInstanceUID: "1.2.3",
            sopClassUID: UID.ctImageStorage, instanceNumber: nil, transferSyntaxUID: syntax.uid, rows: nil,
            columns: nil,
            bitsAllocated: nil, numberOfFrames: 2, blobID: BlobID("x"), size: Int64(meta.count + body.count),
            dataSetOffset: Int64(meta.count), pixelDataOffset: nil, pixelDataLength: nil,
            receivedAt: UTCInstant(microseconds: 0), receivedFrom: nil)
        return (instance, meta + body)
    }

    static func difference(_ a: (Instance, [UInt8]), _ b: (Instance, [UInt8])) async throws -> String? {
        var (first, second) = (a.0, b.0)
        (first.blobID, second.blobID) = (BlobID("a"), BlobID("b"))
        let comparison = ContentComparison(blobs: Blobs(files: ["a": a.1, "b": b.1]), limits: IngestLimits())
        let there = try await comparison.difference(first, second)?.description
        let back = try await comparison.difference(second, first)?.description
        #expect(there == back)
        return there
    }

    @Test(
        "Every encoding of an object is the same object",
        arguments: [(1, 16), (1, 8), (3, 8), (1, 32)])
    func encodings(_ samples: Int, _ bits: Int) async throws {
        let set = Self.object(samples: samples, bits: bits)
        let inRLE = Self.encapsulated(set, samples: samples, bits: bits)
        var files: [(Instance, [UInt8])] = []
        for syntax in [
            TransferSyntax.explicitVRLittleEndian, .implicitVRLittleEndian, .explicitVRBigEndian,
            .deflatedExplicitVRLittleEndian,
        ] {
            for definedLengths in [false, true] {
                files.append(try Self.file(set, syntax, definedLengths: definedLengths))
            }
        }
        files.append(try Self.file(inRLE, .rleLossless))
        files.append(try Self.file(inRLE, .rleLossless, definedLengths: true))
        for first in files {
            for second in files {
                #expect(
                    try await Self.difference(first, second) == nil,
                    "\(first.0.transferSyntaxUID) \(second.0.transferSyntaxUID)")
            }
        }
    }

    @Test("Character sets, group lengths, padding and planes may differ")
    func forms() async throws {
        let set = Self.object(samples: 3, bits: 8)
        let stored = try Self.file(set, .explicitVRLittleEndian)
        var inUTF8 = set
        inUTF8.convert(to: .utf8)
        #expect(try await Self.difference(stored, try Self.file(inUTF8, .explicitVRLittleEndian)) == nil)
        var padded = set
        padded[.studyDescription] = DataElement(.studyDescription, .LO, .bytes(Array("Odd   ".utf8)))
        padded[.patientName] = DataElement(
            .patientName, .PN, .bytes(Array("M\u{FC}ller^\u{C4}nne^^ ".unicodeScalars.map { UInt8($0.value) })))
        padded[.ethnicGroup] = DataElement(.ethnicGroup, .SH, .bytes([0x20, 0x20]))
        var empty = set
        empty.setEmpty(.ethnicGroup)
        #expect(
            try await Self.difference(
                try Self.file(padded, .explicitVRLittleEndian), try Self.file(empty, .explicitVRLittleEndian)) == nil)
        padded.remove(.ethnicGroup)
        padded.set(Tag(0x0008, 0x0000), .UL, int: 1234)
        padded.set(Tag(0xFFFC, 0xFFFC), .OB, bytes: [0, 0])
        #expect(try await Self.difference(stored, try Self.file(padded, .explicitVRLittleEndian)) == nil)
        var planar = set
        let all = Self.pixels(3, 8)
        let frames = [all[..<45], all[45...]].map { Array($0) }
        planar.set(.planarConfiguration, int: 1)
        planar.set(
            .pixelData, .OW,
            bytes: frames.flatMap { frame in
                (0..<3).flatMap { sample in stride(from: sample, to: 45, by: 3).map { frame[$0] } }
            })
        #expect(try await Self.difference(stored, try Self.file(planar, .explicitVRLittleEndian)) == nil)
    }

    @Test("An icon is compared by its pixels too")
    func icons() async throws {
        let pixels = (0..<15).map { UInt8($0) }
        func file(_ element: DataElement, _ set: DataSet, _ syntax: TransferSyntax) throws -> (Instance, [UInt8]) {
            var icon = set
            icon.removeAll { $0.tag.group != 0x0028 }
            icon.set(.numberOfFrames, int: 1)
            icon[.pixelData] = element
            var whole = set
            whole.set(Tag(0x0088, 0x0200), .SQ, items: [icon])
            return try Self.file(whole, syntax)
        }
        let set = Self.object(bits: 8)
        let native = try file(
            DataElement(.pixelData, .OB, bytes: pixels), set, .explicitVRLittleEndian)
        let inRLE = DataElement(
            .pixelData, .OB,
            .fragments(EncapsulatedValue(fragments: [Self.rle(pixels, samples: 1, sampleBytes: 1)])))
        let compressed = Self.encapsulated(set, samples: 1, bits: 8)
        #expect(try await Self.difference(native, try file(inRLE, compressed, .rleLossless)) == nil)
        let other = DataElement(.pixelData, .OB, bytes: Array(pixels.reversed()))
        #expect(
            try await Self.difference(native, try file(other, compressed, .rleLossless)) == "00880200.0.7FE00010")
    }

    @Test("What differs is told by its path, whatever the encoding")
    func differences() async throws {
        let set = Self.object()
        var cases: [(DataSet, String)] = []
        func changed(_ path: String, _ change: (inout DataSet) -> Void) {
            var other = set
            change(&other)
            cases.append((other, path))
        }
        changed("00100020") { $0.set(.patientID, string: "101") }
        changed("00100010") { $0.set(.patientName, string: "Muller^Anne") }
        changed("00321064.0.00080104") { set in
            var item = set.items(.requestedProcedureCodeSequence)[0]
            item.set(.codeMeaning, string: "Text")
            set.set(.requestedProcedureCodeSequence, items: [item])
        }
        changed("00321064") { $0.set(.requestedProcedureCodeSequence, items: []) }
        changed("00081030") { $0.remove(.studyDescription) }
        changed("00080080") { $0.set(.institutionName, string: "New") }
        changed("00283006") { set in
            var bytes = set.bytes(Tag(0x0028, 0x3006)) ?? []
            bytes[39_999] ^= 1
            set.set(Tag(0x0028, 0x3006), .OW, bytes: bytes)
        }
        changed("7FE00010") { set in
            var bytes = set.bytes(.pixelData) ?? []
            bytes[59] ^= 1
            set.set(.pixelData, .OW, bytes: bytes)
        }
        changed("7FE00010") { $0.remove(.pixelData) }
        for syntax in [TransferSyntax.explicitVRLittleEndian, .implicitVRLittleEndian, .explicitVRBigEndian] {
            let stored = try Self.file(set, syntax)
            for (other, path) in cases {
                for second in [TransferSyntax.explicitVRLittleEndian, .deflatedExplicitVRLittleEndian] {
                    #expect(try await Self.difference(stored, try Self.file(other, second)) == path, "\(path)")
                }
            }
        }
        let inRLE = Self.encapsulated(set, samples: 1, bits: 16)
        var other = set
        other.set(.pixelData, .OW, bytes: [UInt8](repeating: 0, count: 60))
        #expect(
            try await Self.difference(
                try Self.file(inRLE, .rleLossless), try Self.file(other, .explicitVRLittleEndian)) == "7FE00010")
    }

    @Test("Codestreams are the same by their bytes, however they are cut into fragments; never those of two codecs")
    func codestreams() async throws {
        func encapsulated(_ fragments: [[UInt8]], _ syntax: TransferSyntax, frames: Int = 1) throws -> (
            Instance, [UInt8]
        ) {
            var set = Self.object()
            set.set(.numberOfFrames, int: frames)
            set[.pixelData] = DataElement(.pixelData, .OB, .fragments(EncapsulatedValue(fragments: fragments)))
            return try Self.file(set, syntax)
        }
        let stream: [UInt8] = [0xFF, 0xD8, 0xFF, 1, 2, 3, 4, 5, 6, 7, 0xFF, 0xD9]
        let whole = try encapsulated([stream], .jpegBaseline)
        let cut = try encapsulated([Array(stream[..<4]), Array(stream[4...])], .jpegBaseline)
        #expect(try await Self.difference(whole, cut) == nil)
        #expect(try await Self.difference(whole, try encapsulated([stream + [0, 0]], .jpegBaseline)) == "7FE00010")
        #expect(try await Self.difference(whole, try encapsulated([stream], .jpegLossless)) == "7FE00010")
        let native = try Self.file(Self.object(), .explicitVRLittleEndian)
        #expect(try await Self.difference(whole, native) != nil)
    }
}

/// PS3.5 Annex G.
@Suite("RLE frames")
struct RLEFrameTests {
    private func frame(_ segments: [[UInt8]]) -> [UInt8] {
        var header = [UInt8](repeating: 0, count: 64)
        header[0] = UInt8(segments.count)
        var body: [UInt8] = []
        for (index, segment) in segments.enumerated() {
            let offset = 64 + body.count
            header[4 + 4 * index] = UInt8(offset & 0xFF)
            header[5 + 4 * index] = UInt8(offset >> 8)
            body += segment
        }
        return header + body
    }

    @Test("Literal runs, repeats and nothings, and the most significant byte first")
    func runs() {
        #expect(
            RLEFrame.decoded(frame([[2, 1, 2, 3, 128, 0xFE, 9, 0, 7]]), pixels: 7, samples: 1, sampleBytes: 1)
                == [1, 2, 3, 9, 9, 9, 7])
        #expect(
            RLEFrame.decoded(frame([[1, 1, 2], [0xFF, 5, 0]]), pixels: 2, samples: 1, sampleBytes: 2) == [5, 1, 5, 2])
        #expect(
            RLEFrame.decoded(frame([[1, 1, 2], [1, 3, 4], [1, 5, 6]]), pixels: 2, samples: 3, sampleBytes: 1)
                == [1, 3, 5, 2, 4, 6])
        // A run that goes past the last pixel is padding.
        #expect(RLEFrame.decoded(frame([[0x81, 4]]), pixels: 3, samples: 1, sampleBytes: 1) == [4, 4, 4])
    }

    @Test("What is no frame is none, and never more than its pixels")
    func malformed() {
        #expect(RLEFrame.decoded([], pixels: 1, samples: 1, sampleBytes: 1) == nil)
        #expect(RLEFrame.decoded(frame([[0]]), pixels: 1, samples: 1, sampleBytes: 1) == nil)
        #expect(RLEFrame.decoded(frame([[5, 1]]), pixels: 6, samples: 1, sampleBytes: 1) == nil)
        #expect(RLEFrame.decoded(frame([[0, 1]]), pixels: 2, samples: 1, sampleBytes: 1) == nil)
        #expect(RLEFrame.decoded(frame([[0, 1]]), pixels: 1, samples: 1, sampleBytes: 2) == nil)
        #expect(RLEFrame.decoded(frame([[0, 1]]), pixels: 0, samples: 1, sampleBytes: 1) == nil)
        #expect(RLEFrame.decoded(frame([[0, 1]]), pixels: 1, samples: 16, sampleBytes: 1) == nil)
        var lying = frame([[0, 1], [0, 1]])
        lying[8] = 3
        #expect(RLEFrame.decoded(lying, pixels: 1, samples: 2, sampleBytes: 1) == nil)
    }

    @Test("Mutated frames never trap")
    func fuzz() {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("RLEFrameTests.fuzz seed \(seed)")
        var state = seed
        let whole = frame([[2, 1, 2, 3, 0xFE, 9], [5, 1, 2, 3, 4, 5, 6]])
        for _ in 0..<5_000 {
            var bytes = whole
            for _ in 0..<3 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                bytes[Int((state >> 33) % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: state >> 25)
            }
            let decoded = RLEFrame.decoded(bytes, pixels: 6, samples: 1, sampleBytes: 2)
            #expect(decoded == nil || decoded?.count == 12)
        }
    }
}
