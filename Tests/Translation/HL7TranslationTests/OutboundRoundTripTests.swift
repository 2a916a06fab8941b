import Basics
import HL7Translation
import HL7v2
import Synchronization
import Testing
import Workflow

/// What is sent is read by this server's own inbox as what it was: the same tables in both directions.
/// HL7 v2.5.1 §3.4, §4.5, §7.4.
@Suite struct OutboundRoundTripTests {
    private static let versions = ["2.3.1", "2.4", "2.5.1", "2.7"]

    /// Everything that one site is told, told by it to another site of the same profile.
    private func relayed(
        _ messages: [[UInt8]], to destination: String = OutboundSite.all
    ) async throws -> (from: MemoryStore, to: MemoryStore) {
        let site = try OutboundSite(destination)
        for message in messages { #expect(await site.inbox.receive(message, peer: nil).code == "AA") }
        return (site.store, try await relayed(site))
    }

    private func relayed(_ site: OutboundSite) async throws -> MemoryStore {
        let store = MemoryStore()
        let inbox = Site.inbox(store, try Site.profile())
        let drafts = site.store.state.withLock(\.outbox)
        #expect(!drafts.isEmpty)
        for draft in drafts {
            let receipt = await inbox.receive(draft.payload, peer: nil)
            #expect(receipt.code == "AA", "\(String(decoding: draft.payload, as: UTF8.self)) \(receipt.notes)")
            // A report goes where its order was never told.
            let isReport = draft.payload.firstRange(of: Array("|ORU^R01".utf8)) != nil
            let notes = receipt.notes.filter {
                !isReport || $0 != "result came before its order: order created from it"
            }
            #expect(notes == [])
        }
        return store
    }

    private func expectSame(_ a: Patient?, _ b: Patient?) throws {
        let (a, b) = (try #require(a), try #require(b))
        #expect(a.identifiers == b.identifiers)
        #expect(a.names == b.names)
        #expect(a.aliases == b.aliases)
        #expect(a.birthDate == b.birthDate)
        #expect(a.sex == b.sex)
        #expect(a.addresses == b.addresses)
        #expect(a.telecomsByField.home == b.telecomsByField.home)
        #expect(a.telecomsByField.work == b.telecomsByField.work)
        #expect(a.language == b.language)
        #expect(a.maritalStatus == b.maritalStatus)
        #expect(a.isDeceased == b.isDeceased)
        #expect(a.deceasedAt == b.deceasedAt)
        #expect(a.attributes == b.attributes)
    }

    private func expectSame(_ a: ImagingOrder?, _ b: ImagingOrder?) throws {
        let (a, b) = (try #require(a), try #require(b))
        #expect(a.placer == b.placer)
        #expect(a.filler == b.filler)
        #expect(a.accession == b.accession)
        #expect(a.requisition == b.requisition)
        #expect(a.requestedProcedureID == b.requestedProcedureID)
        #expect(a.studyInstanceUID == b.studyInstanceUID)
        #expect(a.status == b.status)
        #expect(a.statusReason == b.statusReason)
        #expect(a.priority == b.priority)
        #expect(a.code == b.code)
        #expect(a.modality == b.modality)
        #expect(a.reasons == b.reasons)
        #expect(a.requester == b.requester)
        #expect(a.scheduledAt == b.scheduledAt)
        #expect(a.clinicalInformation == b.clinicalInformation)
        #expect(a.notes == b.notes)
        #expect(a.attributes == b.attributes)
        #expect(a.steps.map(\.stepID) == b.steps.map(\.stepID))
        #expect(a.steps.map(\.modality) == b.steps.map(\.modality))
        #expect(a.steps.map(\.status) == b.steps.map(\.status))
        #expect(a.steps.map(\.scheduledStart) == b.steps.map(\.scheduledStart))
        expectSame(a.statements ?? [], b.statements ?? [])
    }

    private func expectSame(_ a: [ClinicalStatement], _ b: [ClinicalStatement]) {
        #expect(a.map(\.kind) == b.map(\.kind))
        #expect(a.map(\.code) == b.map(\.code))
        #expect(a.map(\.value) == b.map(\.value))
        #expect(a.map(\.notes) == b.map(\.notes))
        #expect(a.map(\.attributes) == b.map(\.attributes))
    }

    private func expectSame(_ a: Report?, _ b: Report?) throws {
        let (a, b) = (try #require(a), try #require(b))
        #expect(a.placer == b.placer)
        #expect(a.filler == b.filler)
        #expect(a.status == b.status)
        #expect(a.code == b.code)
        #expect(a.category == b.category)
        #expect(a.effective == b.effective)
        #expect(a.issued == b.issued)
        #expect(a.interpreters == b.interpreters)
        #expect(a.conclusion == b.conclusion)
        #expect(a.studyInstanceUIDs == b.studyInstanceUIDs)
        #expect(a.presentedForms.map(\.contentType) == b.presentedForms.map(\.contentType))
        #expect(a.presentedForms.map(\.data) == b.presentedForms.map(\.data))
        #expect(a.presentedForms.dropFirst().map(\.title) == b.presentedForms.dropFirst().map(\.title))
        #expect(a.observations.map(\.code) == b.observations.map(\.code))
        #expect(a.observations.map(\.value) == b.observations.map(\.value))
        #expect(a.observations.map(\.status) == b.observations.map(\.status))
        #expect(a.observations.map(\.referenceRange) == b.observations.map(\.referenceRange))
        #expect(a.observations.map(\.interpretation) == b.observations.map(\.interpretation))
        #expect(a.observations.map(\.effective) == b.observations.map(\.effective))
        #expect(a.observations.map(\.notes) == b.observations.map(\.notes))
        #expect(a.observations.map(\.attributes) == b.observations.map(\.attributes))
    }

    @Test("A registered person is told with all that was said of it")
    func person() async throws {
        let pid =
            "PID|1||P-4711^7^^NORTH&2.999.1&ISO^MR^HOSP^20200101^20301231~756.1^^^AHV&urn:oid:2.16.756.5.31&URI^SS||"
            + "Müster^Maxine^Q^Jr^Dr^MD^L~Muster^Mimi^^^^^N|Vorher^Vera^^^^^M|197503150810|F|Alias^Al^^^^^D|2106-3^White^CDCREC|"
            + "Am Weg 5^Hof^Beispielwil^ZH^8999^CHE^H^^Bezirk||+41 44 555 12 34^PRN^PH~^NET^Internet^m@example.org~"
            + "+41 79 555 00 00^PRS^CP|+41 44 555 99 99^WPN^FX|de^German^ISO639|M^Married^HL70002|1013^Christian^HL70006|"
            + "A-9|123-45-6789||||Bern|Y|2|CH^Swiss^ISO3166_1||||Y"
        let more = [
            "NK1|1|Muster^Mo^^^^^L|SPO^Spouse^HL70063|Am Weg 5^^Beispielwil|+41 44 555 12 34^PRN^PH",
            "OBX|1|NM|8302-2^Height^LN||170|cm^^UCUM|||||F",
            "AL1|1|DA^Drug^HL70127|PEN^Penicillin^L|SV^Severe^HL70128|rash~itch|20100101",
            "DG1|1||I10^Hypertension^I10|||W^Working^HL70052",
        ]
        let message = Site.lines(
            [Site.msh("ADT^A28", "M1"), "EVN|A28|20261121083000", pid, "PD1|||PRAXIS^^^^^^^^^77|7^Haus^Hanna"] + more)
        let stores = try await relayed([message])
        try expectSame(stores.from.patients.first, stores.to.patients.first)
        expectSame(stores.from.patients.first?.statements ?? [], stores.to.patients.first?.statements ?? [])
    }

    @Test("An order is told in each form", arguments: ["ORM^O01", "OMG^O19", "OMI^O23"])
    func order(form: String) async throws {
        let obr =
            "OBR|1|PL-1^EHR|FI-1^RIS|CTHEAD^CT head^LOCAL^24725-4^CT Head^LN||||||||PACEMAKER|trauma & fall||^^^&Head|7002^Zuweiser^Zora"
            + "||ACC-1|RP-1|SPS-1||||CT|||^^^20261121140000^^S|||CHAIR|R51^Headache^I10~^dizzy|||7009&Techna&Tina||||||||||D-1^Detail^LOCAL"
        let more = [
            "NTE|1||first line~second", "NTE|2||other", "DG1|1||S06^Injury^I10",
            "OBX|1|NM|29463-7^Weight^LN||71.5|kg^^UCUM|||||F",
        ]
        let orm = Site.orm(
            "M1", orc: "ORC|NW|PL-1^EHR|FI-1^RIS|GRP-1^EHR|SC||||20261121090000|||7002^Zuweiser^Zora", obr: obr,
            more: form == "OMI^O23" ? more : more + ["ZDS|1.2.999.7^HILUM^Application^DICOM"])
        let destination = "  RIS: { peer: \"RIS|SOUTH\", send: [{ event: order, as: \"\(form)\" }] }"
        let stores = try await relayed([orm], to: destination)
        try expectSame(stores.from.orders.first, stores.to.orders.first)
        try expectSame(stores.from.patients.first, stores.to.patients.first)
    }

    @Test("Steps of one order are told in each form", arguments: ["ORM^O01", "OMI^O23"])
    func steps(form: String) async throws {
        let ipc = ["1", "2"].map { "IPC|ACC-1|RP-1|1.2.999.7|SPS-\($0)|CT|P\($0)^Protocol \($0)^LOCAL" }
        let omi = Site.lines(
            [
                Site.msh("OMI^O23", "M1"), Site.pid, "ORC|NW|PL-1^EHR|FI-1^RIS", "TQ1|1||||||20261121140000||A",
                "OBR|1|PL-1^EHR|FI-1^RIS|CTHEAD^CT head^LOCAL",
            ] + ipc)
        let destination = "  RIS: { peer: \"RIS|SOUTH\", send: [{ event: order, as: \"\(form)\" }] }"
        let stores = try await relayed([omi], to: destination)
        try expectSame(stores.from.orders.first, stores.to.orders.first)
        if form == "OMI^O23" {
            let (a, b) = (stores.from.orders[0].steps, stores.to.orders[0].steps)
            #expect(a.map(\.protocolCode) == b.map(\.protocolCode))
            #expect(a.map(\.description) == b.map(\.description))
        }
    }

    @Test("A report is told with text, impression, findings, document and study", arguments: versions)
    func report(version: String) async throws {
        let pdf = Base64.encode(Array("%PDF-1.4 invented".utf8))
        let oru = Site.oru(
            "M2", status: "F",
            obx: [
                "OBX|1|FT|59776-5^Findings^LN||No bleeding.\\.br\\\\.br\\A \\T\\ B \\S\\ C||||||F",
                "OBX|2|FT|19005-8^Impression^LN||Normal CT.\\.br\\No change.||||||F",
                "OBX|3|NM|DLP^Dose length product^LOCAL||450.10|mGy.cm^^UCUM|0-900|N|||F|||20261121143500",
                "NTE|1||note",
                "OBX|4|ED|PDF^Report^LOCAL||^AP^PDF^Base64^\(pdf)||||||F",
                "OBX|5|ST|113014^DICOM Study^DCM||1.2.999.9||||||F",
                "OBX|6|SN|VOL^Volume^LOCAL||>^12.50|ml||||F", "OBX|7|SN|R^Range^LOCAL||^1^-^2|ml||||F",
                "OBX|8|SN|Q^Ratio^LOCAL||^1^:^8|||||F", "OBX|9|DT|D^Date^LOCAL||20260102||||||F",
                "OBX|10|TM|T^Time^LOCAL||1015||||||F",
                "OBX|11|ST|S^Words^LOCAL|1.2|a^b||||||P|||||9^Seher^Sam", "OBX|12|ST|N^None^LOCAL||||||||N",
            ])
        let destination = "  EHR: { peer: \"EHR|SOUTH\", version: \"\(version)\", send: [{ event: result }] }"
        let stores = try await relayed([Site.orm("M1"), oru], to: destination)
        try expectSame(stores.from.reports.first, stores.to.reports.first)
    }

    @Test("A coded finding is CWE from 2.5 on and CE before", arguments: versions)
    func coded(version: String) async throws {
        let oru = Site.oru("M2", status: "C", obx: ["OBX|1|CWE|BIRADS^Category^LOCAL||1^Negative^LOCAL||||||C"])
        let destination = "  EHR: { peer: \"EHR|SOUTH\", version: \"\(version)\", send: [{ event: result }] }"
        let stores = try await relayed([oru], to: destination)
        try expectSame(stores.from.reports.first, stores.to.reports.first)
        let sent = try Parser().parse(try #require(stores.from.state.withLock(\.outbox).first).payload)
        #expect(sent.at("OBX-2") == (["2.3.1", "2.4"].contains(version) ? "CE" : "CWE"))
        #expect(sent.at("OBR-25") == "C")
    }

    @Test("Generated persons come back as they were", arguments: 0..<60 as Range<UInt64>)
    func generatedPersons(seed: UInt64) async throws {
        var values = OutboundValues(seed)
        let patient = values.patient()
        let site = try OutboundSite(OutboundSite.all)
        try await site.change { unit in
            try unit.save(patient)
            unit.emit(.patientChanged(patient.id))
        }
        try expectSame(patient, try await relayed(site).patients.first)
    }

    @Test("Generated orders come back as they were", arguments: 0..<60 as Range<UInt64>)
    func generatedOrders(seed: UInt64) async throws {
        var values = OutboundValues(seed)
        let patient = values.patient()
        let order = values.order(of: patient)
        let form = ["ORM^O01", "OMG^O19", "OMI^O23"][Int(seed % 3)]
        let site = try OutboundSite("  RIS: { peer: \"RIS|SOUTH\", send: [{ event: order, as: \"\(form)\" }] }")
        try await site.change { unit in
            try unit.save(patient)
            try unit.save(order)
            unit.emit(.orderChanged(order.id))
        }
        let store = try await relayed(site)
        try expectSame(order, store.orders.first)
        #expect(store.orders.count == 1)
    }

    @Test("Generated reports come back as they were", arguments: 0..<60 as Range<UInt64>)
    func generatedReports(seed: UInt64) async throws {
        var values = OutboundValues(seed)
        let patient = values.patient()
        let report = values.report(of: patient)
        let site = try OutboundSite("  EHR: { peer: \"EHR|SOUTH\", send: [{ event: result }] }")
        try await site.change { unit in
            try unit.save(patient)
            try unit.save(report)
            unit.emit(.reportChanged(report.id))
        }
        try expectSame(report, try await relayed(site).reports.first)
    }
}
