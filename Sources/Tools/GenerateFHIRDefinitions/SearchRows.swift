import FHIRModel

/// One row for each search parameter and base type, with the alternatives of the expression that concern the base.
///
/// Parameters of the extension packs and the examples in the core package are left out: they read extensions, and
/// their codes are not in the registry of FHIR R4 searchparameter-registry.html.
func searchParameterRows(_ package: Package) -> [String] {
    let parameters = (package.resources["SearchParameter"] ?? []).filter { parameter in
        let id = parameter["id"]?.string ?? ""
        return !id.contains("-extensions-") && !id.contains("-genetic-") && !id.hasPrefix("example")
            && parameter["code"] != nil
    }
    let codes = parameters.reduce(into: [String: String]()) { found, parameter in
        found[parameter["url"]?.string ?? ""] = parameter["code"]?.string
    }
    var rows: [String] = []
    for parameter in parameters {
        let components = parameter.elements("component").map { component in
            let code = codes[component["definition"]?.string ?? ""] ?? ""
            let expression = component["expression"]?.string ?? ""
            return "\(code)=\(errata["\(parameter["id"]?.string ?? "").\(code)"] ?? expression)"
        }
        // A list of every resource type says no more than none.
        let targets = parameter.strings("target")
        for base in parameter.strings("base") {
            rows.append(
                [
                    base, parameter["code"]?.string ?? "", parameter["type"]?.string ?? "",
                    expression(parameter["expression"]?.string ?? "", base: base),
                    targets.count > 140 ? "" : targets.joined(separator: ","), components.joined(separator: ";"),
                    lastPart(parameter["url"]?.string ?? ""),
                ].joined(separator: "\t"))
        }
    }
    return rows.sorted()
}

/// Expressions of composite components that the package has wrong, by `id.component`: what the specification's page says.
///
/// `relationship` of DocumentReference joins `relatesto`, the target, and `relation`, the code; the package has the two
/// expressions the other way round. FHIR R4 documentreference.html#search.
private let errata = [
    "DocumentReference-relationship.relatesto": "target",
    "DocumentReference-relationship.relation": "code",
]

/// The alternatives of a union that start at `base`; the whole when none does.
private func expression(_ whole: String, base: String) -> String {
    var alternatives: [String] = []
    var current = ""
    var depth = 0
    for character in whole {
        if character == "(" { depth += 1 }
        if character == ")" { depth -= 1 }
        if character == "|", depth == 0 {
            alternatives.append(current)
            current = ""
        } else {
            current.append(character)
        }
    }
    alternatives.append(current)
    let trimmed = alternatives.map { alternative in
        String(alternative.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
    let mine = trimmed.filter { alternative in
        let start = alternative.drop { $0 == "(" || $0 == " " }
        return start.prefix { $0.isLetter || $0.isNumber } == base
    }
    return (mine.isEmpty ? trimmed : mine).joined(separator: " | ")
}

/// One row for each compartment and resource type that is in it.
func compartmentRows(_ package: Package) -> [String] {
    (package.resources["CompartmentDefinition"] ?? []).flatMap { definition -> [String] in
        guard let name = definition["code"]?.string, definition["id"]?.string != "example" else { return [] }
        return definition.elements("resource").compactMap { resource in
            // `{def}` says that the focal resource itself is in, which holds of every compartment.
            let parameters = resource.strings("param").filter { $0 != "{def}" }
            guard let type = resource["code"]?.string, !parameters.isEmpty else { return nil }
            return ([name, type] + parameters).joined(separator: "\t")
        }
    }.sorted()
}
