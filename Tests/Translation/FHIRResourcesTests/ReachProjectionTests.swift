import FHIRModel
import Testing
import Workflow

@testable import FHIRResources

/// What messages say beyond the core, as FHIR R4 resources that are valid by the definitions. v2-to-FHIR PID, PV1, AL1,
/// DG1, OBX, IN1, GT1; cases H10, H13, H21, H24.
@Suite struct ReachProjectionTests {
    private typealias Name = ClinicalStatement.Name
    private static let code = ProjectionTests.concept("c")
    private static let number = Identifier(system: "urn:n", value: "1")
    private static var person: ContactPerson {
        var person = ContactPerson()
        person.identifiers = [number]
        person.names = [HumanName(family: "Kin", given: ["Kim"])]
        person.relationships = [code]
        person.addresses = [PostalAddress(lines: ["Street"])]
        person.telecoms = [ContactPoint(system: .phone, value: "1")]
        person.sex = .female
        person.birthDate = PartialDateTime("1950-01-02")
        person.start = PartialDateTime("2020")
        return person
    }

    @Test("Patient with every attribute is valid; a further number that a client wrote back is not told twice")
    func patient() throws {
        typealias Attribute = Patient.Attribute
        var patient = ProjectionTests.patient
        patient.names[0].representation = .ideographic
        patient.attributes = [
            Attribute.mothersMaidenName: .names([HumanName(family: "M", given: ["N"])]),
            Attribute.race: .concepts([.init(codings: [.init(system: nil, code: "2106-3", display: "White")])]),
            Attribute.ethnicity: .concepts([Self.code]), Attribute.religion: .concepts([Self.code]),
            Attribute.birthPlace: .text("Town"), Attribute.birthOrder: .number(2),
            Attribute.isMultipleBirth: .flag(true),
            Attribute.citizenship: .concepts([Self.code]), Attribute.nationality: .concepts([Self.code]),
            Attribute.species: .concepts([Self.code]), Attribute.breed: .concepts([Self.code]),
            Attribute.contacts: .contacts([Self.person]), Attribute.practitioners: .parties([ProjectionTests.party]),
            Attribute.organizations: .parties([PartyReference(displayName: "Clinic")]),
            Attribute.furtherIdentifiers: .identifiers([Self.number, patient.identifiers[0]]),
        ]
        let value = PatientProjection.project(patient, absorbed: [])
        #expect(try ProjectionTests.errors(value) == [])
        #expect(value["identifier"]?.array?.count == 3)
        #expect(value["extension"]?.array?.count == 8)
        #expect(value["multipleBirthInteger"] != nil)
        #expect(value["multipleBirthBoolean"] == nil)
        #expect(value["name"]?[0]?["extension"]?[0]?["valueCode"]?.string == "IDE")
        let back = PatientCommand.patient(value, id: patient.id, stored: patient)
        #expect(back.names[0].representation == .ideographic)
        #expect(!back.identifiers.contains(Self.number))
    }

