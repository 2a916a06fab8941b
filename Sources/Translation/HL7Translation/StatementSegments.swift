import HL7v2
import Workflow

/// AL1, DG1, OBX, IN1 and GT1 beside a registration or an order. v2-to-FHIR AL1, DG1, OBX, IN1, GT1.
struct StatementSegments {
    let types: DataTypes
    private var patients: PatientSegments { PatientSegments(types: types) }

    init(types: DataTypes) { self.types = types }

    /// The statements that these segments make, in order; two of one key in one message are two statements.
    func read(_ segments: [Segment]) -> [StatementUpdate] { Self.numbered(unnumbered(segments)) }

    /// The same, each under the key of what it says. NTE belong to the OBX before them.
    func unnumbered(_ segments: [Segment]) -> [StatementUpdate] {
        var statements: [StatementUpdate] = []
        var isBehindObservation = false
        for segment in segments {
            let made: StatementUpdate?
            switch segment.id {
            case "AL1": made = allergy(segment)
            case "DG1": made = diagnosis(segment)
            case "OBX": made = OrderNumbers.isStudyObservation(segment) ? nil : observation(segment)
            case "IN1": made = coverage(segment)
            case "GT1": made = guarantor(segment)
            case "NTE":
                if isBehindObservation { addNote(segment, to: &statements) }
                continue
            default: continue
            }
            isBehindObservation = segment.id == "OBX" && made != nil
            if let made { statements.append(made) }
        }
        return statements
    }

    /// Gives each further statement of one key a number behind it.
    static func numbered(_ statements: [StatementUpdate]) -> [StatementUpdate] {
        var counts: [[String]: Int] = [:]
        return statements.map { statement in
            let count = counts[[statement.kind.rawValue, statement.key], default: 0] + 1
            counts[[statement.kind.rawValue, statement.key]] = count
            guard count > 1 else { return statement }
            var further = statement
            further.key += "|\(count)"
            return further
        }
    }

    private func addNote(_ note: Segment, to statements: inout [StatementUpdate]) {
        let text = types.into("Observation.note") {
            note[3].repetitions.compactMap { $0.wholeText }.joined(separator: "\n")
        }
        if !text.isEmpty { statements[statements.count - 1].notes.append(text) }
    }

    private static func key(_ concept: CodedConcept?) -> String {
        concept?.codings.first?.code ?? concept?.displayText ?? ""
    }

    private func allergy(_ al1: Segment) -> StatementUpdate? {
        typealias Name = ClinicalStatement.Name
        guard let code = types.into("AllergyIntolerance.code", { types.cwe(al1[3][1]) }) else { return nil }
        var statement = StatementUpdate(kind: .allergy, key: Self.key(code))
        statement.code = code
        let category = types.into("AllergyIntolerance.category") {
            checked(al1[2], "0127", ["AA", "DA", "EA", "FA", "LA", "MA", "MC", "PA"])
        }
        if let category { statement.attributes[Name.category] = .concepts([category]) }
        let severity = types.into("AllergyIntolerance.reaction.severity") {
            checked(al1[4], "0128", ["MI", "MO", "SV", "U"])
        }
        if let severity { statement.attributes[Name.severity] = .concepts([severity]) }
        let reactions = types.into("AllergyIntolerance.reaction") {
            // A list of words in one component, or of components, is what senders put into a field of type ST.
            al1[5].repetitions.compactMap { types.trimmed($0.wholeText) }
        }
        if !reactions.isEmpty {
            statement.attributes[Name.reactions] = .concepts(reactions.map { CodedConcept(text: $0) })
        }
        statement.effective = types.into("AllergyIntolerance.onsetDateTime") { types.dateTime(al1[6].timestamp) }
        return statement
    }

    /// A coded value of a table whose codes FHIR has its own words for. One that is not in the table is told: FHIR has no
    /// place for it.
    private func checked(_ field: Field, _ table: String, _ codes: Set<String>) -> CodedConcept? {
        let concept = patients.concept(field[1], table: table)
        if let concept, concept.code(in: CodeSystem.table(table)).map(codes.contains) != true {
            field.report(.tableValueNotFound, "The code is not in table \(table): not told in FHIR")
        }
        return concept
    }

    private func diagnosis(_ dg1: Segment) -> StatementUpdate? {
        typealias Name = ClinicalStatement.Name
        var code = types.into("Condition.code") { types.cwe(dg1[3][1]) }
        if let text = types.into("Condition.code", { types.trimmed(dg1[4].wholeText) }) {
            code = CodedConcept(codings: code?.codings ?? [], text: text)
        }
        guard let code else { return nil }
        var statement = StatementUpdate(kind: .diagnosis, key: Self.key(code))
        statement.code = code
        statement.effective = types.into("Condition.onsetDateTime") { types.dateTime(dg1[5].timestamp) }
        let type = types.into("Condition.category") { patients.concept(dg1[6][1], table: "0052") }
        if let type { statement.attributes[Name.diagnosisType] = .concepts([type]) }
        let asserter = types.into("Condition.asserter") { types.xcn(dg1[16][1]) }
        if let asserter { statement.attributes[Name.asserter] = .parties([asserter]) }
        return statement
    }

    private func observation(_ obx: Segment) -> StatementUpdate? {
        typealias Name = ClinicalStatement.Name
        guard let read = ObservationReader(types: types).read(obx) else { return nil }
        var statement = StatementUpdate(kind: .observation, key: Self.key(read.code) + "|" + (obx[4].text ?? ""))
        statement.code = read.code
        statement.value = read.value
        statement.status = read.status
        statement.effective = read.effective
        statement.attributes = read.attributes
        if !read.interpretation.isEmpty { statement.attributes[Name.interpretation] = .concepts(read.interpretation) }
        if let range = read.referenceRange { statement.attributes[Name.referenceRange] = .text(range) }
        return statement
    }

