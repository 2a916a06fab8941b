import HL7Translation
import HL7v2
import Testing
import Workflow

/// What of a message reaches the record. v2-to-FHIR PID, PD1, NK1, PV1, AL1, DG1, OBX, IN1, GT1; HL7 v2.5.1 chapters 3, 4
/// and 7; cases H17, H18, H21, H24, H25, H28.
@Suite struct ReachTests {
    let store = MemoryStore()
    let inbox: HL7Inbox
    init() throws { inbox = Site.inbox(store, try Site.profile()) }

    private func send(_ bytes: [UInt8]) async -> HL7Inbox.Receipt { await inbox.receive(bytes, peer: nil) }
    /// A segment with these fields.
    private func segment(_ name: String, _ fields: [Int: String]) -> String {
        name + (1...(fields.keys.max() ?? 1)).map { "|" + (fields[$0] ?? "") }.joined()
    }

    @Test("H17: a type in CX.5 stays itself", arguments: ["PPN", "NI", "MC", "PT", "XX", "ZZZ", "MR"])
    func identifierTypes(code: String) async {
        let pid = "PID|1||M-1^^^NORTH&2.999.1&ISO^MR~P-1^^^OTHER&2.999.7&ISO^\(code)||A^B"
        _ = await send(Site.lines([Site.msh("ADT^A08", "M1"), pid]))
        let identifiers = store.patients.first?.identifiers ?? []
        #expect(identifiers.first { $0.value == "P-1" }?.kind?.rawValue == code)
    }

    @Test(
        "H18: a start with a zone is shown in the site's zone",
        arguments: [
            ("202604010800+0000", "2026-04-01T10:00:00+02:00"), ("202601010030-0500", "2026-01-01T06:30:00+01:00"),
            ("202604010800", "2026-04-01T08:00:00+02:00"), ("20260401", "2026-04-01"),
        ])
    func zones(sent: String, shown: String) async {
        _ = await send(Site.orm("M1", orc: "ORC|NW|PL-1|FI-1", obr: segment("OBR", [2: "PL-1", 4: "X^X", 36: sent])))
        #expect(store.orders.first?.scheduledAt?.text == shown)
    }

