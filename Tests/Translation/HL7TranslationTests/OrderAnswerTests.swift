import Access
import HL7Translation
import HL7v2
import Synchronization
import TestSupport
import Testing
import Workflow

/// What a filler answers to an order is kept with the order. HL7 v2.5.1 §4.4.2, IHE RAD-2.
@Suite struct OrderAnswerTests {
    private let ris = "  RIS: { peer: \"RIS|SOUTH\", send: [{ event: order, as: \"ORM^O01\" }] }"

    private func answer(_ type: String, _ orc: String...) -> [UInt8] {
        Site.lines([Site.msh(type, "A1"), "MSA|AA|M1"] + orc)
    }

    @Test(
        "The filler's number is given to the order that the answer names, and is not told back",
        arguments: ["ORR^O02", "ORG^O20", "ORI^O24"])
    func number(type: String) async throws {
        let site = try OutboundSite(ris)
        _ = await site.inbox.receive(
            Site.orm("M1", orc: "ORC|NW|PL-1^EHR", obr: "OBR|1|PL-1^EHR||CTHEAD^CT head^LOCAL"), peer: nil)
        let sent = try #require(site.store.content.outbox.first).payload
        _ = try site.sent()
        let told = try #require(OrderAnswer(answer(type, "ORC|OK|PL-1^EHR|FI-77^RIS"), to: sent, profile: site.profile))
        #expect(told.refusals.isEmpty)
        let notes = try await site.store.write(
            AccessContext(
                principal: Principal(kind: .messageSender, id: "RIS|SOUTH"), scopes: [], isUnrestricted: true,
                requestID: "t")
        ) { try told.apply(in: $0) }
        #expect(notes == [])
        #expect(site.store.orders.map(\.filler?.value) == ["FI-77"])
        #expect(site.store.orders.map(\.status) == [.active])
        #expect(try site.sent().isEmpty)
    }

    @Test("An order that was sent with its accession number alone is found by it")
    func accession() async throws {
        let site = try OutboundSite(ris)
        try await site.change { unit in
            let number = Identifier(system: "urn:oid:2.999.1", value: "P-1", kind: .medicalRecord)
            try unit.save(Patient(id: EntityID("p"), identifiers: [number]))
            try unit.save(
                ImagingOrder(
                    id: EntityID("o"), patientID: EntityID("p"),
                    accession: Identifier(system: "https://north.example/accession", value: "ACC-1", kind: .accession),
                    status: .active, code: CodedConcept(text: "CT")))
            unit.emit(.orderChanged(EntityID("o")))
        }
        let sent = try #require(site.store.content.outbox.first).payload
        #expect(try Parser().parse(sent).at("ORC-2") == "ACC-1")
        let told = try #require(
            OrderAnswer(answer("ORR^O02", "ORC|OK|ACC-1|FI-77"), to: sent, profile: site.profile))
        try await site.change { _ = try told.apply(in: $0) }
        #expect(site.store.orders.map(\.filler?.value) == ["FI-77"])
    }

    @Test("A refusal is told by its code; an acknowledgment without orders tells of none")
    func refusals() throws {
        let profile = try Site.profile()
        let told = try #require(
            OrderAnswer(answer("ORR^O02", "ORC|UA|PL-1", "ORC|OK|PL-2"), to: [], profile: profile))
        #expect(told.refusals == ["UA"])
        #expect(told.updates.isEmpty)
        #expect(OrderAnswer(answer("ACK"), to: [], profile: profile) == nil)
        #expect(OrderAnswer([0x41], to: [], profile: profile) == nil)
    }

    @Test("A number for an order that is gone changes nothing and is noted")
    func gone() async throws {
        let site = try OutboundSite(ris)
        let told = try #require(
            OrderAnswer(answer("ORR^O02", "ORC|OK|PL-1^EHR|FI-77^RIS"), to: [], profile: site.profile))
        let notes = try await site.store.write(.server(requestID: "t")) { try told.apply(in: $0) }
        #expect(notes == ["the number in the answer could not be given to an order"])
    }
}
