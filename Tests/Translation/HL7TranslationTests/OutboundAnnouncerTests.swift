import Access
import Basics
import HL7Translation
import HL7v2
import Synchronization
import TestSupport
import Testing
import Workflow

/// Who is told of what, and in which message. HL7 v2.5.1 tables 0119 and 0038, IHE RAD-2, RAD-3, RAD-12, RAD-28.
@Suite struct OutboundAnnouncerTests {
    private static let ris = """
          RIS:
            peer: RIS|SOUTH
            sending_application: HILUM
            sending_facility: NORTH
            send: [{ event: order, as: "ORM^O01" }]
        """

    private func order(_ site: OutboundSite) throws -> ImagingOrder { try #require(site.store.orders.first) }

    /// An order with a number of its own, of which the site's destinations are told that it takes the place of another.
    private func successor(of old: ImagingOrder, on site: OutboundSite) -> ImagingOrder {
        let announcer = OutboundAnnouncer(profile: site.profile, digest: Site.fnv)
        site.store.concluding.withLock {
            $0 = { events, unit in
                try announcer.announce(events, replaced: { $0 == EntityID("new") ? old.id : nil }, in: unit)
            }
        }
        var order = old
        order.id = EntityID("new")
        order.placer?.value = "PL-2"
        order.filler = nil
        order.accession = nil
        return order
    }

    @Test("An order is new, changed, held, released, under way, done: each once; the same again is no news")
    func order() async throws {
        let site = try OutboundSite(Self.ris)
        _ = await site.inbox.receive(Site.orm("M1"), peer: nil)
        let new = try #require(try site.sent().first)
        #expect(new.summary == "ORM^O01 NW/")
        #expect(new.at("MSH-3") == "HILUM")
        #expect(new.at("MSH-5") == "RIS")
        #expect(new.at("MSH-6") == "SOUTH")
        #expect(new.at("MSH-9.3") == "ORM_O01")
        #expect(new.at("ORC-2") == "PL-1")
        #expect(new.at("OBR-18") == "ACC-1")
        #expect(new.at("PID-3") == "P-4711")
        func step(_ status: ScheduledProcedureStep.Status) async throws {
            try await site.changeOrder { $0.steps[0].status = status }
        }
        func state(_ status: ImagingOrder.Status, priority: ImagingOrder.Priority? = nil) async throws {
            try await site.changeOrder { order in
                order.status = status
                if let priority { order.priority = priority }
            }
        }
        try await state(.active)
        #expect(try site.sent().isEmpty)
        try await state(.active, priority: .urgent)
        #expect(try site.sent().map(\.summary) == ["ORM^O01 XO/SC"])
        try await state(.onHold)
        #expect(try site.sent().map(\.summary) == ["ORM^O01 HD/HD"])
        try await state(.active)
        #expect(try site.sent().map(\.summary) == ["ORM^O01 RL/SC"])
        try await step(.inProgress)
        #expect(try site.sent().map(\.summary) == ["ORM^O01 SC/IP"])
        try await step(.completed)
        #expect(try site.sent().map(\.summary) == ["ORM^O01 SC/CM"])
        try await state(.revoked)
        #expect(try site.sent().map(\.summary) == ["ORM^O01 CA/CA"])
    }

    @Test("To one who placed the orders it is told in the codes of a filler")
    func filler() async throws {
        let site = try OutboundSite(
            """
              EHR: { peer: "EHR|SOUTH", role: filler, version: "2.3.1", send: [{ event: order, as: "ORM^O01" }] }
            """)
        _ = await site.inbox.receive(Site.orm("M1"), peer: nil)
        _ = await site.inbox.receive(Site.orm("M2", orc: "ORC|CA|PL-1^EHR|FI-1^RIS||CA||||20261121100000"), peer: nil)
        let sent = try site.sent()
        #expect(sent.map(\.summary) == ["ORM^O01 SN/SC", "ORM^O01 OC/CA"])
        #expect(sent.map { $0.header.version } == ["2.3.1", "2.3.1"])
    }

    @Test("What a destination tells is not told back to it, and later changes are changes of what it knows")
    func loop() async throws {
        let site = try OutboundSite(
            """
              REG: { peer: "REG|NORTH", send: [{ event: order }, { event: patient }, { event: result }] }
              EHR: { peer: "EHR|SOUTH", send: [{ event: order }] }
            """)
        _ = await site.inbox.receive(Site.orm("M1"), peer: nil)
        _ = await site.inbox.receive(
            Site.oru("M2", status: "F", obx: ["OBX|1|TX|X^Text^L||words||||||F"]), peer: nil)
        #expect(try site.sent().allSatisfy { $0.at("MSH-5") == "EHR" })
        try await site.changeOrder { $0.priority = .routine }
        let sent = try site.sent()
        #expect(sent.map { $0.at("MSH-5") } == ["REG", "EHR"])
        #expect(sent.allSatisfy { $0.at("ORC-1") == "XO" })
    }

    @Test("A person is added, then updated; a merge names the survivor and the number that is gone")
    func patients() async throws {
        let site = try OutboundSite(OutboundSite.all)
        _ = await site.inbox.receive(Site.adt("A04", "M1"), peer: nil)
        _ = await site.inbox.receive(
            Site.adt("A08", "M2", pid: "PID|1||P-4711^^^NORTH&2.999.1&ISO^MR||Neu^Nora", time: "20261121093000"),
            peer: nil)
        let sent = try site.sent()
        #expect(sent.map(\.summary) == ["ADT^A28", "ADT^A31"])
        #expect(sent.map { $0.at("PID-5.1.1") } == ["Muster", "Neu"])
        #expect(sent.map { $0.at("PV1-2") } == ["N", "N"])
        #expect(sent.map { $0.at("EVN-6") } == ["20261121083000+0100", "20261121093000+0100"])
        _ = await site.inbox.receive(
            Site.lines([
                Site.msh("ADT^A40^ADT_A39", "M3"), "EVN|A40|20261121100000",
                "PID|1||P-5^^^NORTH&2.999.1&ISO^MR||Neu^Nora",
                "MRG|P-4711^^^NORTH&2.999.1&ISO^MR",
            ]), peer: nil)
        let merge = try #require(try site.sent().first { $0.header.triggerEvent == "A40" })
        #expect(merge.at("PID-3") == "P-5")
        #expect(merge.at("MRG-1") == "P-4711")
        #expect(merge.at("MSH-9.3") == "ADT_A39")
    }

    @Test("A report is told in the states that the rule names; a withdrawn one withdraws each line")
    func reports() async throws {
        let site = try OutboundSite(
            """
              EHR: { peer: "EHR|SOUTH", send: [{ event: result, states: [final, corrected, enteredInError] }],
                     report: { contents: [text, link], text_as: TX, viewer: "https://view.example/?study={study}" } }
            """)
        let obx = ["OBX|1|FT|X^Text^L||one\\.br\\two||||||F", "OBX|2|ST|113014^DICOM Study^DCM||1.2.999.9||||||F"]
        _ = await site.inbox.receive(Site.oru("M1", status: "P", obx: obx), peer: nil)
        #expect(try site.sent().isEmpty)
        _ = await site.inbox.receive(Site.oru("M2", status: "F", issued: "20261121160000", obx: obx), peer: nil)
        let final = try #require(try site.sent().first)
        #expect(final.at("OBR-25") == "F")
        #expect(final.at("OBX-2") == "TX")
        #expect(final.at("OBX-5") == "one")
        #expect(final.at("OBX[2]-5") == "two")
        #expect(final.at("OBX[3]-5") == "1.2.999.9")
        #expect(final.at("OBX[4]-5.1") == "https://view.example/?study=1.2.999.9")
        _ = await site.inbox.receive(
            Site.oru("M3", status: "C", issued: "20261121170000", obx: ["OBX|1|FT|X^Text^L||one\\.br\\two||||||W"]),
            peer: nil)
        let withdrawn = try #require(try site.sent().first)
        #expect(withdrawn.at("OBR-25") == "C")
        let lines = withdrawn.segments.filter { $0.id == "OBX" && $0[2].text == "TX" }
        #expect(!lines.isEmpty)
        #expect(lines.allSatisfy { $0[11].text == "W" })
    }

    @Test("Images that can be fetched are told as an order's state or as a result without words")
    func images() async throws {
        let site = try OutboundSite(
            """
              RIS: { peer: "RIS|SOUTH", send: [{ event: images, as: "ORM^O01" }] }
              EHR: { peer: "EHR|SOUTH", send: [{ event: images }], report: { contents: [link], viewer: "https://v/{study}" } }
              MRI: { peer: "MRI|SOUTH", send: [{ event: images, modalities: [MR] }] }
            """)
        _ = await site.inbox.receive(Site.orm("M1"), peer: nil)
        let order = try order(site)
        try await site.change { unit in unit.emit(.studyChanged(studyInstanceUID: "1.2.999.5")) }
        #expect(try site.sent().isEmpty)
        let link = Reconciliation.matched(patientID: order.patientID, orderID: order.id)
        site.store.change { state in
            state.studies.append(
                Study(
                    id: EntityID("study"), studyInstanceUID: "1.2.999.5", reconciliation: link,
                    attributes: StudyAttributes(), updatedAt: state.time))
            state.series.append(
                Series(
                    studyInstanceUID: "1.2.999.5", seriesInstanceUID: "1.2.999.5.1", reconciliation: link,
                    attributes: SeriesAttributes(), updatedAt: state.time))
        }
        // The publisher tells of it in either way, and each is told once.
        for event in [
            DomainEvent.studyPublished(studyInstanceUID: "1.2.999.5"), .studyChanged(studyInstanceUID: "1.2.999.5"),
        ] {
            try await site.change { unit in unit.emit(event) }
        }
        let sent = try site.sent()
        #expect(sent.map(\.summary) == ["ORM^O01 SC/A", "ORU^R01 RE/"])
        #expect(sent[0].at("ZDS-1") == "1.2.999.5")
        #expect(sent[1].at("OBR-25") == "R")
        #expect(sent[1].at("OBX-5") == "1.2.999.5")
        #expect(sent[1].at("OBX[2]-5") == "https://v/1.2.999.5")
    }

    @Test("An order in place of another ends that one in the same message")
    func replaced() async throws {
        let site = try OutboundSite(Self.ris)
        _ = await site.inbox.receive(Site.orm("M1"), peer: nil)
        _ = try site.sent()
        let old = try order(site)
        let order = successor(of: old, on: site)
        try await site.change { unit in
            var over = old
            over.status = .revoked
            for index in over.steps.indices { over.steps[index].status = .canceled }
            try unit.save(over)
            try unit.save(order)
            unit.emit(.orderChanged(order.id))
            unit.emit(.orderChanged(old.id))
        }
        let sent = try site.sent()
        #expect(sent.map(\.summary) == ["ORM^O01 RP/RP RO/SC"])
        #expect(sent.first?.at("ORC-2") == "PL-1")
        #expect(sent.first?.at("ORC[2]-2") == "PL-2")
    }

    @Test(
        "HL7 v2.5.1 §4.4.4, §4.4.16: the order that is replaced has the OBR, and in OMI the IPC, that each ORDER has to have",
        arguments: ["OMG^O19", "OMI^O23"])
    func replacedWhole(form: String) async throws {
        let site = try OutboundSite("  RIS: { peer: \"RIS|SOUTH\", send: [{ event: order, as: \"\(form)\" }] }")
        _ = await site.inbox.receive(Site.orm("M1"), peer: nil)
        _ = try site.sent()
        let old = try order(site)
        let order = successor(of: old, on: site)
        try await site.change { unit in
            try unit.save(order)
            unit.emit(.orderChanged(order.id))
        }
        let sent = try #require(try site.sent().first)
        #expect(sent.segments.filter { $0.id == "OBR" }.map { $0[2].text ?? "" } == ["PL-1", "PL-2"])
        #expect(sent.at("OBR-4") == "CTHEAD")
        #expect(sent.segments.filter { $0.id == "IPC" }.count == (form == "OMI^O23" ? 2 : 0))
        // One that is taken back is told with what was ordered, too.
        try await site.change { unit in
            try unit.removeOrder(EntityID("new"))
            unit.emit(.orderRemoved(EntityID("new"), steps: []))
        }
        let gone = try #require(try site.sent().first)
        #expect(gone.summary == "\(form) CA/CA")
        #expect(gone.at("OBR-2") == "PL-2")
        #expect(gone.at("OBR-4") == "CTHEAD")
    }

    @Test("HL7 v2.5.1 §4.5.6.2: an order without a procedure id goes by its step's in IPC-2, as on the worklist")
    func procedureID() async throws {
        let site = try OutboundSite("  RIS: { peer: \"RIS|SOUTH\", send: [{ event: order, as: \"OMI^O23\" }] }")
        _ = await site.inbox.receive(Site.orm("M1", obr: Site.obr.replacing("|RP-1|", with: "||")), peer: nil)
        let sent = try #require(try site.sent().first)
        #expect(sent.at("IPC-2") == "SPS-1")
        #expect(sent.at("IPC-4") == "SPS-1")
    }

    @Test("HL7 v2.5.1 §4.5.3.18: OBR-18 is a string; a number of another authority is not told without it")
    func accession() async throws {
        let site = try OutboundSite(Self.ris)
        _ = await site.inbox.receive(Site.orm("M1"), peer: nil)
        let sent = try #require(try site.sent().first)
        #expect(sent["OBR"]?[18].rawBytes.elementsEqual("ACC-1".utf8) == true)
        try await site.changeOrder { $0.accession?.system = "urn:oid:2.999.7" }
        let other = try #require(try site.sent().first)
        #expect(other.at("OBR-18") == "ACC-1")
        #expect(other.at("OBR-18.3") == "2.999.7")
    }

    @Test(
        "HL7 v2.5.1 §7.4.2.8: OBX-8 is a code of table 0078 until 2.7 makes it CWE",
        arguments: [("2.3.1", "N"), ("2.5.1", "N"), ("2.7", "N^^HL70078")])
    func flags(version: String, field: String) async throws {
        let site = try OutboundSite(
            "  EHR: { peer: \"EHR|SOUTH\", version: \"\(version)\", send: [{ event: result }] }")
        _ = await site.inbox.receive(
            Site.oru("M1", status: "F", obx: ["OBX|1|NM|DLP^Dose^LOCAL||450|mGy.cm^^UCUM|0-900|N|||F"]), peer: nil)
        let sent = try #require(try site.sent().first)
        #expect(try #require(sent["OBX"])[8].rawBytes.elementsEqual(field.utf8))
    }

    @Test("IHE RAD-28: a report names the studies of its order that are here, and the link leads there")
    func studyOfOrder() async throws {
        let site = try OutboundSite(
            """
              EHR:
                peer: EHR|SOUTH
                report: { contents: [text, link], viewer: "https://v/{study}" }
                send: [{ event: result }]
            """)
        _ = await site.inbox.receive(Site.orm("M1"), peer: nil)
        let order = try order(site)
        _ = await site.inbox.receive(
            Site.oru("M2", status: "F", obx: ["OBX|1|TX|IMP^Impression^L||clear||||||F"]), peer: nil)
        #expect(try site.sent().map { $0.segments.count { $0.id == "OBX" } } == [1])
        site.store.change { state in
            for (uid, patient) in [("1.2.999.5", order.patientID), ("1.2.999.6", EntityID("another"))] {
                let link = Reconciliation.matched(patientID: patient, orderID: order.id)
                state.studies.append(
                    Study(
                        id: EntityID(uid), studyInstanceUID: uid, reconciliation: link, attributes: StudyAttributes(),
                        updatedAt: state.time))
                state.series.append(
                    Series(
                        studyInstanceUID: uid, seriesInstanceUID: uid + ".1", reconciliation: link,
                        attributes: SeriesAttributes(), updatedAt: state.time))
            }
        }
        // Once they can be fetched the report is told with them.
        let report = try #require(site.store.reports.first)
        try await site.change { $0.emit(.reportChanged(report.id)) }
        let sent = try #require(try site.sent().first)
        let values = sent.segments.filter { $0.id == "OBX" }.map { $0[5].text ?? "" }
        #expect(values == ["clear", "1.2.999.5", "https://v/1.2.999.5"])
    }

    @Test("An order that was told to be over is not ended again by the one in its place")
    func replacedWhenOver() async throws {
        let site = try OutboundSite(Self.ris)
        _ = await site.inbox.receive(Site.orm("M1"), peer: nil)
        let old = try order(site)
        try await site.changeOrder { $0.status = .revoked }
        _ = try site.sent()
        let order = successor(of: old, on: site)
        try await site.change { unit in
            try unit.save(order)
            unit.emit(.orderChanged(order.id))
        }
        #expect(try site.sent().map(\.summary) == ["ORM^O01 NW/"])
    }

    @Test("What waits of a merged person leaves in one order with its survivor, told of the merge or not")
    func mergedOrder() async throws {
        let site = try OutboundSite(
            OutboundSite.all + """

                  EHR: { peer: "EHR|SOUTH", send: [{ event: patient }] }
                """)
        _ = await site.inbox.receive(Site.adt("A04", "M1"), peer: nil)
        #expect(Set(site.store.content.outbox.map(\.destination)).count == 2)
        _ = await site.inbox.receive(
            Site.lines([
                Site.msh("ADT^A40^ADT_A39", "M2"), "EVN|A40|20261121100000",
                "PID|1||P-5^^^NORTH&2.999.1&ISO^MR||Neu^Nora",
                "MRG|P-4711^^^NORTH&2.999.1&ISO^MR",
            ]), peer: nil)
        let survivor = try #require(site.store.patients.first { $0.mergedInto == nil })
        let outbox = site.store.content.outbox
        #expect(outbox.count > 3)
        #expect(outbox.allSatisfy { $0.orderingKey == survivor.id.value })
    }

    @Test("An order that a client takes back is cancelled by its numbers; one that is found to be another is not")
    func removed() async throws {
        let site = try OutboundSite(Self.ris)
        _ = await site.inbox.receive(Site.orm("M1"), peer: nil)
        _ = try site.sent()
        let old = try order(site)
        try await site.change { unit in
            var same = old
            same.id = EntityID("same")
            try unit.save(same)
            try unit.removeOrder(old.id)
            unit.emit(.orderRemoved(old.id, steps: []))
        }
        #expect(try site.sent().isEmpty)
        try await site.change { unit in
            try unit.removeOrder(EntityID("same"))
            unit.emit(.orderRemoved(EntityID("same"), steps: []))
        }
        let sent = try site.sent()
        #expect(sent.map(\.summary) == ["ORM^O01 CA/CA"])
        #expect(sent.first?.at("ORC-2") == "PL-1")
        #expect(sent.first?.at("PID-3") == "P-4711")
    }

    @Test("What cannot be written, and an order without a number, are put into the outbox as such")
    func unwritable() async throws {
        let site = try OutboundSite(
            """
              RIS: { peer: "RIS|SOUTH", character_set: "8859/1", send: [{ event: order, as: "ORM^O01" }, { event: patient }] }
            """)
        try await site.change { unit in
            let number = Identifier(system: "urn:oid:2.999.1", value: "P-1", kind: .medicalRecord)
            try unit.save(Patient(id: EntityID("p"), identifiers: [number], names: [HumanName(family: "Łukasz")]))
            try unit.save(
                ImagingOrder(
                    id: EntityID("o"), patientID: EntityID("p"), status: .active, code: CodedConcept(text: "CT")))
            unit.emit(.patientChanged(EntityID("p")))
            unit.emit(.orderChanged(EntityID("o")))
        }
        let drafts = site.store.content.outbox
        #expect(
            drafts.map { OutboundPayload($0.payload) } == [
                .unwritable("PID-5.1 has a character that does not exist in the character set"),
                .unwritable("the order has no number"),
            ])
        #expect(drafts.allSatisfy { $0.destination == "hl7/RIS" && $0.kind == "hl7/RIS" && $0.orderingKey == "p" })
    }

