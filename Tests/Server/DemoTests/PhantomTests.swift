import DICOMData
import Testing
import hilum

/// PS3.3 §A.3, §C.8.2.1; PS3.5 §9.1, §B.2.
@Suite struct PhantomTests {
    static let phantom = CTPhantom(sliceCount: 40, sliceSpacing: 2.5)

    @Test("A slice is the same bytes on every machine")
    func isDeterministic() {
        let pixels = Self.phantom.pixels(ofSlice: 22)
        #expect(pixels.count == 2 * CTPhantom.side * CTPhantom.side)
        let digest = pixels.reduce(UInt64(0xCBF2_9CE4_8422_2325)) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        #expect(digest == 15_627_188_802_621_907_071)
    }

    @Test("Slices at the same height are the same whatever the spacing; others differ in their noise")
    func dependsOnHeightAlone() {
        let thick = CTPhantom(sliceCount: 3, sliceSpacing: 5)
        let thin = CTPhantom(sliceCount: 5, sliceSpacing: 2.5)
        #expect(thick.position(ofSlice: 2) == 5)
        #expect(thin.position(ofSlice: 4) == 5)
        #expect(thick.pixels(ofSlice: 2) == thin.pixels(ofSlice: 4))
        #expect(thick.pixels(ofSlice: 1) != thin.pixels(ofSlice: 1))
    }

    @Test("PS3.3 §C.8.2.1: stored values fit 12 bits, and their rescaled values are air, lung and soft tissue")
    func isInHounsfieldUnits() {
        let values = Self.values(slice: 22)
        #expect(values.allSatisfy { $0 < 4096 })
        func mean(x: Double, y: Double) -> Double {
            let spots = Self.spots(x: x, y: y, radius: 1.5)
            return spots.reduce(0) { $0 + Double(values[$1]) - 1024 } / Double(spots.count)
        }
        #expect(abs(mean(x: -170, y: -170) + 1000) < 10)
        #expect(abs(mean(x: -60, y: -40) + 820) < 10)
        #expect(abs(mean(x: -84, y: 12) - 35) < 10)
    }

    @Test("The nodule is as wide as the report's correction says, within a pixel")
    func noduleDiameter() {
        // Slice 22 lies at 6.25 mm, a quarter millimetre from the nodule's middle.
        let values = Self.values(slice: 22)
        let row = Self.index(12)
        let columns = (Self.index(-84) - 20...Self.index(-84) + 20).filter {
            values[row * CTPhantom.side + $0] > 1024 - 400
        }
        let width = Double(columns.count) * CTPhantom.pixelSpacing
        #expect(abs(width - CTPhantom.noduleDiameter) <= 2 * CTPhantom.pixelSpacing)
        #expect(DemoMessages.diameter(.corrected) == "12.4")
    }

    @Test("PS3.5 §9.1: the UIDs of a study are legal and each is used once")
    func uids() {
        let series = (1...3).map { PhantomSeries(of: Self.study, number: $0, description: "", phantom: Self.phantom) }
        var seen: Set<String> = []
        for uid in series.flatMap({ one in
            [one.seriesInstanceUID] + (0..<one.sliceCount).map { one.sopInstanceUID(ofSlice: $0) }
        }) {
            #expect(UID.isValid(uid))
            #expect(seen.insert(uid).inserted)
        }
        #expect(seen.count == 3 * 41)
    }

    @Test("PS3.5 §B.2: a name always gives the same UID, a UUID of version 8 under 2.25")
    func stableUID() {
        let uid = PhantomSeries.uid("a")
        #expect(uid == PhantomSeries.uid("a"))
        #expect(uid != PhantomSeries.uid("b"))
        let number = UInt128(uid.dropFirst(5)) ?? 0
        #expect(number >> 76 & 0xF == 8)
        #expect(number >> 62 & 0x3 == 2)
    }

    @Test("PS3.10 §7: a slice survives a Part 10 file in each uncompressed transfer syntax")
    func part10() throws {
        let set = PhantomSeries(of: Self.study, number: 1, description: "Thin", phantom: Self.phantom).dataSet(
            ofSlice: 0)
        #expect(set.string(.accessionNumber) == Self.study.accessionNumber)
        #expect(set.item(.issuerOfAccessionNumberSequence)?.string(.localNamespaceEntityID) == "RIS")
        for syntax in [TransferSyntax.explicitVRLittleEndian, .implicitVRLittleEndian, .deflatedExplicitVRLittleEndian]
        {
            let file = Part10File(dataSet: set, transferSyntax: syntax)
            #expect(try Part10File.decode(file.encode()) == file)
        }
    }

    static let study = PhantomStudy(
        studyInstanceUID: DemoOrder.scan.studyInstanceUID, patientName: "DEMO^PHANTOM", patientID: "1",
        issuerOfPatientID: "HOSP", patientBirthDate: "19700101", patientSex: "F", accessionNumber: "A-1",
        issuerOfAccessionNumber: "RIS", referringPhysicianName: "", description: "CT", requestedProcedureID: "RP",
        scheduledProcedureStepID: "SPS", date: "20261121", time: "080000")

    static func values(slice: Int) -> [Int] {
        let bytes = phantom.pixels(ofSlice: slice)
        return stride(from: 0, to: bytes.count, by: 2).map { Int(bytes[$0]) | Int(bytes[$0 + 1]) << 8 }
    }

    /// The column or row nearest to so many millimetres from the centre.
    static func index(_ millimetres: Double) -> Int {
        Int((millimetres / CTPhantom.pixelSpacing + Double(CTPhantom.side - 1) / 2).rounded())
    }

    static func spots(x: Double, y: Double, radius: Double) -> [Int] {
        let reach = Int(radius / CTPhantom.pixelSpacing)
        return (-reach...reach).flatMap { down in
            (-reach...reach).map { (index(y) + down) * CTPhantom.side + index(x) + $0 }
        }
    }
}
