import Testing
import Workflow

@testable import hilum

/// What `hilum doctor` says of destinations that are asked to keep what they were sent.
struct CommitmentDoctorTests {
    private static let now = UTCInstant(microseconds: 1_772_366_400_000_000)

    private static func open(
        _ state: CommitmentTransaction.State, count: Int, seconds: Int64
    ) -> OpenCommitments {
        OpenCommitments(
            destination: "pacs", state: state, count: count, oldest: now.advanced(bySeconds: -seconds))
    }

    private static func findings(_ open: [OpenCommitments]) -> [DoctorFinding] {
        CommitmentDoctor(open: open, now: now, folder: "F").findings
    }

    @Test("What waits for its report is good, however long; what is overdue is told by its age, with what to see to")
    func age() throws {
        #expect(Self.findings([]).map(\.kind) == [.good])
        let waiting = Self.findings([Self.open(.asked, count: 3, seconds: 10_000)])
        #expect(waiting.map(\.text) == ["commitment: 3 transactions wait for a report, 0 are overdue"])
        let late = Self.findings([
            Self.open(.asked, count: 3, seconds: 10), Self.open(.overdue, count: 2, seconds: 25_200),
        ])
        #expect(late.map(\.kind) == [.good, .note])
        #expect(late[0].text == "commitment: 3 transactions wait for a report, 2 are overdue")
        #expect(late[1].text == "commitment: pacs has not reported of 2 transactions, the oldest of 7 hours ago")
        #expect(late[1].fix.contains("hilum peer list F"))
        let back = Self.findings([Self.open(.overdue, count: 1, seconds: -600)])
        #expect(back.last?.text == "commitment: pacs has not reported of 1 transactions, the oldest of 0 minutes ago")
    }
}
