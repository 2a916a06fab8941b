import Testing

@testable import Workflow

/// What an object is to say of whose it is. PS3.18 §10.4, IHE RAD-12 (patient update and merge).
@Suite("Whose an object is to say that it is")
struct ObjectSubjectTests {
    private static let authorities = AssigningAuthorities(
        authorities: [.init(system: "urn:mrn", namespace: "HOSP", universalID: "1.2.3")],
        defaultPatientSystem: "urn:mrn", defaultAccessionSystem: "urn:acc")
    private static let words = PatientWords(name: "DOE^JANE", birthDate: "19700101", sex: "F")

    private static func patient(
        _ identifiers: [Identifier] = [Identifier(system: "urn:mrn", value: "100")],
        names: [HumanName] = [HumanName(family: "Doe", given: ["Jane"])], birthDate: String? = "1970-01-01",
        sex: Patient.Sex? = .female
    ) -> Patient {
        Patient(
            id: EntityID("p"), identifiers: identifiers, names: names, birthDate: birthDate.map { PartialDateTime($0) },
            sex: sex)
    }

    private static func subject(
        _ patient: Patient, number: String? = "100", accession: String? = nil, words: PatientWords = words,
        isVaried: Bool = false, order: ImagingOrder? = nil
    ) -> ObjectSubject? {
        ObjectSubject(
            InstanceIdentity(
                patientID: number, patientIDSystem: number == nil ? nil : "urn:mrn", accessionNumber: accession,
                accessionSystem: accession == nil ? nil : "urn:acc"), words, isVaried: isVaried, patient: patient,
            order: order, authorities: authorities, since: UTCInstant(microseconds: 5))
    }

    @Test("What its sender wrote stands where the record does not contradict it")
    func agreed() {
        #expect(Self.subject(Self.patient()) == nil)
        #expect(Self.subject(Self.patient(), words: PatientWords()) == nil)
        #expect(Self.subject(Self.patient(), words: PatientWords(name: "doe^jane^^", birthDate: "1970.01.01")) == nil)
        // What the record does not know, or not to the day, contradicts nothing.
        #expect(Self.subject(Self.patient(names: [], birthDate: nil, sex: nil)) == nil)
        #expect(Self.subject(Self.patient(birthDate: "1970", sex: .unknown)) == nil)
        // Another way of writing the name beside the same one.
        #expect(Self.subject(Self.patient(), words: PatientWords(name: "Doe^Jane=山田^太郎")) == nil)
    }

    @Test("Another name, date of birth or sex is said, with the number that is still the patient's")
    func updated() throws {
        for patient in [
            Self.patient(names: [HumanName(family: "Smith", given: ["Jane"])]), Self.patient(birthDate: "1970-01-02"),
            Self.patient(sex: .male),
        ] {
            let subject = try #require(Self.subject(patient))
            #expect(subject.name == patient.names.personName)
            #expect(subject.birthDate == patient.birthDate?.dateDigits)
            #expect(subject.number == nil && subject.accession == nil && !subject.isOfAnother)
        }
    }

    @Test("HL7 v2.5.1 §3.3.40: a number that a merge has retired gives way to the one that is in use")
    func merged() throws {
        let merged = Self.patient([
            Identifier(system: "urn:other", value: "9"), Identifier(system: "urn:mrn", value: "200"),
            Identifier(system: "urn:mrn", value: "100", isCurrent: false),
        ])
        let subject = try #require(Self.subject(merged))
        #expect(subject.number?.value == "200")
        #expect(subject.number?.issuer?.namespace == "HOSP")
        #expect(subject.number?.issuer?.universalID == "1.2.3")
        #expect(!subject.isOfAnother)
        #expect(subject.fingerprint != Self.subject(Self.patient(sex: .male))?.fingerprint)
    }

