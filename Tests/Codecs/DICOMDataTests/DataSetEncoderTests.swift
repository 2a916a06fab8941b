import DICOMData
import Testing

/// PS3.5 §7, Annex A; PS3.10 §7.
@Suite struct DataSetEncoderTests {
    static let native: [TransferSyntax] = [
        .implicitVRLittleEndian, .explicitVRLittleEndian, .explicitVRBigEndian, .deflatedExplicitVRLittleEndian,
    ]

    @Test(
        "Decoding what was encoded gives the same data set, in every syntax and length form",
        arguments: [UInt64(1), 2, 3, 4])
    func roundTrip(_ seed: UInt64) throws {
        var random = RandomDataSets(seed: seed)
        for _ in 0..<60 {
            let dataSet = random.dataSet()
            for syntax in Self.native {
                for defined in [false, true] {
                    let bytes = try DataSetEncoder(transferSyntax: syntax, definedLengths: defined).encode(dataSet)
                    #expect(bytes.count % 2 == 0)
                    let decoded = try DataSetDecoder(transferSyntax: syntax).decode(bytes)
                    // Implicit VR does not say the VR of private elements.
                    if syntax == .implicitVRLittleEndian {
                        #expect(decoded.elements.map(\.tag) == dataSet.elements.map(\.tag), "seed \(seed)")
                        #expect(
                            try DataSetEncoder(transferSyntax: syntax, definedLengths: defined).encode(decoded) == bytes
                        )
                    } else {
                        let isEqual = decoded == dataSet
                        #expect(isEqual, "seed \(seed) \(syntax) defined \(defined)")
                    }
                }
            }
        }
    }

    @Test("PS3.5 §7.1.2: headers of 8 and of 12 bytes, by VR") func headers() throws {
        var dataSet = DataSet()
        dataSet.set(.patientID, string: "A")
        dataSet.set(.textValue, string: "B")
        #expect(
            try DataSetEncoder(transferSyntax: .explicitVRLittleEndian).encode(dataSet)
                == hex("10002000 4C4F 0200 4120") + hex("400060A1 5554 0000 02000000 4220"))
        #expect(
            try DataSetEncoder(transferSyntax: .implicitVRLittleEndian).encode(dataSet)
                == hex("10002000 02000000 4120") + hex("400060A1 02000000 4220"))
        #expect(
            try DataSetEncoder(transferSyntax: .explicitVRBigEndian).encode(dataSet)
                == hex("00100020 4C4F 0002 4120") + hex("0040A160 5554 0000 00000002 4220"))
    }

    @Test("PS3.5 §6.2.2: a value beyond its VR's 16-bit length goes as UN and comes back") func longValue() throws {
        var dataSet = DataSet()
        dataSet.set(.patientComments, .LT, bytes: [UInt8](repeating: 0x41, count: 0xFFFE))
        let encoder = DataSetEncoder(transferSyntax: .explicitVRLittleEndian)
        #expect(Array(try encoder.encode(dataSet)[4..<6]) == Array("LT".utf8))
        dataSet.set(.patientComments, .LT, bytes: [UInt8](repeating: 0x41, count: 0x1_0000))
        let bytes = try encoder.encode(dataSet)
        #expect(Array(bytes[4..<6]) == Array("UN".utf8))
        #expect(try DataSetDecoder(transferSyntax: .explicitVRLittleEndian).decode(bytes) == dataSet)
    }

    @Test("PS3.5 §A.4: fragments keep their table and order; elsewhere they are refused") func fragments() throws {
        var dataSet = DataSet()
        dataSet.set(.rows, int: 2)
        dataSet[.pixelData] = DataElement(
            .pixelData, .OB,
            .fragments(
                EncapsulatedValue(offsetTable: [0, 12], fragments: [[1, 2, 3, 4], [5, 6]])))
        let bytes = try DataSetEncoder(transferSyntax: .jpegBaseline).encode(dataSet)
        #expect(
            Array(bytes.dropFirst(10))
                == hex(
                    "E07F1000 4F42 0000 FFFFFFFF FEFF00E0 08000000 00000000 0C000000 FEFF00E0 04000000 01020304 "
                        + "FEFF00E0 02000000 0506 FEFFDDE0 00000000"))
        #expect(try DataSetDecoder(transferSyntax: .jpegBaseline).decode(bytes) == dataSet)
        #expect(throws: DICOMDataError(.notEncapsulated, at: 10, in: .pixelData)) {
            try DataSetEncoder(transferSyntax: .explicitVRLittleEndian).encode(dataSet)
        }
    }

    @Test("PS3.10 §7.1: a file has a clean preamble, its prefix and a true group length") func part10() throws {
        var dataSet = DataSet()
        dataSet.set(.sopClassUID, string: UID.ctImageStorage)
        dataSet.set(.sopInstanceUID, string: "1.2.3")
        dataSet.set(.patientName, string: "Müller^Jörg")
        for syntax in Self.native {
            let file = Part10File(dataSet: dataSet, transferSyntax: syntax, sourceAETitle: "CT1")
            let bytes = try file.encode()
            #expect(bytes[..<128].allSatisfy { $0 == 0 })
            #expect(bytes[128..<132].elementsEqual("DICM".utf8))
            let length = Int(bytes[140]) | Int(bytes[141]) << 8
            let back = try Part10File.decode(bytes)
            #expect(back.dataSetOffset == 144 + length)
            #expect(back == file)
            #expect(back.meta.sopInstanceUID == "1.2.3")
            #expect(try back.meta.transferSyntax() == syntax)
        }
    }

    @Test("PS3.10 §7.1: a wrong group 0002 length changes nothing") func wrongGroupLength() throws {
        var bytes = try Part10File(dataSet: DataSet(), transferSyntax: .explicitVRLittleEndian).encode()
        bytes += explicitElement(.patientID, .LO, Array("AB".utf8))
        bytes[140] = 0xFF
        bytes[141] = 0xFF
        #expect(try Part10File.decode(bytes).dataSet.string(.patientID) == "AB")
        bytes[140] = 0
        bytes[141] = 0
        #expect(try Part10File.decode(bytes).dataSet.string(.patientID) == "AB")
    }

    @Test("What is no Part 10 file is refused with its reason") func notPart10() throws {
        #expect(throws: DICOMDataError(.notPart10, at: 0)) { try Part10File.decode([]) }
        #expect(throws: DICOMDataError(.notPart10, at: 128)) {
            try Part10File.decode([UInt8](repeating: 0, count: 200))
        }
        let prefix = [UInt8](repeating: 0, count: 128) + Array("DICM".utf8)
        #expect(throws: DICOMDataError(.transferSyntaxMissing, at: 132, in: .transferSyntaxUID)) {
            try Part10File.decode(prefix)
        }
        let unknown = prefix + explicitElement(.transferSyntaxUID, .UI, Array("1.2.840.113619.5.2".utf8))
        #expect(throws: DICOMDataError(.transferSyntaxUnknown, at: 132, in: .transferSyntaxUID)) {
            try Part10File.decode(unknown)
        }
    }
}
