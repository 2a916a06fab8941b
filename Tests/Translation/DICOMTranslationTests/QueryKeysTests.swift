import DICOMData
import Testing
import Workflow

@testable import DICOMTranslation

/// Key values as matches. PS3.4 §C.2.2.2, PS3.18 §8.3.4.
@Suite("Query keys")
struct QueryKeysTests {
    @Test(
        "Each VR gives its kind of match",
        arguments: [
            (DICOMData.Tag.patientID, "100", StudyQuery.Match.exact("100")), (.patientID, " 100 ", .exact("100")),
            (.patientID, "1*", .wildcard("1*", ignoringCase: false)), (.patientID, "a\\b", .anyOf(["a", "b"])),
            (.patientID, "\"\"", .empty),
            (.patientName, "Doe", .wildcard("Doe", ignoringCase: true)), (.studyDate, "20261121", .exact("20261121")),
            (.studyDate, "20261101-20261130", .range(low: "20261101", high: "20261130")),
            (.studyDate, "-20261130", .range(low: nil, high: "20261130")),
            (.studyDate, "20261101-", .range(low: "20261101", high: nil)),
            (.studyTime, "10:15:00-11", .range(low: "101500", high: "11")),
            (.studyInstanceUID, "1.2.3", .exact("1.2.3")), (.studyInstanceUID, "1.2\\1.3", .anyOf(["1.2", "1.3"])),
            (.studyInstanceUID, "1.2,1.3", .anyOf(["1.2", "1.3"])), (.seriesNumber, "12", .exact("12")),
        ])
    func matches(_ tag: DICOMData.Tag, _ value: String, _ expected: StudyQuery.Match) throws {
        #expect(try QueryKeys.match(value, for: tag) == expected)
    }

