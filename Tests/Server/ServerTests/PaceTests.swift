import Testing

@testable import hilum

/// What long commands tell, and how they hold to a rate, for any number of bytes.
@Suite("Paces and bars of long commands")
struct PaceTests {
    @Test("A rate holds for more bytes than a million fits into with 64 bits, and for any rate")
    func time() {
        for (bytes, rate, seconds) in [
            (0, 1, 0), (1 << 20, 1, 1), (3 << 20, 2, 1), (10_000_000_000_000, 0, 0), (1 << 60, 1, 1 << 40),
            (1 << 60, Pace.mebibytesMax, 1 << 20), (1 << 60, .max, 1 << 20), (1 << 60, -1, 0),
        ] as [(Int64, Int, Int64)] {
            #expect(Pace.time(of: bytes, mebibytesPerSecond: rate).components.seconds == seconds)
        }
        #expect(Pace.time(of: 3 << 20, mebibytesPerSecond: 2) == .milliseconds(1_500))
        #expect(Pace.time(of: .max, mebibytesPerSecond: 1) > .seconds(1 << 42))
    }

    @Test("A bar is never fuller than full, and any total has its thirtieth")
    func bar() {
        for (done, total, filled) in [
            (0, 1, 0), (1, 1, 30), (2, 1, 30), (-1, 1, 0), (1, 2, 15), (.max, .max, 30), (.max / 2, .max, 15),
            (0, .max, 0),
        ] as [(Int64, Int64, Int)] {
            #expect(ProgressLine.filled(done, of: total) == filled)
        }
    }
}
