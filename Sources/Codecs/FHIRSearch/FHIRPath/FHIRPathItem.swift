import FHIRModel

/// One item of a FHIRPath collection: an element of the resource with its place, or a value that an expression made.
struct FHIRPathItem: Sendable {
    /// One step of a place in JSON.
    enum Step: Hashable, Sendable {
        case member(String)
        case element(Int)
    }

    /// `null` for a primitive that has only extensions.
    var value: JSONValue
    /// From the resource's root; nil for a value that an expression made.
    var place: [Step]?
    /// The name of the element's type, such as `HumanName`, `date`, or `Patient.contact`.
    var type: String
    /// What JSON keeps of a primitive beside its value: `_birthDate`. FHIR R4 json.html#primitive.
    var sibling: JSONValue?
    /// Where ``sibling`` stands or would stand.
    var siblingPlace: [Step]?

    /// A primitive with a value of its own.
    var hasValue: Bool {
        switch value {
        case .bool, .number, .string: true
        case .null, .array, .object: false
        }
    }

    static func made(_ value: JSONValue, _ type: String) -> FHIRPathItem {
        FHIRPathItem(value: value, place: nil, type: type, sibling: nil, siblingPlace: nil)
    }

    /// The children of one name; a choice goes by its name without its type, and also as JSON writes it.
    func children(_ name: String, _ definitions: FHIRDefinitions) -> [FHIRPathItem] {
        if definitions.type(named: type)?.kind == .primitive {
            // Of a primitive only id and extension, which JSON keeps beside it.
            guard let sibling, let siblingPlace else { return [] }
            let beside = FHIRPathItem(value: sibling, place: siblingPlace, type: "Element")
            return beside.objectChildren(name, definitions)
        }
        return objectChildren(name, definitions)
    }

    private func objectChildren(_ name: String, _ definitions: FHIRDefinitions) -> [FHIRPathItem] {
        guard let (element, property, type) = member(name, definitions), let place else { return [] }
        let value = value[property]
        let sibling = self.value["_" + property]
        if !element.isArray {
            guard value != nil || sibling != nil else { return [] }
            return [
                FHIRPathItem(
                    value: value ?? .null, place: place + [.member(property)], type: Self.type(of: value, type),
                    sibling: sibling, siblingPlace: place + [.member("_" + property)])
            ]
        }
        let values = value?.array ?? []
        let siblings = sibling?.array ?? []
        return (0..<max(values.count, siblings.count)).map { position in
            let value = position < values.count ? values[position] : .null
            let sibling = position < siblings.count ? siblings[position] : nil
            return FHIRPathItem(
                value: value, place: place + [.member(property), .element(position)],
                type: Self.type(of: value, type), sibling: sibling == .null ? nil : sibling,
                siblingPlace: place + [.member("_" + property), .element(position)])
        }
    }

    /// The element of a name, the member that JSON has for it here, and its type; nil where there is none.
    func member(_ name: String, _ definitions: FHIRDefinitions) -> (ElementDefinition, property: String, type: String)?
    {
        guard let definition = definitions.type(named: type) else { return nil }
        if let (element, type) = definition.property(name) { return (element, name, type) }
        guard let element = definition.element(name), element.isChoice,
            let members = value.object?.names
        else { return nil }
        for member in members {
            let plain = member.utf8.first == 0x5F ? String(member.dropFirst()) : member
            if let (other, type) = definition.property(plain), other.name == name { return (element, plain, type) }
        }
        return nil
    }

    /// A resource inside says its own type.
    private static func type(of value: JSONValue?, _ declared: String) -> String {
        value?["resourceType"]?.string ?? declared
    }
}

extension FHIRPathItem {
    init(value: JSONValue, place: [Step], type: String) {
        self.init(value: value, place: place, type: type, sibling: nil, siblingPlace: nil)
    }
}
