/// Reads the compact text that `GenerateFHIRDefinitions` writes. One record a line, fields apart by tabs.
///
/// Types: `kind name base` starts a type; the lines after it that start with `-` are its own elements:
/// `-name cardinality types flags valueSet boundValueSet`, the last where it is another than the one before. Cardinality is `?` 0..1, `1` 1..1, `*` 0..*, `+` 1..*, `0` 0..0.
/// Types are apart by `,`, each `name` or `name:target:target`. Flags: `x` choice, `s` summary, `m` modifier.
/// `o * types` lists the types of an open choice. Value sets: `name code code ...`. Code systems: `valueSet url`. Search parameters: `base code type expression targets components id`, the type
/// spelled out, components as `code=expression` apart by `;`. Compartments: `name type param param ...`.
enum DefinitionText {
    static func definitions(
        types: String, valueSets: String, codeSystems: String, searchParameters: String, compartments: String
    ) -> FHIRDefinitions {
        let typeMap = Self.types(types)
        var sets: [String: Set<String>] = [:]
        for fields in lines(valueSets) {
            sets[String(fields[0])] = Set(fields.dropFirst().map { String($0) })
        }
        var systems: [String: String] = [:]
        for fields in lines(codeSystems) where fields.count == 2 { systems[String(fields[0])] = String(fields[1]) }
        var parameters: [String: [SearchParameterDefinition]] = [:]
        for fields in lines(searchParameters) {
            guard let parameter = searchParameter(fields) else { continue }
            parameters[parameter.base, default: []].append(parameter)
        }
        var members: [String: [String: [String]]] = [:]
        for fields in lines(compartments) where fields.count > 1 {
            members[String(fields[0]), default: [:]][String(fields[1])] = fields.dropFirst(2).map { String($0) }
        }
        return FHIRDefinitions(
            resourceTypes: typeMap.values.filter { $0.kind == .resource }.map(\.name).sorted(), types: typeMap,
            valueSets: sets, codeSystems: systems, searchParameters: parameters,
            compartments: Dictionary(
                uniqueKeysWithValues: members.map { ($0, CompartmentDefinition(name: $0, parameters: $1)) }))
    }

    // Split by bytes: finding characters in 380 KB of text would take ten times as long.
    private static func lines(_ text: String) -> some Sequence<[Substring]> {
        text.utf8.split(separator: 0x0A).lazy.map { line in
            line.split(separator: 0x09, omittingEmptySubsequences: false).map { Substring($0) }
        }
    }

    private static func list(_ field: Substring, _ mark: Unicode.Scalar) -> [String] {
        parts(field, mark).map { String($0) }
    }

    private static func parts(_ field: Substring, _ mark: Unicode.Scalar, max: Int = .max) -> [Substring] {
        field.utf8.split(separator: UInt8(ascii: mark), maxSplits: max).map { Substring($0) }
    }

    // MARK: Types

    private struct Draft {
        var kind: TypeDefinition.Kind
        var base: String
        var elements: [ElementDefinition] = []
    }

    private static func types(_ text: String) -> [String: TypeDefinition] {
        var drafts: [String: Draft] = [:]
        var openTypes: [String] = []
        var current = ""
        for fields in lines(text) {
            if fields[0].utf8.first == 0x2D {
                drafts[current]?.elements.append(element(fields))
            } else if fields.count > 2, fields[0] == "o" {
                openTypes = list(fields[2], ",")
            } else if fields.count > 2, let kind = TypeDefinition.Kind(rawValue: String(fields[0])) {
                current = String(fields[1])
                drafts[current] = Draft(kind: kind, base: String(fields[2]))
            }
        }
        return drafts.reduce(into: [:]) { done, entry in
            var elements = entry.value.elements
            var base = entry.value.base
            while let draft = drafts[base] {
                elements.insert(contentsOf: draft.elements, at: 0)
                base = draft.base
            }
            done[entry.key] = TypeDefinition(
                name: entry.key, kind: entry.value.kind, base: entry.value.base, elements: elements,
                properties: properties(elements, openTypes: openTypes))
        }
    }

    private static func element(_ fields: [Substring]) -> ElementDefinition {
        func field(_ position: Int) -> Substring { position < fields.count ? fields[position] : "" }
        let cardinality = field(1)
        let flags = field(3)
        return ElementDefinition(
            name: String(Substring(field(0).utf8.dropFirst())), isChoice: flags.utf8.contains(0x78),
            min: cardinality == "1" || cardinality == "+" ? 1 : 0,
            max: cardinality == "*" || cardinality == "+" ? nil : cardinality == "0" ? 0 : 1,
            types: parts(field(2), ",").map { type in
                let parts = list(type, ":")
                return ElementDefinition.ElementType(name: parts.first ?? "", targets: Array(parts.dropFirst()))
            },
            requiredValueSet: field(4).isEmpty ? nil : String(field(4)),
            boundValueSet: [field(5), field(4)].first { !$0.isEmpty }.map { String($0) },
            isSummary: flags.utf8.contains(0x73),
            isModifier: flags.utf8.contains(0x6D))
    }

    /// The JSON names of elements: of a choice, its name followed by each type's with a capital.
    /// FHIR R4 formats.html#choice.
    private static func properties(
        _ elements: [ElementDefinition], openTypes: [String]
    ) -> [String: TypeDefinition.Property] {
        var found: [String: TypeDefinition.Property] = [:]
        for (position, element) in elements.enumerated() {
            guard element.isChoice else {
                found[element.name] = TypeDefinition.Property(position: position, type: element.types.first?.name ?? "")
                continue
            }
            let names = element.types.first?.name == "*" ? openTypes : element.types.map(\.name)
            for name in names {
                let capital = name.prefix(1).uppercased() + name.dropFirst()
                found[element.name + capital] = TypeDefinition.Property(position: position, type: name)
            }
        }
        return found
    }

    // MARK: Search parameters

    private static func searchParameter(_ fields: [Substring]) -> SearchParameterDefinition? {
        guard fields.count == 7,
            let type = SearchParameterDefinition.ParameterType.allCases.first(where: { $0.rawValue == fields[2] })
        else { return nil }
        return SearchParameterDefinition(
            base: String(fields[0]), code: String(fields[1]), type: type, expression: String(fields[3]),
            targets: list(fields[4], ","),
            components: parts(fields[5], ";").compactMap { part in
                let halves = parts(part, "=", max: 1)
                guard halves.count == 2 else { return nil }
                return SearchParameterDefinition.Component(
                    code: String(halves[0]), expression: String(halves[1]))
            },
            id: String(fields[6]))
    }
}
