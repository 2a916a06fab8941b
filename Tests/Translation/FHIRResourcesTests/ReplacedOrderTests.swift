import Testing
import Workflow

@testable import FHIRResources

/// FHIR R4 servicerequest.html, references.html#literal.
struct ReplacedOrderTests {
    private static func replaced(_ request: String, _ kind: ResourceEvent.Kind = .updated) -> EntityID? {
        func event(_ id: String, _ text: String) -> ResourceEvent {
            ResourceEvent(
                kind,
                StoredResource(
                    type: "ServiceRequest", id: id, version: 1, lastUpdated: UTCInstant(microseconds: 0), sequence: 1,
                    isDeleted: kind == .deleted, method: .update, bytes: Array(text.utf8)))
        }
        let other = #"{"resourceType":"ServiceRequest","replaces":[{"reference":"ServiceRequest/other"}]}"#
        let changes = UnitChanges(events: [], resources: [event("o1", other), event("o2", request)])
        return ReplacedOrder.id(by: EntityID("o2"), among: changes)
    }

    @Test(
        "R4 references: the order replaced is the first that `replaces` names, on this server",
        arguments: [
            (#"[{"reference":"ServiceRequest/old"}]"#, "old"),
            (#"[{"reference":"ServiceRequest/old"},{"reference":"ServiceRequest/older"}]"#, "old"),
            // Of another server, whose order may have the id of another one here.
            (#"[{"reference":"https://ehr.example/fhir/ServiceRequest/old"}]"#, nil),
            (#"[{"reference":"Patient/old"}]"#, nil), (#"[{"reference":"ServiceRequest/"}]"#, nil),
            (#"[{"display":"the last one"}]"#, nil), ("[]", nil), ("{}", nil),
        ])
    func references(_ replaces: String, _ id: String?) {
        #expect(Self.replaced(#"{"resourceType":"ServiceRequest","replaces":\#(replaces)}"#)?.value == id)
    }

    @Test("As deep as a stored resource may be, it is read; a deleted one names none")
    func bounds() {
        let deep = String(repeating: #"{"extension":["#, count: 32) + "{}" + String(repeating: "]}", count: 32)
        let request =
            #"{"resourceType":"ServiceRequest","extension":[\#(deep)],"replaces":[{"reference":"ServiceRequest/old"}]}"#
        #expect(Self.replaced(request)?.value == "old")
        #expect(Self.replaced("", .deleted) == nil)
    }
}
