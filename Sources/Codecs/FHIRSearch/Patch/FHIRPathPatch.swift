import FHIRModel

/// Changes to a resource as a Parameters resource, each at a place that a FHIRPath expression names; all or none of them
/// happen. FHIR R4 fhirpatch.html.
package struct FHIRPathPatch: Sendable {
    enum Operation: Sendable {
        case add(FHIRPathExpression, name: String, PatchContent)
        case insert(FHIRPathExpression, PatchContent, index: Int)
        case delete(FHIRPathExpression)
        case replace(FHIRPathExpression, PatchContent)
        case move(FHIRPathExpression, source: Int, destination: Int)
    }

    let operations: [Operation]
    private let limits: PatchLimits

    /// Reads the parameters called `operation`.
    ///
    /// Throws ``PatchError`` `.malformed`, or `.tooLarge` for more operations than one patch may have.
    package init(_ document: JSONDocument, limits: PatchLimits = PatchLimits()) throws(PatchError) {
        guard document["resourceType"]?.string == "Parameters" else {
            throw PatchError(.malformed, "A FHIRPath Patch is a Parameters resource.")
        }
        let parameters = document["parameter"]
        guard (parameters?.count ?? 0) <= limits.operationsMax else {
            throw PatchError(.tooLarge, "A patch may have \(limits.operationsMax) operations.")
        }
        var operations: [Operation] = []
        for node in parameters?.elements ?? document.root.elements {
            guard node["name"]?.isString("operation") == true else {
                throw PatchError(
                    .malformed, operation: operations.count, "a parameter of a patch is called operation.")
            }
            do throws(PatchError) { operations.append(try Self.operation(node)) } catch {
                throw error.at(operations.count)
            }
        }
        guard !operations.isEmpty else { throw PatchError(.malformed, "The patch has no operation.") }
        self.operations = operations
        self.limits = limits
    }

    private static func operation(_ node: JSONNode) throws(PatchError) -> Operation {
        var parts: [String: JSONNode] = [:]
        if let list = node["part"] {
            for part in list.elements {
                guard let name = part["name"]?.string else {
                    throw PatchError(.malformed, "a part has a name.")
                }
                guard parts.updateValue(part, forKey: name) == nil else {
                    throw PatchError(.malformed, "a part stands twice.")
                }
            }
        }
        func text(_ name: String) throws(PatchError) -> String {
            let part = parts[name]
            for member in ["valueString", "valueCode", "valueId", "valueUri"] {
                if let text = part?[member]?.string { return text }
            }
            throw PatchError(.malformed, "the part \(name) with its valueString is missing.")
        }
        func number(_ name: String) throws(PatchError) -> Int {
            for member in ["valueInteger", "valueUnsignedInt", "valuePositiveInt"] {
                if let text = parts[name]?[member]?.numberText, let number = Int(text), number >= 0 { return number }
            }
            throw PatchError(.malformed, "the part \(name) with its valueInteger, 0 or more, is missing.")
        }
        func content() throws(PatchError) -> PatchContent {
            guard let part = parts["value"] else { throw PatchError(.malformed, "the part value is missing.") }
            return try PatchContent(part)
        }
        let type = try text("type")
        let pathText = try text("path")
        let path: FHIRPathExpression
        do throws(FHIRPathError) { path = try FHIRPathExpression(pathText) } catch {
            throw PatchError(.malformed, "its path is not understood: \(error.sentence).")
        }
        switch type {
        case "add": return .add(path, name: try text("name"), try content())
        case "insert": return .insert(path, try content(), index: try number("index"))
        case "delete": return .delete(path)
        case "replace": return .replace(path, try content())
        case "move":
            return .move(path, source: try number("source"), destination: try number("destination"))
        default: throw PatchError(.malformed, "type is one of add, insert, delete, replace and move.")
        }
    }

    /// The resource after all operations; arrays and objects that they emptied are taken out.
    ///
    /// Throws ``PatchError`` `.notApplicable` or `.tooLarge`.
    package func applied(to resource: JSONValue, definitions: FHIRDefinitions = .r4) throws(PatchError) -> JSONValue {
        var edit = FHIRPathEdit(resource, definitions, PatchGrowth(limits))
        for (index, operation) in operations.enumerated() {
            do throws(PatchError) { try edit.apply(operation) } catch { throw error.at(index) }
        }
        return edit.resource.withoutEmpties ?? .object(JSONObject())
    }
}

/// What an operation puts into a resource: a value of a type, or members of an element that has no type of its own.
indirect enum PatchContent: Sendable {
    /// `beside` is what JSON keeps of a primitive beside its value.
    case value(JSONValue?, beside: JSONValue?, type: String)
    case parts([(name: String, content: PatchContent)])

    /// A part with a `value[x]`, a `resource`, or parts of its own.
    init(_ part: JSONNode) throws(PatchError) {
        var value: JSONValue?
        var beside: JSONValue?
        var type: String?
        for member in part.members {
            let name = member.name
            switch name {
            case "name", "id", "extension", "part": continue
            case "resource":
                value = JSONValue(member.value)
                type = "Resource"
            default:
                let isBeside = name.utf8.first == UInt8(ascii: "_")
                let plain = isBeside ? String(name.dropFirst()) : name
                guard plain.hasPrefix("value"), plain.utf8.count > 5 else {
                    throw PatchError(.malformed, "a part has a value[x], a resource, or parts.")
                }
                let suffix = String(plain.dropFirst(5))
                guard type == nil || type == suffix else {
                    throw PatchError(.malformed, "a part has one value.")
                }
                type = suffix
                if isBeside { beside = JSONValue(member.value) } else { value = JSONValue(member.value) }
            }
        }
        if let type {
            guard part["part"] == nil else { throw PatchError(.malformed, "a part has a value or parts, not both.") }
            self = .value(value, beside: beside, type: type)
            return
        }
        var parts: [(name: String, content: PatchContent)] = []
        if let list = part["part"] {
            for inner in list.elements {
                guard let name = inner["name"]?.string else { throw PatchError(.malformed, "a part has a name.") }
                parts.append((name, try PatchContent(inner)))
            }
        }
        guard !parts.isEmpty else { throw PatchError(.malformed, "a part has a value[x], a resource, or parts.") }
        self = .parts(parts)
    }
}
