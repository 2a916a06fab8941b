import FHIRModel

/// The rows of types and of the value sets that their required bindings need.
struct TypeRows {
    private(set) var rows: [String] = []
    private(set) var valueSetRows: [String] = []
    /// Value sets whose codes are all of one system, with its URL.
    private(set) var codeSystemRows: [String] = []

    private let valueSets: [String: JSONValue]
    private let codeSystems: [String: JSONValue]
    /// Codes by value-set name; nil when a set cannot be enumerated from the package.
    private var codes: [String: [String]?] = [:]
    /// Names of the value sets that codes are bound to, with their URLs.
    private var bound: [String: String] = [:]

    init(package: Package) {
        valueSets = package.byURL("ValueSet")
        codeSystems = package.byURL("CodeSystem")
        let definitions = (package.resources["StructureDefinition"] ?? []).filter { definition in
            definition["derivation"]?.string != "constraint"
                && ["resource", "complex-type", "primitive-type"].contains(definition["kind"]?.string ?? "")
        }
        for definition in definitions.sorted(by: { name($0) < name($1) }) { add(definition) }
        let extensionType = definitions.first { name($0) == "Extension" }
        let open = extensionType?["snapshot"]?.elements("element").last?.elements("type") ?? []
        rows.append("o\t*\t" + open.compactMap { $0["code"]?.string }.joined(separator: ","))
        codeSystemRows = bound.compactMap { name, url in system(of: url).map { "\(name)\t\($0)" } }.sorted()
        valueSetRows = codes.compactMap { name, codes in
            codes.map { ([name] + $0).joined(separator: "\t") }
        }.sorted()
    }

    private func name(_ definition: JSONValue) -> String { definition["name"]?.string ?? "" }

    private mutating func add(_ definition: JSONValue) {
        let type = name(definition)
        let base = lastPart(definition["baseDefinition"]?.string ?? "")
        let isAbstract = definition["abstract"]?.bool == true
        switch definition["kind"]?.string {
        case "primitive-type":
            // A primitive's own elements are its JSON value and what Element gives.
            rows.append("p\t\(type)\tElement")
            return
        case "resource": rows.append("\(isAbstract ? "a" : "r")\t\(type)\t\(base)")
        default: rows.append("t\t\(type)\t\(base)")
        }
        let elements = definition["snapshot"]?.elements("element") ?? []
        var nested: [String] = [type]
        // A nested type's rows follow as a group, in the order in which the paths first appear.
        for element in elements {
            let path = element["path"]?.string ?? ""
            if isNested(element), path != type { nested.append(path) }
        }
        for owner in nested {
            if owner != type {
                let element = elements.first { $0["path"]?.string == owner }
                rows.append("n\t\(owner)\t\(element?.elements("type").first?["code"]?.string ?? "Element")")
            }
            for element in elements where parent(element["path"]?.string ?? "") == owner && isOwn(element) {
                rows.append(row(element))
            }
        }
    }

    private func parent(_ path: String) -> String {
        path.split(separator: ".").dropLast().joined(separator: ".")
    }

    /// Whether the element is defined here and not inherited.
    private func isOwn(_ element: JSONValue) -> Bool {
        element["base"]?["path"]?.string == element["path"]?.string
    }

    private func isNested(_ element: JSONValue) -> Bool {
        let code = element.elements("type").first?["code"]?.string
        let path = element["path"]?.string ?? ""
        return (code == "BackboneElement" || code == "Element") && path.contains(".")
    }

