extension Patient {
    /// Takes what an event tells beside the core of the record: of each attribute, and of each kind of statement as a
    /// whole, the newest statement stands, a registration's before any other.
    mutating func takeFurther(_ update: PatientUpdate, _ taker: inout StatementTaker, in unit: any UnitOfWork) {
        let before = unit.comparable(eventTime) ?? .distantPast
        var attributes = self.attributes ?? [:]
        for name in attributes.keys { taker.assume(before, of: Self.timesName(ofAttribute: name)) }
        for (name, change) in update.attributes
        where change != .keep && taker.admits(Self.timesName(ofAttribute: name)) {
            attributes[name] = change.applied(to: attributes[name])
        }
        self.attributes = attributes.isEmpty ? nil : attributes

        let gathered = (statements ?? []).filter { $0.origin != nil }
        var list = (statements ?? []).filter { $0.origin == nil }
        for kind in ClinicalStatement.Kind.allCases {
            let name = Self.timesName(ofList: kind)
            if list.contains(where: { $0.kind == kind }) { taker.assume(before, of: name) }
            let told = update.statements.filter { $0.kind == kind }
            if told.isEmpty { continue }
            list =
                taker.admits(name)
                ? list.applying(told) { _ in unit.entropy.newID() }
                : list.applyingLate(told) { _ in unit.entropy.newID() }
        }
        list += gathered
        statements = list.isEmpty ? nil : list
    }

    fileprivate static func timesName(ofList kind: ClinicalStatement.Kind) -> String { "list." + kind.rawValue }

    private static func timesName(ofAttribute name: String) -> String { "attribute." + name }
}

extension PatientService {
    /// Tells of a living record also what was told of those that were merged into it. Each keeps its own list, so that
    /// what is late for it is told by its own times; a list that the living record was given after the merge is of both.
    static func gather(_ survivor: inout Patient, in unit: any UnitOfWork) throws {
        var statements = (survivor.statements ?? []).filter { $0.origin == nil }
        for record in try unit.patients(mergedInto: survivor.id).sorted(by: { $0.id.value < $1.id.value }) {
            for var statement in record.statements ?? [] where statement.origin == nil {
                statement.origin = record.id
                if let said = survivor.registered?[Patient.timesName(ofList: statement.kind)],
                    let mergedAt = record.mergedAt, said >= mergedAt
                {
                    statement.isCurrent = false
                }
                statements.append(statement)
            }
        }
        survivor.statements = statements.isEmpty ? nil : statements
    }
}
