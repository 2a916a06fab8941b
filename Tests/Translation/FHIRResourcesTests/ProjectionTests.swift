import FHIRModel
import Testing
import Workflow

@testable import FHIRResources

/// What the domain looks like in FHIR R4. Every projection is valid by the definitions.
@Suite("Projections: valid resources with the domain's content")
struct ProjectionTests {
    static func concept(_ code: String) -> CodedConcept {
        CodedConcept(codings: [.init(system: "urn:codes", code: code, display: "D \(code)")], text: "T \(code)")
    }
    static let party = PartyReference(
        identifier: Identifier(system: "urn:npi", value: "7", kind: .nationalProvider),
        name: HumanName(family: "Who", given: ["Doc"]))
    static let patient = Patient(
        id: EntityID("p1"),
        identifiers: [
            Identifier(system: "urn:mrn", value: "100", kind: .medicalRecord),
            Identifier(system: "urn:mrn", value: "99", kind: .medicalRecord, isCurrent: false),
        ], names: [HumanName(family: "Müller", given: ["Ana", "B"], prefix: ["Dr"], suffix: ["Jr"], use: .official)],
        birthDate: PartialDateTime("1970-05-01T10:00:00"), sex: .female,
        addresses: [
            PostalAddress(
                lines: ["Street 1"], city: "Bern", district: "D", state: "BE", postalCode: "3000", country: "CH",
                use: .home)
        ], telecoms: [ContactPoint(system: .phone, value: "1", use: .mobile)], maritalStatus: concept("M"),
        language: concept("de"),
        deceasedAt: PartialDateTime("2026-01-02T03:04:05Z"))
    static let step = ScheduledProcedureStep(
        id: EntityID("s1"), stepID: "SPS1", modality: "CT", stationAETitle: "CT1", stationName: "Room 1", location: "L",
        scheduledStart: PartialDateTime("2026-11-22T08:00:00+01:00"), description: "CT head",
        protocolCode: .init(system: "urn:p", code: "P"), performingPhysician: HumanName(family: "Y"), status: .scheduled
    )
    static let order = ImagingOrder(
        id: EntityID("o1"), patientID: EntityID("p1"), visitID: EntityID("v1"),
        placer: Identifier(system: "urn:pl", value: "P1", kind: .placer),
        filler: Identifier(system: "urn:fi", value: "F1", kind: .filler),
        accession: Identifier(system: "urn:ac", value: "A1", kind: .accession),
        requisition: Identifier(system: "urn:rq", value: "R1"),
        studyInstanceUID: "1.2.3", status: .onHold, priority: .stat, code: concept("CT"), modality: "CT",
        reasons: [concept("r")],
        requester: PartyReference(identifier: party.identifier, displayName: "Doc Who"),
        orderedAt: PartialDateTime("2026-11-21T10:00:00+01:00"), scheduledAt: PartialDateTime("2026-11-22"),
        clinicalInformation: "fell", notes: ["n1", "n2"], steps: [step])
    static let visit = Visit(
        id: EntityID("v1"), patientID: EntityID("p1"),
        identifier: Identifier(system: "urn:v", value: "V1", kind: .visit),
        status: .inProgress, classCode: .init(system: "http://terminology.hl7.org/CodeSystem/v3-ActCode", code: "IMP"),
        location: "Ward 1", attending: party, referring: party, start: PartialDateTime("2026-11-21"), end: nil)
    static func report(_ values: [Observation.Value]) -> Report {
        Report(
            id: EntityID("r1"), patientID: EntityID("p1"), visitID: EntityID("v1"), orderID: EntityID("o1"),
            placer: order.placer, filler: order.filler, status: .enteredInError, code: concept("CT"),
            effective: PartialDateTime("2026-11-21"), issued: UTCInstant(microseconds: 1_795_000_000_000_000),
            interpreters: [party],
            conclusion: "All well.",
            presentedForms: [PresentedForm(contentType: "text/plain", data: Array("x".utf8), title: "t")],
            observations: values.enumerated().map { index, value in
                Observation(
                    id: EntityID("ob\(index)"), key: "k\(index)", code: concept("k"), status: .final, value: value,
                    referenceRange: "1-2", interpretation: [concept("H")], notes: ["n"])
            })
    }

