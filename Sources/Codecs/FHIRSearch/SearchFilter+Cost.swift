/// What a search asks of the database, known before it runs.
extension SearchFilter {
    /// How many looks the condition takes at each resource: one for a parameter, one more for each further value that no
    /// list can hold together, and for a chain one for each step of each branch. At least 1.
    package var cost: Int {
        switch self {
        case .parameter(let condition): condition.cost
        case .chain(_, let targets): targets.reduce(0) { $0 + 1 + $1.filter.cost }
        case .reverseChain(_, _, let filter): 1 + filter.cost
        case .anyOf(let filters), .allOf(let filters): max(1, filters.reduce(0) { $0 + $1.cost })
        }
    }
}

extension SearchCondition {
    /// See ``SearchFilter/cost``.
    var cost: Int {
        switch test {
        case .isMissing: 1
        case .matches(let values), .matchesNone(let values):
            // Codes, ids and references of one kind are one list; other values are looked at one by one.
            max(1, Set(values.map(\.shape)).reduce(0) { $0 + ($1.isList ? 1 : $1.looks) })
        }
    }
}

extension SearchValue {
    /// What is looked at together, and how many looks it takes.
    fileprivate struct Shape: Hashable {
        var isList: Bool
        var looks: Int
        var name: SearchValue?
        var system: TokenSystem?
        var types: [String]?
    }

    fileprivate var shape: Shape {
        switch self {
        case .token(let system, let code?), .referenceIdentifier(let system, let code?):
            _ = code
            return Shape(isList: true, looks: 1, system: system)
        case .reference(let types, _): return Shape(isList: true, looks: 1, types: types)
        case .uri, .uriAbove, .referenceURL: return Shape(isList: true, looks: 1)
        case .composite(let values): return Shape(isList: false, looks: values.count, name: self)
        default: return Shape(isList: false, looks: 1, name: self)
        }
    }
}

extension Array where Element: Hashable {
    /// The elements in their order, each once.
    package var withoutRepetition: [Element] {
        var seen: Set<Element> = []
        return filter { seen.insert($0).inserted }
    }
}
