extension OrderService {
    /// Takes what a message tells beside an order itself. What an older message than the newest one tells only adds what
    /// is missing. Whether there was anything.
    package func describe(
        _ id: EntityID, attributes: Attributes, statements: [StatementUpdate], isNewest: Bool,
        in unit: any UnitOfWork
    ) throws -> Bool {
        guard let old = try unit.order(id) else { return false }
        var order = old
        let merged = (old.attributes ?? [:]).merging(attributes) { isNewest ? $1 : $0 }
        order.attributes = merged.isEmpty ? nil : merged
        let known = old.statements ?? []
        if isNewest || known.isEmpty, !statements.isEmpty {
            order.statements = known.applying(statements, entropy: unit.entropy)
        }
        guard order != old else { return false }
        try unit.save(order)
        unit.emit(.orderChanged(id))
        return true
    }
}