    /// The resource's errors by the definitions.
    static func errors(_ value: JSONValue) throws -> [String] {
        let resource = try Resource(JSONDocument(parsing: JSONWriter.compact(value)))
        return StructureValidator().issues(in: resource).filter { $0.severity == .error || $0.severity == .fatal }.map {
            "\($0)"
        }
    }

    @Test("Patient with everything, and with nothing, is valid")
    func patients() throws {
        var retired = Self.patient
        retired.mergedInto = EntityID("p0")
        retired.isActive = false
        let bare = Patient(
            id: EntityID("p2"), identifiers: [Identifier(system: "urn:mrn", value: "1")], names: [HumanName(family: "")]
        )
        for patient in [Self.patient, retired, bare] {
            let value = PatientProjection.project(patient, absorbed: [EntityID("p9")])
            #expect(try Self.errors(value) == [])
        }
        let value = PatientProjection.project(retired, absorbed: [])
        #expect(value["identifier"]?[1]?["use"]?.string == "old")
        #expect(value["link"]?[0]?["type"]?.string == "replaced-by" && value["active"]?.bool == false)
        #expect(value["birthDate"]?.string == "1970-05-01")
        #expect(PatientProjection.project(bare, absorbed: [])["name"] == nil)
    }

    @Test(
        "ServiceRequest in every state is valid",
        arguments: [
            ImagingOrder.Status.draft, .active, .onHold, .revoked, .completed, .enteredInError, .unknown,
        ])
    func orders(_ status: ImagingOrder.Status) throws {
        var order = Self.order
        order.status = status
        #expect(try Self.errors(ServiceRequestProjection.project(order)) == [])
        let bare = ImagingOrder(id: EntityID("o"), patientID: EntityID("p"), status: status, code: CodedConcept())
        #expect(try Self.errors(ServiceRequestProjection.project(bare)) == [])
    }

    @Test(
        "Task in every state is valid",
        arguments: [
            ScheduledProcedureStep.Status.scheduled, .inProgress, .completed, .canceled, .discontinued, .held,
        ])
    func tasks(_ status: ScheduledProcedureStep.Status) throws {
        var step = Self.step
        step.status = status
        #expect(try Self.errors(TaskProjection.project(step, of: Self.order)) == [])
        let bare = ScheduledProcedureStep(id: EntityID("s"), stepID: "1", status: status)
        #expect(try Self.errors(TaskProjection.project(bare, of: Self.order)) == [])
    }

    @Test("Encounter and Endpoint are valid, with a class even when none was sent")
    func encounters() throws {
        #expect(try Self.errors(EncounterProjection.project(Self.visit)) == [])
        let bare = Visit(id: EntityID("v"), patientID: EntityID("p"), identifier: nil, status: .planned)
        let value = EncounterProjection.project(bare)
        #expect(try Self.errors(value) == [])
        #expect(value["class"]?["code"]?.string == "UNK")
        #expect(try Self.errors(EndpointProjection.project(address: "https://h.example/dicomweb")) == [])
    }

