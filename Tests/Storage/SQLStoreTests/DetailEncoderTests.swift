import FHIRModel
import Foundation
import Testing
import Workflow

@testable import SQLStore

/// The JSON of `detail` columns.
@Suite("Details: written by our encoder, read by the library's decoder")
struct DetailEncoderTests {
    struct Odd: Codable, Hashable {
        struct Empty: Codable, Hashable {}
        enum Choice: Codable, Hashable {
            case none
            case one(String)
            case both(left: Int, right: [Double])
        }
        var flag: Bool
        var text: String
        var small: Int8
        var large: UInt64
        var double: Double
        var absent: String?
        var bytes: [UInt8]
        var nested: [[Int?]]
        var named: [String: Choice]
        var choices: [Choice]
        var empty: Empty
        var list: [Empty]
    }

    static func check<Value: Codable & Equatable>(_ value: Value) throws {
        let bytes = try DetailEncoder.encode(value)
        #expect(try DetailColumn.decode(Value.self, bytes) == value)
        // The same JSON value as the library would have written.
        let theirs = JSONValue(try JSONDocument(parsing: [UInt8](JSONEncoder().encode(value)), limits: .stored))
        #expect(JSONValue(try JSONDocument(parsing: bytes, limits: .stored)).isEquivalent(to: theirs))
    }

    @Test("Every kind of value the library's encoder takes: nested, empty, absent, escaped, at the ends of its range")
    func kinds() throws {
        try Self.check(
            Odd(
                flag: true, text: "\u{1}\u{1F}\"\\/\n\u{7F}é\u{1F600}\u{2028}", small: .min, large: .max,
                double: -0.1e-7,
                absent: nil, bytes: [0, 255], nested: [[], [1, nil], []],
                named: ["": .none, "a\"": .one(""), "ü": .both(left: -1, right: [1.5, 2.25])],
                choices: [.none, .both(left: .max, right: []), .one("x")], empty: .init(), list: [.init(), .init()]))
        try Self.check([String]())
        try Self.check(["a", "b"])
        try Self.check([[String: Int]]())
    }

    @Test("Each domain value of a detail column")
    func domain() throws {
        try Self.check(WorkflowUnitTests.patient)
        try Self.check(WorkflowUnitTests.order)
        try Self.check(WorkflowUnitTests.report)
        for reconciliation: Reconciliation in [
            .matched(patientID: EntityID("p"), orderID: EntityID("o")), .unscheduled(patientID: EntityID("p")),
            .quarantined(.unknownPatient),
        ] {
            let received = WorkflowSupport.received("1.1", study: "1.2.3", series: "1.2.3.1")
            try Self.check(
                Study(
                    id: EntityID("s"), studyInstanceUID: "1.2.3", reconciliation: reconciliation,
                    attributes: received.study, updatedAt: WorkflowSupport.at(1)))
            try Self.check(
                Series(
                    studyInstanceUID: "1.2.3", seriesInstanceUID: "1.2.3.1", reconciliation: reconciliation,
                    attributes: received.series, updatedAt: WorkflowSupport.at(1)))
        }
    }

    @Test("What an order's message removes is kept as such; a value of an earlier version is one that was set")
    func changes() throws {
        let changes: [String: Change<AttributeValue>] = [
            "a": .keep, "b": .clear, "c": .set(.text("x")), "d": .set(.concepts([])), "e": .set(.number(0)),
        ]
        try Self.check(changes)
        let earlier: [String: AttributeValue] = ["c": .text("x"), "d": .concepts([]), "e": .number(0)]
        let read = try DetailColumn.decode([String: Change<AttributeValue>].self, DetailEncoder.encode(earlier))
        #expect(read == changes.filter { earlier[$0.key] != nil })
    }

    @Test("A number that JSON has not is refused, RFC 8259 §6", arguments: [Double.nan, .infinity, -.infinity])
    func noNumber(_ number: Double) {
        #expect(throws: EncodingError.self) { try DetailEncoder.encode([number]) }
    }
}
