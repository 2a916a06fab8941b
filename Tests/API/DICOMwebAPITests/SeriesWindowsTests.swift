import Access
import DICOMRendering
import HTTPSupport
import HTTPTypes
import Hummingbird
import PixelCodecs
import Synchronization
import Testing
import Workflow

@testable import DICOMData
@testable import DICOMwebAPI

/// The window of images that bring none: one for all pictures of a series. PS3.3 §C.11.2.1.2, PS3.18 §10.4.1.1.3.
@Suite("The default window of a series")
struct SeriesWindowsTests {
    private typealias Object = RenderedTests.Object

    /// Sixteen bits, two lines of three pixels a frame.
    private static func image(_ frames: [[Int]], window: (center: String, width: String)? = nil) -> DataSet {
        var set = RenderedTests.image(frames.map { _ in [] })
        set.set(.bitsAllocated, int: 16)
        set.set(.bitsStored, int: 16)
        set.set(.highBit, int: 15)
        set.set(.pixelData, .OW, bytes: frames.flatMap { $0 }.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] })
        if let window {
            set.set(.windowCenter, string: window.center)
            set.set(.windowWidth, string: window.width)
        }
        return set
    }

    private static let dark = [0, 100, 200, 300, 400, 500]
    private static let bright = [0, 510, 1_020, 1_530, 2_040, 2_550]
    /// Both between 0 and 2550, and `dark` by itself.
    private static let darkAmong: [UInt8] = [0, 10, 20, 30, 40, 50]
    private static let brightAmong: [UInt8] = [0, 51, 102, 153, 204, 255]
    private static let darkAlone: [UInt8] = [0, 51, 102, 153, 204, 255]

    private static func two() throws -> DICOMwebRoutes {
        try RenderedTests.routes([
            Object(set: image([dark]), uid: "1.1"), Object(set: image([bright]), uid: "1.2"),
        ])
    }

    private static func body(_ response: Response) async throws -> [UInt8] { try await RenderedTests.body(response) }

    @Test("Single, frames, series and study show the images of a series by one window, and so does a thumbnail")
    func same() async throws {
        let routes = try Self.two()
        for (uid, grey) in [("1.1", Self.darkAmong), ("1.2", Self.brightAmong)] {
            let png = try RenderedTests.png(grey)
            let one = try await routes.renderedInstance(RenderedTests.request("image/png", instance: uid))
            #expect(try await Self.body(one) == png)
            let frame = try await routes.renderedFrames(
                RenderedTests.request("image/png", instance: uid, frames: "1"))
            #expect(try await Self.body(frame) == png)
            let fitted = try await routes.renderedInstance(
                RenderedTests.request("image/png", query: "viewport=128,128", instance: uid))
            let thumbnail = try await routes.thumbnail(RenderedTests.request("image/png", instance: uid))
            #expect(try await Self.body(thumbnail) == (try await Self.body(fitted)))
        }
        for series in ["1.2.3.1", ""] {
            let all = try await routes.renderedInstances(RenderedTests.request("image/png", series: series))
            #expect(
                try await RenderedTests.parts(all).map(\.content)
                    == [try RenderedTests.png(Self.darkAmong), try RenderedTests.png(Self.brightAmong)])
        }
    }

    @Test("What brings a window, is asked for by one, or lies in another series is neither measured nor measures")
    func apart() async throws {
        let own = Self.image([Self.bright], window: ("1275", "2550"))
        let routes = try RenderedTests.routes([
            Object(set: Self.image([Self.dark]), uid: "1.1"), Object(set: own, uid: "1.2"),
            Object(set: Self.image([Self.bright]), series: "1.2.3.2", uid: "1.3"),
        ])
        let dark = try await routes.renderedInstance(RenderedTests.request("image/png", instance: "1.1"))
        #expect(try await Self.body(dark) == RenderedTests.png(Self.darkAlone))
        #expect(dark.headers[.cacheControl] == "private, no-cache")
        for (query, uid) in [("", "1.2"), ("window=1275,2550,linear-exact", "1.1")] {
            let response = try await routes.renderedInstance(
                RenderedTests.request("image/png", query: query, instance: uid))
            #expect(response.headers[.cacheControl] == "private, max-age=3600, immutable")
            if uid == "1.1" { #expect(try await Self.body(response) == RenderedTests.png(Self.darkAmong)) }
        }
    }

    @Test("Frames of an image are shown by the window of its series too, not by that of the frame")
    func frames() async throws {
        let routes = try RenderedTests.routes([
            Object(set: Self.image([Self.dark, Self.bright, Self.dark]), uid: "1.1"),
            Object(set: Self.image([Self.dark]), uid: "1.2"),
        ])
        let parts = try await RenderedTests.parts(
            routes.renderedFrames(RenderedTests.request("image/png", instance: "1.1", frames: "1,2")))
        #expect(
            try parts.map(\.content) == [RenderedTests.png(Self.darkAmong), RenderedTests.png(Self.brightAmong)])
        let one = try await routes.renderedFrames(RenderedTests.request("image/png", instance: "1.1", frames: "3"))
        #expect(try await Self.body(one) == RenderedTests.png(Self.darkAmong))
        let other = try await routes.renderedInstance(RenderedTests.request("image/png", instance: "1.2"))
        #expect(try await Self.body(other) == RenderedTests.png(Self.darkAmong))
    }

    @Test("R13: when an instance comes to the series the tag of its pictures is another, and else the same")
    func tags() async throws {
        let alone = try RenderedTests.routes([Object(set: Self.image([Self.dark]), uid: "1.1")])
        let request = RenderedTests.request("image/png", instance: "1.1")
        let first = try #require(try await alone.renderedInstance(request).headers[.eTag])
        let again = RenderedTests.request("image/png", instance: "1.1", ifNoneMatch: first)
        #expect(try await alone.renderedInstance(again).status == .notModified)
        let routes = try Self.two()
        #expect(try await routes.renderedInstance(again).status == .ok)
        let thumbnail = try #require(
            try await alone.thumbnail(RenderedTests.request(instance: "1.1")).headers[.eTag])
        let kept = RenderedTests.request(instance: "1.1", ifNoneMatch: thumbnail)
        #expect(try await alone.thumbnail(kept).status == .notModified)
        #expect(try await routes.thumbnail(kept).status == .ok)
    }

    @Test("An instance that cannot be read is left out, and so is one without pixels; no other fails by it")
    func unreadable() async throws {
        var damaged = Self.image([Self.bright])
        damaged[.pixelData] = DataElement(
            .pixelData, .OB, .fragments(EncapsulatedValue(fragments: [[1, 2, 3, 4]])))
        var other = DataSet()
        other.set(.patientID, string: "P1")
        let routes = try RenderedTests.routes([
            Object(set: damaged, uid: "1.0", syntax: .rleLossless), Object(set: other, uid: "1.1"),
            Object(set: Self.image([Self.dark]), uid: "1.2"),
        ])
        let response = try await routes.renderedInstance(RenderedTests.request("image/png", instance: "1.2"))
        #expect(try await Self.body(response) == RenderedTests.png(Self.darkAlone))
    }

    @Test("An image that there never is memory for is left out, and refused for its size where it is asked for itself")
    func tooLarge() async throws {
        var large = Self.image([[Int](repeating: 9, count: 1 << 18)])
        large.set(.rows, int: 512)
        large.set(.columns, int: 512)
        let routes = try RenderedTests.routes(
            [Object(set: large, uid: "1.1"), Object(set: Self.image([Self.dark]), uid: "1.2")],
            memory: MemoryBudget(bytesMax: 1 << 20))
        let response = try await routes.renderedInstance(RenderedTests.request("image/png", instance: "1.2"))
        #expect(try await Self.body(response) == RenderedTests.png(Self.darkAlone))
        await #expect(throws: PixelCodecError.self) {
            try await routes.renderedInstance(RenderedTests.request("image/png", instance: "1.1"))
        }
    }

    private static func rows(_ count: Int, from first: Int = 0, side: Int? = nil) -> [Instance] {
        (first..<first + count).map { number in
            Instance(
                studyInstanceUID: "1", seriesInstanceUID: "2", sopInstanceUID: "3.\(number)", sopClassUID: "4",
                instanceNumber: number, transferSyntaxUID: TransferSyntax.explicitVRLittleEndian.uid, rows: side,
                columns: side, bitsAllocated: nil, numberOfFrames: 1, blobID: BlobID("\(number)"), size: 10,
                dataSetOffset: 0, pixelDataOffset: nil, pixelDataLength: nil,
                receivedAt: UTCInstant(microseconds: 0), receivedFrom: nil)
        }
    }

    @Test("Nine instances at most are measured, evenly spaced; of large ones fewer, the largest of all the middle one")
    func spread() {
        func numbers(_ count: Int, side: Int? = nil) -> [Int] {
            SeriesSample(of: Self.rows(count, side: side)).instances.compactMap(\.instanceNumber)
        }
        #expect(numbers(0).isEmpty)
        #expect(numbers(9) == Array(0..<9))
        #expect(numbers(10) == [0, 1, 2, 3, 4, 5, 6, 7, 9])
        #expect(numbers(1_001) == [0, 125, 250, 375, 500, 625, 750, 875, 1_000])
        #expect(numbers(101, side: 512).count == 9)
        #expect(numbers(101, side: 4_096) == [0, 100])
        #expect(numbers(101, side: 8_192) == [50])
        #expect(numbers(1, side: 65_535) == [0])
        #expect(SeriesSample(of: Self.rows(9)).tag != SeriesSample(of: Self.rows(10)).tag)
    }

    @Test("So many windows are kept, and the oldest goes; that there is none is kept too")
    func kept() {
        let windows = SeriesWindows()
        let samples = (0...SeriesWindows.keptMax).map { SeriesSample(of: Self.rows(1, from: $0)) }
        let window = VOIWindow(center: 1, width: 2, function: .linearExact)
        for (number, sample) in samples.enumerated() {
            #expect(windows.find(sample) == nil)
            windows.keep(number == 1 ? nil : window, of: sample)
            windows.keep(number == 1 ? nil : window, of: sample)
        }
        #expect(windows.find(samples[0]) == nil)
        #expect(windows.find(samples[1]) == .some(nil))
        #expect(windows.find(samples[2]) == window)
    }

    @Test("A listed series is known until an instance of it comes or goes")
    func listed() {
        let windows = SeriesWindows()
        let sample = SeriesSample(of: Self.rows(3))
        windows.keep(sample, ofSeries: "1/2", 7)
        #expect(windows.sample(ofSeries: "1/2", 7)?.tag == sample.tag)
        #expect(windows.sample(ofSeries: "1/2", 8) == nil)
        #expect(windows.sample(ofSeries: "1/3", 7) == nil)
        windows.keep(SeriesSample(of: Self.rows(4)), ofSeries: "1/2", 8)
        #expect(windows.sample(ofSeries: "1/2", 7) == nil)
    }

    private final class Count: Sendable {
        let value = Mutex(0)
    }

    @Test("Who asks while a window is made waits for it; where it fails the next one makes it; who is cancelled goes")
    func once() async throws {
        let windows = SeriesWindows()
        let sample = SeriesSample(of: Self.rows(1))
        let made = VOIWindow(center: 1, width: 2, function: .linearExact)
        let (begun, hasBegun) = AsyncStream.makeStream(of: Void.self)
        let (going, go) = AsyncStream.makeStream(of: Void.self)
        let failing = Task {
            try await windows.window(of: sample) {
                hasBegun.yield()
                for await _ in going { break }
                throw StoreError(.unavailable, "test")
            }
        }
        for await _ in begun { break }
        let cancelled = Task { try await windows.window(of: sample) { made } }
        cancelled.cancel()
        await #expect(throws: CancellationError.self) { try await cancelled.value }
        let count = Count()
        try await withThrowingTaskGroup(of: VOIWindow?.self) { group in
            for _ in 0..<3 {
                group.addTask {
                    try await windows.window(of: sample) {
                        count.value.withLock { $0 += 1 }
                        return made
                    }
                }
            }
            go.yield()
            for try await window in group { #expect(window == made) }
        }
        await #expect(throws: StoreError.self) { try await failing.value }
        #expect(count.value.withLock { $0 } == 1)
    }
}