    @Test("Periods, check digit, facility, birth time and kinds of places are told, and read back as they were")
    func validity() throws {
        let period = ValidityPeriod(start: PartialDateTime("2020"), end: PartialDateTime("2021-05-06"))
        var patient = ProjectionTests.patient
        patient.names[0].period = period
        patient.addresses = [PostalAddress(lines: ["Street"], period: period)]
        patient.identifiers[0].details = .init(checkDigit: "7", facility: "North", period: period)
        patient.birthDate = PartialDateTime("1975-03-15")
        patient.attributes = [
            Patient.Attribute.birthTime: .dateTime(PartialDateTime("1975-03-15T04:12:00+01:00")),
            Patient.Attribute.disability: .concepts([Self.code]), Patient.Attribute.congregation: .text("St. John"),
            Patient.Attribute.tribes: .concepts([Self.code]),
        ]
        let value = PatientProjection.project(patient, absorbed: [])
        #expect(try ProjectionTests.errors(value) == [])
        let number = value["identifier"]?[0]
        #expect(number?["extension"]?[0]?["valueString"]?.string == "7")
        #expect(number?["assigner"]?["display"]?.string == "North")
        #expect(number?["period"]?["end"]?.string == "2021-05-06")
        #expect(value["_birthDate"]?["extension"]?[0]?["valueDateTime"]?.string == "1975-03-15T04:12:00+01:00")
        #expect(value["extension"]?.array?.count == 3)
        let back = PatientCommand.patient(value, id: patient.id, stored: nil)
        #expect(back.names == patient.names)
        #expect(back.addresses == patient.addresses)
        #expect(back.identifiers == patient.identifiers)
        // A time of another day than the one that stands is not of it.
        patient.birthDate = PartialDateTime("1975-03-16")
        #expect(PatientProjection.project(patient, absorbed: [])["_birthDate"] == nil)
        var visit = ProjectionTests.visit
        visit.location = "WARD"
        visit.attributes = [Visit.Attribute.locationType: .concepts([Self.code])]
        let encounter = EncounterProjection.project(visit)
        #expect(try ProjectionTests.errors(encounter) == [])
        #expect(encounter["location"]?[0]?["physicalType"] != nil)
    }

