import DICOMData
import TestSupport
import Testing

/// PS3.5 §A.4, PS3.10 §7: instances read while their bytes pass by.
@Suite struct InstanceScannerTests {
    static func file(_ syntax: TransferSyntax, _ pixels: DataElement?, after: Bool = false) throws -> [UInt8] {
        var random = RandomDataSets(seed: 99)
        var dataSet = random.dataSet()
        dataSet.removeAll { $0.tag.group == 0x7FE0 }
        dataSet.set(.sopInstanceUID, string: "1.2.3")
        dataSet.set(.rows, int: 4)
        dataSet.set(.columns, int: 4)
        dataSet.set(.bitsAllocated, int: 16)
        dataSet.set(.samplesPerPixel, int: 1)
        dataSet.set(.numberOfFrames, int: 2)
        if let pixels { dataSet[.pixelData] = pixels }
        if after { dataSet.set(.dataSetTrailingPadding, .OB, bytes: [0, 0]) }
        return try Part10File(dataSet: dataSet, transferSyntax: syntax).encode()
    }

    static let native = DataElement(.pixelData, .OW, .bytes((0..<64).map { UInt8($0) }))
    static let encapsulated = DataElement(
        .pixelData, .OB,
        .fragments(
            EncapsulatedValue(
                offsetTable: [0, 14], fragments: [[0xFF, 0xD8, 0xFF, 0xE0, 1, 2], [0xFF, 0xD8, 0xFF, 0xE0], [3, 4]])))

    static func scan(_ bytes: [UInt8], _ pieces: (Int) -> Int) throws(DICOMDataError) -> ScannedInstance {
        var scanner = InstanceScanner()
        var position = 0
        while position < bytes.count {
            let count = max(1, min(bytes.count - position, pieces(position)))
            try scanner.consume(Array(bytes[position..<position + count]))
            position += count
        }
        return try scanner.finish()
    }

