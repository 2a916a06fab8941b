import TestSupport
import Testing

@testable import HL7v2

/// HL7 v2.5.1 §2.12 (abstract message definitions), §3.3, §4.4, §7.3; cases H4, H5.
@Suite struct MessageStructureTests {
    /// `GROUP(PID PV1 …)` of a message whose segments have these names; a name may carry fields (`ORC|PR`).
    private func shape(_ structure: MessageStructure, _ segments: String...) throws -> (tree: String, strays: [String])
    {
        let message = try Samples.parse(Array((([Samples.header()] + segments).joined(separator: "\r") + "\r").utf8))
        let read = structure.read(message)
        return (Self.text(read.root), read.strays.map { "\($0.id)" })
    }

    private static func text(_ group: SegmentGroup) -> String {
        let parts =
            group.segments.map { ($0.position, "\($0.id)") }
            + group.groups.map { ($0.everySegment.first?.position ?? 0, text($0)) }
        return group.name + "(" + parts.sorted { $0.0 < $1.0 }.map(\.1).joined(separator: " ") + ")"
    }

    @Test("§7.3.1: each PATIENT_RESULT has its own patient, each ORDER_OBSERVATION its own OBR")
    func results() throws {
        let read = try shape(
            .oru, "PID", "PV1", "ORC", "OBR", "OBX", "NTE", "OBX", "OBR", "PID", "OBR", "NTE", "OBX")
        #expect(
            read.tree
                == "ORU_R01(MSH PATIENT_RESULT(PATIENT(PID PATIENT_VISIT(PV1)) "
                + "ORDER_OBSERVATION(ORC OBR OBSERVATION(OBX NTE) OBSERVATION(OBX)) ORDER_OBSERVATION(OBR)) "
                + "PATIENT_RESULT(PATIENT(PID) ORDER_OBSERVATION(OBR NTE OBSERVATION(OBX))))")
        #expect(read.strays == [])
    }

    @Test(
        "§4.4.4: a PRIOR_RESULT is no ORDER, whether it begins with PID, with ORC|PR or with an OBR that has a result",
        arguments: [
            (["PID", "ORC|NW", "OBR", "OBX"], 1), (["ORC|PR", "OBR", "OBX"], 1),
            (["OBR|||||||||||||||||||||||||F", "OBX"], 1),
            (["PID", "OBR", "OBX", "ORC|PR", "OBR", "ORC|NW", "OBR"], 2),
            (["OBR"], 2), (["ORC|NW", "OBR"], 2),
        ] as [([String], Int)])
    func priorResults(more: [String], orders: Int) throws {
        let text = ([Samples.header(), "PID", "ORC|NW", "OBR", "TQ1"] + more).joined(separator: "\r")
        let read = MessageStructure.omg.read(try Samples.parse(Array(text.utf8)))
        #expect(read.strays.isEmpty)
        #expect(read.root.groups("ORDER").count == orders)
    }

    @Test("§4.4.1: ORC and OBR make one ORDER; ORC alone, OBR alone and NTE between them have their place")
    func orders() throws {
        let read = try shape(
            .orm, "PID", "PV1", "AL1", "ORC", "NTE", "OBR", "NTE", "DG1", "OBX", "NTE", "ORC", "OBR", "OBR", "ORC")
        #expect(
            read.tree
                == "ORM_O01(MSH PATIENT(PID PATIENT_VISIT(PV1) AL1) ORDER(ORC NTE ORDER_DETAIL(OBR NTE DG1 OBSERVATION(OBX NTE))) "
                + "ORDER(ORC ORDER_DETAIL(OBR)) ORDER(ORDER_DETAIL(OBR)) ORDER(ORC))")
        #expect(read.strays == [])
    }

    @Test(
        "A segment late in its message goes where there is no doubt; one without a place is told; Z segments stay put")
    func tolerance() throws {
        let late = try shape(.oru, "PID", "OBR", "OBX", "PV1", "PV2", "ZDS")
        #expect(
            late.tree
                == "ORU_R01(MSH PATIENT_RESULT(PATIENT(PID PATIENT_VISIT(PV1 PV2)) ORDER_OBSERVATION(OBR OBSERVATION(OBX ZDS))))"
        )
        #expect(late.strays == [])
        #expect(try shape(.adt, "EVN", "PID", "PV1", "OBR", "MRG", "PID").strays == ["OBR", "MRG", "PID"])
        #expect(
            try shape(.adtMerge, "EVN", "PID", "MRG", "PID", "MRG", "PV1").tree
                == "ADT_A39(MSH EVN PATIENT(PID MRG) PATIENT(PID MRG PV1))")
    }

    @Test("Any row of segments is read to the last, each in one place, and reading does not trap")
    func anyOrder() throws {
        var random = SeededGenerator(seed: 20_261_129)
        let names = ["PID", "PV1", "ORC", "OBR", "OBX", "NTE", "DG1", "AL1", "IPC", "TQ1", "MRG", "ZDS", "EVN", "SPM"]
        for _ in 0..<500 {
            let segments = (0..<Int.random(in: 0...40, using: &random)).map { _ in
                names.randomElement(using: &random) ?? "PID"
            }
            let message = try Samples.parse(Array((([Samples.header()] + segments).joined(separator: "\r")).utf8))
            for structure in [MessageStructure.adt, .adtMerge, .orm, .omg, .omi, .oru] {
                let read = structure.read(message)
                let placed = (read.root.everySegment + read.strays).map(\.position).sorted()
                #expect(placed == Array(1...(segments.count + 1)), "seed \(random.seed)")
            }
        }
    }
}
