import FHIRModel

/// Evaluates expressions on one resource. FHIRPath N1 §5, §6.
struct FHIRPathEvaluation {
    typealias Collection = [FHIRPathItem]

    let definitions: FHIRDefinitions
    private let root: FHIRPathItem
    /// Items that may still be looked at.
    private(set) var budget: Int

    /// - Parameters:
    ///   - resource: an object with `resourceType`.
    ///   - itemsMax: how many items all evaluations together may look at.
    init(_ resource: JSONValue, definitions: FHIRDefinitions = .r4, itemsMax: Int) {
        self.definitions = definitions
        root = FHIRPathItem(value: resource, place: [], type: resource["resourceType"]?.string ?? "Resource")
        budget = itemsMax
    }

    /// The elements that an expression names, in their order in the resource. Throws ``FHIRPathError``.
    mutating func items(_ expression: FHIRPathExpression) throws(FHIRPathError) -> Collection {
        try evaluate(expression.root, [root])
    }

    /// The items that an expression's last member is asked of, and that member's name; nil for an expression that does
    /// not end with a member.
    mutating func owners(_ expression: FHIRPathExpression) throws(FHIRPathError) -> (Collection, name: String)? {
        guard case .member(let node, let name) = expression.root else { return nil }
        return (try evaluate(node, [root]), name)
    }

    private mutating func spend(_ items: Int) throws(FHIRPathError) {
        budget -= items
        guard budget >= 0 else { throw FHIRPathError(.tooCostly) }
    }

    private mutating func evaluate(
        _ node: FHIRPathExpression.Node, _ this: Collection
    ) throws(FHIRPathError) -> Collection {
        switch node {
        case .this: return this
        case .text(let text): return [.made(.string(text), "string")]
        case .number(let text): return [.made(.number(text), "decimal")]
        case .bool(let flag): return Self.made(flag)
        case .member(let of, let name):
            let owners = try evaluate(of, this)
            try spend(owners.count)
            // An expression may begin with the type of the resource. FHIR R4 fhirpath.html.
            if of == .this, owners.count == 1, let only = owners.first, only.place?.isEmpty == true,
                only.type == name || name == "Resource" || name == "DomainResource"
            {
                return owners
            }
            var found: Collection = []
            for owner in owners {
                let children = owner.children(name, definitions)
                try spend(children.count)
                found += children
            }
            return found
        case .index(let of, let position):
            let items = try evaluate(of, this)
            return items.indices.contains(position) ? [items[position]] : []
        case .call(let on, let function, let arguments):
            return try call(function, arguments, on: try evaluate(on, this), this)
        case .comparison(let left, let isEqual, let right):
            let (a, b) = (try evaluate(left, this), try evaluate(right, this))
            // Nothing compared with anything is nothing. FHIRPath N1 §6.1.
            if a.isEmpty || b.isEmpty { return [] }
            try spend(a.count)
            let isSame = a.count == b.count && zip(a, b).allSatisfy { $0.value.isSame(as: $1.value) }
            return Self.made(isSame == isEqual)
        case .all(let left, let right):
            let (a, b) = (try isTrue(try evaluate(left, this)), try isTrue(try evaluate(right, this)))
            return Self.made(a && b)
        case .either(let left, let right):
            let (a, b) = (try isTrue(try evaluate(left, this)), try isTrue(try evaluate(right, this)))
            return Self.made(a || b)
        }
    }

    private static func made(_ flag: Bool) -> Collection { [.made(.bool(flag), "boolean")] }

    /// A collection as a condition: one item that is no boolean counts as true. FHIRPath N1 §4.5.
    private func isTrue(_ items: Collection) throws(FHIRPathError) -> Bool {
        guard items.count < 2 else { throw FHIRPathError(.notSingle) }
        return items.first.map { $0.value.bool ?? true } ?? false
    }

    private mutating func call(
        _ function: FHIRPathExpression.Function, _ arguments: [FHIRPathExpression.Node], on items: Collection,
        _ this: Collection
    ) throws(FHIRPathError) -> Collection {
        try spend(items.count)
        switch function {
        case .where: return try chosen(items, arguments[0])
        case .exists: return Self.made(try !(arguments.isEmpty ? items : chosen(items, arguments[0])).isEmpty)
        case .empty: return Self.made(items.isEmpty)
        case .not: return items.isEmpty ? [] : Self.made(try !isTrue(items))
        case .first: return Array(items.prefix(1))
        case .last: return Array(items.suffix(1))
        case .tail: return Array(items.dropFirst())
        case .single:
            guard items.count < 2 else { throw FHIRPathError(.notSingle) }
            return items
        case .skip: return Array(items.dropFirst(try count(arguments[0], this)))
        case .take: return Array(items.prefix(try count(arguments[0], this)))
        case .count: return [.made(.number(String(items.count)), "integer")]
        case .ofType, .as:
            guard case .text(let type) = arguments[0] else { throw FHIRPathError(.wrongArguments) }
            return items.filter { $0.type == type }
        case .extension:
            guard let url = try text(arguments[0], this) else { return [] }
            var found: Collection = []
            for item in items {
                let extensions = item.children("extension", definitions)
                try spend(extensions.count)
                found += extensions.filter { $0.value["url"]?.string == url }
            }
            return found
        case .hasValue: return Self.made(items.count == 1 && items.allSatisfy(\.hasValue))
        case .startsWith, .endsWith, .contains:
            guard items.count < 2 else { throw FHIRPathError(.notSingle) }
            guard let own = items.first?.value.string, let part = try text(arguments[0], this) else { return [] }
            return Self.made(
                function == .startsWith
                    ? own.hasPrefix(part) : function == .endsWith ? own.hasSuffix(part) : own.contains(part))
        }
    }

    private mutating func chosen(
        _ items: Collection, _ criterion: FHIRPathExpression.Node
    ) throws(FHIRPathError) -> Collection {
        var chosen: Collection = []
        for item in items where try isTrue(try evaluate(criterion, [item])) { chosen.append(item) }
        return chosen
    }

    private mutating func text(_ node: FHIRPathExpression.Node, _ this: Collection) throws(FHIRPathError) -> String? {
        let items = try evaluate(node, this)
        guard items.count < 2 else { throw FHIRPathError(.notSingle) }
        return items.first?.value.string
    }

    private mutating func count(_ node: FHIRPathExpression.Node, _ this: Collection) throws(FHIRPathError) -> Int {
        let items = try evaluate(node, this)
        guard items.count == 1, let number = items.first?.value.numberText.flatMap({ Int($0) }) else {
            throw FHIRPathError(.wrongArguments)
        }
        return max(0, number)
    }
}