    @Test("H17: a code of another system is no race, no allergy category and no severity")
    func foreignCodes() throws {
        func concept(_ code: String, _ system: String?) -> CodedConcept {
            CodedConcept(codings: [.init(system: system, code: code, display: "shown")])
        }
        func race(_ system: String?, _ code: String = "2106-3") -> JSONValue? {
            var patient = ProjectionTests.patient
            patient.attributes = [Patient.Attribute.race: .concepts([concept(code, system)])]
            let parts = PatientProjection.project(patient, absorbed: [])["extension"]?[0]?["extension"]?.array ?? []
            return parts.first { $0["url"]?.string == "ombCategory" }?["valueCoding"]
        }
        let cdc = "urn:oid:2.16.840.1.113883.6.238"
        for system in [nil, CodeSystem.table("0005"), cdc] { #expect(race(system)?["system"]?.string == cdc) }
        #expect(race("urn:other") == nil)
        #expect(race(nil, "UNK")?["system"]?.string == "http://terminology.hl7.org/CodeSystem/v3-NullFlavor")
        func allergy(_ system: String, severity: String = "SV") -> JSONValue {
            var statement = ClinicalStatement(id: EntityID("a"), from: StatementUpdate(kind: .allergy, key: "k"))
            statement.code = Self.code
            statement.attributes = [
                Name.category: .concepts([concept("DA", system.isEmpty ? nil : CodeSystem.table("0127"))]),
                Name.severity: .concepts([concept(severity, system.isEmpty ? "urn:x" : CodeSystem.table("0128"))]),
                Name.reactions: .concepts([CodedConcept(text: "hives")]),
            ]
            return AllergyIntoleranceProjection.project(statement, patientID: EntityID("p"))
        }
        #expect(allergy("v2")["category"]?[0]?.string == "medication")
        #expect(allergy("v2")["criticality"]?.string == "high")
        #expect(allergy("v2", severity: "MO")["criticality"] == nil)
        #expect(allergy("")["category"] == nil)
        #expect(allergy("")["reaction"]?[0]?["severity"] == nil)
    }

    @Test("What a client says in an extension of the domain's stays while no message says it")
    func clientExtension() {
        let race = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-race"
        let place = "http://hl7.org/fhir/StructureDefinition/patient-birthPlace"
        let existing: JSONValue = [
            "resourceType": "Patient",
            "extension": [
                ["url": .string(race), "extension": [["url": "text", "valueString": "x"]]],
                ["url": .string(place), "valueAddress": ["text": "Town"]],
            ],
        ]
        let projected: JSONValue = [
            "resourceType": "Patient", "extension": [["url": .string(place), "valueAddress": ["text": "Village"]]],
        ]
        let merged = ProjectionMerge.merge(
            existing: existing, projected: projected, owned: PatientProjection.owned,
            extensions: PatientProjection.ownedExtensions)
        #expect(merged["extension"]?.array?.count == 2)
        #expect(merged["extension"]?[0] == existing["extension"]?[0])
        #expect(merged["extension"]?[1]?["valueAddress"]?["text"]?.string == "Village")
    }

    @Test("A client's extensions and contacts stay beside those of the domain")
    func merged() throws {
        var patient = ProjectionTests.patient
        patient.attributes = [Patient.Attribute.birthPlace: .text("Town")]
        var existing = PatientProjection.project(patient, absorbed: [])
        let own = Datatypes.object([("url", "urn:own"), ("valueString", "kept")])
        existing["extension"] = .array((existing["extension"]?.array ?? []) + [own])
        existing["contact"] = .array([Datatypes.object([("gender", "male")])])
        patient.attributes = [Patient.Attribute.birthPlace: .text("Village")]
        let merged = ProjectionMerge.merge(
            existing: existing, projected: PatientProjection.project(patient, absorbed: []),
            owned: PatientProjection.owned, shared: PatientProjection.shared,
            extensions: PatientProjection.ownedExtensions)
        #expect(merged["extension"]?.array?.count == 2)
        #expect(merged["extension"]?[0] == own)
        #expect(merged["extension"]?[1]?["valueAddress"]?["text"]?.string == "Village")
        #expect(merged["contact"]?[0]?["gender"]?.string == "male")
    }

    @Test("Encounter with every attribute is valid")
    func encounter() throws {
        typealias Attribute = Visit.Attribute
        var visit = ProjectionTests.visit
        visit.status = .unknown
        var attributes: Attributes = [:]
        for name in [
            Attribute.types, Attribute.serviceType, Attribute.priority, Attribute.reasons, Attribute.admitSource,
            Attribute.reAdmission, Attribute.specialArrangements, Attribute.specialCourtesy, Attribute.diet,
            Attribute.dischargeDisposition, Attribute.destination,
        ] { attributes[name] = .concepts([Self.code]) }
        for name in [
            Attribute.priorLocation, Attribute.temporaryLocation, Attribute.pendingLocation, Attribute.serviceProvider,
        ] {
            attributes[name] = .text("Ward")
        }
        for name in [
            Attribute.consultants, Attribute.admitters, Attribute.others, Attribute.furtherAttending,
            Attribute.furtherReferring,
        ] { attributes[name] = .parties([ProjectionTests.party]) }
        for name in [Attribute.furtherIdentifiers, Attribute.preAdmissionIdentifier, Attribute.episodes] {
            attributes[name] = .identifiers([Self.number])
        }
        visit.attributes = attributes
        let value = EncounterProjection.project(visit)
        #expect(try ProjectionTests.errors(value) == [])
        #expect(value["participant"]?.array?.count == 7)
        #expect(value["location"]?.array?.count == 4)
        #expect(value["hospitalization"]?.object?.count == 8)
        #expect(value["status"]?.string == "unknown")
    }

    private func statement(_ kind: ClinicalStatement.Kind, _ attributes: Attributes) -> ClinicalStatement {
        var update = StatementUpdate(kind: kind, key: "k")
        update.code = Self.code
        update.effective = PartialDateTime("2026-01-02")
        update.notes = ["note"]
        update.attributes = attributes
        if kind == .observation { update.value = .quantity(value: "1", comparator: "<", unit: "kg", unitSystem: nil) }
        return ClinicalStatement(id: EntityID("s1"), from: update)
    }

    @Test("H21: every kind of statement is a valid resource, current or not")
    func statements() throws {
        let person: AttributeValue = .contacts([Self.person])
        let severity = CodedConcept(codings: [.init(system: CodeSystem.table("0128"), code: "SV")])
        let category = CodedConcept(codings: [.init(system: CodeSystem.table("0127"), code: "DA")])
        let patientID = EntityID("p1")
        for isCurrent in [true, false] {
            var allergy = statement(
                .allergy,
                [
                    Name.category: .concepts([category]), Name.severity: .concepts([severity]),
                    Name.reactions: .concepts([Self.code]),
                ])
            allergy.isCurrent = isCurrent
            let value = AllergyIntoleranceProjection.project(allergy, patientID: patientID)
            #expect(try ProjectionTests.errors(value) == [])
            #expect(value["criticality"]?.string == "high")
            #expect(value["clinicalStatus"]?["coding"]?[0]?["code"]?.string == (isCurrent ? "active" : "inactive"))
            var diagnosis = statement(
                .diagnosis,
                [Name.diagnosisType: .concepts([Self.code]), Name.asserter: .parties([ProjectionTests.party])])
            diagnosis.isCurrent = isCurrent
            #expect(
                try ProjectionTests.errors(
                    ConditionProjection.project(diagnosis, patientID: patientID, visitID: EntityID("v"))) == [])
            var coverage = statement(
                .coverage,
                [
                    Name.person: person, Name.payorDetails: person,
                    Name.payors: .parties([PartyReference(displayName: "Insurer")]),
                    Name.groupNumber: .text("1"), Name.groupName: .text("Group"),
                    Name.identifiers: .identifiers([Self.number]),
                    Name.start: .dateTime(PartialDateTime("2026")), Name.relationship: .concepts([Self.code]),
                ])
            coverage.isCurrent = isCurrent
            #expect(try ProjectionTests.errors(CoverageProjection.project(coverage, patientID: patientID)) == [])
            #expect(
                try ProjectionTests.errors(
                    CoverageProjection.project(statement(.coverage, [:]), patientID: patientID)) == [])
            var guarantor = statement(.guarantor, [Name.person: person])
            guarantor.isCurrent = isCurrent
            let related = try #require(RelatedPersonProjection.project(guarantor, patientID: patientID))
            #expect(try ProjectionTests.errors(related) == [])
            #expect(related["active"]?.bool == isCurrent)
            var observation = statement(
                .observation,
                [
                    Name.performers: .parties([ProjectionTests.party]), Name.method: .concepts([Self.code]),
                    Name.bodySite: .concepts([Self.code]), Name.device: .identifiers([Self.number]),
                    Name.subID: .text("1"),
                    Name.furtherValues: .values([.text("x")]), Name.interpretation: .concepts([Self.code]),
                    Name.referenceRange: .text("1-2"),
                ])
            observation.isCurrent = isCurrent
            let measured = ObservationProjection.project(observation, patientID: patientID, visitID: nil)
            #expect(try ProjectionTests.errors(measured) == [])
            #expect(measured["component"]?[0]?["valueString"]?.string == "x")
        }
    }

    @Test("H21: ServiceRequest points to what its order tells, and to nothing that is not current")
    func order() throws {
        var order = ProjectionTests.order
        var gone = statement(.allergy, [:])
        gone.isCurrent = false
        order.statements = [statement(.diagnosis, [:]), statement(.observation, [:]), gone]
        order.attributes = [
            ImagingOrder.Attribute.performers: .parties([ProjectionTests.party]),
            ImagingOrder.Attribute.orderDetails: .concepts([Self.code]),
            ImagingOrder.Attribute.bodySites: .concepts([Self.code]),
        ]
        let value = ServiceRequestProjection.project(order)
        #expect(try ProjectionTests.errors(value) == [])
        #expect(value["reasonReference"]?[0]?["reference"]?.string == "Condition/s1")
        #expect(value["supportingInfo"]?.array?.map { $0["reference"]?.string } == ["Observation/s1"])
    }

    @Test("H10: a report lists no finding that its sender took back")
    func withdrawn() throws {
        var report = ProjectionTests.report([.text("a"), .text("b"), .text("c")])
        report.observations[0].status = .enteredInError
        report.observations[1].status = .cancelled
        report.attributes = [Name.performers: .parties([ProjectionTests.party])]
        let value = DiagnosticReportProjection.project(report, studies: [])
        #expect(try ProjectionTests.errors(value) == [])
        #expect(value["result"]?.array?.map { $0["reference"]?.string } == ["Observation/ob2"])
    }
}
