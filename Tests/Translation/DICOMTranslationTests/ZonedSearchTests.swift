import DICOMData
import TestSupport
import Testing
import Workflow

@testable import DICOMTranslation

/// Dates and times of a query that names its own zone. PS3.18 §8.3.4.1.1, PS3.4 §C.2.2.2.1.3.
@Suite("Searches in a zone of their own")
struct ZonedSearchTests {
    static func match(
        _ date: String?, _ time: String?, zone: String? = nil, step: (date: String, time: String)? = nil
    ) -> StudyMatch {
        var attributes = StudyAttributes()
        attributes.studyDate = date
        attributes.studyTime = time
        attributes.timezoneOffset = zone
        let now = UTCInstant(microseconds: 0)
        var match = StudyMatch(
            study: Study(
                id: EntityID("1"), studyInstanceUID: "1.2", reconciliation: .quarantined(.missingPatientID),
                attributes: attributes, updatedAt: now), modalitiesInStudy: [], numberOfStudyRelatedSeries: 0,
            numberOfStudyRelatedInstances: 0)
        if let step {
            var attributes = SeriesAttributes()
            attributes.performedProcedureStepStartDate = step.date
            attributes.performedProcedureStepStartTime = step.time
            match.series = Series(
                studyInstanceUID: "1.2", seriesInstanceUID: "1.2.1", reconciliation: .quarantined(.missingPatientID),
                attributes: attributes, updatedAt: now)
        }
        return match
    }