    private mutating func row(_ element: JSONValue) -> String {
        let path = element["path"]?.string ?? ""
        let name = String(path.split(separator: ".").last ?? "")
        let isChoice = name.hasSuffix("[x]")
        var flags = isChoice ? "x" : ""
        if element["isSummary"]?.bool == true { flags += "s" }
        if element["isModifier"]?.bool == true { flags += "m" }
        let max = element["max"]?.string ?? "1"
        let cardinality =
            switch (element["min"]?.numberText, max) {
            case (_, "0"): "0"
            case ("0", "1"): "?"
            case ("0", _): "*"
            case (_, "1"): "1"
            default: "+"
            }
        let types = types(element, path: path)
        var fields = ["-" + (isChoice ? String(name.dropLast(3)) : name), cardinality, types, flags]
        let required = requiredValueSet(element)
        if let required { fields.append(required) }
        if let name = boundValueSet(element), name != required { fields += (required == nil ? [""] : []) + [name] }
        while fields.last == "" { fields.removeLast() }
        return fields.joined(separator: "\t")
    }

    private func types(_ element: JSONValue, path: String) -> String {
        if let reference = element["contentReference"]?.string { return String(reference.dropFirst()) }
        if isNested(element) { return path }
        let types = element.elements("type")
        // The open choice: every data type. FHIR R4 datatypes.html#open.
        if types.count >= 50 { return "*" }
        return types.map { type in
            var code = type["code"]?.string ?? ""
            if code.hasPrefix("http://hl7.org/fhirpath/System.") {
                code = path.hasSuffix(".id") && path == "Resource.id" ? "id" : "string"
            }
            let targets = type.strings("targetProfile").map(lastPart).filter { $0 != "Resource" }
            return ([code] + targets).joined(separator: ":")
        }.joined(separator: ",")
    }

    // MARK: Code systems

    /// The name of the value set that a `code` is bound to by more than an example.
    private mutating func boundValueSet(_ element: JSONValue) -> String? {
        guard let binding = element["binding"], binding["strength"]?.string != "example",
            element.elements("type").contains(where: { $0["code"]?.string == "code" }),
            let url = binding["valueSet"]?.string.flatMap({ $0.split(separator: "|").first }).map(String.init),
            system(of: url) != nil
        else { return nil }
        bound[lastPart(url)] = url
        return lastPart(url)
    }

    /// The one system that a value set takes its codes from.
    private func system(of url: String) -> String? {
        guard let includes = valueSets[url]?["compose"]?.elements("include"), !includes.isEmpty else { return nil }
        var systems: Set<String> = []
        for include in includes {
            if let system = include["system"]?.string {
                systems.insert(system)
            } else {
                for nested in include.strings("valueSet") {
                    guard let system = system(of: nested) else { return nil }
                    systems.insert(system)
                }
            }
        }
        return systems.count == 1 ? systems.first : nil
    }

    // MARK: Required bindings

    /// The name of the element's value set when it is required, on a code, and can be enumerated.
    private mutating func requiredValueSet(_ element: JSONValue) -> String? {
        guard let binding = element["binding"], binding["strength"]?.string == "required",
            element.elements("type").contains(where: { $0["code"]?.string == "code" }),
            let url = binding["valueSet"]?.string
        else { return nil }
        let name = lastPart(url)
        if codes[name] == nil {
            codes[name] = .some(enumerated(String(url.split(separator: "|").first ?? "")))
        }
        return codes[name].flatMap { $0 } == nil ? nil : name
    }

    private func enumerated(_ url: String) -> [String]? {
        guard let compose = valueSets[url]?["compose"] else { return nil }
        var found: [String] = []
        for include in compose.elements("include") {
            guard include["filter"] == nil, include["valueSet"] == nil else { return nil }
            if include["concept"] != nil {
                found += include.elements("concept").compactMap { $0["code"]?.string }
            } else if let system = include["system"]?.string, let codeSystem = codeSystems[system],
                codeSystem["content"]?.string == "complete"
            {
                found += conceptCodes(codeSystem)
            } else {
                return nil
            }
        }
        return found.isEmpty || found.contains(where: { $0.contains("\t") }) ? nil : found
    }

    private func conceptCodes(_ owner: JSONValue) -> [String] {
        owner.elements("concept").flatMap { concept in
            (concept["code"]?.string.map { [$0] } ?? []) + conceptCodes(concept)
        }
    }
}
