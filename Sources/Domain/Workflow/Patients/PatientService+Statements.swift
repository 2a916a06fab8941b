extension Patient {
    /// Takes what an event tells beside the core of the record. A registration that is not older than the record states
    /// it; anything else adds what the record does not have: an attribute, a list of a kind that it has none of.
    mutating func takeFurther(_ update: PatientUpdate, from source: StatementSource, in unit: any UnitOfWork) {
        let isNewest = !PatientService.isOlder(update.eventTime, than: unit.comparable(eventTime))
        let states = source == .registration && isNewest
        let known = attributes ?? [:]
        var attributes = known
        attributes.apply(states ? update.attributes : update.attributes.filter { known[$0.key] == nil })
        self.attributes = attributes.isEmpty ? nil : attributes
        let kinds = Set((statements ?? []).map(\.kind))
        let told = states ? update.statements : update.statements.filter { !kinds.contains($0.kind) }
        if !told.isEmpty { statements = (statements ?? []).applying(told, entropy: unit.entropy) }
    }
}

extension PatientService {
    /// What was told of a record that a merge retires is told of its survivor; the retired record keeps nothing.
    static func moveStatements(from retired: inout Patient, to survivor: inout Patient) {
        guard let statements = retired.statements else { return }
        survivor.statements = (survivor.statements ?? []) + statements
        retired.statements = nil
    }
}
