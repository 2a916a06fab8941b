import DICOMData
import Testing

/// PS3.5 §7, Annex A.
@Suite struct DataSetDecoderTests {
    static let explicit = DataSetDecoder(transferSyntax: .explicitVRLittleEndian)
    static let implicit = DataSetDecoder(transferSyntax: .implicitVRLittleEndian)

    static func code(_ body: () throws -> Void) -> DICOMDataError.Code? {
        do {
            try body()
            return nil
        } catch {
            return (error as? DICOMDataError)?.code
        }
    }

    @Test("Every cut of a data set is an error with an offset inside it, or a whole shorter data set") func truncation()
        throws
    {
        var item = DataSet()
        item.set(.patientID, string: "inner")
        var dataSet = DataSet()
        dataSet.set(.patientName, string: "Doe^Jane")
        dataSet.set(.requestAttributesSequence, items: [item])
        dataSet.set(.rows, int: 3)
        for syntax in [TransferSyntax.implicitVRLittleEndian, .explicitVRLittleEndian, .explicitVRBigEndian] {
            for defined in [false, true] {
                let bytes = try DataSetEncoder(transferSyntax: syntax, definedLengths: defined).encode(dataSet)
                for count in 0..<bytes.count {
                    do {
                        let part = try DataSetDecoder(transferSyntax: syntax).decode(bytes[..<count])
                        #expect(part.elements.count < dataSet.elements.count)
                    } catch {
                        #expect(error.offset <= count)
                    }
                }
            }
        }
    }

    @Test("PS3.5 §7.1.2: lengths beyond the data are refused before anything is allocated") func lengthBeyondData() {
        let long = explicitElement(.encapsulatedDocument, .OB, [1, 2], length: 0xFFFF_FFF0)
        #expect(Self.code { _ = try Self.explicit.decode(long) } == .truncated)
        let inner = explicitElement(.patientID, .LO, [], length: 40)
        let sequence = explicitElement(.requestAttributesSequence, .SQ, itemHeader(.item, UInt32(inner.count)) + inner)
        let behind = explicitElement(.rows, .US, [UInt8](repeating: 0, count: 60))
        #expect(Self.code { _ = try Self.explicit.decode(sequence + behind) } == .lengthBeyondParent)
    }

    @Test("PS3.5 §7.5: nesting is bounded, at the limit and one past it") func depth() {
        func nested(_ levels: Int) -> [UInt8] {
            var bytes: [UInt8] = []
            for _ in 0..<levels {
                bytes +=
                    explicitElement(.requestAttributesSequence, .SQ, [], length: 0xFFFF_FFFF)
                    + itemHeader(.item, 0xFFFF_FFFF)
            }
            for _ in 0..<levels { bytes += itemHeader(.itemDelimitation, 0) + itemHeader(.sequenceDelimitation, 0) }
            return bytes
        }
        #expect(Self.code { _ = try Self.explicit.decode(nested(16)) } == nil)
        #expect(Self.code { _ = try Self.explicit.decode(nested(17)) } == .tooDeep)
        #expect(Self.code { _ = try Self.explicit.decode(nested(20_000)) } == .tooDeep)
    }

    @Test("Elements and items are counted, at the limit and one past it") func counts() {
        var limits = DecodingLimits()
        limits.elementsMax = 3
        limits.itemsMax = 2
        let decoder = DataSetDecoder(transferSyntax: .explicitVRLittleEndian, limits: limits)
        func elements(_ count: UInt16) -> [UInt8] {
            (0..<count).flatMap { explicitElement(Tag(0x0009, 0x1000 + $0), .LO, []) }
        }
        #expect(Self.code { _ = try decoder.decode(elements(3)) } == nil)
        #expect(Self.code { _ = try decoder.decode(elements(4)) } == .tooMany)
        func items(_ count: Int) -> [UInt8] {
            explicitElement(.requestAttributesSequence, .SQ, (0..<count).flatMap { _ in itemHeader(.item, 0) })
        }
        #expect(Self.code { _ = try decoder.decode(items(2)) } == nil)
        #expect(Self.code { _ = try decoder.decode(items(3)) } == .tooMany)
    }

    /// Elements of Implicit VR, the last tag first.
    private static func backwards(_ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        for number in (0..<count).reversed() {
            let tag = Tag(UInt16(0x0009 + 2 * (number >> 15)), UInt16(0x8000 | number & 0x7FFF))
            bytes += implicitElement(tag, [])
        }
        return bytes
    }