    @Test("DiagnosticReport and an Observation of each kind of value are valid")
    func reports() throws {
        let report = Self.report([
            .quantity(value: "1.10", comparator: "<", unit: "mm", unitSystem: "http://unitsofmeasure.org"), .text("t"),
            .concept(Self.concept("k")), .dateTime(PartialDateTime("2026")), .time("10:00:00"),
            .range(low: "1", high: nil, unit: "mm"), .range(low: nil, high: "x", unit: nil),
            .ratio(numerator: "1", denominator: "2"),
            .ratio(numerator: "a", denominator: "2"), .absent(reason: "unknown"),
            .quantity(value: "n/a", comparator: "<", unit: "mm", unitSystem: nil),
        ])
        #expect(try Self.errors(DiagnosticReportProjection.project(report, studies: [EntityID("st1")])) == [])
        let values = report.observations.map { ObservationProjection.project($0, of: report) }
        for value in values { #expect(try Self.errors(value) == []) }
        #expect(String(decoding: JSONWriter.compact(values[0]), as: UTF8.self).contains("\"value\":1.10,"))
        #expect(values[6]["valueRange"] == nil)
        #expect(values[8]["valueString"]?.string == "a:2")
        #expect(values[10]["valueString"]?.string == "<n/a mm")
        #expect(values[9]["dataAbsentReason"]?["coding"]?[0]?["code"]?.string == "unknown")
    }

    @Test(
        "Numbers of HL7 become numbers of JSON with their digits (HL7 v2.5.1 §2.A.47, RFC 8259 §6)",
        arguments: [
            ("1.10", "1.10"), ("+5", "5"), ("-0.50", "-0.50"), (".5", "0.5"), ("5.", "5"), ("007", "7"), ("0", "0"),
            ("-00", "-0"),
            ("1e5", nil), ("", nil), (".", nil), ("-", nil), ("1.2.3", nil), ("<5", nil), ("NaN", nil), ("--1", nil),
        ])
    func numbers(_ text: String, _ expected: String?) {
        #expect(Datatypes.number(text) == expected.map { .number($0) })
    }

    @Test("ImagingStudy lists series and instances, and a study without attributes is valid too")
    func studies() throws {
        var attributes = StudyAttributes()
        attributes.studyDate = "20261121"
        attributes.studyTime = "101500.25"
        attributes.referringPhysicianName = "Who^Doc^^Dr"
        attributes.studyDescription = "CT"
        attributes.procedures = [.init(system: CodeSystem.uri(named: "RadLex"), code: "RPID16", display: "CT head")]
        var series = SeriesAttributes()
        series.modality = "CT"
        series.seriesNumber = 2
        series.bodyPartExamined = "HEAD"
        series.laterality = "L"
        series.anatomicRegion = .init(system: "http://snomed.info/sct", code: "69536005", display: "Head")
        series.operatorsName = "Op^One"
        let link = Reconciliation.matched(patientID: EntityID("p1"), orderID: EntityID("o1"))
        func content(_ attributes: SeriesAttributes, _ count: Int) -> ImagingStudyProjection.SeriesContent {
            .init(
                series: Series(
                    studyInstanceUID: "1.2.3", seriesInstanceUID: "1.2.3.1", reconciliation: link,
                    attributes: attributes,
                    updatedAt: UTCInstant(microseconds: 0)),
                instances: (0..<count).map { index in
                    Instance(
                        studyInstanceUID: "1.2.3", seriesInstanceUID: "1.2.3.1", sopInstanceUID: "1.2.3.1.\(index)",
                        sopClassUID: "1.2.840.10008.5.1.4.1.1.2", instanceNumber: index - 1, transferSyntaxUID: "1.2",
                        rows: nil,
                        columns: nil, bitsAllocated: nil, numberOfFrames: 0, blobID: BlobID("b"), size: 1,
                        dataSetOffset: 0,
                        pixelDataOffset: nil, pixelDataLength: nil, receivedAt: UTCInstant(microseconds: 0),
                        receivedFrom: nil)
                })
        }
        let study = Study(
            id: EntityID("st1"), studyInstanceUID: "1.2.3", reconciliation: link, attributes: attributes,
            updatedAt: UTCInstant(microseconds: 0))
        let full = ImagingStudyProjection.project(
            study, patientID: EntityID("p1"), orders: [Self.order], series: [content(series, 2)],
            endpoint: EndpointProjection.id,
            offset: { _, _ in "+01:00" })
        #expect(try Self.errors(full) == [])
        #expect(full["started"]?.string == "2026-11-21T10:15:00+01:00")
        #expect(full["procedureCode"]?[0]?["coding"]?[0]?["system"]?.string == "http://www.radlex.org")
        #expect(full["series"]?[0]?["bodySite"]?["code"]?.string == "69536005")
        #expect(full["referrer"]?["display"]?.string == "Dr Doc Who")
        #expect(full["identifier"]?[0]?["value"]?.string == "urn:oid:1.2.3")
        #expect(full["identifier"]?[1]?["value"]?.string == "A1")
        // A negative number is no unsignedInt.
        #expect(full["series"]?[0]?["instance"]?[0]?["number"] == nil)
        var bare = study
        bare.attributes = StudyAttributes()
        let value = ImagingStudyProjection.project(
            bare, patientID: EntityID("p1"), orders: [], series: [content(SeriesAttributes(), 0)],
            endpoint: EndpointProjection.id,
            offset: { _, _ in nil })
        #expect(try Self.errors(value) == [])
    }

    @Test(
        "A study's start needs a real date, and a zone for its time",
        arguments: [
            ("20261121", "101500", "+0100", "2026-11-21T10:15:00+01:00"),
            ("20261121", "1015", "-0530", "2026-11-21T10:15:00-05:30"),
            ("20261121", "101500", nil, "2026-11-21"), ("20261121", nil, "+0100", "2026-11-21"),
            ("20261121", "10", "+0100", "2026-11-21"),
            ("20261121", "256000", "+0100", "2026-11-21"), ("20261321", "101500", "+0100", nil),
            ("2026.11.21", nil, nil, nil),
            ("20260231", "101500", "+0100", nil), ("20240229", nil, nil, "2024-02-29"), ("20230229", nil, nil, nil),
            ("20261121", "101500", "+9x00", "2026-11-21"), ("20261121", "101500", "+1500", "2026-11-21"),
            (nil, "101500", "+0100", nil), ("", nil, nil, nil),
        ] as [(String?, String?, String?, String?)])
    func started(_ date: String?, _ time: String?, _ zone: String?, _ expected: String?) {
        #expect(ImagingStudyProjection.started(date, time, zone, { _, _ in nil })?.string == expected)
    }

    // MARK: There and back

    @Test("A Patient read back from its projection is the same person")
    func patientIdentity() {
        var patient = Self.patient
        patient.birthDate = PartialDateTime("1970-05-01")
        patient.isDeceased = true
        let value = PatientProjection.project(patient, absorbed: [])
        #expect(PatientCommand.patient(value, id: patient.id, stored: nil) == patient)
    }

    @Test("An order read back over its stored form is the same order")
    func orderIdentity() {
        let value = ServiceRequestProjection.project(Self.order)
        #expect(ServiceRequestCommand.order(value, id: Self.order.id, stored: Self.order) == Self.order)
        #expect(ServiceRequestCommand.isImaging(value))
        #expect(!ServiceRequestCommand.isImaging(["resourceType": "ServiceRequest"]))
        #expect(
            ServiceRequestCommand.order(["subject": ["reference": "Group/1"]], id: EntityID("o"), stored: nil) == nil)
    }

