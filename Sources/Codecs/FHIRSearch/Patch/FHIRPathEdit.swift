import FHIRModel

/// A resource while a ``FHIRPathPatch`` is applied to it.
struct FHIRPathEdit {
    private typealias Step = FHIRPathItem.Step
    private(set) var resource: JSONValue
    private let definitions: FHIRDefinitions
    private var growth: PatchGrowth
    /// Items that the paths of all operations together may still look at.
    private var budget = 1_000_000

    init(_ resource: JSONValue, _ definitions: FHIRDefinitions, _ growth: PatchGrowth) {
        self.resource = resource
        self.definitions = definitions
        self.growth = growth
    }

    mutating func apply(_ operation: FHIRPathPatch.Operation) throws(PatchError) {
        switch operation {
        case .add(let path, let name, let content): try add(content, name, to: try one(path))
        case .insert(let path, let content, let index):
            let list = try list(path)
            guard index <= list.count else {
                throw PatchError(.notApplicable, "the index is past the end of the list.")
            }
            try insert(content, at: index, into: list)
        case .delete(let path):
            let items = try items(path)
            guard items.count < 2 else { throw Self.several }
            if let item = items.first { try delete(item) }
        case .replace(let path, let content): try replace(try one(path), with: content)
        case .move(let path, let source, let destination):
            let list = try list(path)
            guard source < list.count, destination < list.count else {
                throw PatchError(.notApplicable, "source or destination is past the end of the list.")
            }
            move(source, destination, in: list)
        }
    }

    // MARK: Places

    private static let several = PatchError(.notApplicable, "the path names several elements; one is wanted.")

    /// Asks the resource as it stands now.
    private mutating func evaluate<T>(
        _ body: (inout FHIRPathEvaluation) throws(FHIRPathError) -> T
    ) throws(PatchError) -> T {
        var evaluation = FHIRPathEvaluation(resource, definitions: definitions, itemsMax: budget)
        defer { budget = evaluation.budget }
        do throws(FHIRPathError) { return try body(&evaluation) } catch {
            throw PatchError(.notApplicable, "its path cannot be followed: \(error.sentence).")
        }
    }

    private mutating func items(_ path: FHIRPathExpression) throws(PatchError) -> [FHIRPathItem] {
        let items = try evaluate { (evaluation) throws(FHIRPathError) in try evaluation.items(path) }
        guard items.allSatisfy({ $0.place != nil }) else {
            throw PatchError(.notApplicable, "the path names no element of the resource.")
        }
        return items
    }

    private mutating func one(_ path: FHIRPathExpression) throws(PatchError) -> FHIRPathItem {
        let items = try items(path)
        guard let only = items.first else {
            throw PatchError(.notApplicable, "the path names no element of the resource.")
        }
        guard items.count == 1 else { throw Self.several }
        return only
    }

    /// A repeating element as a whole.
    private struct List {
        var owner: FHIRPathItem
        var property: String
        var type: String
        var count: Int
    }

    /// The list that a path names; an empty one is known by its owner.
    private mutating func list(_ path: FHIRPathExpression) throws(PatchError) -> List {
        let found = try evaluate { (evaluation) throws(FHIRPathError) in try evaluation.owners(path) }
        guard let (owners, name) = found else {
            throw PatchError(.notApplicable, "the path must end with the name of a repeating element.")
        }
        guard owners.count < 2 else { throw Self.several }
        guard let item = owners.first, item.place != nil else {
            throw PatchError(.notApplicable, "the path names no element of the resource.")
        }
        let owner = beside(item)
        guard let (element, property, type) = owner.member(name, definitions), element.isArray else {
            throw PatchError(.notApplicable, "the path must end with the name of a repeating element.")
        }
        let count = max(owner.value[property]?.array?.count ?? 0, owner.value["_" + property]?.array?.count ?? 0)
        return List(owner: owner, property: property, type: type, count: count)
    }

    // MARK: Changes

    private mutating func add(_ content: PatchContent, _ name: String, to owner: FHIRPathItem) throws(PatchError) {
        let owner = beside(owner)
        let (element, property, type) = try member(name, of: owner, for: content)
        let made = try value(content, type, within: (owner.place?.count ?? 0) + (element.isArray ? 2 : 1))
        if element.isArray {
            let count = max(owner.value[property]?.array?.count ?? 0, owner.value["_" + property]?.array?.count ?? 0)
            return try insert(made, at: count, into: List(owner: owner, property: property, type: type, count: count))
        }
        guard owner.children(name, definitions).isEmpty else {
            throw PatchError(.notApplicable, "the element is there already, and may stand once.")
        }
        try put(made, property, in: owner)
    }