    private func coverage(_ in1: Segment) -> StatementUpdate? {
        typealias Name = ClinicalStatement.Name
        let payor = types.into("Coverage.payor") { self.payor(in1) }
        let plan = types.into("Coverage.class") { types.cwe(in1[2][1]) }
        let policy = types.into("Coverage.identifier") {
            types.key(in1[36]) ?? types.key(in1[49][1][1])
        }
        guard payor != nil || plan != nil || policy != nil else { return nil }
        var statement = StatementUpdate(
            kind: .coverage, key: [policy, Self.key(plan), payor?.displayName].compactMap { $0 }.joined(separator: "|"))
        statement.code = plan
        if let payor { statement.attributes[Name.payors] = .parties([payor]) }
        let company = types.into("Coverage.payor") {
            var company = ContactPerson()
            company.addresses = in1[5].repetitions.compactMap { types.xad($0) }
            company.telecoms = in1[7].repetitions.flatMap { types.xtn($0, use: .work) }
            return company
        }
        if !company.isEmpty { statement.attributes[Name.payorDetails] = .contacts([company]) }
        if let policy {
            statement.attributes[Name.identifiers] = .identifiers([
                Identifier(system: "urn:hilum:policy", value: policy)
            ])
        }
        let holder = types.into("Coverage.policyHolder") { policyHolder(in1) }
        if let holder { statement.attributes[Name.policyHolders] = .parties([holder]) }
        let planType = types.into("Coverage.type") { patients.concept(in1[15][1], table: "0086") }
        if let planType { statement.attributes[Name.planType] = .concepts([planType]) }
        let group = types.into("Coverage.class") { (types.trimmed(in1[8].text), types.trimmed(in1[9].text)) }
        if let number = group.0 { statement.attributes[Name.groupNumber] = .text(number) }
        if let name = group.1 { statement.attributes[Name.groupName] = .text(name) }
        let period = types.into("Coverage.period") {
            (types.dateTime(in1[12].timestamp), types.dateTime(in1[13].timestamp))
        }
        if let start = period.0 { statement.attributes[Name.start] = .dateTime(start) }
        if let end = period.1 { statement.attributes[Name.end] = .dateTime(end) }
        let relationship = types.into("Coverage.relationship") { patients.concept(in1[17][1], table: "0063") }
        if let relationship { statement.attributes[Name.relationship] = .concepts([relationship]) }
        let insured = types.into("Coverage.subscriber") { self.insured(in1) }
        if !insured.isEmpty { statement.attributes[Name.person] = .contacts([insured]) }
        return statement
    }

    /// IN1-3 and 4: the company by its number and name.
    private func payor(_ in1: Segment) -> PartyReference? {
        let id = types.cx(in1[3][1], fallback: "urn:hilum:insurer")
        let name = types.trimmed(in1[4][1][1].text)
        return id == nil && name == nil ? nil : PartyReference(identifier: id, displayName: name ?? id?.value)
    }

    /// IN1-10 and 11: the employer or group that holds the policy.
    private func policyHolder(_ in1: Segment) -> PartyReference? {
        let id = types.cx(in1[10][1], fallback: "urn:hilum:organization")
        let name = types.trimmed(in1[11][1][1].text)
        return id == nil && name == nil ? nil : PartyReference(identifier: id, displayName: name ?? id?.value)
    }

    /// IN1-16, 18 and 19: who is insured.
    private func insured(_ in1: Segment) -> ContactPerson {
        var person = ContactPerson()
        person.names = in1[16].repetitions.compactMap { types.xpn($0) }
        person.birthDate = types.date(in1[18].timestamp)
        person.addresses = in1[19].repetitions.compactMap { types.xad($0) }
        person.sex = types.table(in1[43], "0001", CodeSystems.sex)
        return person
    }

    private func guarantor(_ gt1: Segment) -> StatementUpdate? {
        let person = types.into("RelatedPerson") {
            var person = ContactPerson()
            person.identifiers = gt1[2].repetitions.compactMap {
                types.cx($0, fallback: "urn:hilum:guarantor")
            }
            person.names = gt1[3].repetitions.compactMap { types.xpn($0) }
            person.addresses = gt1[5].repetitions.compactMap { types.xad($0) }
            person.telecoms =
                gt1[6].repetitions.flatMap { types.xtn($0, use: .home) }
                + gt1[7].repetitions.flatMap { types.xtn($0, use: .work) }
            person.birthDate = types.date(gt1[8].timestamp)
            person.sex = types.table(gt1[9], "0001", CodeSystems.sex)
            person.relationships = [patients.concept(gt1[11][1], table: "0063")].compactMap { $0 }
            if let number = types.key(gt1[12]) {
                let system = PatientSegments.socialSecuritySystem(number)
                person.identifiers.append(Identifier(system: system, value: number, kind: .socialSecurity))
            }
            person.start = types.dateTime(gt1[13].timestamp)
            person.end = types.dateTime(gt1[14].timestamp)
            return person
        }
        guard !person.isEmpty else { return nil }
        let name = person.names.first.map { $0.family + "," + $0.given.joined(separator: " ") }
        var statement = StatementUpdate(kind: .guarantor, key: person.identifiers.first?.value ?? name ?? "")
        statement.attributes[ClinicalStatement.Name.person] = .contacts([person])
        return statement
    }
}
