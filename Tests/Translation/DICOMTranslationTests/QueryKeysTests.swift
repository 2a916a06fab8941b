import DICOMData
import Testing
import Workflow

@testable import DICOMTranslation

/// Key values as matches. PS3.4 §C.2.2.2, PS3.18 §8.3.4.
@Suite("Query keys")
struct QueryKeysTests {
    private func keys(_ entries: [(DICOMData.Tag, SearchKey, String)]) throws -> SearchKeys {
        var reader = KeyReader()
        for (tag, key, value) in entries { try reader.add(value, for: tag, as: key) }
        return reader.result()
    }

    @Test(
        "Each VR gives its kind of match",
        arguments: [
            (DICOMData.Tag.patientID, "100", KeyMatch.exact("100")), (.patientID, " 100 ", .exact("100")),
            (.patientID, "1*", .wildcard("1*")), (.patientID, "a\\b", .anyOf([.exact("a"), .exact("b")])),
            (.patientID, "a*\\b", .anyOf([.wildcard("a*"), .exact("b")])), (.patientID, "\"\"", .empty),
            (.patientName, "Doe", .name("Doe")), (.studyDate, "20261121", .dates(from: "20261121", to: "20261121")),
            (.studyDate, "2026.11.21", .dates(from: "20261121", to: "20261121")),
            (.studyDate, "20261101-20261130", .dates(from: "20261101", to: "20261130")),
            (.studyDate, "20261101 - 20261130", .dates(from: "20261101", to: "20261130")),
            (.studyDate, "-20261130", .dates(from: nil, to: "20261130")),
            (.studyDate, "20261101-", .dates(from: "20261101", to: nil)),
            (.studyTime, "10:15:00-11", .times(from: "101500.000000", to: "115959.999999")),
            (.studyTime, "2230", .times(from: "223000.000000", to: "223059.999999")),
            (.studyTime, "223000", .times(from: "223000.000000", to: "223000.999999")),
            (.studyTime, "223000.0000", .times(from: "223000.000000", to: "223000.000099")),
            (.studyInstanceUID, "1.2.3", .exact("1.2.3")),
            (.studyInstanceUID, "1.2\\1.3", .anyOf([.exact("1.2"), .exact("1.3")])),
            (.studyInstanceUID, "1.2,1.3", .anyOf([.exact("1.2"), .exact("1.3")])),
            (.seriesNumber, "12", .exact("12")), (.seriesNumber, "+007", .exact("7")),
        ])
    func matches(_ tag: DICOMData.Tag, _ value: String, _ expected: KeyMatch) throws {
        #expect(try keys([(tag, .patientID, value)])[.patientID] == expected)
    }

    @Test(
        "Fuzzy: names are matched by their words, other keys as ever; a name without a word asks for nothing",
        arguments: [
            (.patientName, "Smith^J", .similarName("Smith^J")), (.patientName, "\"\"", .empty),
            (.patientName, "a\\\"\"", .anyOf([.similarName("a"), .empty])), (.patientName, "^", nil),
            (.patientName, "*^*", nil), (.patientName, "a\\-", nil), (.patientID, "a*", .wildcard("a*")),
        ] as [(DICOMData.Tag, String, KeyMatch?)])
    func fuzzy(_ tag: DICOMData.Tag, _ value: String, _ expected: KeyMatch?) throws {
        #expect(try KeyReader.match(value, for: tag, isFuzzy: true) == expected)
    }

    @Test(
        "More names, patterns and ranges than a statement has room for are refused; a list of whole texts is one part",
        arguments: [
            (.studyInstanceUID, "1.2.", 10_000, false, true), (.studyInstanceUID, "1.2.", 10_001, false, false),
            (.patientID, "p*", 1_000, false, true), (.patientID, "p*", 1_001, false, false),
            (.patientName, "n", 1_000, false, true), (.patientName, "n", 1_001, false, false),
            (.patientName, "n", 250, true, true), (.patientName, "n", 251, true, false),
            (.patientName, "a b c d n", 50, true, true), (.patientName, "a b c d n", 51, true, false),
        ] as [(DICOMData.Tag, String, Int, Bool, Bool)])
    func width(_ tag: DICOMData.Tag, _ text: String, _ count: Int, _ isFuzzy: Bool, _ isTaken: Bool) {
        let value = (0..<count).map { "\(text)\($0)" }.joined(separator: "\\")
        var reader = KeyReader(isFuzzy: isFuzzy)
        var problem: QueryKeys.Problem?
        do throws(QueryKeys.Problem) { try reader.add(value, for: tag, as: .patientName) } catch { problem = error }
        #expect(problem == (isTaken ? nil : .badValue(tag)))
    }

