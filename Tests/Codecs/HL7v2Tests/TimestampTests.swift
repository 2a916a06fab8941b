import Testing

@testable import HL7v2

/// HL7 v2.5.1 §2.A.22 (DTM).
@Suite struct TimestampTests {
    @Test(
        "Values that break the grammar or do not exist are refused",
        arguments: [
            "", "2", "202", "20261", "20261301", "20260001", "20260230", "20250229", "2026112124", "202611211060",
            "20261121106", "2026-11-21",
            "20261121101561", "2026112110.5", "20261121101500.", "20261121101500+1", "20261121101500+2400",
            "20261121101500+0060", "x0261121",
            "20261121101500Z", "202611211015001", "0000",
        ])
    func illegal(text: String) { #expect(Timestamp(text.utf8) == nil) }

    @Test(
        "Precision and offset are kept, and writing gives the same text",
        arguments: [
            ("2026", Timestamp.Precision.year, nil), ("202611", .month, nil), ("20261121", .day, nil),
            ("2026112110", .hour, nil),
            ("202611211015", .minute, nil), ("20261121101559", .second, nil), ("20261121101559.1230", .fraction, nil),
            ("20240229", .day, nil), ("20261121101559+0100", .second, 60), ("202611211015-0330", .minute, -210),
        ] as [(String, Timestamp.Precision, Int?)])
    func precision(text: String, precision: Timestamp.Precision, offset: Int?) throws {
        let stamp = try #require(Timestamp(text.utf8))
        #expect(stamp.precision == precision)
        #expect(stamp.offsetMinutes == offset)
        #expect(String(decoding: stamp.bytes, as: UTF8.self) == text)
    }

    @Test("Fractions of any length up to nine read as ten-thousandths")
    func fractions() {
        #expect(Timestamp("20261121101559.5".utf8)?.tenThousandths == 5000)
        #expect(Timestamp("20261121101559.123456".utf8)?.tenThousandths == 1234)
    }

    @Test("Epoch seconds go there and back over four centuries")
    func epoch() {
        for seconds in stride(from: -12_000_000_000, through: 12_000_000_000, by: 86_400 * 97 + 12_345) {
            #expect(Timestamp(utcEpochSeconds: seconds).wallClockSeconds == seconds)
        }
        #expect(Timestamp("19700101".utf8)?.epochDay == 0)
        #expect(Timestamp("20000301".utf8)?.epochDay == 11_017)
    }
}
