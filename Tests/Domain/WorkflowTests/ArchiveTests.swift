import Access
import Testing

@testable import Workflow

/// Archives behind this server: when one is left alone, and what a key matches outside the index. PS3.4 §C.2.2.2.
@Suite("Archives")
struct ArchiveTests {
    private static func archive(_ name: String, port: Int = 104) -> ArchiveCircuit.Place {
        ArchiveCircuit.Place(Peer(kind: .applicationEntity, name: name, host: "h", port: port))
    }
    private static func at(_ seconds: Int64) -> UTCInstant { UTCInstant(microseconds: seconds * 1_000_000) }

    /// Whether each place may be asked at its time, one after the other.
    private static func mayAsk(
        _ circuit: inout ArchiveCircuit, _ asked: (ArchiveCircuit.Place, Int64)...
    ) -> [Bool] {
        var answers: [Bool] = []
        for (place, seconds) in asked { answers.append(circuit.mayAsk(place, at: at(seconds))) }
        return answers
    }

    @Test("One that failed is left alone, each time longer; after that one query tries it, and its answer ends that")
    func circuit() {
        var circuit = ArchiveCircuit(restSeconds: 10)
        let (a, b) = (Self.archive("A"), Self.archive("B"))
        let before = Self.mayAsk(&circuit, (a, 0))
        circuit.failed(a, at: Self.at(0))
        // Moved to another port it is another.
        let after = Self.mayAsk(&circuit, (a, 9), (b, 9), (Self.archive("A", port: 105), 9), (a, 10), (a, 11))
        circuit.failed(a, at: Self.at(12))
        let twice = Self.mayAsk(&circuit, (a, 31), (a, 32))
        circuit.answered(a)
        let answered = Self.mayAsk(&circuit, (a, 32), (a, 32))
        #expect(before == [true] && after == [false, true, true, true, false])
        #expect(twice == [false, true] && answered == [true, true])
    }

    @Test("However often it failed, it is tried again after sixteen times the rest")
    func longestRest() {
        var circuit = ArchiveCircuit(restSeconds: 10)
        let a = Self.archive("A")
        for _ in 0..<100 { circuit.failed(a, at: Self.at(0)) }
        let tried = Self.mayAsk(&circuit, (a, 159), (a, 160))
        #expect(tried == [false, true])
    }

    @Test(
        "A key matches a value as it does in the index",
        arguments: [
            (KeyMatch.exact("CT"), "CT", true), (.exact("CT"), "ct", false), (.wildcard("C*d"), "CT head", true),
            (.wildcard("C?"), "CT", true), (.wildcard("C?"), "C", false), (.wildcard("M?ller"), "Müller", true),
            (.wildcard("*a*a*a*b"), String(repeating: "a", count: 2_000), false),
            (.name("doe^*"), "DOE", true), (.name("doe^j*"), "Doe^Jane^^", true), (.name("山田*"), "Doe=山田^花", true),
            (.name("doe"), "Doe^Jane", false), (.dates(from: "20260101", to: nil), "20260101", true),
            (.dates(from: nil, to: "20251231"), "20260101", false),
            (.times(from: "100000.000000", to: "105959.999999"), "103000.000000", true),
            (.anyOf([.exact("1"), .wildcard("2*")]), "21", true), (.empty, "x", false),
        ])
    func matches(_ match: KeyMatch, _ text: String, _ expected: Bool) { #expect(match.matches(text) == expected) }

    @Test("A period is one: on the days between the time does not count")
    func period() {
        let period = SearchPeriod(
            date: .studyDate, time: .studyTime, from: .init(date: "20260101", time: "120000.000000"),
            to: .init(date: "20260103", time: "080000.000000"))
        #expect(!period.contains(.init(date: "20260101", time: "110000.000000")))
        #expect(period.contains(.init(date: "20260102", time: "110000.000000")))
        #expect(!period.contains(.init(date: "20260103", time: "110000.000000")))
    }
}