    @Test("What could not be written is told as new once it can be: its receiver knows nothing of it")
    func writtenLater() async throws {
        let site = try OutboundSite(
            """
              RIS:
                peer: RIS|SOUTH
                character_set: "8859/1"
                send: [{ event: order, as: "ORM^O01" }, { event: patient, as: "ADT^A28" }]
            """)
        let number = Identifier(system: "urn:oid:2.999.1", value: "P-1", kind: .medicalRecord)
        func tell(_ family: String, _ placer: String?) async throws {
            try await site.change { unit in
                try unit.save(Patient(id: EntityID("p"), identifiers: [number], names: [HumanName(family: family)]))
                var order = ImagingOrder(
                    id: EntityID("o"), patientID: EntityID("p"), status: .active, code: CodedConcept(text: "CT"))
                order.placer = placer.map { Identifier(system: "urn:hilum:placer", value: $0, kind: .placer) }
                try unit.save(order)
                unit.emit(.patientChanged(EntityID("p")))
                unit.emit(.orderChanged(EntityID("o")))
            }
        }
        func parked() -> [String] {
            let drafts = site.store.content.outbox
            site.store.change { $0.outbox = [] }
            return drafts.map {
                if case .unwritable? = OutboundPayload($0.payload) { return "parked" }
                return (try? Parser().parse($0.payload).summary) ?? "?"
            }
        }
        try await tell("Łukasz", nil)
        #expect(parked() == ["parked", "parked"])
        // The same again is no news for the operator either.
        try await tell("Łukasz", nil)
        #expect(parked() == [])
        try await tell("Łukasz", "PL-1")
        #expect(parked() == ["parked"])
        try await tell("Lukasz", "PL-1")
        #expect(parked() == ["ADT^A28", "ORM^O01 NW/"])
        // One that was told before stays told, also where a change of it cannot be written.
        try await tell("Łukasz", "PL-1")
        #expect(parked() == ["parked", "parked"])
        try await tell("Lucas", "PL-1")
        #expect(parked() == ["ADT^A31", "ORM^O01 XO/SC"])
    }

