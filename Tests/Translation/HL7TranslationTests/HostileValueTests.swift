import HL7Translation
import HL7v2
import TestSupport
import Testing
import Workflow

/// What no store can keep is refused by one rule in every segment, with its place, and nothing of the message is kept.
/// HL7 v2.5.1 §2.9.2, §2.15.5.2, table 0357.
@Suite struct HostileValueTests {
    let store = MemoryStore(time: TestClock().now())
    let inbox: HL7Inbox
    init() throws { inbox = Site.inbox(store, try Site.profile()) }

    private static let long = String(repeating: "9", count: 4_000)
    private func segment(_ name: String, _ fields: [Int: String]) -> String {
        name + (1...(fields.keys.max() ?? 1)).map { "|" + (fields[$0] ?? "") }.joined()
    }
    private var isEmpty: Bool { store.patients.isEmpty && store.orders.isEmpty && store.reports.isEmpty }

    @Test(
        "A code or number of 4,000 characters is AE 102 with its place, in every segment of an order",
        arguments: [
            ("AL1", [3: "@^Contrast^L"], "AL1^1^3^1"), ("AL1", [2: "@", 3: "X"], "AL1^1^2^1"),
            ("DG1", [3: "S06^Concussion^@"], "DG1^1^3^1^3"), ("OBX", [2: "NM", 3: "@^Weight^LN", 5: "7"], "OBX^1^3^1"),
            ("OBX", [2: "CWE", 3: "A^B^L", 5: "x~@^Long^L"], "OBX^1^5^2"),
            ("OBX", [2: "NM", 3: "A", 4: "@", 5: "7"], "OBX^1^4^1"),
            ("IN1", [2: "PLAN", 3: "@"], "IN1^1^3^1"), ("GT1", [2: "1", 3: "A^@"], "GT1^1^3^1"),
            ("NK1", [2: "K^L", 3: "@"], "NK1^1^3^1"), ("IN1", [2: "PLAN", 3: "1^^^A&1.2&@"], "IN1^1^3^1^4^3"),
            ("DG1", [3: "S06^C^" + String(repeating: "ä", count: 400)], "DG1^1^3^1^3"),
            ("IN1", [2: "PLAN", 3: "1^^^" + String(repeating: "ä", count: 400)], "IN1^1^3^1^4"),
            ("PD1", [3: "Clinic^^@"], "PD1^1^3^1^3"),
        ])
    func codes(name: String, fields: [Int: String], place: String) async {
        let filled = segment(name, fields.mapValues { $0.replacing("@", with: Self.long) })
        let isOfPatient = ["NK1", "PD1", "IN1", "GT1"].contains(name)
        var lines = [Site.msh("ORM^O01", "M1"), Site.pid, "ORC|NW|PL-1|FI-1", "OBR|1|PL-1|FI-1|CT^CT"]
        lines.insert(filled, at: isOfPatient ? 2 : 4)
        let receipt = await inbox.receive(Site.lines(lines), peer: nil)
        #expect(receipt.code == "AE", "\(receipt)")
        #expect(receipt.conditions == ["102"], "\(receipt)")
        #expect(receipt.place == place, "\(receipt)")
        #expect(isEmpty)
        #expect(store.journal.count == 1)
    }

    @Test(
        "So are the numbers of orders, visits, procedures and steps",
        arguments: [
            ("ORC", 2, "ORC^1^2^1"), ("OBR", 3, "OBR^1^3^1"), ("OBR", 18, "OBR^1^18^1"), ("OBR", 19, "OBR^1^19^1"),
            ("OBR", 20, "OBR^1^20^1"), ("PV1", 19, "PV1^1^19^1"), ("PV1", 2, "PV1^1^2^1"), ("PV1", 7, "PV1^1^7^1"),
            ("PID", 18, "PID^1^18^1"), ("PID", 19, "PID^1^19^1"), ("PID", 10, "PID^1^10^1"), ("ORC", 12, "ORC^1^12^1"),
        ])
    func numbers(name: String, field: Int, place: String) async {
        var segments: [String: [Int: String]] = [
            "PID": [3: "P-1^^^NORTH&2.999.1&ISO^MR", 5: "A^B"], "PV1": [2: "I", 19: "V-1"],
            "ORC": [1: "NW", 2: "PL-1"],
            "OBR": [2: "PL-1", 4: "CT^CT"],
        ]
        segments[name]?[field] = Self.long
        let lines = ["PID", "PV1", "ORC", "OBR"].map { segment($0, segments[$0] ?? [:]) }
        let receipt = await inbox.receive(Site.lines([Site.msh("ORM^O01", "M1")] + lines), peer: nil)
        #expect(receipt.code == "AE", "\(receipt)")
        #expect(receipt.place == place, "\(receipt)")
        #expect(isEmpty)
        #expect(store.journal.first?.disposition == .failed)
    }

