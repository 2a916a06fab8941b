import Testing

@testable import HL7v2

/// What a message brought and who took it; HL7 v2.5.1 §2.5, §2.15.5 (where an error is).
@Suite struct ReadTraceTests {
    private func traced(_ lines: String...) throws -> (Message, ReadTrace) {
        let trace = ReadTrace()
        let text = ([Samples.header()] + lines).joined(separator: "\r")
        return (try Samples.parse(Array(text.utf8)).traced(by: trace), trace)
    }

    private func values(of message: Message) -> [String] {
        var found: [String] = []
        message.forEachValue { location, uses in
            guard location.segment != "MSH" else { return }
            found.append("\(location) " + uses.map(\.target).joined(separator: ","))
        }
        return found
    }

    @Test("Each populated component is there once, with what it was read for; what was read for nothing is nobody's")
    func coverage() throws {
        let (message, trace) = try traced("PID|1||A^^^X&1.2&ISO~B||Doe^Jane||\"\"")
        let pid = try #require(message["PID"])
        trace.reading(.mapped("name")) { _ = pid[5].wholeText }
        trace.reading(.mapped("id")) { _ = pid[3][1][1].text }
        trace.reading(.mapped("outer")) { trace.reading(.kept("inner")) { _ = pid[3][1][4][2].text } }
        trace.reading(.mapped("birth")) { #expect(pid[7].presence == .null) }
        _ = pid[3][2].text
        #expect(
            values(of: message) == [
                "PID-1.1.1 ", "PID-3.1.1 id", "PID-3.4.1 ", "PID-3.4.2 inner", "PID-3.4.3 ", "PID-3[2].1.1 ",
                "PID-5.1.1 name", "PID-5.2.1 name", "PID-7.1.1 birth",
            ])
    }

    @Test(
        "A time that can not be read is reported once, at its place, and counts as nobody's",
        arguments: [
            ("2026-04-01", "OBR-36"), ("20261301", "OBR-36"), ("x", "OBR-36"),
        ])
    func unreadable(text: String, place: String) throws {
        let (message, trace) = try traced("OBR" + String(repeating: "|", count: 36) + text)
        let obr = try #require(message["OBR"])
        trace.reading(.mapped("start")) {
            #expect(obr[36].timestamp == nil)
            #expect(obr[36].timestamp == nil)
        }
        #expect(trace.faults.map { "\($0.location)" } == [place])
        #expect(trace.faults.map(\.condition) == [.dataTypeError])
        #expect(values(of: message) == [place + ".1.1 "])
    }

    @Test(
        "Places of faults count occurrences, repetitions, components and subcomponents; blanks and \"\" are no faults")
    func places() throws {
        let (message, trace) = try traced("OBX|1", "OBX|2|||a|b~c^d&x")
        let obx = try #require(message.segment("OBX", occurrence: 2))
        obx[5][2][2][2].report(.tableValueNotFound, "no such code")
        #expect(obx[4].timestamp == nil)
        #expect(trace.faults.map { "\($0.location)" } == ["OBX[2]-5[2].2.2", "OBX[2]-4"])
        let (other, none) = try traced("OBX|\"\"|  ")
        #expect(other["OBX"]?[1].timestamp == nil)
        #expect(other["OBX"]?[2].timestamp == nil)
        #expect(none.faults == [])
    }

    @Test("Complaints are limited, and a message without a trace takes none")
    func limits() throws {
        let trace = ReadTrace()
        for number in 1...(HL7Limits.tracedFaultsMax + 50) {
            trace.report(.dataTypeError, at: ErrorLocation(segment: "OBX", occurrence: number), "bad")
        }
        #expect(trace.faults.count == HL7Limits.tracedFaultsMax)
        let plain = try Samples.parse(Samples.adt)
        plain["PID"]?[5].report(.dataTypeError, "bad")
    }
}