    @Test(
        "Any split of the bytes gives the same result; seed 7",
        arguments: [
            (TransferSyntax.explicitVRLittleEndian, Self.native), (.implicitVRLittleEndian, Self.native),
            (.explicitVRBigEndian, Self.native), (.deflatedExplicitVRLittleEndian, Self.native),
            (.jpegBaseline, Self.encapsulated),
        ])
    func anySplit(_ syntax: TransferSyntax, _ pixels: DataElement) throws {
        let bytes = try Self.file(syntax, pixels, after: true)
        let whole = try Self.scan(bytes) { _ in bytes.count }
        #expect(try Self.scan(bytes) { _ in 1 } == whole)
        var random = SeededGenerator(seed: 7)
        for _ in 0..<20 { #expect(try Self.scan(bytes) { _ in Int.random(in: 1...40, using: &random) } == whole) }

        var decoded = try Part10File.decode(bytes)
        var header = whole.dataSet
        #expect(header.contains(.dataSetTrailingPadding))
        decoded.dataSet.remove(.pixelData)
        header.remove(.pixelData)
        let isEqual = header == decoded.dataSet
        #expect(isEqual)
        #expect(whole.meta == decoded.meta)
        #expect(whole.endOffset == bytes.count)
    }

    @Test("The layout gives the bytes of each frame") func frames() throws {
        let bytes = try Self.file(.explicitVRLittleEndian, Self.native)
        let layout = try #require(try Self.scan(bytes) { _ in 17 }.layout)
        #expect(layout.frameCount == 2)
        #expect(layout.frame(0)?.ranges.flatMap { bytes[$0] } == (0..<32).map { UInt8($0) })
        #expect(layout.frame(1)?.ranges.flatMap { bytes[$0] } == (32..<64).map { UInt8($0) })
        #expect(layout.frame(2) == nil)
        #expect(layout.frame(-1) == nil)

        let compressed = try Self.file(.jpegBaseline, Self.encapsulated)
        let fragments = try #require(try Self.scan(compressed) { _ in 5 }.layout)
        #expect(fragments.frame(0)?.ranges.flatMap { compressed[$0] } == [0xFF, 0xD8, 0xFF, 0xE0, 1, 2])
        #expect(fragments.frame(1)?.ranges.flatMap { compressed[$0] } == [0xFF, 0xD8, 0xFF, 0xE0, 3, 4])
    }

    @Test("A bare data set is placed behind the header it will be stored with") func bareDataSet() throws {
        let bytes = try Self.file(.explicitVRLittleEndian, Self.native)
        let inFile = try Self.scan(bytes) { _ in 1_000 }
        var scanner = try InstanceScanner(transferSyntax: .explicitVRLittleEndian, origin: inFile.dataSetOffset)
        try scanner.consume(Array(bytes[inFile.dataSetOffset...]))
        let bare = try scanner.finish()
        #expect(bare.pixelData == inFile.pixelData)
        #expect(bare.meta == nil)
        #expect(bare.dataSetOffset == inFile.dataSetOffset)
        let isEqual = bare.dataSet == inFile.dataSet
        #expect(isEqual)
    }

    @Test("An end inside an element, a value, a fragment or the meta information is an error") func truncated() throws {
        for (syntax, pixels) in [
            (TransferSyntax.explicitVRLittleEndian, Self.native), (.jpegBaseline, Self.encapsulated),
        ] {
            let bytes = try Self.file(syntax, pixels)
            let decoded = try Part10File.decode(bytes)
            var whole = 0
            for count in 0..<bytes.count {
                do {
                    _ = try Self.scan(Array(bytes[..<count])) { _ in 64 }
                    if count >= decoded.dataSetOffset { whole += 1 }
                } catch {
                    #expect(error.offset <= count)
                }
            }
            // Only a cut between two top-level elements leaves a data set.
            #expect(whole == decoded.dataSet.elements.count)
        }
    }

    @Test("Large bulk before the pixel data passes by without being kept") func largeBulk() throws {
        var dataSet = DataSet()
        dataSet.set(.encapsulatedDocument, .OB, bytes: [UInt8](repeating: 5, count: 200_000))
        dataSet.set(.patientID, string: "A")
        let bytes = try Part10File(dataSet: dataSet, transferSyntax: .explicitVRLittleEndian).encode()
        let scanned = try Self.scan(bytes) { _ in 4_096 }
        guard case .external(let value) = scanned.dataSet[.encapsulatedDocument]?.value else {
            Issue.record("kept")
            return
        }
        #expect(value.length == 200_000)
        #expect(bytes[value.offset] == 5)
        #expect(bytes[value.offset - 1] != 5)
    }

    @Test("A sequence larger than the buffer limit is refused, one of that size is not") func bufferLimit() throws {
        var item = DataSet()
        item.set(.textValue, string: String(repeating: "x", count: 10_000))
        var dataSet = DataSet()
        dataSet.set(.requestAttributesSequence, items: [item])
        let bytes = try DataSetEncoder(transferSyntax: .explicitVRLittleEndian, definedLengths: true).encode(dataSet)
        for (limit, code) in [(bytes.count, nil), (bytes.count - 1, DICOMDataError.Code.tooLarge)] {
            var limits = DecodingLimits()
            limits.bufferedBytesMax = limit
            var scanner = try InstanceScanner(transferSyntax: .explicitVRLittleEndian, limits: limits)
            do {
                for start in stride(from: 0, to: bytes.count, by: 1_000) {
                    try scanner.consume(Array(bytes[start..<min(start + 1_000, bytes.count)]))
                }
                _ = try scanner.finish()
                #expect(code == nil)
            } catch {
                #expect(error.code == code)
            }
        }
    }

    @Test(
        "Small elements that together pass the buffer limit are refused, in one piece and in many",
        arguments: [64, .max])
    func keptLimit(piece: Int) throws {
        var dataSet = DataSet()
        for number in 0..<50 {
            dataSet.setPrivate(
                group: 0x11, creator: "KEPT", element: UInt8(number), .LO, bytes: [UInt8](repeating: 65, count: 56))
        }
        dataSet.set(.pixelData, .OW, bytes: [UInt8](repeating: 0, count: 100_000))
        let bytes = try DataSetEncoder(transferSyntax: .explicitVRLittleEndian).encode(dataSet)
        let kept = bytes.count - 100_012
        for (limit, code) in [(kept, nil), (kept - 1, DICOMDataError.Code.tooLarge)] {
            var limits = DecodingLimits()
            limits.bufferedBytesMax = limit
            var scanner = try InstanceScanner(transferSyntax: .explicitVRLittleEndian, limits: limits)
            do {
                var rest = bytes[...]
                while !rest.isEmpty {
                    try scanner.consume(Array(rest.prefix(piece)))
                    rest = rest.dropFirst(piece)
                }
                _ = try scanner.finish()
                #expect(code == nil)
            } catch {
                #expect(error.code == code)
            }
        }
    }

    @Test("PS3.5 §A.5: a deflate bomb is stopped while it arrives") func bomb() throws {
        var dataSet = DataSet()
        dataSet.set(.pixelData, .OW, bytes: [UInt8](repeating: 0, count: 8 << 20))
        let bytes = try Part10File(dataSet: dataSet, transferSyntax: .deflatedExplicitVRLittleEndian).encode()
        do {
            _ = try Self.scan(bytes) { _ in 100 }
            Issue.record("no error")
        } catch {
            #expect(error.code == .deflateBomb)
        }
    }
}

/// PS3.3 §C.7.6.3, PS3.5 §8, §A.4.
@Suite struct PixelDataLayoutTests {
    static func image(rows: Int = 4, columns: Int = 4, bits: Int = 8, samples: Int = 1, frames: Int? = nil) -> DataSet {
        var dataSet = DataSet()
        dataSet.set(.rows, int: rows)
        dataSet.set(.columns, int: columns)
        dataSet.set(.bitsAllocated, int: bits)
        dataSet.set(.samplesPerPixel, int: samples)
        if let frames { dataSet.set(.numberOfFrames, int: frames) }
        return dataSet
    }

