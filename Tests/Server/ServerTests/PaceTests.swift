import Testing

@testable import hilum

/// The rate that `hilum verify`, `backup` and `key seal` are held to.
struct PaceTests {
    @Test(
        "The time of any number of bytes at any rate that may be asked for is told",
        arguments: [
            (0, 1, .zero), (1 << 20, 1, .seconds(1)), (3 << 19, 1, .milliseconds(1500)),
            // 100 TB, which is more than Int64 has microseconds for when they are multiplied.
            (100 << 40, 100, .seconds(1_048_576)), (Int64.max, 1_000_000, .seconds(8_796_093)),
        ] as [(Int64, Int, Duration)])
    func time(bytes: Int64, mebibytes: Int, expected: Duration) {
        let time = Pace.time(of: bytes, bytesPerSecond: Int64(mebibytes) << 20)
        #expect(time >= expected && time < expected + .seconds(1))
    }

    @Test(
        "A rate is 0 to 1,000,000 MiB a second",
        arguments: [
            (-1, false), (0, true), (1_000_000, true), (1_000_001, false), (1 << 44, false),
        ])
    func range(rate: Int, isOne: Bool) {
        let isTaken = (try? Pace.check(mebibytesPerSecond: rate)) != nil
        #expect(isTaken == isOne)
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
