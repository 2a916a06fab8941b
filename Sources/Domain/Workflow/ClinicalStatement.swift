/// Something said of a patient beside an order or a visit: an allergy, a diagnosis, a measurement, an insurance, a person
/// who answers for the costs.
package struct ClinicalStatement: Sendable, Hashable, Codable {
    package enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
        case allergy, diagnosis, observation, coverage, guarantor
    }
    package var id: EntityID
    package var kind: Kind
    /// What tells the statements of one kind apart that are made of one patient or order.
    package var key: String
    package var code: CodedConcept?
    package var value: Observation.Value?
    package var status: Observation.Status
    package var effective: PartialDateTime?
    package var notes: [String]
    /// By the names of ``Name``.
    package var attributes: Attributes
    /// False once a later list of the same kind left it out.
    package var isCurrent: Bool
    /// The merged record that it was told of; nil for the record that has it.
    package var origin: EntityID?

    package init(id: EntityID, from update: StatementUpdate) {
        self.id = id
        kind = update.kind
        key = update.key
        code = update.code
        value = update.value
        status = update.status
        effective = update.effective
        notes = update.notes
        attributes = update.attributes
        isCurrent = true
    }

    /// The names of attributes.
    package enum Name {
        // An allergy.
        package static let category = "category"
        package static let severity = "severity"
        package static let reactions = "reactions"
        // A diagnosis.
        package static let diagnosisType = "type"
        package static let asserter = "asserter"
        package static let method = "method"
        // A measurement.
        package static let performers = "performers"
        package static let bodySite = "bodySite"
        package static let subID = "subID"
        package static let device = "device"
        package static let furtherValues = "furtherValues"
        package static let interpretation = "interpretation"
        package static let referenceRange = "referenceRange"
        // An insurance.
        package static let identifiers = "identifiers"
        package static let payors = "payors"
        /// Who holds an insurance for the insured: an employer or group.
        package static let policyHolders = "policyHolders"
        /// Address and telephone of the payor.
        package static let payorDetails = "payorDetails"
        package static let planType = "planType"
        package static let relationship = "relationship"
        package static let subscriber = "subscriber"
        package static let groupNumber = "groupNumber"
        package static let groupName = "groupName"
        package static let start = "start"
        package static let end = "end"
        // A guarantor, and the person insured.
        package static let person = "person"
    }
}

/// What one message says in one statement.
package struct StatementUpdate: Sendable, Hashable, Codable {
    package var kind: ClinicalStatement.Kind
    package var key: String
    package var code: CodedConcept?
    package var value: Observation.Value?
    package var status: Observation.Status = .final
    package var effective: PartialDateTime?
    package var notes: [String] = []
    package var attributes: Attributes = [:]
    package init(kind: ClinicalStatement.Kind, key: String) {
        self.kind = kind
        self.key = key
    }
}

extension [ClinicalStatement] {
    /// Takes what a message says. A kind that the message speaks of is said whole: what it leaves out is not current any
    /// more. A kind it is silent on stays. HL7 v2.5.1 §2.10.4.1 (snapshot mode).
    ///
    /// - Parameter newID: makes the id of a statement that is not known.
    func applying(_ updates: [StatementUpdate], newID: (StatementUpdate) -> EntityID) -> [ClinicalStatement] {
        guard !updates.isEmpty else { return self }
        var statements = self
        let kinds = Set(updates.map(\.kind))
        for index in statements.indices where kinds.contains(statements[index].kind) {
            statements[index].isCurrent = false
        }
        for update in updates {
            if let index = statements.firstIndex(where: { $0.kind == update.kind && $0.key == update.key }) {
                statements[index] = ClinicalStatement(id: statements[index].id, from: update)
            } else {
                statements.append(ClinicalStatement(id: newID(update), from: update))
            }
        }
        return statements
    }

    /// Takes what a message says that another of the same kinds has come after: what is not known was so once.
    func applyingLate(_ updates: [StatementUpdate], newID: (StatementUpdate) -> EntityID) -> [ClinicalStatement] {
        var statements = self
        for update in updates where !statements.contains(where: { $0.kind == update.kind && $0.key == update.key }) {
            var statement = ClinicalStatement(id: newID(update), from: update)
            statement.isCurrent = false
            statements.append(statement)
        }
        return statements
    }
}
