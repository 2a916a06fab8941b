import Access
import HTTPSupport
import HTTPTypes
import Hummingbird
import Synchronization
import Testing
import Workflow

@testable import DICOMTranslation
@testable import DICOMwebAPI

/// Timezone Offset From UTC in a search. PS3.18 §8.3.4.1.1.
@Suite("QIDO-RS in a zone")
struct SearchZoneTests {
    private static func match(_ uid: String, _ date: String, _ time: String) -> StudyMatch {
        var attributes = StudyAttributes()
        (attributes.studyDate, attributes.studyTime, attributes.timezoneOffset) = (date, time, "+0000")
        return StudyMatch(
            study: Study(
                id: EntityID(uid), studyInstanceUID: uid, reconciliation: .quarantined(.missingPatientID),
                attributes: attributes, updatedAt: UTCInstant(microseconds: 0)), modalitiesInStudy: ["CT"],
            numberOfStudyRelatedSeries: 1, numberOfStudyRelatedInstances: 1)
    }

    private static func search(
        _ query: String, remaining: Int = 0
    ) async throws -> (uids: [String], warning: String?, asked: StudyQuery?) {
        let stored = [
            ("1.7.1", "20260101", "220000"), ("1.7.2", "20260101", "233000"), ("1.7.3", "20260102", "090000"),
        ]
        let matches = StudyMatches(matches: stored.map { match($0.0, $0.1, $0.2) }, remaining: remaining)
        let (routes, index) = try ResultTests.routes(matches: matches)
        let response = try await routes.search(
            .study,
            APIRequest(
                method: .get, path: "/", rawQuery: query, headers: HTTPFields(), parameters: PathParameters([]),
                access: AccessContext(
                    principal: Principal(kind: .client, id: "c"), scopes: [], requestID: "r", sourceAddress: nil)))
        let text = String(decoding: try await ResultTests.body(response), as: UTF8.self)
        let asked = index.asked.withLock { $0 }
        return (stored.map(\.0).filter { text.contains("\"\($0)\"") }, response.headers[.warning], asked)
    }

    @Test("§8.3.4.1.1: dates and times of a search are of the zone that it names, by keyword or tag")
    func zone() async throws {
        for name in ["TimezoneOffsetFromUTC", "00080201"] {
            let found = try await Self.search("StudyDate=20260102&\(name)=+0100")
            #expect(found.uids == ["1.7.2", "1.7.3"] && found.warning == nil)
            #expect(found.asked?.keys == SearchKeys([.studyDate: .dates(from: "20251231", to: "20260104")]))
        }
        let west = try await Self.search("StudyDate=20260101&TimezoneOffsetFromUTC=-1000&StudyTime=12-23")
        #expect(west.uids == ["1.7.1", "1.7.2", "1.7.3"])
        // Pages are cut from what holds.
        let page = try await Self.search("StudyDate=20260102&TimezoneOffsetFromUTC=%2B0100&limit=1")
        #expect(page.uids == ["1.7.2"])
        #expect(page.warning == "299 hilum \"There are 1 additional results that can be requested\"")
        #expect(try await Self.search("StudyDate=20260102&00080201=+0100&offset=1").uids == ["1.7.3"])
    }

    @Test("A zone without dates asks for nothing, nor does an empty one")
    func without() async throws {
        for query in ["TimezoneOffsetFromUTC=+0100&PatientID=7", "PatientID=7", "PatientID=7&00080201="] {
            let found = try await Self.search(query)
            #expect(found.uids.count == 3, "\(query)")
            #expect(found.asked?.keys == SearchKeys([.patientID: .exact("7")]) && found.asked?.limit == 200)
        }
        let dated = try await Self.search("StudyDate=20260102&TimezoneOffsetFromUTC=")
        #expect(dated.asked?.keys == SearchKeys([.studyDate: .dates(from: "20260102", to: "20260102")]))
    }

    @Test("What is no zone, one given twice, and more days than are looked at are 400")
    func refused() async throws {
        for (query, remaining) in [
            ("StudyDate=20260102&TimezoneOffsetFromUTC=CET", 0), ("TimezoneOffsetFromUTC=+1401", 0),
            ("TimezoneOffsetFromUTC=+0100&00080201=+0100", 0),
            ("StudyDate=20260102&TimezoneOffsetFromUTC=+0100", 1),
        ] {
            await #expect(throws: HTTPFailure(.malformed, ""), "\(query)") {
                try await Self.search(query, remaining: remaining)
            }
        }
    }
}