    @Test("PS3.5 §7.1: elements that are out of order are put in order, as long as that costs little")
    func outOfOrder() throws {
        let decoder = DataSetDecoder(transferSyntax: .implicitVRLittleEndian)
        let decoded = try decoder.decode(Self.backwards(2_000))
        #expect(decoded.elements.count == 2_000 && decoded.elements.map(\.tag) == decoded.elements.map(\.tag).sorted())
        var limits = DecodingLimits()
        // The last of three makes room twice, the one before it once.
        limits.disorderMax = 3
        let strict = DataSetDecoder(transferSyntax: .implicitVRLittleEndian, limits: limits)
        #expect(Self.code { _ = try strict.decode(Self.backwards(3)) } == nil)
        #expect(Self.code { _ = try strict.decode(Self.backwards(4)) } == .tooMany)
    }

    @Test("A header that is written backwards is refused within seconds", .timeLimit(.minutes(10))) func manyBackwards()
    {
        let bytes = Self.backwards(400_000)
        #expect(Self.code { _ = try DataSetDecoder(transferSyntax: .implicitVRLittleEndian).decode(bytes) } == .tooMany)
    }

    @Test("The character set of many items is not changed again and again") func manyCharacterSets() {
        let items = explicitElement(
            .requestAttributesSequence, .SQ, (0..<1_000).flatMap { _ in itemHeader(.item, 0) })
        let changes = (0..<20_000).flatMap {
            explicitElement(.specificCharacterSet, .CS, Array($0 % 2 == 0 ? "ISO_IR 100".utf8 : "ISO_IR 101".utf8))
        }
        #expect(Self.code { _ = try Self.explicit.decode(items + changes) } == .tooMany)
    }

    @Test("Zeros before a byte that is none are read once", .timeLimit(.minutes(10))) func manyZeros() throws {
        let bytes = [UInt8](repeating: 0, count: 8 * 900_000) + implicitElement(.patientID, Array("AB".utf8))
        let decoded = try DataSetDecoder(transferSyntax: .implicitVRLittleEndian).decode(bytes)
        #expect(decoded.string(.patientID) == "AB")
    }

    @Test("PS3.5 §7.5: an element where an item belongs, and a delimiter where none does") func wrongTags() {
        let noItem = explicitElement(
            .requestAttributesSequence, .SQ, explicitElement(.patientID, .LO, Array("ABCD".utf8)))
        #expect(Self.code { _ = try Self.explicit.decode(noItem) } == .unexpectedTag)
        let unendedItem =
            explicitElement(.requestAttributesSequence, .SQ, [], length: 0xFFFF_FFFF)
            + itemHeader(.item, 0xFFFF_FFFF) + itemHeader(.sequenceDelimitation, 0)
        #expect(Self.code { _ = try Self.explicit.decode(unendedItem) } == .unexpectedTag)
        #expect(Self.code { _ = try Self.explicit.decode(itemHeader(.item, 0)) } == .unexpectedTag)
        #expect(Self.code { _ = try Self.explicit.decode(itemHeader(.itemDelimitation, 0)) } == nil)
    }

    @Test("PS3.5 §7.1.2: undefined length belongs to SQ, UN and encapsulated pixel data only") func undefinedLength() {
        let text = explicitElement(.textValue, .UT, [], length: 0xFFFF_FFFF)
        #expect(Self.code { _ = try Self.explicit.decode(text) } == .undefinedLength)
    }

    @Test("PS3.5 §6.2.2: UN of undefined length is a sequence in Implicit VR Little Endian, in any syntax")
    func unknownSequence() throws {
        let tag = Tag(0x0029, 0x1010)
        let item =
            itemHeader(.item, 0xFFFF_FFFF) + implicitElement(.patientID, Array("ABCD".utf8))
            + itemHeader(.itemDelimitation, 0)
        let little = explicitElement(tag, .UN, [], length: 0xFFFF_FFFF) + item + itemHeader(.sequenceDelimitation, 0)
        #expect(try Self.explicit.decode(little).items(tag).first?.string(.patientID) == "ABCD")
        let big = hex("0029 1010 554E 0000 FFFFFFFF") + item + itemHeader(.sequenceDelimitation, 0)
        let dataSet = try DataSetDecoder(transferSyntax: .explicitVRBigEndian).decode(big)
        #expect(dataSet.items(tag).first?.string(.patientID) == "ABCD")
    }

    @Test("PS3.5 §6.2.2: a known attribute sent as UN gets its VR back; one that does not parse stays UN")
    func knownUnknown() throws {
        let known = try Self.explicit.decode(explicitElement(.patientName, .UN, Array("Doe^Jane".utf8)))
        #expect(known[.patientName]?.vr == .PN)
        let broken = try Self.explicit.decode(explicitElement(.requestAttributesSequence, .UN, [1, 2, 3, 4]))
        #expect(broken[.requestAttributesSequence]?.vr == .UN)
        let item = itemHeader(.item, 12) + implicitElement(.patientID, Array("ABCD".utf8))
        let sequence = try Self.explicit.decode(explicitElement(.requestAttributesSequence, .UN, item))
        #expect(sequence.items(.requestAttributesSequence).first?.string(.patientID) == "ABCD")
    }

