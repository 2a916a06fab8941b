import DICOMRendering
import HTTPSupport
import Testing

@testable import DICOMwebAPI

/// The grammar of the parameters of rendered resources. PS3.18 §8.3.5.
@Suite("Parameters of rendered resources")
struct RenderedQueryTests {
    private static func query(_ text: String, isThumbnail: Bool = false) throws -> RenderedQuery {
        try RenderedQuery(QueryParameters(text, plusIsSpace: false), isThumbnail: isThumbnail)
    }

    @Test("PS3.18 §8.3.5.1.3: viewport has two sides and, each optional, the region; negative sides turn it over")
    func viewport() throws {
        #expect(try Self.query("viewport=512,256").viewport == Viewport(width: 512, height: 256))
        #expect(
            try Self.query("viewport=10,20,1.5,2,30,40").viewport
                == Viewport(width: 10, height: 20, region: .init(x: 1.5, y: 2, width: 30, height: 40)))
        #expect(
            try Self.query("viewport=10,20,,,-30,-4e1").viewport
                == Viewport(
                    width: 10, height: 20,
                    region: .init(width: 30, height: 40, flipsHorizontally: true, flipsVertically: true)))
        #expect(try Self.query("viewport=10,20,5").viewport == Viewport(width: 10, height: 20, region: .init(x: 5)))
    }

    @Test("PS3.18 §8.3.5.1.4: window has a center, a width and a shape")
    func window() throws {
        #expect(
            try Self.query("window=-40,400.5,linear").window == VOIWindow(center: -40, width: 400.5))
        #expect(
            try Self.query("window=1e3,0.5,linear-exact").window
                == VOIWindow(center: 1_000, width: 0.5, function: .linearExact))
        #expect(
            try Self.query("window=+5,1,sigmoid").window == VOIWindow(center: 5, width: 1, function: .sigmoid))
    }

    @Test("Quality, annotation and iccprofile; annotations are for pictures, which a warning says elsewhere")
    func others() throws {
        #expect(try Self.query("quality=1").quality == 1)
        #expect(try Self.query("quality=100").quality == 100)
        #expect(try Self.query("iccprofile=yes").colours == .own)
        #expect(try Self.query("iccprofile=no").colours == .untold)
        for space in OutputColourSpace.allCases {
            #expect(try Self.query("iccprofile=\(space.rawValue)").colours == .converted(space))
        }
        let annotated = try Self.query("annotation=patient,technique,patient&other=1")
        #expect(annotated.annotations == [.patient, .technique])
        #expect(annotated.warning == "annotations are drawn on pictures alone: patient, technique")
        #expect(try Self.query("").warning == nil)
        #expect(try Self.query("") == RenderedQuery())
    }

    @Test(
        "What is not of the grammar is malformed",
        arguments: [
            "viewport=", "viewport=10", "viewport=0,10", "viewport=10,8193", "viewport=-1,10", "viewport=1.5,10",
            "viewport=10,10,-1,0", "viewport=10,10,0,0,0,5", "viewport=10,10,0,0,1,1,1", "viewport=10,10,x",
            "viewport=10,10,nan", "viewport=10,10,1e9", "viewport=10,10&viewport=10,10", "window=", "window=40",
            "window=40,400", "window=40,400,", "window=40,400,LINEAR", "window=40,0,linear-exact",
            "window=40,0.5,linear", "window=inf,1,linear", "window=40,-1,sigmoid", "window=0x1p3,1,linear",
            "window=1,1,linear,1", "quality=", "quality=0", "quality=101", "quality=+5", "quality=5.0", "quality=x",
            "quality=5&quality=5", "annotation=", "annotation=patient,", "annotation=name", "iccprofile=",
            "iccprofile=sRGB", "iccprofile=other", "iccprofile=srgb&iccprofile=srgb",
        ])
    func malformed(_ text: String) {
        #expect(throws: HTTPFailure(.malformed, "")) { try Self.query(text) }
    }

    @Test("PS3.18 §8.3.5.1.3: a thumbnail takes the two sides alone, and nothing else")
    func thumbnails() throws {
        let query = try Self.query("viewport=64,32&window=x&quality=0", isThumbnail: true)
        #expect(query.viewport == Viewport(width: 64, height: 32))
        #expect(query.window == nil)
        #expect(throws: HTTPFailure(.malformed, "")) { try Self.query("viewport=64,32,0,0", isThumbnail: true) }
    }
}