    @Test("Empty and star match everything", arguments: ["", " ", "*"])
    func universal(_ value: String) throws { #expect(try QueryKeys.match(value, for: .patientID) == nil) }

    @Test(
        "A value that its VR does not allow is refused",
        arguments: [
            (DICOMData.Tag.studyDate, "yesterday"), (.studyDate, "-"), (.studyInstanceUID, "1.2.x"),
            (.studyInstanceUID, "../etc"), (.seriesNumber, "one"),
        ])
    func refused(_ tag: DICOMData.Tag, _ value: String) {
        #expect(throws: QueryKeys.Problem.self) { try QueryKeys.match(value, for: tag) }
    }

    @Test("Worklist ranges are low, high, or both")
    func ranges() {
        for (text, low, high) in [
            (nil, nil, nil), ("20261121", "20261121", "20261121"), ("20261121-", "20261121", nil),
            ("-20261121", nil, "20261121"),
            ("20261121 - 20261122", "20261121", "20261122"),
        ] as [(String?, String?, String?)] {
            let range = WorklistKeys.range(text)
            #expect(range.low == low && range.high == high, "\(text ?? "nil")")
        }
    }

    private static let authorities = AssigningAuthorities(
        authorities: [
            .init(system: "urn:hosp", namespace: "HOSP"), .init(system: "urn:clinic", namespace: "CLINIC"),
        ], defaultPatientSystem: "urn:hosp", defaultAccessionSystem: "urn:ris")

    @Test(
        "The issuer of a worklist query names a system; an unknown one matches nobody, none and wildcards match all",
        arguments: [
            ("HOSP", "urn:hosp"), ("CLINIC", "urn:clinic"), ("ELSEWHERE", "urn:hilum:unknown-issuer:ELSEWHERE"),
            ("", nil), ("*", nil), ("HO*", nil), (nil, nil),
        ] as [(String?, String?)])
    func worklistIssuer(_ issuer: String?, _ system: String?) {
        var identifier = DataSet()
        identifier.set(.patientID, string: "7")
        if let issuer { identifier.set(.issuerOfPatientID, string: issuer) }
        let query = WorklistKeys(identifier: identifier, authorities: Self.authorities).query
        #expect(query.patientID == "7" && query.patientIDSystem == system)
    }

    @Test(
        "Of several ids of a patient a worklist answer has the one asked for, else the site's own",
        arguments: [
            (nil, nil, "1", "HOSP"), ("9", nil, "9", "CLINIC"), (nil, "urn:clinic", "9", "CLINIC"),
            ("1", "urn:hosp", "1", "HOSP"), ("1*", nil, "1", "HOSP"),
            ("9*", "urn:clinic", "9", "CLINIC"),
        ] as [(String?, String?, String, String)])
    func worklistIdentifier(_ id: String?, _ system: String?, _ expected: String, _ issuer: String) {
        let patient = Patient(
            id: EntityID("p"),
            identifiers: [Identifier(system: "urn:clinic", value: "9"), Identifier(system: "urn:hosp", value: "1")],
            names: [])
        let step = ScheduledProcedureStep(id: EntityID("s"), stepID: "S", modality: "CT", stationAETitle: "CT1")
        let order = ImagingOrder(
            id: EntityID("o"), patientID: patient.id, accession: nil, studyInstanceUID: "1.2", status: .active,
            code: CodedConcept(text: "CT"), steps: [step])
        var query = WorklistQuery()
        query.patientID = id
        query.patientIDSystem = system
        let item = WorklistItem(authorities: Self.authorities).dataSet(
            WorklistEntry(patient: patient, visit: nil, order: order, step: step), askedBy: query)
        #expect(item.string(.patientID) == expected && item.string(.issuerOfPatientID) == issuer)
    }

    @Test(
        "H24, H25, H28: names in three ways of writing, schemes by one table, long ids as ids of our own, what to heed")
    func worklistContent() {
        let names = [
            HumanName(family: "Yamada", given: ["Tarou"], use: .official, representation: .alphabetic),
            HumanName(family: "山田", given: ["太郎"], use: .official, representation: .ideographic),
            HumanName(family: "やまだ", given: ["たろう"], use: .official, representation: .phonetic),
            HumanName(family: "Other", use: .nickname),
        ]
        let patient = Patient(
            id: EntityID("p"), identifiers: [Identifier(system: "urn:hosp", value: "1")], names: names)
        let step = ScheduledProcedureStep(
            id: EntityID("abcdefghijklmnopqrst"), stepID: "A-STEP-ID-OF-TOO-MANY-CHARACTERS", modality: "CT")
        var order = ImagingOrder(
            id: EntityID("o1234567890123456789"), patientID: patient.id, requestedProcedureID: "12345678901234567",
            studyInstanceUID: "1.2", status: .active,
            code: CodedConcept(codings: [.init(system: "http://www.radlex.org", code: "RPID1")]), steps: [step])
        var allergy = StatementUpdate(kind: .allergy, key: "k")
        allergy.code = CodedConcept(text: "Iodine")
        var weight = StatementUpdate(kind: .observation, key: "w")
        weight.code = CodedConcept(codings: [.init(system: "http://loinc.org", code: "29463-7")])
        weight.value = .quantity(value: "72.5", comparator: nil, unit: "kg", unitSystem: nil)
        order.statements = [
            ClinicalStatement(id: EntityID("a"), from: allergy), ClinicalStatement(id: EntityID("w"), from: weight),
        ]
        let item = WorklistItem(authorities: Self.authorities).dataSet(
            WorklistEntry(patient: patient, visit: nil, order: order, step: step), askedBy: WorklistQuery())
        #expect(item.string(.patientName) == "Yamada^Tarou=山田^太郎=やまだ^たろう")
        #expect(item.string(.requestedProcedureID) == "o123456789012345")
        #expect(item.string(.allergies) == "Iodine")
        #expect(item.string(.patientWeight) == "72.5")
        let scheduled = item.items(.scheduledProcedureStepSequence).first
        #expect(scheduled?.string(.scheduledProcedureStepID) == "abcdefghijklmnop")
        let code = item.items(.requestedProcedureCodeSequence).first
        #expect(code?.string(.codingSchemeDesignator) == "RADLEX")
    }
}