    @Test("Of another person nothing stays: what the record does not know is empty")
    func another() throws {
        let subject = try #require(
            Self.subject(Self.patient([Identifier(system: "urn:mrn", value: "7")], birthDate: nil, sex: nil)))
        #expect(subject.isOfAnother)
        #expect(subject.name == "Doe^Jane" && subject.birthDate == "" && subject.sex == "")
        #expect(subject.number?.value == "7")
        // The same value of another issuer is no number of this patient.
        let foreign = try #require(Self.subject(Self.patient([Identifier(system: "urn:x", value: "100")])))
        #expect(foreign.isOfAnother && foreign.number?.value == "100")
    }

    @Test("Another accession number than the order's gives way to it; none is given to what names none")
    func accessions() throws {
        func order(_ accession: String?) -> ImagingOrder {
            ImagingOrder(
                id: EntityID("o"), patientID: EntityID("p"),
                accession: accession.map { Identifier(system: "urn:acc", value: $0) }, status: .active,
                code: CodedConcept(text: "CT"))
        }
        #expect(Self.subject(Self.patient(), accession: "A1", order: order("A1")) == nil)
        #expect(Self.subject(Self.patient(), accession: "A1", order: order(nil)) == nil)
        #expect(Self.subject(Self.patient(), order: order("A1")) == nil)
        let other = try #require(Self.subject(Self.patient(), accession: "A2", order: order("A1")))
        #expect(other.accession?.value == "A1" && other.number == nil)
    }

    @Test("The accession number of another person's order does not stay, nor does what was said of their request")
    func accessionsOfAnother() throws {
        let other = Self.patient([Identifier(system: "urn:mrn", value: "7")])
        func order(_ accession: String?) -> ImagingOrder {
            ImagingOrder(
                id: EntityID("o"), patientID: EntityID("p"),
                accession: accession.map { Identifier(system: "urn:acc", value: $0) }, status: .active,
                code: CodedConcept(text: "CT"))
        }
        for order in [order(nil), nil] {
            let unscheduled = try #require(Self.subject(other, accession: "A1", order: order))
            #expect(unscheduled.accession?.value == "" && unscheduled.isOfAnotherRequest)
        }
        // The order was right, and the patient was not.
        let ordered = try #require(Self.subject(other, accession: "A1", order: order("A1")))
        #expect(ordered.isOfAnother && ordered.accession == nil && !ordered.isOfAnotherRequest)
        var study = Study(
            id: EntityID("s"), studyInstanceUID: "1.2", reconciliation: .unscheduled(patientID: EntityID("p")),
            attributes: StudyAttributes(), updatedAt: UTCInstant(microseconds: 5))
        (study.attributes.patientID, study.attributes.patientIDSystem) = ("100", "urn:mrn")
        (study.attributes.accessionNumber, study.attributes.accessionSystem) = ("A1", "urn:acc")
        let subject = try #require(
            ObjectSubject(of: study, patient: other, accession: nil, authorities: Self.authorities))
        let stated = subject.stated(in: study.attributes)
        #expect(stated.accessionNumber == nil && stated.accessionSystem == nil)
        #expect(stated.patientID == "7" && stated.issuerOfPatientID == "HOSP" && stated.patientName == "Doe^Jane")
    }

    @Test("Where objects of a series say it otherwise all are told, and one without a number gets it")
    func varied() throws {
        let told = try #require(Self.subject(Self.patient(), isVaried: true))
        #expect(told.name == "Doe^Jane" && told.number?.value == "100" && told.accession == nil)
        #expect(Self.subject(Self.patient(), number: nil)?.number?.value == "100")
    }

    @Test("PS3.5 §6.2.1: a name is its groups and components, without what would structure it")
    func names() {
        let name = HumanName(family: "A^B", given: ["C", "D", "E"], prefix: ["Dr."], suffix: [])
        #expect(name.personName == "A B^C^D E^Dr.")
        #expect(HumanName(family: "Solo").personName == "Solo")
        let written = [
            HumanName(family: "Yamada", given: ["Tarou"]),
            HumanName(family: "山田", given: ["太郎"], representation: .ideographic),
        ]
        #expect(written.personName == "Yamada^Tarou=山田^太郎")
        #expect([HumanName]().personName == nil)
    }
}
