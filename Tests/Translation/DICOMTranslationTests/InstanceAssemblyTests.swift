import DICOMData
import Testing

@testable import DICOMTranslation

/// Instances from metadata and bulk data that came apart. PS3.18 §10.5.1.2, §8.7.3; PS3.5 §A.4.
@Suite struct InstanceAssemblyTests {
    private static let octets = "application/octet-stream"

    private static func part(_ bytes: [UInt8], _ type: String = octets, _ syntax: String? = nil) -> BulkPart {
        BulkPart(mediaType: type, transferSyntaxUID: syntax, content: .bytes(bytes))
    }

    /// A grey image of two lines of three pixels of 8 bits, whose pixels are at place 0.
    private static func image(_ change: (inout DataSet) -> Void = { _ in }) -> DataSet {
        var set = DataSet()
        set.set(.sopClassUID, string: "1.2.840.10008.5.1.4.1.1.7")
        set.set(.sopInstanceUID, string: "1.2.3.4")
        set.set(.studyInstanceUID, string: "1.2")
        set.set(.seriesInstanceUID, string: "1.2.3")
        set.set(.modality, string: "OT")
        set.set(.samplesPerPixel, int: 1)
        set.set(.photometricInterpretation, string: "MONOCHROME2")
        set.set(.rows, int: 2)
        set.set(.columns, int: 3)
        set.set(.bitsAllocated, int: 8)
        set.set(.bitsStored, int: 8)
        set.set(.highBit, int: 7)
        set.set(.pixelRepresentation, int: 0)
        set[.pixelData] = external(.pixelData, .OW)
        change(&set)
        return set
    }

    private static func external(_ tag: DICOMData.Tag, _ vr: VR, place: Int = 0) -> DataElement {
        DataElement(tag, vr, .external(ExternalValue(offset: place, length: nil)))
    }

    private static func document(_ change: (inout DataSet) -> Void = { _ in }) -> DataSet {
        var set = DataSet()
        set.set(.sopInstanceUID, string: "1.2.3.4")
        set.set(.studyInstanceUID, string: "1.2")
        set.set(.seriesInstanceUID, string: "1.2.3")
        set.set(.modality, string: "DOC")
        set[.encapsulatedDocument] = external(.encapsulatedDocument, .OB)
        change(&set)
        return set
    }

    private static func assembled(_ set: DataSet, _ parts: BulkPart...) async throws -> InstanceAssembly {
        try await InstanceAssembly(set) { $0 == 0 ? parts : [] }
    }

    private static func read(_ assembly: InstanceAssembly) async throws -> DataSet {
        var bytes: [UInt8] = []
        for piece in assembly.pieces {
            switch piece {
            case .bytes(let own): bytes += own
            case .part(let part): bytes += try await part.read(at: 0, upTo: Int(part.count))
            }
        }
        return try DataSetDecoder(transferSyntax: assembly.transferSyntax).decode(bytes)
    }