    static func fragments(_ lengths: [Int], starts: [Bool] = [], table: [UInt32] = []) -> PixelDataLocation {
        var offset = 1_016
        let fragments = lengths.enumerated().map { index, length in
            defer { offset += length + 8 }
            return PixelDataLocation.Fragment(
                offset: offset, length: length, startsCodestream: index < starts.count && starts[index])
        }
        return PixelDataLocation(
            tag: .pixelData, vr: .OB, offset: 1_000, length: offset - 1_000, basicOffsetTable: table,
            fragments: fragments)
    }

    static func lengths(_ layout: PixelDataLayout?) -> [[Int]]? {
        guard case .encapsulated(let frames) = layout?.kind else { return nil }
        return frames.map { $0.map(\.count) }
    }

    @Test("One fragment a frame, whatever the table says") func oneEach() {
        let layout = PixelDataLayout(
            Self.fragments([10, 20, 30], table: [0, 5, 7]), of: Self.image(frames: 3), transferSyntax: .jpegBaseline)
        #expect(Self.lengths(layout) == [[10], [20], [30]])
    }

    @Test("The Basic Offset Table groups fragments; one that lies is not believed") func basicTable() {
        let honest = Self.fragments([10, 20, 30], table: [0, 46])
        #expect(
            Self.lengths(PixelDataLayout(honest, of: Self.image(frames: 2), transferSyntax: .jpegBaseline)) == [
                [10, 20], [30],
            ])
        for table: [UInt32] in [[0, 47], [18, 46], [0], [0, 46, 90], [46, 0], [0, .max]] {
            let lying = PixelDataLayout(
                Self.fragments([10, 20, 30], table: table), of: Self.image(frames: 2), transferSyntax: .jpegBaseline)
            #expect(Self.lengths(lying) == nil, "\(table)")
            #expect(lying?.frame(0) == nil)
            let starts = PixelDataLayout(
                Self.fragments([10, 20, 30], starts: [true, true, false], table: table), of: Self.image(frames: 2),
                transferSyntax: .jpegBaseline)
            #expect(Self.lengths(starts) == [[10], [20, 30]], "\(table)")
        }
    }

    @Test("PS3.3 §C.7.6.3.1.8: the Extended Offset Table goes before the Basic one") func extendedTable() {
        var image = Self.image(frames: 2)
        image.set(.extendedOffsetTable, .OV, bytes: hex("0000000000000000 1200000000000000"))
        let layout = PixelDataLayout(
            Self.fragments([10, 20, 30], table: [0, 46]), of: image, transferSyntax: .jpegBaseline)
        #expect(Self.lengths(layout) == [[10], [20, 30]])
    }

