import DICOMData
import Testing

@testable import DICOMRendering

/// What is written into the corners. PS3.18 §8.3.5.1.1.
@Suite("Annotations in the corners")
struct CornerTextTests {
    private static func image() -> DataSet {
        var set = DataSet()
        set.set(.patientName, string: "Doe^Jane^^Dr=山田^太郎")
        set.set(.patientID, string: "P1")
        set.set(.patientBirthDate, string: "19700203")
        set.set(.patientSex, string: "F")
        set.set(.studyDate, string: "20260102")
        set.set(.studyTime, string: "0815")
        set.set(.modality, string: "CR")
        set.set(.kvp, string: "80")
        set.set(.xRayTubeCurrent, string: "200")
        set.set(.instanceNumber, string: "4")
        return set
    }

    private static func black(rows: Int, columns: Int, samples: Int = 1) throws -> RenderedImage {
        try #require(
            RenderedImage(
                rows: rows, columns: columns, samplesPerPixel: samples,
                bytes: [UInt8](repeating: 9, count: rows * columns * samples)))
    }

    @Test("Empty attributes and odd ones write nothing wrong: control characters go, long values are cut")
    func odd() throws {
        var picture = try Self.black(rows: 8, columns: 8)
        try CornerText(DataSet(), patient: DataSet(), kinds: [.patient, .technique], number: 1).draw(onto: &picture)
        #expect(picture.bytes.allSatisfy { $0 == 9 })
        var set = DataSet()
        set.set(.patientID, .UT, string: "a\u{07}b\nc" + String(repeating: "x", count: 5_000))
        let text = CornerText(set, patient: set, kinds: [.patient], number: 1)
        #expect(text.patient == ["abc" + String(repeating: "x", count: 61)])
        for (rows, columns) in [(1, 1), (2, 300), (300, 2), (64, 64)] {
            var small = try Self.black(rows: rows, columns: columns)
            try text.draw(onto: &small)
            try CornerText(Self.image(), patient: Self.image(), kinds: [.patient, .technique], number: 1).draw(
                onto: &small)
        }
    }

    @Test("The patient is name, identifier, birth date and sex; the technique date, modality, number and exposure")
    func lines() {
        let text = CornerText(Self.image(), patient: Self.image(), kinds: [.technique, .patient], number: 1)
        #expect(text.patient == ["Doe Jane Dr", "P1", "1970-02-03 F"])
        #expect(text.technique == ["2026-01-02  08:15", "CR", "Im 4", "kV 80  mA 200"])
        #expect(CornerText(Self.image(), patient: Self.image(), kinds: [.technique], number: 1).patient == [])
        #expect(CornerText(Self.image(), patient: Self.image(), kinds: [.patient], number: 1).technique == [])
        var several = Self.image()
        several.set(.numberOfFrames, int: 9)
        #expect(CornerText(several, patient: several, kinds: [.technique], number: 3).technique[2] == "Im 4  Fr 3/9")
    }

    @Test("White letters with a black edge, the patient above and the technique below; the middle is as it was")
    func drawn() throws {
        var set = DataSet()
        set.set(.patientID, string: "-")
        set.set(.modality, string: "-")
        var picture = try Self.black(rows: 40, columns: 20)
        try CornerText(set, patient: set, kinds: [.patient, .technique], number: 1).draw(onto: &picture)
        let rows = (0..<40).map { Array(picture.bytes[$0 * 20..<$0 * 20 + 20]) }
        let white = [9, 0, 255, 255, 255, 255, 255, 0].map { UInt8($0) } + [UInt8](repeating: 9, count: 12)
        let edge = [9, 0, 0, 0, 0, 0, 0, 0].map { UInt8($0) } + [UInt8](repeating: 9, count: 12)
        // A dash stands in the fourth of seven rows, below two for accents and two for the border.
        #expect(rows[7] == white)
        #expect(rows[6] == edge && rows[8] == edge)
        // The last twelve rows are one line.
        #expect(rows[33] == white)
        #expect(rows[12...28].allSatisfy { $0.allSatisfy { $0 == 9 } })
        var colour = try Self.black(rows: 40, columns: 20, samples: 3)
        try CornerText(set, patient: set, kinds: [.patient], number: 1).draw(onto: &colour)
        #expect(Array(colour.bytes[(7 * 20 + 2) * 3..<(7 * 20 + 3) * 3]) == [255, 255, 255])
    }

    @Test("On the largest pictures too both corners are written; nobody is named where nobody is certain")
    func largest() throws {
        var set = DataSet()
        set.set(.patientID, string: "-")
        set.set(.modality, string: "-")
        var tall = try Self.black(rows: 65_500, columns: 1_100)
        try CornerText(set, patient: set, kinds: [.patient, .technique], number: 1).draw(onto: &tall)
        #expect(tall.bytes.prefix(100 * 1_100).contains(255) && tall.bytes.suffix(100 * 1_100).contains(255))
        #expect(CornerText(set, patient: nil, kinds: [.patient, .technique], number: 1).patient == [])
    }

    @Test("Letters grow with the picture, and only as far as the longest line fits")
    func sizes() throws {
        var set = DataSet()
        set.set(.patientID, string: "-")
        var large = try Self.black(rows: 768, columns: 1_024)
        try CornerText(set, patient: set, kinds: [.patient], number: 1).draw(onto: &large)
        // A scale of 3: three rows and fifteen columns of white.
        #expect(large.bytes.count { $0 == 255 } == 45)
        set.set(.patientID, string: String(repeating: "-", count: 64))
        var long = try Self.black(rows: 768, columns: 1_024)
        try CornerText(set, patient: set, kinds: [.patient], number: 1).draw(onto: &long)
        // 64 letters of a scale of 2 take 770 columns.
        #expect(long.bytes.count { $0 == 255 } == 64 * 20)
    }
}