    private static func refused(
        _ code: IngestFailure.Code, _ set: DataSet, _ parts: BulkPart..., line: SourceLocation = #_sourceLocation
    ) async {
        await #expect(throws: IngestFailure(code), sourceLocation: line) {
            _ = try await InstanceAssembly(set) { $0 == 0 ? parts : [] }
        }
    }

    // MARK: Refused

    @Test("Bulk data that is no part of the request makes no instance, in items either")
    func elsewhere() async {
        await Self.refused(.notUnderstood, Self.image())
        await Self.refused(.notUnderstood, Self.document())
        let set = Self.image { set in
            var item = DataSet()
            item[DICOMData.Tag(0x0040, 0xA30C)] = Self.external(DICOMData.Tag(0x0040, 0xA30C), .OB, place: 7)
            set.set(.contentSequence, items: [item])
        }
        await Self.refused(.notUnderstood, set, Self.part([UInt8](repeating: 1, count: 6)))
        await Self.refused(.notUnderstood, Self.image(), Self.part([1]), Self.part([2]))
    }

    @Test("What describes the pixels must be there, be possible, and give as many bytes as came: one less, one more")
    func description() async throws {
        let six = Self.part([UInt8](repeating: 1, count: 6))
        for tag in [
            DICOMData.Tag.rows, .columns, .samplesPerPixel, .bitsAllocated, .bitsStored, .highBit, .pixelRepresentation,
            .photometricInterpretation, .modality,
        ] {
            await Self.refused(.classMismatch, Self.image { $0.remove(tag) }, six)
        }
        for tag in [DICOMData.Tag.rows, .columns, .samplesPerPixel, .bitsAllocated, .bitsStored] {
            await Self.refused(.classMismatch, Self.image { $0.set(tag, int: 0) }, six)
        }
        await Self.refused(.classMismatch, Self.image { $0.set(.highBit, int: 6) }, six)
        await Self.refused(.classMismatch, Self.image { $0.set(.numberOfFrames, string: "-1") }, six)
        await Self.refused(.classMismatch, Self.image { $0.set(.numberOfFrames, string: "2147483647") }, six)
        await Self.refused(.classMismatch, Self.image { $0.remove(.pixelData) })
        for count in [0, 5, 7, 8] {
            await Self.refused(.classMismatch, Self.image(), Self.part([UInt8](repeating: 1, count: count)))
        }
        await Self.refused(.missingUID, Self.image { $0.remove(.sopInstanceUID) }, six)
        await Self.refused(.missingUID, Self.image { $0.set(.sopClassUID, string: "../1") }, six)
        _ = try await Self.assembled(Self.image(), six)
    }

    @Test("Values in memory are at most so many bytes together, however often a part is named, and asked for before")
    func values() async throws {
        let quarter = Self.part([UInt8](repeating: 1, count: Int(InstanceAssembly.valueBytesMax) / 4))
        let pixels = Self.part([UInt8](repeating: 1, count: 6))
        func set(_ values: Int) -> DataSet {
            Self.image { set in
                for number in 0..<values {
                    let tag = DICOMData.Tag(0x5400, UInt16(0x1000 + number))
                    set[tag] = Self.external(tag, .OB, place: 1)
                }
            }
        }
        func assemble(_ values: Int, mayHold: @Sendable (Int) -> Bool = { _ in true }) async throws {
            _ = try await InstanceAssembly(set(values), mayHold: mayHold) { [$0 == 0 ? pixels : quarter] }
        }
        try await assemble(4)
        await #expect(throws: IngestFailure(.headerTooLarge)) { try await assemble(5) }
        await #expect(throws: IngestFailure(.outOfResources)) {
            try await assemble(2) { $0 < InstanceAssembly.valueBytesMax }
        }
        let assembly = try await InstanceAssembly(set(1)) { [$0 == 0 ? pixels : quarter] }
        #expect(assembly.partBytes == 6)
    }

    @Test("Compressed pixels that end within the tag or the length of their first item make no instance")
    func cutItem() async {
        let item: [UInt8] = [0xFE, 0xFF, 0x00, 0xE0, 0, 0, 0, 0]
        for count in 4..<8 {
            await Self.refused(
                .notUnderstood, Self.image(),
                Self.part(Array(item.prefix(count)), Self.octets, TransferSyntax.rleLossless.uid))
        }
    }

    @Test("Another transfer syntax than the media type has, big endian, deflated and video of none are not taken")
    func syntaxes() async {
        let six = [UInt8](repeating: 1, count: 6)
        for (type, syntax) in [
            (Self.octets, "1.2.840.10008.1.2.2"), (Self.octets, "1.2.840.10008.1.2.1.99"), (Self.octets, "1.2.3"),
            ("image/jpeg", "1.2.840.10008.1.2.4.90"), ("image/jp2", "1.2.840.10008.1.2.1"),
            ("video/mpeg", nil), ("video/mp4", nil), ("video/mp4", "1.2.840.10008.1.2.4.100"),
            ("video/mpeg2", "1.2.840.10008.1.2.4.102"), ("video/mpeg", "1.2.840.10008.1.2.4.102"),
            ("video/h265", "1.2.840.10008.1.2.4.106"), ("image/png", nil), ("image/jpeg", nil), ("image/jp2", nil),
            ("image/jls", nil),
        ] as [(String, String?)] {
            await Self.refused(.transferSyntaxNotSupported, Self.image(), Self.part(six, type, syntax))
        }
        // A file of boxes around a codestream.
        let boxes: [UInt8] = [0, 0, 0, 12, 0x6A, 0x50, 0x20, 0x20, 0x0D, 0x0A, 0x87, 0x0A]
        await Self.refused(.transferSyntaxNotSupported, Self.image(), Self.part(boxes, "image/jp2"))
    }

    @Test("Frames: as many as are described, and all of one kind")
    func frames() async {
        let frame = Self.part([0xFF, 0xD8, 0xFF, 0xD9], "image/jpeg", "1.2.840.10008.1.2.4.50")
        let two = Self.image { $0.set(.numberOfFrames, string: "2") }
        await Self.refused(.classMismatch, two, frame)
        await Self.refused(.classMismatch, two, frame, frame, frame)
        await Self.refused(
            .notUnderstood, two, frame, Self.part([0xFF, 0xD8], "image/jpeg", "1.2.840.10008.1.2.4.51"))
    }

    /// 300 frames of colour.
    private static func film() -> DataSet {
        image { set in
            set.set(.samplesPerPixel, int: 3)
            set.set(.photometricInterpretation, string: "YBR_PARTIAL_420")
            set.set(.numberOfFrames, string: "300")
        }
    }

    private static func packets(_ count: Int) -> [UInt8] {
        (0..<count).flatMap { _ in [0x47] + [UInt8](repeating: 1, count: 187) }
    }

    @Test("PS3.5 §8.2.7: video is one stream in one fragment behind an empty offset table, however many frames it has")
    func video() async throws {
        let boxes: [UInt8] = [0, 0, 0, 12] + Array("ftypmp42".utf8) + [9]
        for (type, syntax, stream) in [
            ("video/mp4", "1.2.840.10008.1.2.4.102", boxes), ("video/mp4", "1.2.840.10008.1.2.4.106", Self.packets(2)),
            ("video/h265", "1.2.840.10008.1.2.4.107", [0, 0, 0, 1, 0x40]),
            ("video/mpeg2", "1.2.840.10008.1.2.4.100", [0, 0, 1, 0xBA]),
            ("video/mpeg", "1.2.840.10008.1.2.4.101", [0, 0, 1, 0xB3]),
            (Self.octets, "1.2.840.10008.1.2.4.102", boxes), ("video/mp4", "1.2.840.10008.1.2.4.102.1", boxes),
        ] {
            let assembly = try await Self.assembled(Self.film(), Self.part(stream, type, syntax))
            #expect(assembly.transferSyntax.uid == syntax)
            let even = stream + (stream.count % 2 == 1 ? [0] : [])
            #expect(
                try await Self.read(assembly)[.pixelData]?.value == .fragments(EncapsulatedValue(fragments: [even])),
                "\(type) \(syntax)")
        }
    }

    @Test(
        "What does not begin as its video does, is no stream or several, or of a film that is not described, is refused"
    )
    func videoRefused() async {
        let (mp4, mpeg) = ("1.2.840.10008.1.2.4.102", "1.2.840.10008.1.2.4.100")
        let boxes: [UInt8] = [0, 0, 0, 12] + Array("ftypmp42".utf8)
        for stream in [[], [0, 0], Array(boxes.prefix(7)), Array("%PDF-1.7".utf8), Array(Self.packets(1).dropLast())] {
            await Self.refused(.classMismatch, Self.film(), Self.part(stream, "video/mp4", mp4))
        }
        var broken = Self.packets(2)
        broken[188] = 0
        await Self.refused(.classMismatch, Self.film(), Self.part(broken, "video/mp4", mp4))
        // A file of boxes holds no MPEG-2 here.
        await Self.refused(.classMismatch, Self.film(), Self.part(boxes, "video/mpeg2", mpeg))
        let part = Self.part(boxes, "video/mp4", mp4)
        await Self.refused(.classMismatch, Self.film(), part, part)
        var undescribed = Self.film()
        undescribed.remove(.rows)
        await Self.refused(.classMismatch, undescribed, part)
    }

    @Test("A document is what its part and its class say, or is refused")
    func documents() async {
        let pdf = Self.part(Array("%PDF-1.7\n".utf8), "application/pdf")
        await Self.refused(.classMismatch, Self.document(), Self.part(Array("<svg/>".utf8), "application/pdf"))
        await Self.refused(.classMismatch, Self.document(), Self.part(Array("%PDF-".utf8), "text/xml"))
        await Self.refused(.classMismatch, Self.document(), Self.part(Array("%PDF-".utf8), "text/html"))
        await Self.refused(.classMismatch, Self.document(), Self.part(Array("%PDF-".utf8), Self.octets))
        await Self.refused(
            .classMismatch, Self.document { $0.set(.sopClassUID, string: UID.encapsulatedCDA) }, pdf)
        await Self.refused(
            .classMismatch, Self.document { $0.set(.mimeTypeOfEncapsulatedDocument, string: "text/XML") }, pdf)
        let facets = [UInt8](repeating: 0, count: 80) + [2, 0, 0, 0]
        for count in [83, 84, 134, 183, 185] {
            let bytes = Array((facets + [UInt8](repeating: 1, count: 200)).prefix(count))
            await Self.refused(.classMismatch, Self.document(), Self.part(bytes, "model/stl"))
        }
    }

    @Test("A value above the limit does not come into memory")
    func large() async throws {
        let most = Int(InstanceAssembly.valueBytesMax)
        let set = Self.document {
            $0[DICOMData.Tag(0x0042, 0x0016)] = Self.external(DICOMData.Tag(0x0042, 0x0016), .OB, place: 1)
        }
        let pdf = Self.part(Array("%PDF-1.7\n".utf8), "application/pdf")
        for (count, isTaken) in [(most, true), (most + 1, false)] {
            let value = Self.part([UInt8](repeating: 1, count: count))
            let parts: @Sendable (Int) -> [BulkPart] = { $0 == 0 ? [pdf] : [value] }
            if isTaken {
                _ = try await InstanceAssembly(set, parts: parts)
            } else {
                await #expect(throws: IngestFailure(.headerTooLarge)) {
                    _ = try await InstanceAssembly(set, parts: parts)
                }
            }
        }
    }

    // MARK: Made

    @Test("Native pixels are Explicit VR Little Endian, padded, in their place between other elements")
    func native() async throws {
        let pixels: [UInt8] = [1, 2, 3, 4, 5]
        let set = Self.image {
            $0.set(.rows, int: 1)
            $0.set(.columns, int: 5)
            $0.set(DICOMData.Tag(0xFFFC, 0xFFFC), .OB, bytes: [0, 0])
            $0[.pixelData] = Self.external(.pixelData, .OB)
        }
        let assembly = try await Self.assembled(set, Self.part(pixels))
        #expect(assembly.transferSyntax == .explicitVRLittleEndian)
        let read = try await Self.read(assembly)
        #expect(read.bytes(.pixelData) == pixels + [0])
        #expect(read[.pixelData]?.vr == .OB)
        #expect(read.contains(DICOMData.Tag(0xFFFC, 0xFFFC)))
        let wide = Self.image {
            for (tag, value) in [(DICOMData.Tag.bitsAllocated, 16), (.bitsStored, 12), (.highBit, 11)] {
                $0.set(tag, int: value)
            }
            $0[.pixelData] = Self.external(.pixelData, .OB)
        }
        let words = try await Self.read(Self.assembled(wide, Self.part([UInt8](repeating: 1, count: 12))))
        #expect(words[.pixelData]?.vr == .OW)
        let inline = Self.image { $0.set(.pixelData, .OB, bytes: [1, 2, 3, 4, 5, 6]) }
        #expect(try await Self.read(Self.assembled(inline)).bytes(.pixelData) == [1, 2, 3, 4, 5, 6])
        await Self.refused(.classMismatch, Self.image { $0.set(.pixelData, .OB, bytes: [1, 2, 3, 4]) })
    }

    @Test("Each compressed frame is an item behind an empty offset table; the syntax is that of the bitstream")
    func compressed() async throws {
        let two = Self.image { $0.set(.numberOfFrames, string: "2") }
        let baseline: [UInt8] = [0xFF, 0xD8, 0xFF, 0xC0, 0, 3, 8, 0xFF, 0xD9]
        let assembly = try await Self.assembled(
            two, Self.part(baseline, "image/jpeg"), Self.part(baseline + [0], "image/jpeg"))
        #expect(assembly.transferSyntax == .jpegBaseline)
        guard case .fragments(let value)? = try await Self.read(assembly)[.pixelData]?.value else {
            Issue.record("no fragments")
            return
        }
        #expect(value == EncapsulatedValue(fragments: [baseline + [0], baseline + [0]]))
        // The value field of a file, with its delimiter and without.
        let field = value.encodedItems
        for ending in [[], [0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0] as [UInt8]] {
            let whole = try await Self.assembled(two, Self.part(field + ending, Self.octets, "1.2.840.10008.1.2.4.50"))
            #expect(try await Self.read(whole)[.pixelData]?.value == .fragments(value))
        }
    }

    @Test("A bitstream tells its transfer syntax; one that is cut anywhere tells none, or its own")
    func bitstreams() {
        let lossless: [UInt8] = [0xFF, 0xD8, 0xFF, 0xC3, 0, 3, 8, 0xFF, 0xDA, 0, 8, 1, 1, 0, 1, 0, 0]
        let ls: [UInt8] = [0xFF, 0xD8, 0xFF, 0xF7, 0, 3, 8, 0xFF, 0xDA, 0, 8, 1, 1, 0, 0, 0, 0]
        let j2k: [UInt8] = [0xFF, 0x4F, 0xFF, 0x51, 0, 3, 0, 0xFF, 0x52, 0, 12, 0, 0, 0, 1, 0, 5, 4, 4, 0, 1]
        func changed(_ bytes: [UInt8], _ place: Int, _ value: UInt8) -> [UInt8] {
            var bytes = bytes
            bytes[place] = value
            return bytes
        }
        let cases: [(String, [UInt8], TransferSyntax?)] = [
            ("image/jpeg", lossless, .jpegLosslessSV1), ("image/jpeg", changed(lossless, 14, 2), .jpegLossless),
            ("image/jpeg", changed(lossless, 3, 0xC1), .jpegExtended), ("image/jpeg", changed(lossless, 3, 0xC2), nil),
            ("image/jls", ls, .jpegLSLossless), ("image/jls", changed(ls, 14, 3), .jpegLSNearLossless),
            ("image/jls", lossless, nil), ("image/jp2", j2k, .jpeg2000Lossless),
            ("image/jp2", changed(j2k, 20, 0), .jpeg2000), ("image/jphc", j2k, .htj2kLossless),
            ("image/jpx", changed(j2k, 20, 0), .jpeg2000Part2), ("image/dicom-rle", [], .rleLossless),
            ("application/pdf", j2k, nil),
        ]
        for (type, bytes, expected) in cases {
            #expect(BitstreamSyntax.transferSyntax(type, bytes) == expected, "\(type) \(bytes)")
            for count in bytes.indices {
                let cut = BitstreamSyntax.transferSyntax(type, Array(bytes.prefix(count)))
                #expect(cut == nil || cut == expected || type == "image/dicom-rle", "\(type) \(count)")
            }
        }
    }

    @Test("PDF, CDA and STL become objects of their classes, with MIME type and length")
    func encapsulated() async throws {
        let stl = [UInt8](repeating: 0, count: 80) + [1, 0, 0, 0] + [UInt8](repeating: 1, count: 50)
        let kinds: [(String, [UInt8], String, String)] = [
            ("application/pdf", Array("%PDF-1.7\n".utf8), UID.encapsulatedPDF, "application/pdf"),
            ("text/xml", Array("<ClinicalDocument/>".utf8), UID.encapsulatedCDA, "text/XML"),
            ("application/xml", [0xEF, 0xBB, 0xBF] + Array(" <a/>".utf8), UID.encapsulatedCDA, "text/XML"),
            ("model/stl", stl, UID.encapsulatedSTL, "model/stl"),
        ]
        for (type, bytes, classUID, mime) in kinds {
            let assembly = try await Self.assembled(Self.document(), Self.part(bytes, type))
            #expect(assembly.sopClassUID == classUID)
            let read = try await Self.read(assembly)
            #expect(read.uid(.sopClassUID) == classUID)
            #expect(read.string(.mimeTypeOfEncapsulatedDocument) == mime)
            #expect(read.int(.encapsulatedDocumentLength) == bytes.count)
            #expect(read.bytes(.encapsulatedDocument) == bytes + (bytes.count % 2 == 1 ? [0] : []))
        }
    }
}

extension EncapsulatedValue {
    /// The items of the value field, without the delimiter. PS3.5 §A.4.
    fileprivate var encodedItems: [UInt8] {
        ([[]] + fragments).flatMap { fragment in
            let length = UInt32(fragment.count)
            return [0xFE, 0xFF, 0x00, 0xE0] + (0..<4).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + fragment
        }
    }
}