    @Test("One frame has all fragments; frames of a video have no bytes of their own") func oneFrame() {
        let one = PixelDataLayout(Self.fragments([10, 20]), of: Self.image(), transferSyntax: .jpegBaseline)
        #expect(one?.frame(0)?.byteCount == 30)
        let video = PixelDataLayout(
            Self.fragments([10, 20]), of: Self.image(frames: 90), transferSyntax: .jpegBaseline)
        #expect(video?.frame(0) == nil)
        #expect(video?.frameCount == 90)
    }

    @Test("Native frames lie one behind the other; a short value has no last frame") func native() {
        let location = PixelDataLocation(tag: .pixelData, vr: .OW, offset: 100, length: 63)
        let layout = PixelDataLayout(
            location, of: Self.image(bits: 16, frames: 2), transferSyntax: .explicitVRBigEndian)
        #expect(layout?.frame(0)?.ranges == [100..<132])
        #expect(layout?.frame(1) == nil)
        #expect(layout?.isBigEndian == true)
        #expect(layout?.wordSize == 2)
    }

    @Test("PS3.5 §8.1.1: frames of one bit a pixel need not begin at a byte") func oneBit() {
        let location = PixelDataLocation(tag: .pixelData, vr: .OB, offset: 0, length: 100)
        let layout = PixelDataLayout(
            location, of: Self.image(rows: 3, columns: 3, bits: 1, frames: 4), transferSyntax: .explicitVRLittleEndian)
        #expect(layout?.frame(1)?.ranges == [1..<3])
        #expect(layout?.frame(1)?.bitOffset == 1)
        #expect(layout?.frame(3)?.ranges == [3..<5])
        #expect(layout?.frame(3)?.bitOffset == 3)
    }

    @Test("Hostile dimensions give no layout, hostile frame numbers no frame") func hostile() {
        let location = PixelDataLocation(tag: .pixelData, vr: .OB, offset: 0, length: 100)
        func layout(_ image: DataSet) -> PixelDataLayout? {
            PixelDataLayout(location, of: image, transferSyntax: .explicitVRLittleEndian)
        }
        #expect(layout(DataSet()) == nil)
        #expect(layout(Self.image(rows: 0)) == nil)
        #expect(layout(Self.image(bits: 0)) == nil)
        #expect(layout(Self.image(samples: 0)) == nil)
        #expect(layout(Self.image(rows: 65_535, columns: 65_535, bits: 64, samples: 16)) == nil)
        var huge = Self.image()
        huge.set(.numberOfFrames, .IS, string: "999999999999999999")
        #expect(layout(huge)?.frame(999_999_999_999_999_998) == nil)
        #expect(layout(huge)?.frame(.max) == nil)
        var long = Self.image()
        long.set(.rows, .UL, bytes: [0xFF, 0xFF, 0xFF, 0xFF])
        #expect(layout(long) == nil)
    }

    @Test("Fragments are found in any split, and their offsets are true") func scanner() throws {
        let value = EncapsulatedValue(offsetTable: [0], fragments: [[0xFF, 0xD8, 0xFF, 1], [], [2, 3]])
        let bytes = value.encoded + [9, 9]
        for size in 1...bytes.count {
            var scanner = FragmentScanner(offset: 500)
            var position = 0
            while position < bytes.count, !scanner.isAtEnd {
                let piece = Array(bytes[position..<min(position + size, bytes.count)])
                position += try piece.withUnsafeBytes { try scanner.consume($0) }
            }
            #expect(scanner.isAtEnd)
            #expect(scanner.consumedBytes == bytes.count - 2)
            #expect(scanner.basicOffsetTable == [0])
            #expect(scanner.fragments.map(\.length) == [4, 0, 2])
            #expect(scanner.fragments.map(\.startsCodestream) == [true, false, false])
            for (fragment, expected) in zip(scanner.fragments, value.fragments) {
                #expect(Array(bytes[fragment.offset - 500..<fragment.offset - 500 + fragment.length]) == expected)
            }
        }
    }

    @Test("What is no item among fragments is refused") func wrongItem() {
        #expect(throws: DICOMDataError.self) {
            var scanner = FragmentScanner(offset: 0)
            _ = try hex("10002000 00000000").withUnsafeBytes { try scanner.consume($0) }
        }
        #expect(throws: DICOMDataError.self) {
            var scanner = FragmentScanner(offset: 0)
            _ = try hex("FEFF00E0 FFFFFFFF").withUnsafeBytes { try scanner.consume($0) }
        }
    }
}
