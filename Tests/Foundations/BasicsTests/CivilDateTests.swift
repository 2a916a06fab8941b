import Testing

@testable import Basics

/// The proleptic Gregorian calendar. ISO 8601.
struct CivilDateTests {
    @Test("The calendar of four centuries goes through day by day")
    func calendar() {
        var (year, month, day) = (1601, 1, 1)
        let start = CivilDate.days(year: year, month: month, day: day)
        for offset in 0..<146_097 {
            guard CivilDate.days(year: year, month: month, day: day) == start + offset,
                CivilDate.date(days: start + offset) == (year, month, day)
            else {
                Issue.record("\(year)-\(month)-\(day)")
                return
            }
            day += 1
            if day > CivilDate.length(year: year, month: month) { (month, day) = (month + 1, 1) }
            if month > 12 { (year, month) = (year + 1, 1) }
        }
        #expect((year, month, day) == (2001, 1, 1))
    }

    @Test("Days before 1970 and before our era count backwards")
    func early() {
        #expect(CivilDate.days(year: 1970, month: 1, day: 1) == 0)
        #expect(CivilDate.days(year: 1969, month: 12, day: 31) == -1)
        for days in [-719_529, -719_528, -719_163, -719_162, -1, 0, 2_932_896] {
            let (year, month, day) = CivilDate.date(days: days)
            #expect(CivilDate.days(year: year, month: month, day: day) == days)
        }
        #expect(CivilDate.date(days: -719_162) == (1, 1, 1))
        #expect(CivilDate.date(days: -719_163) == (0, 12, 31))
    }

    @Test("February has 29 days in leap years alone")
    func february() {
        for (year, length) in [(2023, 28), (2024, 29), (1900, 28), (2000, 29)] {
            #expect(CivilDate.length(year: year, month: 2) == length)
        }
    }
}
