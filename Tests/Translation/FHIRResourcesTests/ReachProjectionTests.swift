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
        #expect(value["multipleBirthInteger"] != nil && value["multipleBirthBoolean"] == nil)
        #expect(value["name"]?[0]?["extension"]?[0]?["valueCode"]?.string == "IDE")
        let back = PatientCommand.patient(value, id: patient.id, stored: patient)
        #expect(back.names[0].representation == .ideographic)
        #expect(!back.identifiers.contains(Self.number))
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
        let severity = CodedConcept(codings: [.init(system: nil, code: "SV")])
        let category = CodedConcept(codings: [.init(system: nil, code: "DA")])
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