    /// What holds id and extension of a primitive.
    private func beside(_ owner: FHIRPathItem) -> FHIRPathItem {
        guard definitions.type(named: owner.type)?.kind == .primitive, let place = owner.siblingPlace else {
            return owner
        }
        return FHIRPathItem(value: owner.sibling ?? .object(JSONObject()), place: place, type: "Element")
    }

    /// The element called `name` and the member that content of this type has in JSON.
    private func member(
        _ name: String, of owner: FHIRPathItem, for content: PatchContent
    ) throws(PatchError) -> (ElementDefinition, property: String, type: String) {
        let definition = definitions.type(named: owner.type)
        if let (element, type) = definition?.property(name) { return (element, name, type) }
        if let element = definition?.element(name), element.isChoice, case .value(_, _, let type) = content,
            let (_, known) = definition?.property(name + type)
        {
            return (element, name + type, known)
        }
        throw PatchError(.notApplicable, "the element has no member of this name and type.")
    }

    private struct Made {
        var value: JSONValue?
        var beside: JSONValue?
    }

    /// - Parameters:
    ///   - type: of the element that takes it, for parts without a type of their own.
    ///   - depth: how many objects and arrays will be around it.
    private mutating func value(
        _ content: PatchContent, _ type: String, within depth: Int
    ) throws(PatchError) -> Made {
        switch content {
        case .value(let value, let beside, _):
            if let value { try growth.add(value, within: depth) }
            if let beside { try growth.add(beside, within: depth) }
            return Made(value: value, beside: beside)
        case .parts(let parts):
            var object = JSONValue.object(JSONObject())
            for (name, part) in parts {
                let owner = FHIRPathItem(value: object, place: [], type: type)
                let (element, property, inner) = try member(name, of: owner, for: part)
                let made = try value(part, inner, within: depth + (element.isArray ? 2 : 1))
                if element.isArray {
                    object.append(made.value, made.beside, to: property)
                } else {
                    guard owner.children(name, definitions).isEmpty else {
                        throw PatchError(.notApplicable, "a member stands twice in the value, and may stand once.")
                    }
                    if let value = made.value { object[property] = value }
                    if let beside = made.beside { object["_" + property] = beside }
                }
            }
            return Made(value: object)
        }
    }

    private mutating func insert(_ content: PatchContent, at index: Int, into list: List) throws(PatchError) {
        try insert(try value(content, list.type, within: (list.owner.place?.count ?? 0) + 2), at: index, into: list)
    }

    private mutating func insert(_ made: Made, at index: Int, into list: List) throws(PatchError) {
        change(list) { values, siblings in
            values.insert(made.value ?? .null, at: index)
            siblings.insert(made.beside ?? .null, at: index)
        }
    }

    private mutating func move(_ source: Int, _ destination: Int, in list: List) {
        change(list) { values, siblings in
            values.insert(values.remove(at: source), at: destination)
            siblings.insert(siblings.remove(at: source), at: destination)
        }
    }

    /// Changes a list and what stands beside its primitives, both brought to one length.
    private mutating func change(
        _ list: List, _ body: (inout [JSONValue], inout [JSONValue]) -> Void
    ) {
        resource.edit(list.owner.place?[...] ?? []) { owner in
            if owner == .null { owner = .object(JSONObject()) }
            var values = owner[list.property]?.array ?? []
            var siblings = owner["_" + list.property]?.array ?? []
            values += Array(repeating: .null, count: max(0, list.count - values.count))
            siblings += Array(repeating: .null, count: max(0, list.count - siblings.count))
            body(&values, &siblings)
            owner[list.property] = values.allSatisfy { $0 == .null } ? nil : .array(values)
            owner["_" + list.property] = siblings.allSatisfy { $0 == .null } ? nil : .array(siblings)
        }
    }

    private mutating func put(_ made: Made, _ property: String, in owner: FHIRPathItem) throws(PatchError) {
        resource.edit(owner.place?[...] ?? []) { object in
            if object == .null { object = .object(JSONObject()) }
            if let value = made.value { object[property] = value }
            if let beside = made.beside { object["_" + property] = beside }
        }
    }

