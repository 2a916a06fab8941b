import Yams

/// One OpenAPI document, as much of it as a page shows. OpenAPI 3.1 §4.8.
struct ContractDocument: Sendable {
    struct Parameter: Sendable {
        let name: String
        /// `path`, `query`, `header` or `cookie`.
        let place: String
        let isRequired: Bool
        let shape: String
        let words: String
    }

    struct Answer: Sendable {
        /// A status, or `default`.
        let status: String
        let words: String
        let media: [String]
    }

    struct Operation: Sendable {
        let id: String
        /// In capitals.
        let method: String
        let path: String
        let tag: String
        let summary: String
        let words: String
        let isDeprecated: Bool
        let parameters: [Parameter]
        /// Media types with the shapes of what is sent.
        let body: [(media: String, shape: String)]
        let answers: [Answer]
        /// Whether a token is asked for.
        let needsToken: Bool
        /// Scopes that the document names, any of which is enough.
        let scopes: [String]
    }

    struct Shape: Sendable {
        let name: String
        let words: String
        let members: [Parameter]
    }

    let name: String
    let title: String
    let version: String
    let words: String
    let operations: [Operation]
    let shapes: [Shape]

    /// Tags in the order in which operations name them.
    var tags: [String] {
        var tags: [String] = []
        for operation in operations where !tags.contains(operation.tag) { tags.append(operation.tag) }
        return tags
    }

    /// Nil for a text that is no YAML, or no document with paths.
    init?(name: String, yaml: String) {
        guard let root = try? Yams.compose(yaml: yaml), let paths = root["paths"]?.mapping else { return nil }
        let reader = ContractReader(root: root)
        self.name = name
        title = root["info"]?["title"]?.string ?? name
        version = root["info"]?["version"]?.string ?? ""
        words = root["info"]?["description"]?.string ?? root["info"]?["summary"]?.string ?? ""
        operations = paths.flatMap { path, item in reader.operations(path.string ?? "", item) }
        shapes = reader.shapes
    }
}

/// Reads the parts of a document, references resolved within it.
struct ContractReader {
    /// As many references lead from one to the next.
    private static let hopsMax = 8
    /// Lists of lists in a shape.
    private static let depthMax = 4
    private static let methods = ["get", "put", "post", "delete", "options", "head", "patch", "trace"]

    let root: Node

    func operations(_ path: String, _ item: Node) -> [ContractDocument.Operation] {
        let shared = item["parameters"]?.sequence.map(Array.init) ?? []
        return (item.mapping.map(Array.init) ?? []).compactMap { key, node in
            guard let method = key.string, Self.methods.contains(method) else { return nil }
            let own = node["parameters"]?.sequence.map(Array.init) ?? []
            let security = (node["security"] ?? root["security"])?.sequence.map(Array.init) ?? []
            let schemes = security.flatMap { $0.mapping.map(Array.init) ?? [] }
            return ContractDocument.Operation(
                id: node["operationId"]?.string ?? "", method: method.uppercased(), path: path,
                tag: node["tags"]?[0]?.string ?? "", summary: node["summary"]?.string ?? "",
                words: node["description"]?.string ?? "", isDeprecated: node["deprecated"]?.bool ?? false,
                parameters: (shared + own).map { parameter(resolved($0)) },
                body: node["requestBody"].map { content(resolved($0)) } ?? [],
                answers: (node["responses"]?.mapping.map(Array.init) ?? []).map { status, answer in
                    let answer = resolved(answer)
                    return .init(
                        status: status.scalar?.string ?? "", words: answer["description"]?.string ?? "",
                        media: content(answer).map(\.media))
                },
                needsToken: !schemes.isEmpty,
                scopes: schemes.flatMap { $0.value.sequence.map(Array.init) ?? [] }.compactMap(\.string))
        }
    }

    /// The named shapes of the document, each with its members.
    var shapes: [ContractDocument.Shape] {
        (root["components"]?["schemas"]?.mapping.map(Array.init) ?? []).map { key, schema in
            let required = (schema["required"]?.sequence.map(Array.init) ?? []).compactMap(\.string)
            let members = (schema["properties"]?.mapping.map(Array.init) ?? []).map { name, member in
                ContractDocument.Parameter(
                    name: name.string ?? "", place: "", isRequired: required.contains(name.string ?? ""),
                    shape: shape(member), words: member["description"]?.string ?? "")
            }
            let words = schema["description"]?.string ?? (members.isEmpty ? shape(schema) : "")
            return .init(name: key.string ?? "", words: words, members: members)
        }
    }

    private func parameter(_ node: Node) -> ContractDocument.Parameter {
        .init(
            name: node["name"]?.string ?? "", place: node["in"]?.string ?? "",
            isRequired: node["required"]?.bool ?? false, shape: node["schema"].map { shape($0) } ?? "",
            words: node["description"]?.string ?? "")
    }

    private func content(_ node: Node) -> [(media: String, shape: String)] {
        (node["content"]?.mapping.map(Array.init) ?? []).map { media, value in
            (media.string ?? "", value["schema"].map { shape($0) } ?? "")
        }
    }

    /// A schema in a few words: the name of a shape, a type with its format and bounds, the values there are.
    private func shape(_ schema: Node, depth: Int = 0) -> String {
        if let reference = schema["$ref"]?.string { return String(reference.split(separator: "/").last ?? "") }
        guard depth < Self.depthMax else { return "…" }
        if let values = schema["enum"]?.sequence {
            return values.map { $0.scalar?.string ?? "" }.joined(separator: " | ")
        }
        for (key, sign) in [("oneOf", " | "), ("anyOf", " | "), ("allOf", " & ")] {
            guard let choices = schema[key]?.sequence else { continue }
            return choices.map { shape($0, depth: depth + 1) }.joined(separator: sign)
        }
        let types =
            schema["type"]?.sequence.map { $0.compactMap(\.string).joined(separator: " | ") }
            ?? schema["type"]?.string ?? ""
        if types == "array" { return "[ \(schema["items"].map { shape($0, depth: depth + 1) } ?? "") ]" }
        var words = [types]
        if let format = schema["format"]?.string { words.append(format) }
        for (key, sign) in [("minimum", "≥"), ("maximum", "≤"), ("maxLength", "≤"), ("default", "=")] {
            if let bound = schema[key]?.scalar?.string { words.append("\(sign) \(bound)") }
        }
        return words.filter { !$0.isEmpty }.joined(separator: " ")
    }

    private func resolved(_ node: Node) -> Node {
        var node = node
        for _ in 0..<Self.hopsMax {
            guard let reference = node["$ref"]?.string, reference.hasPrefix("#/") else { return node }
            var place: Node? = root
            for name in reference.dropFirst(2).split(separator: "/") { place = place?[String(name)] }
            guard let place else { return node }
            node = place
        }
        return node
    }
}
