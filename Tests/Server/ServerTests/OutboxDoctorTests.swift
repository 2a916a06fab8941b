import Testing
import Workflow

@testable import hilum

/// What `hilum doctor` says of the outbox.
struct OutboxDoctorTests {
    private static let now = UTCInstant(microseconds: 1_772_366_400_000_000)

    private static func depth(
        _ destination: String, _ state: OutboxEntry.State = .waiting, count: Int64 = 1, seconds: Int64
    ) -> OutboxDepth {
        OutboxDepth(
            destination: destination, kind: "hl7/RIS", state: state, count: count,
            oldest: now.advanced(bySeconds: -seconds))
    }

    private static func findings(_ depths: [OutboxDepth]) -> [DoctorFinding] {
        OutboxDoctor(depths: depths, now: now, folder: "F").findings
    }

    @Test("What waits is told by its age and not by its number: an hour, to the second")
    func age() throws {
        let fine = Self.findings([Self.depth("RIS", count: 100_000, seconds: 3_599)])
        #expect(fine.map(\.kind) == [.good])
        #expect(fine[0].text == "outbox: 100000 entries wait for delivery, 0 are parked")
        let late = Self.findings([Self.depth("RIS", seconds: 3_600), Self.depth("OTHER", seconds: 0)])
        #expect(late.map(\.kind) == [.good, .note])
        #expect(late[1].text == "outbox: what is told to RIS (hl7/RIS) has waited for 60 minutes")
        #expect(late[1].fix.contains("hilum outbox list F --destination RIS"))
        #expect(Self.findings([Self.depth("RIS", seconds: 7_200)])[1].text.hasSuffix("for 2 hours"))
        #expect(Self.findings([Self.depth("RIS", seconds: 172_800)])[1].text.hasSuffix("for 2 days"))
    }

    @Test("What is parked is named with how to look at it and what to decide, whatever its age")
    func parked() {
        let findings = Self.findings([Self.depth("RIS", .parked, count: 3, seconds: 0)])
        #expect(findings.map(\.kind) == [.good, .note])
        #expect(findings[1].text == "outbox: 3 entries for RIS are parked")
        #expect(findings[1].fix.contains("--state parked") && findings[1].fix.contains("--destination RIS"))
    }

    @Test("An empty outbox is good")
    func empty() { #expect(Self.findings([]).map(\.kind) == [.good]) }
}