    private mutating func delete(_ item: FHIRPathItem) throws(PatchError) {
        guard let place = item.place, let last = place.last else {
            throw PatchError(.notApplicable, "the resource as a whole cannot be deleted by a patch.")
        }
        switch last {
        case .member(let name):
            resource.edit(place.dropLast()) { owner in
                owner[name] = nil
                owner["_" + name] = nil
            }
        case .element(let position):
            guard case .member(let name)? = place.dropLast().last else { return }
            resource.edit(place.dropLast(2)) { owner in
                owner[name]?[position] = nil
                owner["_" + name]?[position] = nil
                if owner["_" + name]?.array?.allSatisfy({ $0 == .null }) == true { owner["_" + name] = nil }
            }
        }
    }

    private mutating func replace(_ item: FHIRPathItem, with content: PatchContent) throws(PatchError) {
        guard let place = item.place, let last = place.last else {
            throw PatchError(.notApplicable, "the resource as a whole cannot be replaced by a patch.")
        }
        switch last {
        case .element(let position):
            guard case .member(let name)? = place.dropLast().last else { return }
            let made = try value(content, item.type, within: place.count)
            resource.edit(place.dropLast(2)) { owner in
                owner[name]?[position] = made.value ?? .null
                guard owner["_" + name] != nil || made.beside != nil else { return }
                var siblings = owner["_" + name]?.array ?? []
                siblings += Array(repeating: .null, count: max(0, position + 1 - siblings.count))
                siblings[position] = made.beside ?? .null
                owner["_" + name] = siblings.allSatisfy { $0 == .null } ? nil : .array(siblings)
            }
        case .member(let name):
            let ownerPlace = place.dropLast()
            let property = try newName(of: name, at: ownerPlace, item, for: content)
            let made = try value(content, property.type, within: place.count)
            resource.edit(ownerPlace) { owner in
                if property.name == name {
                    owner[name] = made.value
                } else if case .object(var members) = owner {
                    // Another type of a choice takes its place.
                    let position = members.position(of: name) ?? members.count
                    members[name] = nil
                    if let value = made.value { members.insert(property.name, value, at: position) }
                    owner = .object(members)
                }
                owner["_" + name] = nil
                if let beside = made.beside { owner["_" + property.name] = beside }
            }
        }
    }

    /// How JSON names a replaced element: of a choice by the new type.
    private func newName(
        of name: String, at place: ArraySlice<Step>, _ item: FHIRPathItem, for content: PatchContent
    ) throws(PatchError) -> (name: String, type: String) {
        guard case .value(_, _, let type) = content, let owner = self.item(at: place),
            let definition = definitions.type(named: owner.type), let (element, _) = definition.property(name),
            element.isChoice
        else { return (name, item.type) }
        guard let (_, known) = definition.property(element.name + type) else {
            throw PatchError(.notApplicable, "the element may not have a value of this type.")
        }
        return (element.name + type, known)
    }

    /// The element at a place, with its type.
    private func item(at place: ArraySlice<Step>) -> FHIRPathItem? {
        var item = FHIRPathItem(value: resource, place: [], type: resource["resourceType"]?.string ?? "Resource")
        var rest = place
        while let step = rest.first {
            guard case .member(let name) = step else { return nil }
            rest = rest.dropFirst()
            var children = item.children(name, definitions)
            if case .element(let position)? = rest.first {
                children = children.indices.contains(position) ? [children[position]] : []
                rest = rest.dropFirst()
            }
            guard let child = children.first else { return nil }
            item = child
        }
        return item
    }
}

extension JSONValue {
    /// Changes what stands at a place, without a copy of it; members that are not there are made.
    mutating func edit(_ place: ArraySlice<FHIRPathItem.Step>, _ body: (inout JSONValue) -> Void) {
        guard let step = place.first else { return body(&self) }
        switch step {
        case .member(let name):
            var child = self[name] ?? .null
            self[name] = .null
            child.edit(place.dropFirst(), body)
            self[name] = child == .null ? nil : child
        case .element(let position):
            var elements = array ?? []
            self = .null
            if !elements.indices.contains(position) {
                elements += Array(repeating: .null, count: position + 1 - elements.count)
            }
            elements[position].edit(place.dropFirst(), body)
            self = .array(elements)
        }
    }

    /// Appends to a list of an object, and what stands beside a primitive to the list beside it.
    fileprivate mutating func append(_ value: JSONValue?, _ beside: JSONValue?, to name: String) {
        var values = self[name]?.array ?? []
        var siblings = self["_" + name]?.array ?? []
        values.append(value ?? .null)
        if let beside {
            siblings += Array(repeating: .null, count: values.count - 1 - siblings.count)
            siblings.append(beside)
        } else if !siblings.isEmpty {
            siblings.append(.null)
        }
        self[name] = .array(values)
        if !siblings.isEmpty { self["_" + name] = .array(siblings) }
    }
}