    @Test("Keys share the room of the statement")
    func shared() throws {
        let half = (0..<126).map { "n\($0)" }.joined(separator: "\\")
        var reader = KeyReader(isFuzzy: true)
        try reader.add(half, for: .patientName, as: .patientName)
        #expect(throws: QueryKeys.Problem.badValue(.referringPhysicianName)) {
            try reader.add(half, for: .referringPhysicianName, as: .referringPhysicianName)
        }
    }

    @Test("Empty and star match everything", arguments: ["", " ", "*", "**", "\\"])
    func universal(_ value: String) throws {
        #expect(try keys([(.patientID, .patientID, value)]) == SearchKeys())
    }

    @Test(
        "D3: a value that its VR does not allow is refused",
        arguments: [
            (DICOMData.Tag.studyDate, "yesterday"), (.studyDate, "-"), (.studyDate, "2026-01-05"),
            (.studyDate, "20260230"), (.studyDate, "2026"), (.studyDate, "20260101-2026"), (.studyTime, "25"),
            (.studyTime, "10-11-12"), (.studyTime, "+10"), (.studyInstanceUID, "1.2.x"), (.studyInstanceUID, "../etc"),
            (.studyInstanceUID, "1.2\\x"), (.seriesNumber, "one"),
        ])
    func refused(_ tag: DICOMData.Tag, _ value: String) {
        #expect(throws: QueryKeys.Problem.badValue(tag)) { try keys([(tag, .studyDate, value)]) }
    }

    @Test("D1: ranges of a date and of its time are one period, in the same form only (PS3.4 §C.2.2.2.5.4)")
    func periods() throws {
        let from = SearchPeriod.Moment(date: "20260112", time: "220000.000000")
        let to = SearchPeriod.Moment(date: "20260113", time: "025959.999999")
        for (date, time, first, last) in [
            ("20260112-20260113", "22-02", from, to), ("20260112-", "2200-", from, nil), ("-20260113", "-02", nil, to),
        ] {
            for (dateTag, dateKey, timeTag, timeKey) in [
                (DICOMData.Tag.studyDate, SearchKey.studyDate, DICOMData.Tag.studyTime, SearchKey.studyTime),
                (
                    .scheduledProcedureStepStartDate, .scheduledStartDate, .scheduledProcedureStepStartTime,
                    .scheduledStartTime
                ),
            ] {
                let keys = try keys([(timeTag, timeKey, time), (dateTag, dateKey, date)])
                #expect(keys.matches.isEmpty)
                #expect(keys.periods == [SearchPeriod(date: dateKey, time: timeKey, from: first, to: last)])
            }
        }
        for (date, time) in [("20260112", "22-02"), ("20260112-20260113", "22"), ("20260112-", "22-02"), ("", "22-02")]
        {
            let keys = try keys([(.studyDate, .studyDate, date), (.studyTime, .studyTime, time)])
            #expect(keys.periods.isEmpty)
            #expect(keys[.studyTime] != nil)
        }
    }

    @Test(
        "D12: keys that are not matched, and attributes that no entry has, are told (PS3.4 Table K.4-1)",
        arguments: [
            ([], false), ([(DICOMData.Tag.patientSex, "F")], false), ([(.patientWeight, "")], false),
            ([(.patientWeight, "*")], false), ([(.patientWeight, "70")], true), ([(.requestingService, "")], true),
            ([(.admissionID, "7")], true),
        ] as [([(DICOMData.Tag, String)], Bool)])
    func unsupported(_ entries: [(DICOMData.Tag, String)], _ expected: Bool) throws {
        var identifier = DataSet()
        identifier.set(.specificCharacterSet, string: "ISO_IR 100")
        for (tag, value) in entries { identifier.set(tag, string: value) }
        #expect(
            try WorklistKeys(identifier: identifier, authorities: Self.authorities).hasUnsupportedKeys == expected)
        var item = DataSet()
        item.set(.codeValue, string: "1")
        var step = DataSet()
        step.set(.modality, string: "CT")
        identifier.set(.scheduledProcedureStepSequence, items: [step])
        #expect(
            try WorklistKeys(identifier: identifier, authorities: Self.authorities).hasUnsupportedKeys == expected)
        step.set(.scheduledProtocolCodeSequence, items: [item])
        identifier.set(.scheduledProcedureStepSequence, items: [step])
        #expect(try WorklistKeys(identifier: identifier, authorities: Self.authorities).hasUnsupportedKeys)
    }

    @Test("The attributes said to be returned are those that a full entry has")
    func returned() {
        let name = HumanName(family: "F", given: ["G"])
        let code = CodedConcept.Coding(system: "urn:c", code: "1", display: "D")
        let patient = Patient(
            id: EntityID("p"), identifiers: [Identifier(system: "urn:hosp", value: "1")], names: [name],
            birthDate: PartialDateTime("1970-01-01"), sex: .female)
        let step = ScheduledProcedureStep(id: EntityID("s"), stepID: "S", modality: "CT", protocolCode: code)
        let order = ImagingOrder(
            id: EntityID("o"), patientID: patient.id, accession: Identifier(system: "urn:hosp", value: "A"),
            studyInstanceUID: "1.2", status: .active, code: CodedConcept(codings: [code], text: "CT"), steps: [step])
        let item = WorklistItem(authorities: Self.authorities).dataSet(
            WorklistEntry(patient: patient, visit: nil, order: order, step: step), askedBy: SearchKeys())
        #expect(Set(item.elements.map(\.tag)).subtracting([.specificCharacterSet]) == WorklistItem.rootTags)
        #expect(
            Set(item.item(.scheduledProcedureStepSequence)?.elements.map(\.tag) ?? []) == WorklistItem.stepTags)
    }

    @Test("D13: several values of a key are alternatives (PS3.4 §C.2.2.2.2)")
    func lists() throws {
        var step = DataSet()
        step.set(.modality, strings: ["CT", "MR"])
        var identifier = DataSet()
        identifier.set(.studyInstanceUID, strings: ["1.2", "1.3"])
        identifier.set(.scheduledProcedureStepSequence, items: [step])
        let keys = try WorklistKeys(identifier: identifier, authorities: Self.authorities).keys
        #expect(keys[.studyInstanceUID] == .anyOf([.exact("1.2"), .exact("1.3")]))
        #expect(keys[.modality] == .anyOf([.exact("CT"), .exact("MR")]))
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
    func worklistIssuer(_ issuer: String?, _ system: String?) throws {
        var identifier = DataSet()
        identifier.set(.patientID, string: "7")
        if let issuer { identifier.set(.issuerOfPatientID, string: issuer) }
        let keys = try WorklistKeys(identifier: identifier, authorities: Self.authorities).keys
        #expect(keys.exact(.patientID) == "7")
        #expect(keys.exact(.patientIDSystem) == system)
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
        var keys = SearchKeys()
        keys[.patientID] = id.map { $0.contains("*") ? .wildcard($0) : .exact($0) }
        keys[.patientIDSystem] = system.map { .exact($0) }
        let item = WorklistItem(authorities: Self.authorities).dataSet(
            WorklistEntry(patient: patient, visit: nil, order: order, step: step), askedBy: keys)
        #expect(item.string(.patientID) == expected)
        #expect(item.string(.issuerOfPatientID) == issuer)
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
            WorklistEntry(patient: patient, visit: nil, order: order, step: step), askedBy: SearchKeys())
        #expect(item.string(.patientName) == "Yamada^Tarou=山田^太郎=やまだ^たろう")
        #expect(item.string(.requestedProcedureID) == "o123456789012345")
        #expect(item.string(.allergies) == "Iodine")
        #expect(item.string(.patientWeight) == "72.5")
        let scheduled = item.items(.scheduledProcedureStepSequence).first
        #expect(scheduled?.string(.scheduledProcedureStepID) == "abcdefghijklmnop")
        let code = item.items(.requestedProcedureCodeSequence).first
        #expect(code?.string(.codingSchemeDesignator) == "RADLEX")
    }

    @Test(
        "PS3.5 §6.2: Patient's Weight is a DS of at most 16 characters, in kilograms; what is no number is no weight",
        arguments: [
            ("72.5", "kg", "72.5"), ("70", "kg", "70"), ("3333.3", "g", "3.3333"), ("72500", "g", "72.5"),
            ("72.0000000000000000001", "kg", "72"), ("66.66666666666666667", "kg", "66.666666666667"),
            ("nan", "kg", nil), ("inf", "g", nil), ("70", "[lb_av]", nil),
        ] as [(String, String, String?)])
    func weight(number: String, unit: String, expected: String?) {
        var weight = StatementUpdate(kind: .observation, key: "w")
        weight.code = CodedConcept(codings: [.init(system: "http://loinc.org", code: "29463-7")])
        weight.value = .quantity(value: number, comparator: nil, unit: unit, unitSystem: nil)
        let step = ScheduledProcedureStep(id: EntityID("s"), stepID: "S", modality: "CT")
        var order = ImagingOrder(
            id: EntityID("o"), patientID: EntityID("p"), requestedProcedureID: "R", studyInstanceUID: "1.2",
            status: .active, code: CodedConcept(text: "CT"), steps: [step])
        order.statements = [ClinicalStatement(id: EntityID("w"), from: weight)]
        let patient = Patient(id: EntityID("p"), identifiers: [], names: [])
        let item = WorklistItem(authorities: Self.authorities).dataSet(
            WorklistEntry(patient: patient, visit: nil, order: order, step: step), askedBy: SearchKeys())
        #expect(item[.patientWeight] != nil)
        #expect(item.string(.patientWeight) == expected)
    }
}
