/// What an order's events tell beside the order itself, while they are read in the order in which they count: attributes,
/// and statements of the patient (allergies, diagnoses, measurements).
struct OrderDetails {
    private struct Key: Hashable {
        let kind: ClinicalStatement.Kind
        let key: String
        init(_ kind: ClinicalStatement.Kind, _ key: String) { (self.kind, self.key) = (kind, key) }
    }
    private var attributes: [String: Change<AttributeValue>] = [:]
    private var statements: [ClinicalStatement] = []
    private let stored: ImagingOrder?
    private var ids: [Key: EntityID]
    private let newID: () -> EntityID

    /// - Parameter stored: The order as it was: statements keep the ids that they have there.
    init(stored: ImagingOrder?, newID: @escaping () -> EntityID) {
        self.stored = stored
        self.newID = newID
        ids = Dictionary(
            (stored?.statements ?? []).map { (Key($0.kind, $0.key), $0.id) }, uniquingKeysWith: { first, _ in first })
    }

    /// Takes what a message says. A kind of statement that it speaks of is said whole; when `keeping`, only what nothing
    /// has said before.
    mutating func say(_ update: OrderUpdate, keeping: Bool) {
        attributes.merge((update.attributes ?? [:]).filter { $0.value != .keep }) { keeping ? $0 : $1 }
        var told = update.statements ?? []
        if keeping {
            let known = Set(statements.map(\.kind))
            told.removeAll { known.contains($0.kind) }
        }
        statements = statements.applying(told) { id(of: $0.kind, $0.key) }
    }

    /// Takes what a whole order has.
    mutating func state(_ order: ImagingOrder) {
        attributes = (order.attributes ?? [:]).mapValues { .set($0) }
        for index in statements.indices { statements[index].isCurrent = false }
        for statement in order.statements ?? [] {
            ids[Key(statement.kind, statement.key)] = statement.id
            put(statement)
        }
    }

    /// Gives the order what was told. What no event tells is of an earlier version, and stays where no event speaks of it.
    mutating func complete(_ order: inout ImagingOrder) {
        let kinds = Set(statements.map(\.kind))
        for var old in stored?.statements ?? []
        where !statements.contains(where: { $0.kind == old.kind && $0.key == old.key }) {
            if kinds.contains(old.kind) { old.isCurrent = false }
            statements.append(old)
        }
        var merged = stored?.attributes ?? [:]
        merged.apply(attributes)
        order.attributes = merged.isEmpty ? nil : merged
        // In the order in which they were first kept: what is late does not move what is there.
        let known = (stored?.statements ?? []).map(\.id)
        let places = Dictionary(known.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        let sorted = statements.enumerated().sorted { a, b in
            (places[a.element.id] ?? known.count + a.offset, a.offset)
                < (places[b.element.id] ?? known.count + b.offset, b.offset)
        }
        order.statements = sorted.isEmpty ? nil : sorted.map(\.element)
    }

    private mutating func put(_ statement: ClinicalStatement) {
        if let index = statements.firstIndex(where: { $0.kind == statement.kind && $0.key == statement.key }) {
            statements[index] = statement
        } else {
            statements.append(statement)
        }
    }

    private mutating func id(of kind: ClinicalStatement.Kind, _ key: String) -> EntityID {
        if let known = ids[Key(kind, key)] { return known }
        let id = newID()
        ids[Key(kind, key)] = id
        return id
    }
}
