import DICOMData
import Testing

/// PS3.5 §6.2, PS3.4 §C.2.2.2.5.
@Suite struct DateTimeTests {
    @Test(
        "PS3.5 §6.2: DA is a day of the calendar",
        arguments: [
            ("20240229", "2024-02-29"), ("2024.02.29", "2024-02-29"), ("19000228 ", "1900-02-28"), ("20230229", nil),
            ("19000229", nil), ("20241301", nil), ("2024022", nil), ("2024-02-29", nil), ("", nil), ("20240a01", nil),
            ("00000101", nil),
        ])
    func dates(_ text: String, _ iso: String?) { #expect(DICOMDate(text: text)?.isoText == iso) }

    @Test("Days count from 1970 and back over every month of 400 years") func dayNumbers() {
        #expect(DICOMDate(text: "19700101")?.daysSince1970 == 0)
        #expect(DICOMDate(text: "20000301")?.daysSince1970 == 11_017)
        for day in stride(from: -300_000, through: 300_000, by: 13) {
            #expect(DICOMDate(daysSince1970: day)?.daysSince1970 == day)
        }
        #expect(DICOMDate(daysSince1970: .max) == nil)
        #expect(DICOMDate(daysSince1970: .min) == nil)
    }

    @Test(
        "PS3.5 §6.2: TM keeps its precision",
        arguments: [
            ("10", "10"), ("1030", "1030"), ("103059", "103059"), ("103059.5", "103059.5"),
            ("103059.000001", "103059.000001"),
            ("10:30:59", "103059"), ("235960", "235960"), ("24", nil), ("1060", nil), ("103", nil), ("103059.", nil),
            ("1030.5", nil), ("103059.1234567", nil), ("", nil), ("10:30:5", nil), ("1a", nil),
        ])
    func times(_ text: String, _ expected: String?) { #expect(DICOMTime(text: text)?.description == expected) }

    @Test("A time of less precision means all of its hour or minute") func timeSpan() {
        #expect(DICOMTime(text: "10")?.microsecondsOfDay == 36_000_000_000...39_599_999_999)
        #expect(DICOMTime(text: "1000")?.microsecondsOfDay == 36_000_000_000...36_059_999_999)
        #expect(DICOMTime(text: "100000.5")?.microsecondsOfDay == 36_000_500_000...36_000_599_999)
    }

    @Test("PS3.5 §6.2: DT from a year to microseconds, with an offset or without") func dateTimes() {
        #expect(DICOMDateTime(text: "1970")?.microseconds() == 0...31_535_999_999_999)
        #expect(DICOMDateTime(text: "197001020000+0100")?.microseconds().lowerBound == 82_800_000_000)
        #expect(DICOMDateTime(text: "19700101000000-0130")?.microseconds() == 5_400_000_000...5_400_999_999)
        #expect(DICOMDateTime(text: "1970010100")?.microseconds(localOffsetMinutes: 60).lowerBound == -3_600_000_000)
        for text in [
            "", "197", "19700", "19701301", "19700230", "1970010125", "1970+2500", "1970-0000", "1970-1300", "1970.5",
            "x970",
        ] {
            #expect(DICOMDateTime(text: text) == nil, "\(text)")
        }
    }

    @Test("PS3.4 §C.2.2.2.5.1: date ranges are inclusive and may be open on one side") func dateRanges() {
        let closed = DateTimeRange.dates("20240101-20240131")
        #expect(closed?.from?.description == "20240101")
        #expect(closed?.to?.description == "20240131")
        let from = DateTimeRange.dates("20240101-")
        #expect(from?.from != nil)
        #expect(from?.to == nil)
        let to = DateTimeRange.dates("-20240101")
        #expect(to?.from == nil)
        #expect(to?.to != nil)
        let single = DateTimeRange.dates("20240101")
        #expect(single?.from == single?.to)
        for text in ["", "-", "20240131-20240101", "20240101-20240102-20240103", "20240101-x"] {
            #expect(DateTimeRange.dates(text) == nil, "\(text)")
        }
    }

    @Test("PS3.4 §C.2.2.2.5.1: the upper end of a time range takes in all of its precision") func timeRanges() {
        #expect(DateTimeRange.times("10-11") == 36_000_000_000...43_199_999_999)
        #expect(DateTimeRange.times("-0900") == 0...32_459_999_999)
        #expect(DateTimeRange.times("11-10") == nil)
        #expect(DateTimeRange.times("*") == nil)
    }

    @Test("PS3.5 §6.2: in DT a hyphen before a valid offset is its sign, else it makes a range") func dateTimeRanges() {
        #expect(DateTimeRange.dateTimes("1970-0100") == DICOMDateTime(text: "1970-0100")?.microseconds())
        let years = DateTimeRange.dateTimes("1970-1971")
        #expect(years == 0...63_071_999_999_999)
        let offsets = DateTimeRange.dateTimes("19700101-0100-19700102-0100")
        #expect(offsets == 3_600_000_000...3_600_000_000 + 2 * 86_400_000_000 - 1)
        #expect(DateTimeRange.dateTimes("1970-")?.lowerBound == 0)
        #expect(DateTimeRange.dateTimes("-1970")?.lowerBound == .min)
        #expect(DateTimeRange.dateTimes("1971-1970") == nil)
        #expect(DateTimeRange.dateTimes("-") == nil)
    }
}