    @Test("PS3.5 §7.3: numbers of every width are kept in little endian") func byteOrder() throws {
        let bytes =
            hex("0028 0010 5553 0002 0200") + hex("0028 9503 5353 0002 FFFE")
            + hex("7FE0 0010 4F57 0000 00000004 0102 0304")
        let dataSet = try DataSetDecoder(transferSyntax: .explicitVRBigEndian).decode(bytes)
        #expect(dataSet.int(.rows) == 512)
        #expect(dataSet.ints(Tag(0x0028, 0x9503)) == [-2])
        #expect(dataSet.bytes(.pixelData) == [2, 1, 4, 3])
        #expect(try DataSetEncoder(transferSyntax: .explicitVRBigEndian).encode(dataSet) == bytes)
    }

    @Test("PS3.6: in Implicit VR the pixel representation decides US or SS, in items too") func openVRs() throws {
        let smallest = Tag(0x0028, 0x0106)
        let signed = implicitElement(.pixelRepresentation, [1, 0]) + implicitElement(smallest, [0xFF, 0xFF])
        #expect(try Self.implicit.decode(signed).ints(smallest) == [-1])
        let unsigned = implicitElement(.pixelRepresentation, [0, 0]) + implicitElement(smallest, [0xFF, 0xFF])
        #expect(try Self.implicit.decode(unsigned).ints(smallest) == [65_535])
        let item = itemHeader(.item, 10) + implicitElement(smallest, [0xFE, 0xFF])
        let nested = implicitElement(.pixelRepresentation, [1, 0]) + implicitElement(.modalityLUTSequence, item)
        #expect(try Self.implicit.decode(nested).items(.modalityLUTSequence).first?.ints(smallest) == [-2])
    }

    @Test("PS3.5 §7.2: group lengths are passed over, right or wrong") func groupLengths() throws {
        let bytes =
            explicitElement(Tag(0x0010, 0x0000), .UL, [99, 0, 0, 0])
            + explicitElement(.patientID, .LO, Array("AB".utf8))
        #expect(try Self.explicit.decode(bytes).elements.map(\.tag) == [.patientID])
    }

    @Test("PS3.5 §7.1, PS3.10 §7.1: what belongs to a command or a file's head is no element of a data set")
    func otherGroups() throws {
        let long = [UInt8](repeating: 7, count: 200)
        let bytes =
            explicitElement(.patientID, .LO, Array("AB".utf8)) + explicitElement(Tag(0x0000, 0x0110), .US, [1, 0])
            + explicitElement(.transferSyntaxUID, .UI, Array("1.2.3.4 ".utf8))
            + explicitElement(Tag(0x0002, 0x0102), .OB, long)
            + explicitElement(.rows, .US, [3, 0])
        #expect(try Self.explicit.decode(bytes).elements.map(\.tag) == [.patientID, .rows])
        let meta = try FileMeta(sopClassUID: "1.2", sopInstanceUID: "1.3", transferSyntax: .explicitVRLittleEndian)
            .encoded()
        let file = try Part10File.decode(meta + bytes)
        #expect(try Part10File.decode(file.encode()) == file)
        var scanner = InstanceScanner(externalValuesAbove: 100)
        for byte in meta + bytes { try scanner.consume([byte]) }
        #expect(try scanner.finish().dataSet.elements.map(\.tag) == [.patientID, .rows])
        let json = #"[{"00020010":{"vr":"UI","Value":["1.2.3.4"]},"00280010":{"vr":"US","Value":[3]}}]"#
        #expect(try DICOMJSON.decode(Array(json.utf8)).first?.elements.map(\.tag) == [.rows])
    }

    @Test("Tags out of order are sorted, of repeated ones the last counts") func disorder() throws {
        let bytes =
            explicitElement(.studyID, .SH, Array("1 ".utf8)) + explicitElement(.patientID, .LO, Array("A ".utf8))
            + explicitElement(.patientID, .LO, Array("B ".utf8))
        let dataSet = try Self.explicit.decode(bytes)
        #expect(dataSet.elements.map(\.tag) == [.patientID, .studyID])
        #expect(dataSet.string(.patientID) == "B")
    }

    @Test("A data set in the other VR form than announced is read by what it shows") func wrongAnnouncement() throws {
        let dataSet = try Self.explicit.decode(implicitElement(.patientID, Array("AB".utf8)))
        #expect(dataSet.string(.patientID) == "AB")
        #expect(try Self.implicit.decode(explicitElement(.patientID, .LO, Array("AB".utf8))).string(.patientID) == "AB")
    }

