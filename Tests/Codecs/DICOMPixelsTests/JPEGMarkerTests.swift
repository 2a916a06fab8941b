import Testing

@testable import DICOMPixels

/// Segments and what stands between them. ITU-T T.81 §B.1.
@Suite("Markers of JPEG")
struct JPEGMarkerTests {
    @Test("T.81 §B.1.1.3: RST, fill bytes and the bytes of a scan are no segments, and EOI is the end")
    func segments() throws {
        let bytes: [UInt8] = [
            0xFF, 0xD8, 0xFF, 0xFF, 0xE0, 0, 4, 1, 2, 0x11, 0xFF, 0, 0x22, 0xFF, 0xD3, 0xFF, 1, 0xFF, 0xDB, 0, 3, 9,
            0xFF, 0xD9, 0xFF,
        ]
        var segments = try #require(JPEGMarkerSegments(bytes))
        var next = segments.next()
        let first = try #require(next)
        #expect(first.marker == 0xE0)
        #expect(first.body == [1, 2])
        #expect(first.range == 3..<9)
        next = segments.next()
        let second = try #require(next)
        #expect(second.marker == 0xDB)
        #expect(second.body == [9])
        #expect(second.range == 17..<22)
        next = segments.next()
        #expect(next?.marker == nil)
        #expect(segments.end == 24)
        #expect(!segments.isCut)
    }

    @Test(
        "T.81 §B.1.1.4: a segment longer than what there is, or shorter than its own length, is cut",
        arguments: [0, 1, 9])
    func cut(_ length: UInt8) throws {
        var segments = try #require(JPEGMarkerSegments([0xFF, 0xD8, 0xFF, 0xE0, 0, length, 1]))
        let none = segments.next()
        #expect(none?.marker == nil)
        #expect(segments.isCut)
        #expect(segments.end == nil)
    }
}