    // MARK: Merge

    @Test("A merge keeps what the domain does not own and what says the same, and replaces what changed")
    func merge() throws {
        let existing: JSONValue = [
            "resourceType": "Patient", "id": "p", "text": ["status": "generated"],
            "extension": [["url": "urn:x", "valueString": "y"]],
            "name": [["family": "Doe", "extension": [["url": "urn:n", "valueBoolean": true]]]], "gender": "female",
            "_gender": ["extension": [["url": "urn:g", "valueBoolean": true]]], "birthDate": "1970",
            "_birthDate": ["extension": [["url": "urn:b", "valueBoolean": true]]],
        ]
        let understood: JSONValue = ["name": [["family": "Doe"]], "gender": "female", "birthDate": "1970"]
        let projected: JSONValue = [
            "resourceType": "Patient", "id": "p", "name": [["family": "Doe"]], "gender": "male", "birthDate": "1970",
        ]
        let merged = ProjectionMerge.merge(
            existing: existing, projected: projected, owned: ["name", "gender", "birthDate", "telecom"],
            understood: understood)
        #expect(merged["text"] == existing["text"] && merged["extension"] == existing["extension"])
        #expect(merged["name"] == existing["name"])
        #expect(merged["gender"]?.string == "male" && merged["_gender"] == nil)
        #expect(merged["birthDate"]?.string == "1970" && merged["_birthDate"] == existing["_birthDate"])
        #expect(ProjectionMerge.merge(existing: nil, projected: projected, owned: []) == projected)
        let cleared = ProjectionMerge.merge(existing: existing, projected: ["resourceType": "Patient"], owned: ["name"])
        #expect(cleared["name"] == nil)
    }
}
