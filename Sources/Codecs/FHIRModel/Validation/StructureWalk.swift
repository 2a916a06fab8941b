/// One pass of `StructureValidator` over one resource. Its recursion is as deep as the JSON, which the reader bounds.
struct StructureWalk {
    private struct Step {
        var name: String
        /// Position in a repeating element; nil for the element as a whole.
        var position: Int?
    }

    private(set) var issues: [OperationOutcome.Issue] = []
    private let definitions: FHIRDefinitions
    private let issuesMax: Int
    private let narrative: NarrativePolicy
    private var path: [Step] = []

    init(definitions: FHIRDefinitions, issuesMax: Int, narrative: NarrativePolicy) {
        self.definitions = definitions
        self.narrative = narrative
        self.issuesMax = issuesMax
    }

    private var isFull: Bool { issues.count >= issuesMax }

    /// Checks a resource, at the root or where an element holds one.
    mutating func resource(_ node: JSONNode, as typeName: String) {
        guard let type = definitions.type(named: typeName), type.kind == .resource else {
            return report(.structure, "The resourceType is no FHIR R4 resource type.")
        }
        // A resource inside another has its element's path already.
        let isRoot = path.isEmpty
        if isRoot { path.append(Step(name: typeName)) }
        object(node, type)
        if isRoot { path.removeLast() }
    }

    // MARK: Objects

    private mutating func object(_ node: JSONNode, _ type: TypeDefinition) {
        guard node.kind == .object else { return report(.structure, "This element must be a JSON object.") }
        guard node.count > 0 else { return report(.structure, "An object must not be empty.") }
        // Bit for each element seen, and the member that stood for each choice.
        var seen = [String?](repeating: nil, count: type.elements.count)
        for member in node.members where !isFull {
            let name = member.name
            if name == "resourceType", type.kind == .resource { continue }
            let isSibling = name.utf8.first == 0x5F
            let plain = isSibling ? String(name.dropFirst()) : name
            guard let property = type.properties[plain],
                !isSibling || definitions.type(named: property.type)?.kind == .primitive
            else {
                unknown(name)
                continue
            }
            let element = type.elements[property.position]
            path.append(Step(name: element.name))
            if let other = seen[property.position], other != plain {
                report(.structure, "Only one type of this choice may be present.")
            }
            seen[property.position] = plain
            if isSibling {
                sibling(member.value, element, of: node[plain])
            } else {
                values(member.value, element, property.type, sibling: node["_" + name])
            }
            path.removeLast()
        }
        for (position, element) in type.elements.enumerated() where element.min > 0 && seen[position] == nil {
            guard !isFull else { return }
            path.append(Step(name: element.name))
            report(.required, "This element is required.")
            path.removeLast()
        }
    }

    /// An element that R4 does not define. Its name is the client's, so it is told only when it looks like one.
    private mutating func unknown(_ name: String) {
        let isPlain = name.utf8.count <= 64 && name.utf8.allSatisfy { PrimitiveFormat.isAlphanumeric($0) || $0 == 0x5F }
        if isPlain { path.append(Step(name: name)) }
        report(.structure, "FHIR R4 does not define this element; it is kept as it is.", severity: .warning)
        if isPlain { path.removeLast() }
    }

    // MARK: Values

    private mutating func values(
        _ node: JSONNode, _ element: ElementDefinition, _ typeName: String, sibling: JSONNode?
    ) {
        guard element.isArray else {
            if node.kind == .array { return report(.structure, "This element must not be an array.") }
            return value(node, element, typeName)
        }
        guard node.kind == .array else { return report(.structure, "This element must be an array.") }
        guard node.count > 0 else { return report(.structure, "An array must not be empty.") }
        if element.max == 0 { return report(.structure, "This element must not be present.") }
        let last = path.count - 1
        for (position, item) in node.elements.enumerated() where !isFull {
            path[last].position = position
            if item.isNull {
                // A null holds the place of a primitive that has an id or extensions only.
                let holder = sibling?[position]
                if holder == nil || holder?.isNull == true {
                    report(.structure, "null must stand for a primitive with an extension.")
                }
            } else {
                value(item, element, typeName)
            }
        }
        path[last].position = nil
    }

    private mutating func value(_ node: JSONNode, _ element: ElementDefinition, _ typeName: String) {
        if typeName == "Resource" {
            guard node.kind == .object else { return report(.structure, "A resource is a JSON object.") }
            guard let name = node["resourceType"]?.string else {
                return report(.required, "The resource has no resourceType.")
            }
            return resource(node, as: name)
        }
        guard let type = definitions.type(named: typeName) else { return }
        guard type.kind == .primitive else {
            object(node, type)
            if typeName == "Reference" { target(node, element) }
            return
        }
        if let fault = PrimitiveCheck.fault(node, typeName) { return report(fault.code, fault.text) }
        if typeName == "xhtml", narrative == .refuse, let text = node.string,
            let fault = NarrativeCheck.fault(in: text)
        {
            return report(.invalid, fault.rawValue)
        }
        if typeName == "code", let set = element.requiredValueSet, let codes = definitions.codes(in: set),
            let code = node.string, !codes.contains(code)
        {
            report(.codeInvalid, "The code is not in the required value set \(set).")
        }
    }

    /// Warns of a literal reference to a type that the element does not allow. FHIR R4 references.html.
    ///
    /// No error: HL7's own R4 examples have such references, and the resource can still be read and searched.
    private mutating func target(_ node: JSONNode, _ element: ElementDefinition) {
        guard let text = node["reference"]?.string,
            let allowed = element.types.first(where: { $0.name == "Reference" })?.targets, !allowed.isEmpty,
            let type = Reference(text).type, !allowed.contains(type)
        else { return }
        report(.value, "The reference points at a \(type), which R4 does not allow here.", severity: .warning)
    }

    // MARK: Siblings

    /// Checks `_name`, which carries the id and extensions of a primitive. FHIR R4 json.html#primitive.
    private mutating func sibling(_ node: JSONNode, _ element: ElementDefinition, of values: JSONNode?) {
        guard let type = definitions.type(named: "Element") else { return }
        guard element.isArray else { return object(node, type) }
        guard node.kind == .array else { return report(.structure, "The sibling of an array must be an array.") }
        if let values, values.kind == .array, values.count != node.count {
            report(.structure, "The sibling must have as many elements as the array.")
        }
        let last = path.count - 1
        for (position, item) in node.elements.enumerated() where !isFull && !item.isNull {
            path[last].position = position
            object(item, type)
        }
        path[last].position = nil
    }

    // MARK: Issues

    private mutating func report(
        _ code: OperationOutcome.Code, _ text: String, severity: OperationOutcome.Severity = .error
    ) {
        guard !isFull else { return }
        var expression = ""
        for step in path {
            if !expression.isEmpty { expression += "." }
            expression += step.name
            if let position = step.position { expression += "[\(position)]" }
        }
        issues.append(
            OperationOutcome.Issue(
                severity, code, diagnostics: text, expression: expression.isEmpty ? [] : [expression]))
    }
}