    @Test("A report past what the outbox holds is named, and made when it is sent")
    func large() async throws {
        let site = try OutboundSite("  EHR: { peer: \"EHR|SOUTH\", send: [{ event: result }] }")
        let pdf = Base64.encode([UInt8](repeating: 7, count: 1 << 20))
        _ = await site.inbox.receive(
            Site.oru("M1", status: "F", obx: ["OBX|1|ED|PDF^Report^L||^AP^PDF^Base64^\(pdf)||||||F"]), peer: nil)
        let draft = try #require(site.store.content.outbox.first)
        guard case .report(let id, let controlID)? = OutboundPayload(draft.payload) else {
            Issue.record("not a reference")
            return
        }
        #expect(draft.eventID == EntityID(controlID))
        let (profile, destination) = (site.profile, site.profile.destinations[0])
        let bytes = try await site.store.read(.server(requestID: "t")) { unit in
            try OutboundAnnouncer.report(id, for: destination, profile: profile, controlID: controlID, in: unit)
        }
        let message = try Parser().parse(try #require(bytes))
        #expect(message.header.controlIDText == controlID)
        #expect(message.value(at: try FieldPath("OBX-5.5")).wholeBytes == Array(pdf.utf8))
    }

    @Test("An operator's sending is done whether it is news or not, as far as a rule is there")
    func askedFor() async throws {
        let site = try OutboundSite(Self.ris)
        _ = await site.inbox.receive(Site.orm("M1"), peer: nil)
        _ = try site.sent()
        let announcer = OutboundAnnouncer(profile: site.profile, digest: Site.fnv)
        let order = try order(site)
        let isSent = try await site.store.write(.server(requestID: "t")) { unit in
            [
                try announcer.send(.orderChanged(order.id), to: "RIS", in: unit),
                try announcer.send(.patientChanged(order.patientID), to: "RIS", in: unit),
                try announcer.send(.orderChanged(order.id), to: "NOBODY", in: unit),
            ]
        }
        #expect(isSent == [true, false, false])
        #expect(try site.sent().map(\.summary) == ["ORM^O01 XO/SC"])
    }
}