    @Test("Text that nothing is found by may be long: notes, displays, values, street and reaction")
    func text() async {
        let lines = [
            Site.msh("ORM^O01", "M1"), Site.pid, "AL1|1|DA|CM^\(Self.long)|SV|\(Self.long)", "ORC|NW|PL-1|FI-1",
            "OBR|1|PL-1|FI-1|CT^\(Self.long)|||||||||\(Self.long)", "NTE|1||\(Self.long)",
            "OBX|1|TX|A^\(Self.long)||\(Self.long)||\(Self.long)",
        ]
        #expect(await inbox.receive(Site.lines(lines), peer: nil).code == "AA")
        #expect(store.orders.first?.notes.first == Self.long)
    }

    @Test("MSH-3, 4 and 10 of 4,000 characters are AR 102 with their place, kept once by their beginning")
    func header() async {
        for field in [3, 4, 10] {
            var fields = Site.msh("ADT^A04", "M\(field)").split(separator: "|", omittingEmptySubsequences: false)
            fields[field - 1] = Substring(Self.long)
            for _ in 0..<2 {
                let receipt = await inbox.receive(Site.lines([fields.joined(separator: "|"), Site.pid]), peer: nil)
                #expect(receipt.code == "AR", "\(receipt)")
                #expect(receipt.conditions == ["102"], "\(receipt)")
                #expect(receipt.place == "MSH^1^\(field)^1")
            }
        }
        #expect(store.journal.count == 3)
        #expect(isEmpty)
    }

    @Test(
        "§2.7: a list of 200 repetitions is taken, of 201 it is AE 102 with its place; lines of text may be more",
        arguments: [("PID", 3), ("PID", 5), ("PID", 11), ("PID", 13), ("OBR", 31), ("OBX", 8), ("AL1", 5)])
    func repetitions(name: String, field: Int) async {
        for (index, count) in [200, 201].enumerated() {
            var segments: [String: [Int: String]] = [
                "PID": [3: "P-\(index)^^^NORTH&2.999.1&ISO^MR", 5: "A^B"], "AL1": [3: "X^Y^L"],
                "ORC": [1: "NW", 2: "PL-\(index)"], "OBR": [2: "PL-\(index)", 4: "CT^CT"],
                "OBX": [2: "ST", 3: "A^B^L", 5: (0..<2_000).map { "line \($0)" }.joined(separator: "~")],
            ]
            let value = field == 3 ? "^^^NORTH&2.999.1&ISO^NI" : field == 13 ? "^PRN^PH" : "^X"
            segments[name]?[field] = (0..<count).map { "V\(index)\($0)\(value)" }.joined(separator: "~")
            let lines = ["PID", "AL1", "ORC", "OBR", "OBX"].map { segment($0, segments[$0] ?? [:]) }
            let receipt = await inbox.receive(Site.lines([Site.msh("ORM^O01", "M\(index)")] + lines), peer: nil)
            #expect(receipt.code == (index == 0 ? "AA" : "AE"), "\(receipt.notes)")
            if index == 1 {
                #expect(receipt.place == "\(name)^1^\(field)^201")
                #expect(receipt.conditions == ["102"])
            }
        }
        #expect(store.orders.count == 1)
    }

    @Test("A place that is refused is told however many other complaints the message gives rise to")
    func manyComplaints() async {
        let visits = (1...150).map { "OBX|\($0)|NM|A^B^L||x" }
        let lines =
            [Site.msh("ORM^O01", "M1"), Site.pid, "ORC|NW|PL-1|FI-1", "OBR|1|PL-1|FI-1|CT^CT"] + visits
            + ["OBX|151|NM|\(Self.long)||7"]
        let receipt = await inbox.receive(Site.lines(lines), peer: nil)
        #expect(receipt.code == "AE", "\(receipt.place)")
        #expect(receipt.place == "OBX^151^3^1", "\(receipt.place)")
        #expect(isEmpty)
    }
}