    @Test("H21: OBX, NTE, DG1 and AL1 of an order are statements of it, also those in its patient group")
    func orderStatements() async throws {
        typealias Name = ClinicalStatement.Name
        let lines = [
            Site.msh("ORM^O01", "M1"), Site.pid, Site.pv1,
            "AL1|1|DA^Drug^HL70127|CM^Contrast^L|SV|hives~shock|20200101",
            "ORC|NW|PL-1|FI-1", "OBR|1|PL-1|FI-1|CT^CT", "NTE|1||fasting",
            "DG1|1||S06.0^Concussion^I10|head injury|20261120|W", "OBX|1|NM|29463-7^Weight^LN||72|kg^^UCUM|||||F",
            "NTE|1||by the patient", "OBX|2|NM|2160-0^Creatinine^LN||80|umol/L|60-110|N|||F|||20261119|LAB",
        ]
        let receipt = await send(Site.lines(lines))
        #expect(receipt.code == "AA")
        #expect(receipt.conditions == [])
        let statements = try #require(store.orders.first?.statements)
        #expect(statements.map(\.kind) == [.allergy, .diagnosis, .observation, .observation])
        #expect(statements[0].attributes.concepts(Name.severity).first?.codings.first?.code == "SV")
        #expect(statements[0].attributes.concepts(Name.reactions).map(\.text) == ["hives", "shock"])
        #expect(statements[1].code?.codings.first?.system == "http://hl7.org/fhir/sid/icd-10")
        #expect(statements[1].code?.text == "head injury")
        #expect(
            statements[2].value
                == .quantity(value: "72", comparator: nil, unit: "kg", unitSystem: "http://unitsofmeasure.org"))
        #expect(statements[2].notes == ["by the patient"])
        #expect(store.orders.first?.notes == ["fasting"])
        // The same list again keeps the ids; what a later list leaves out is not current any more.
        var again = lines
        again[0] = Site.msh("ORM^O01", "M2")
        again[4] = "ORC|XO|PL-1|FI-1"
        again.remove(at: 8)
        again.remove(at: 8)
        _ = await send(Site.lines(again))
        let later = try #require(store.orders.first?.statements)
        #expect(later.map(\.id) == statements.map(\.id))
        #expect(later.map(\.isCurrent) == [true, true, false, true])
    }

    @Test(
        "PV1 of an order or a result makes its visit, fills what it lacks, and changes nothing that a registration said"
    )
    func visits() async throws {
        let pv1 = segment(
            "PV1", [2: "I", 3: "WARD^1", 9: "7009^Con^Carl", 10: "RAD", 14: "1", 17: "7010^Adm^Ada", 19: "V-7"])
        _ = await send(
            Site.lines([Site.msh("ORM^O01", "M1"), Site.pid, pv1, "ORC|NW|PL-1|FI-1", "OBR|1|PL-1|FI-1|CT^CT"]))
        let made = try #require(store.visits.first)
        #expect(made.status == .unknown)
        #expect(store.orders.first?.visitID == made.id)
        #expect(made.attributes?.parties(Visit.Attribute.consultants).count == 1)
        _ = await send(
            Site.adt("A01", "M2", pv1: segment("PV1", [2: "I", 3: "WARD^2", 7: "7001^Att^Al~7002^Att^Bo", 19: "V-7"])))
        #expect(store.visits.count == 1)
        #expect(store.visits.first?.status == .inProgress)
        #expect(store.visits.first?.attributes?.parties(Visit.Attribute.furtherAttending).count == 1)
        _ = await send(
            Site.lines([
                Site.msh("ORU^R01", "M3"), Site.pid, segment("PV1", [2: "O", 3: "OTHER", 4: "E", 19: "V-7"]),
                "OBR|1||FI-1|CT^CT|||||||||||||||||||||F", "OBX|1|TX|T||text||||||F",
            ]))
        let visit = try #require(store.visits.first)
        #expect(visit.location == "WARD, 2")
        #expect(visit.attributes?.concepts(Visit.Attribute.types).first?.codings.first?.code == "E")
        #expect(store.reports.first?.visitID == visit.id)
    }

    @Test("PV1 of an A08 without a number speaks of the open visit")
    func visitWithoutNumber() async {
        _ = await send(Site.adt("A01", "M1", pv1: "PV1|1|I|WARD^1"))
        _ = await send(Site.adt("A08", "M2", pv1: "PV1|1|I|WARD^2", time: "20261121083100"))
        #expect(store.visits.map(\.location) == ["WARD, 2"])
        #expect(store.visits.first?.status == .inProgress)
    }

    @Test("Two statements of one key in a message are told apart by a number, whatever keys begin alike")
    func numberedStatements() async {
        let lines = ["AL1|1||PENX^Other^L", "AL1|2||PEN^Penicillin^L", "AL1|3||PEN^Penicillin^L", "AL1|4||PEN^Pen^L"]
        _ = await send(Site.adt("A04", "M1", pv1: nil, more: lines))
        #expect(store.patients.first?.statements?.map(\.key) == ["PENX", "PEN", "PEN|2", "PEN|3"])
    }

    @Test("§2.5.3: \"\" in OBR-12, 15, 30, 34 and 44 takes what the order had; an empty field keeps it")
    func removedAttributes() async {
        typealias Name = ImagingOrder.Attribute
        var names: Set<String> { Set((store.orders.first?.attributes ?? [:]).keys) }
        func order(_ id: String, _ control: String, _ time: String, _ fields: [Int: String]) async {
            let obr = segment("OBR", [1: "1", 2: "PL-1", 3: "FI-1", 4: "CT^CT"].merging(fields) { $1 })
            _ = await send(
                Site.lines([Site.msh("ORM^O01", id, time: time), Site.pid, "ORC|\(control)|PL-1|FI-1", obr]))
        }
        let all: Set = [Name.alerts, Name.bodySites, Name.transport, Name.performers, Name.orderDetails]
        await order(
            "M1", "NW", "20261121083000",
            [12: "FALLS^Falls^L", 15: "^^^HEAD&Head", 30: "WALK", 34: "7003&Leser&Lea", 44: "P1^Procedure^L"])
        #expect(names == all)
        await order("M2", "XO", "20261121083100", [:])
        #expect(names == all)
        let gone = "\"\""
        await order("M3", "XO", "20261121083200", [12: gone, 15: gone, 30: gone, 34: gone, 44: gone])
        #expect(names.isEmpty)
        // One that is late takes nothing back.
        await order("M4", "XO", "20261121083130", [30: "BED"])
        #expect(names.isEmpty)
    }

    @Test("PV1-7 and PV1-8 with one person take the place of several")
    func soleAttending() async {
        func people(_ name: String) -> Int { store.visits.first?.attributes?.parties(name).count ?? 0 }
        _ = await send(Site.adt("A01", "M1", pv1: "PV1|1|I|WARD^1||||1^A~2^B|3^C~4^D"))
        #expect(people(Visit.Attribute.furtherAttending) == 1 && people(Visit.Attribute.furtherReferring) == 1)
        _ = await send(Site.adt("A08", "M2", pv1: "PV1|1|I|||||5^E", time: "20261121083100"))
        #expect(store.visits.first?.attending?.identifier?.value == "5")
        #expect(people(Visit.Attribute.furtherAttending) == 0 && people(Visit.Attribute.furtherReferring) == 1)
    }

    @Test("PID, PD1, NK1, IN1 and GT1 beyond the core are kept under their names")
    func registration() async throws {
        let pid = segment(
            "PID",
            [
                2: "ALT-1", 3: "P-1^^^NORTH&2.999.1&ISO^MR", 5: "A^B", 6: "Mother^Mia", 10: "2106-3^White^CDCREC",
                11: "S 1^^T",
                12: "County", 13: "1", 17: "CHR", 18: "ACC-9", 19: "123-45-6789", 22: "N^Not^L", 23: "Town", 24: "Y",
                25: "2",
                26: "CHE", 40: "+41 1^PRN^CP",
            ])
        let receipt = await send(
            Site.lines([
                Site.msh("ADT^A04", "M1"), pid, "PD1|||Clinic^^77|7003^House^Hal",
                "NK1|1|Kin^Kim|SPO^Spouse|S 2^^T|2||EC^Emergency",
                "PV1|1|O", "IN1|1|PLAN^Plan|INS-1|Insurer|||||||||20260101|20261231||||||A^B|SEL",
                "GT1|1|G-1|Pay^Pat||S 3^^T|3||||||123-45-6780",
            ]))
        #expect(receipt.code == "AA")
        let patient = try #require(store.patients.first)
        let attributes = try #require(patient.attributes)
        #expect(patient.identifiers.map(\.value) == ["P-1"])
        #expect(
            attributes.identifiers(Patient.Attribute.furtherIdentifiers).map(\.value) == [
                "ALT-1", "ACC-9", "123-45-6789",
            ])
        #expect(patient.addresses.first?.district == "County")
        #expect(
            attributes.concepts(Patient.Attribute.religion).first?.codings.first?.system
                == "http://terminology.hl7.org/CodeSystem/v2-0006")
        #expect(attributes[Patient.Attribute.birthOrder] == .number(2))
        guard case .contacts(let contacts)? = attributes[Patient.Attribute.contacts] else {
            throw MessageRefusal(.error, [])
        }
        #expect(contacts.first?.relationships.count == 2)
        #expect(patient.statements?.map(\.kind) == [.coverage, .guarantor])
        guard case .contacts(let payers)? = patient.statements?[1].attributes[ClinicalStatement.Name.person] else {
            throw MessageRefusal(.error, [])
        }
        #expect(payers.first?.identifiers.last?.system == "http://hl7.org/fhir/sid/us-ssn")
        // "" takes a value away, an empty field does not.
        let later = segment("PID", [3: "P-1^^^NORTH&2.999.1&ISO^MR", 5: "A^B", 10: "\"\""])
        _ = await send(Site.lines([Site.msh("ADT^A08", "M2", time: "20261121090000"), later]))
        let after = try #require(store.patients.first?.attributes)
        #expect(after.concepts(Patient.Attribute.race) == [])
        #expect(after.concepts(Patient.Attribute.religion).count == 1)
    }

    @Test("A merge tells the survivor of the statements of the retired record, early or late")
    func merge() async throws {
        let other = "PID|1||P-2^^^NORTH&2.999.1&ISO^MR||A^B"
        _ = await send(Site.lines([Site.msh("ADT^A04", "M1"), other, "AL1|1|DA|PEN^Penicillin"]))
        _ = await send(
            Site.lines([Site.msh("ADT^A40", "M2", time: "20261121090000"), Site.pid, "MRG|P-2^^^NORTH&2.999.1&ISO^MR"]))
        let survivor = try #require(store.patients.first { $0.mergedInto == nil })
        #expect(survivor.statements?.map(\.key) == ["PEN"])
        #expect(survivor.statements?.map(\.origin) == [store.patients.first { $0.mergedInto != nil }?.id])
        // Of before the merge, and late: the list is still the retired record's, and told of the survivor.
        let late = [Site.msh("ADT^A08", "M3", time: "20261121084500"), other, "AL1|1|DA|LAT^Latex"]
        _ = await send(Site.lines(late))
        let told = try #require(store.patients.first { $0.mergedInto == nil }?.statements)
        #expect(told.filter(\.isCurrent).map(\.key) == ["LAT"])
    }

    @Test("H24: a name in three ways of writing keeps them apart")
    func representations() async {
        let pid = "PID|1||P-1^^^NORTH&2.999.1&ISO^MR||Yamada^Tarou^^^^^L^A~山田^太郎^^^^^L^I~やまだ^たろう^^^^^L^P"
        _ = await send(Site.lines([Site.msh("ADT^A04", "M1") + "||||||UNICODE UTF-8", pid]))
        #expect(store.patients.first?.names.map(\.representation) == [.alphabetic, .ideographic, .phonetic])
    }

    @Test("H28: an order with long step and procedure ids is taken; modalities are shown ids of at most 16 that stay")
    func longIDs() async throws {
        let long = "1234567890.ABCDEFGHIJ"
        let obr = segment("OBR", [2: "PL-1", 3: "FI-1", 4: "X^X", 18: "ACC-1", 19: long, 20: long])
        #expect(await send(Site.orm("M1", orc: "ORC|NW|PL-1|FI-1", obr: obr)).code == "AA")
        let order = try #require(store.orders.first)
        #expect(order.steps.map(\.stepID) == [long])
        #expect(order.steps[0].worklistID.count == 16)
        #expect(order.worklistProcedureID(order.steps[0]).count == 16)
        #expect(await send(Site.orm("M2", orc: "ORC|XO|PL-1|FI-1||SC", obr: obr)).code == "AA")
        #expect(store.orders.first?.steps.map(\.worklistID) == order.steps.map(\.worklistID))
        let accession = segment("OBR", [2: "PL-2", 4: "X^X", 18: "12345678901234567"])
        #expect(await send(Site.orm("M3", orc: "ORC|NW|PL-2", obr: accession)).code == "AE")
    }

    @Test("H25: one table names a code system in HL7, FHIR and DICOM")
    func codeSystems() {
        #expect(CodeSystem.uri(named: "RADLEX") == "http://www.radlex.org")
        for system in CodeSystem.all {
            for name in system.names { #expect(CodeSystem.uri(named: name) == system.uri) }
            if let designator = system.designator { #expect(CodeSystem.uri(ofDesignator: designator) == system.uri) }
            #expect(CodeSystem.designator(of: system.uri) == system.designator)
        }
    }
}