    @Test("PS3.5 §6.1.2.3: items inherit the character set unless they have their own") func inheritance() throws {
        let own =
            explicitElement(.specificCharacterSet, .CS, Array("ISO_IR 144".utf8))
            + explicitElement(.patientName, .PN, hex("BB EE"))
        let inherited = explicitElement(.patientName, .PN, hex("E9 E9"))
        let bytes =
            explicitElement(.specificCharacterSet, .CS, Array("ISO_IR 100".utf8))
            + explicitElement(
                .requestAttributesSequence, .SQ,
                itemHeader(.item, UInt32(own.count)) + own
                    + itemHeader(.item, UInt32(inherited.count)) + inherited)
        let items = try Self.explicit.decode(bytes).items(.requestAttributesSequence)
        #expect(items.map { $0.string(.patientName) } == ["Лю", "éé"])
    }

    @Test("A prefix that reaches the pixel data's header is enough for what stands before it") func stop() throws {
        var dataSet = DataSet()
        dataSet.set(.patientID, string: "ABCD")
        dataSet.set(.pixelData, .OW, bytes: [UInt8](repeating: 7, count: 1_000))
        let bytes = try DataSetEncoder(transferSyntax: .explicitVRLittleEndian).encode(dataSet)
        let (header, stop) = try Self.explicit.decode(Array(bytes.prefix(24)), before: .floatPixelData)
        #expect(header.elements.map(\.tag) == [.patientID])
        #expect(stop?.tag == .pixelData)
        #expect(stop?.vr == .OW)
        #expect(stop?.offset == 12)
        #expect(stop?.valueOffset == 24)
        #expect(stop?.length == 1_000)
        let (all, none) = try Self.explicit.decode(Array(bytes.prefix(12)), before: .floatPixelData)
        #expect(all == header)
        #expect(none == nil)
    }

    @Test("Bulk above the threshold stays where it is, at any depth") func external() throws {
        var item = DataSet()
        item.set(.encapsulatedDocument, .OB, bytes: [UInt8](repeating: 1, count: 100))
        item.set(.rows, int: 1)
        var dataSet = DataSet()
        dataSet.set(.requestAttributesSequence, items: [item])
        let bytes = try DataSetEncoder(transferSyntax: .explicitVRLittleEndian).encode(dataSet)
        let decoder = DataSetDecoder(transferSyntax: .explicitVRLittleEndian, externalValuesAbove: 99)
        let value = try decoder.decode(bytes).items(.requestAttributesSequence).first?[.encapsulatedDocument]?.value
        guard case .external(let external) = value else {
            Issue.record("not external")
            return
        }
        #expect(bytes[external.offset..<external.offset + (external.length ?? 0)].allSatisfy { $0 == 1 })
        #expect(external.length == 100)
        let all = DataSetDecoder(transferSyntax: .explicitVRLittleEndian, externalValuesAbove: 100)
        #expect(try all.decode(bytes) == dataSet)
        #expect(
            Self.code {
                _ = try DataSetEncoder(transferSyntax: .explicitVRLittleEndian).encode(decoder.decode(bytes))
            } == .valueUnavailable)
    }

    @Test("PS3.5 §A.5: deflate bombs and broken streams are refused") func deflate() throws {
        var dataSet = DataSet()
        dataSet.set(.pixelData, .OW, bytes: [UInt8](repeating: 0, count: 4 << 20))
        let bomb = try DataSetEncoder(transferSyntax: .deflatedExplicitVRLittleEndian).encode(dataSet)
        #expect(bomb.count < 8_192)
        let decoder = DataSetDecoder(transferSyntax: .deflatedExplicitVRLittleEndian)
        #expect(Self.code { _ = try decoder.decode(bomb) } == .deflateBomb)
        var limits = DecodingLimits()
        limits.deflateRatioMax = 2_000
        #expect(
            try DataSetDecoder(transferSyntax: .deflatedExplicitVRLittleEndian, limits: limits).decode(bomb) == dataSet)
        limits.inflatedBytesMax = 4 << 20
        let capped = DataSetDecoder(transferSyntax: .deflatedExplicitVRLittleEndian, limits: limits)
        #expect(Self.code { _ = try capped.decode(bomb) } == .deflateBomb)
        limits.inflatedBytesMax = (4 << 20) + 12
        #expect(
            try DataSetDecoder(transferSyntax: .deflatedExplicitVRLittleEndian, limits: limits).decode(bomb) == dataSet)
        #expect(Self.code { _ = try decoder.decode(bomb.prefix(100)) } == .truncated)
        #expect(Self.code { _ = try decoder.decode([0xFF, 0xFF, 0xFF, 0xFF]) } == .deflateInvalid)
    }
}