    private static func keys(_ entries: [(DICOMData.Tag, String)]) throws -> SearchKeys {
        var reader = KeyReader()
        for (tag, value) in entries {
            try reader.add(value, for: tag, as: try #require(QueryKeys.key(for: tag)).key)
        }
        return reader.result()
    }

    /// A search at +0100.
    private static func search(
        _ entries: [(DICOMData.Tag, String)], at level: StudyQueryLevel = .study,
        local: @escaping @Sendable (Int) -> Int? = { _ in nil }
    ) throws -> ZonedSearch {
        try #require(ZonedSearch(try keys(entries), at: level, offsetMinutes: 60, localOffset: local))
    }

    @Test("A time is matched as a clock of the query's zone shows it, over midnight too")
    func moved() throws {
        let late = Self.match("20260101", "2330", zone: "+0000")
        #expect(try Self.search([(.studyDate, "20260102")]).holds(late))
        #expect(try !Self.search([(.studyDate, "20260101")]).holds(late))
        #expect(try Self.search([(.studyDate, "20260102"), (.studyTime, "0030")]).holds(late))
        #expect(try !Self.search([(.studyDate, "20260102"), (.studyTime, "2330")]).holds(late))
        #expect(try Self.search([(.studyTime, "00-0045")]).holds(late))
        #expect(try Self.search([(.studyDate, "20260101\\20260102")]).holds(late))
        // One period of date and time.
        let night = try Self.search([(.studyDate, "20260102-20260102"), (.studyTime, "00-01")])
        #expect(night.holds(late))
        #expect(!night.holds(Self.match("20260102", "0130", zone: "+0000")))
        #expect(night.holds(Self.match("20260102", "0130", zone: "+0100")))
        #expect(night.holds(Self.match("20260101", "1930", zone: "-0500")))
        #expect(night.holds(Self.match("20260102", "143000.5", zone: "+1400")))
        #expect(!night.holds(Self.match("20260102", "150000", zone: "+1400")))
        #expect(!night.holds(Self.match(nil, nil)))
    }

    @Test("The index is asked for the days around, and for no times")
    func wide() throws {
        let single = try Self.search([(.studyDate, "20260101"), (.studyTime, "10"), (.patientID, "7")]).wide
        #expect(
            single
                == SearchKeys([.studyDate: .dates(from: "20251230", to: "20260103"), .patientID: .exact("7")]))
        let period = try Self.search([(.studyDate, "20260101-"), (.studyTime, "10-")]).wide
        #expect(period == SearchKeys([.studyDate: .dates(from: "20251230", to: nil)]))
        let end = try Self.search([(.studyDate, "-99991231")]).wide
        #expect(end == SearchKeys([.studyDate: .dates(from: nil, to: nil)]))
        let either = try Self.search([(.studyDate, "20260101\\\"\"")]).wide
        #expect(
            either == SearchKeys([.studyDate: .anyOf([.dates(from: "20251230", to: "20260103"), .empty])]))
    }

    @Test(
        "Without a zone of its own an object is of the site's; in no known zone, or without a time, it is as it was sent"
    )
    func local() throws {
        let sent = Self.match("20260101", "2330")
        let (today, tomorrow) = ([(DICOMData.Tag.studyDate, "20260101")], [(DICOMData.Tag.studyDate, "20260102")])
        #expect(try Self.search(today).holds(sent) && !Self.search(tomorrow).holds(sent))
        // 2026-01-01T23:30 of that clock.
        let utc: @Sendable (Int) -> Int? = { $0 == 1_767_310_200 ? 0 : nil }
        #expect(try !Self.search(today, local: utc).holds(sent) && Self.search(tomorrow, local: utc).holds(sent))
        let day = Self.match("20260101", nil, zone: "-1200")
        #expect(try Self.search(today, local: utc).holds(day) && !Self.search(tomorrow, local: utc).holds(day))
        #expect(try !Self.search([(.studyTime, "10")]).holds(day))
        #expect(try Self.search([(.studyTime, "\"\"")]).holds(day))
        let broken = Self.match("20260101", "2330", zone: "CET")
        #expect(try Self.search(today).holds(broken))
        // Beyond the calendar nothing is moved.
        let last = Self.match("99991231", "2330", zone: "+0000")
        #expect(try Self.search([(.studyDate, "99991231")]).holds(last))
    }

    @Test("Only dates that have times are moved: of the study, and of a step where series are searched")
    func levels() throws {
        #expect(try ZonedSearch(Self.keys([(.patientBirthDate, "20000101")]), at: .instance, offsetMinutes: 60) == nil)
        let step = [(DICOMData.Tag.performedProcedureStepStartDate, "20260102")]
        #expect(try ZonedSearch(Self.keys(step), at: .study, offsetMinutes: 60) == nil)
        let found = Self.match(nil, nil, zone: "+0000", step: ("20260101", "2330"))
        #expect(try Self.search(step, at: .series).holds(found))
        let both = try Self.search(step + [(.studyDate, "20260102")], at: .instance)
        #expect(!both.holds(found))
        #expect(both.holds(Self.match("20260102", "10", zone: "+0000", step: ("20260101", "2330"))))
    }

    @Test(
        "Random times in random zones are in a period exactly when their moments are, and the index is asked for them")
    func moments() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        print("ZonedSearchTests.moments seed \(seed)")
        var random = SeededGenerator(seed: seed)
        func two(_ range: ClosedRange<Int>) -> String {
            let number = Int.random(in: range, using: &random)
            return (number < 10 ? "0" : "") + "\(number)"
        }
        func zone() -> String {
            (Bool.random(using: &random) ? "+" : "-") + two(1...11) + (Bool.random(using: &random) ? "30" : "00")
        }
        func moment(_ date: String, _ time: String, _ zone: String) throws -> Int {
            try #require(DICOMDateTime(text: date + time + zone)).microseconds().lowerBound
        }
        for _ in 0..<500 {
            let (own, asked) = (zone(), zone())
            let sent = ("202602" + two(10...14), two(0...23) + two(0...59) + two(0...59))
            let dates = ["202602" + two(10...14), "202602" + two(10...14)].sorted()
            let times = [two(0...23) + "0000", two(0...23) + "0000"].sorted()
            let keys = try Self.keys([
                (.studyDate, dates.joined(separator: "-")), (.studyTime, times.joined(separator: "-")),
            ])
            let offset = try #require(DICOMDateTime.offsetMinutes(asked))
            let search = try #require(ZonedSearch(keys, at: .study, offsetMinutes: offset))
            let at = try moment(sent.0, sent.1, own)
            let isIn =
                try moment(dates[0], times[0], asked) <= at && at <= moment(dates[1], times[1], asked) + 999_999
            let match = Self.match(sent.0, sent.1, zone: own)
            #expect(search.holds(match) == isIn, "\(sent) \(own) in \(dates) \(times) \(asked)")
            if isIn { #expect(search.wide[.studyDate]?.matches(sent.0) == true) }
        }
    }
}
