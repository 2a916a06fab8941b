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

        var list = statements ?? []
        for kind in ClinicalStatement.Kind.allCases {
            let name = "list." + kind.rawValue
            if list.contains(where: { $0.kind == kind }) { taker.assume(before, of: name) }
            let told = update.statements.filter { $0.kind == kind }
            if told.isEmpty { continue }
            list =
                taker.admits(name)
                ? list.applying(told) { _ in unit.entropy.newID() }
                : list.applyingLate(told) { _ in unit.entropy.newID() }
        }
        statements = list.isEmpty ? nil : list
    }

    private static func timesName(ofAttribute name: String) -> String { "attribute." + name }
}

extension PatientService {
    /// What was told of a record that a merge retires is told of its survivor; the retired record keeps nothing.
    static func moveStatements(from retired: inout Patient, to survivor: inout Patient) {
        guard let statements = retired.statements else { return }
        survivor.statements = (survivor.statements ?? []) + statements
        retired.statements = nil
    }
}
