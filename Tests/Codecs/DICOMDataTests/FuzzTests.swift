import DICOMData
import TestSupport
import Testing

/// Every parser of the module on damaged input: an error or a value, never a trap.
@Suite struct FuzzTests {
    static func damaged(_ bytes: [UInt8], _ random: inout SeededGenerator) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...6, using: &random) where !bytes.isEmpty {
            let place = Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0..<6, using: &random) {
            case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
            case 1: bytes[place] = [0x00, 0xFF, 0x7F, 0x80, 0x5C, 0x1B].randomElement(using: &random) ?? 0
            case 2: bytes.removeSubrange(place..<min(bytes.count, place + Int.random(in: 1...16, using: &random)))
            case 3: bytes.insert(contentsOf: [0xFF, 0xFF, 0xFF, 0xFF], at: place)
            case 4: bytes.insert(contentsOf: hex("FEFF00E0 FFFFFFFF"), at: place)
            default: bytes.removeLast(bytes.count - place)
            }
        }
        return bytes
    }

    @Test(
        "Damaged files decode or fail with an offset inside them; what decodes encodes again",
        arguments: [UInt64(101), 102, 103, 104])
    func files(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var dataSets = RandomDataSets(seed: seed)
        let syntaxes: [TransferSyntax] = [
            .implicitVRLittleEndian, .explicitVRLittleEndian, .explicitVRBigEndian, .deflatedExplicitVRLittleEndian,
            .jpegBaseline,
        ]
        for _ in 0..<40 {
            var dataSet = dataSets.dataSet()
            let syntax = syntaxes.randomElement(using: &random) ?? .explicitVRLittleEndian
            if syntax.isEncapsulated { dataSet[.pixelData] = InstanceScannerTests.encapsulated }
            let bytes = try Part10File(dataSet: dataSet, transferSyntax: syntax).encode()
            for _ in 0..<25 {
                let input = Self.damaged(bytes, &random)
                do {
                    let file = try Part10File.decode(input)
                    for tag in file.dataSet.elements.map(\.tag) { _ = file.dataSet.strings(tag) }
                    _ = try DICOMJSON.decode(DICOMJSON.encode(file.dataSet))
                    _ = try? file.encode()
                } catch {
                    // JSON of damaged UTF-8 or of deflated data counts other offsets.
                    #expect(error.offset >= 0, "seed \(seed)")
                }
                if let scanned = try? InstanceScannerTests.scan(input, { _ in Int.random(in: 1...200, using: &random) })
                {
                    if let layout = scanned.layout {
                        for frame in [0, 1, layout.frameCount - 1] {
                            for range in layout.frame(frame)?.ranges ?? [] {
                                #expect(range.upperBound <= input.count, "seed \(seed)")
                            }
                        }
                    }
                }
            }
        }
    }

    @Test("The scanner accepts what the decoder accepts", arguments: [UInt64(201), 202])
    func scannerAgrees(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var dataSets = RandomDataSets(seed: seed)
        for _ in 0..<60 {
            var dataSet = dataSets.dataSet()
            dataSet.removeAll { $0.tag.isPixelData }
            let bytes = Self.damaged(
                try Part10File(dataSet: dataSet, transferSyntax: .explicitVRLittleEndian).encode(), &random)
            guard let decoded = try? Part10File.decode(bytes),
                !decoded.dataSet.elements.contains(where: { $0.tag.isPixelData })
            else { continue }
            let scanned = try? InstanceScannerTests.scan(bytes) { _ in Int.random(in: 1...100, using: &random) }
            let isEqual = scanned?.dataSet == decoded.dataSet
            #expect(isEqual, "seed \(seed)")
        }
    }

    @Test("Damaged JSON is a data set or an error", arguments: [UInt64(301), 302])
    func json(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var dataSets = RandomDataSets(seed: seed)
        var refused = 0
        for _ in 0..<60 {
            let json = try DICOMJSON.encode(dataSets.dataSet())
            for _ in 0..<20 where (try? DICOMJSON.decode(Self.damaged(json, &random))) == nil { refused += 1 }
        }
        #expect(refused > 0, "seed \(seed)")
    }
}
