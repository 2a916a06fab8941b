import Foundation
import HTTPSupport
import Yams

/// One file of `openapi/`, as far as it is compared with the route table.
struct OpenAPIDocument {
    /// One method on one path.
    struct Operation: Hashable {
        var method: String
        var template: String
        var operationID: String
        var requiresToken: Bool

        var line: String { "\(method) \(template) \(operationID)\(requiresToken ? "" : " open")" }
    }

    /// A document without content.
    struct Empty: Error { let name: String }

    static let methods = ["get", "put", "post", "delete", "options", "head", "patch", "trace"]

    /// The file's name without `.yaml`: the name of its route group.
    let name: String
    private let root: Node

    /// The folder beside `Sources` and `Tests`.
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "openapi")

    /// The names of all documents, sorted.
    static func names() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path)
            .filter { $0.hasSuffix(".yaml") }.map { String($0.dropLast(5)) }.sorted()
    }

    init(name: String) throws {
        try self.init(
            name: name, yaml: String(contentsOf: Self.folder.appending(path: name + ".yaml"), encoding: .utf8))
    }

    init(name: String, yaml: String) throws {
        self.name = name
        guard let root = try Yams.compose(yaml: yaml) else { throw Empty(name: name) }
        self.root = root
    }

    var version: String? { root["openapi"]?.string }

    /// Every operation, in the order of the file.
    var operations: [Operation] {
        let isOpenByDefault = root["security"]?.sequence?.isEmpty ?? true
        return places.map { method, template, node in
            let isOpen = node["security"]?.sequence?.isEmpty ?? isOpenByDefault
            return Operation(
                method: method.uppercased(), template: template, operationID: node["operationId"]?.string ?? "",
                requiresToken: !isOpen)
        }
    }

    /// Operations whose declared path parameters are not those of their template.
    var parameterFindings: [String] {
        places.compactMap { method, template, node in
            let item = root["paths"]?[Node(template)]
            let declared =
                ((item?["parameters"]?.sequence).map(Array.init) ?? [])
                + ((node["parameters"]?.sequence).map(Array.init) ?? [])
            let names = declared.map(resolved).filter { $0["in"]?.string == "path" }.compactMap { $0["name"]?.string }
                .sorted()
            let wanted = template.split(separator: "/").filter { $0.hasPrefix("{") }.map {
                String($0.dropFirst().dropLast())
            }.sorted()
            return names == wanted ? nil : "\(method) \(template): declares \(names), the template has \(wanted)"
        }
    }

    /// Operations without a summary, or without an answer for success and for refusal.
    var answerFindings: [String] {
        places.flatMap { method, template, node -> [String] in
            let codes = node["responses"]?.mapping?.keys.compactMap { $0.string } ?? []
            var found: [String] = []
            if (node["summary"]?.string ?? "").isEmpty { found.append("\(method) \(template): no summary") }
            // A form may lead on: 303 is its success, and 101 that of a WebSocket.
            if !codes.contains(where: { $0.hasPrefix("2") || $0 == "303" || $0 == "101" }) {
                found.append("\(method) \(template): no answer of success")
            }
            if !codes.contains("default") { found.append("\(method) \(template): no default answer") }
            return found
        }
    }

    /// `$ref`s that lead nowhere in this file.
    var brokenReferences: [String] {
        var found: Set<String> = []
        members { name, value in
            if name == "$ref", let text = value.string, target(text) == nil { found.insert(text) }
        }
        return found.sorted()
    }

    /// Names without a value: the second half of a text that YAML cut at a comma.
    var emptyMembers: [String] {
        var found: [String] = []
        members { name, value in if value.null != nil { found.append(name) } }
        return found
    }

    private func members(_ visit: (String, Node) -> Void) {
        func walk(_ node: Node) {
            if let mapping = node.mapping {
                for (key, value) in mapping {
                    visit(key.string ?? "", value)
                    walk(value)
                }
            } else if let sequence = node.sequence {
                for value in sequence { walk(value) }
            }
        }
        walk(root)
    }

    private var places: [(method: String, template: String, node: Node)] {
        (root["paths"]?.mapping).map { paths in
            paths.flatMap { path, item in
                (item.mapping).map { methods in
                    methods.compactMap { key, node in
                        Self.methods.contains(key.string ?? "") ? (key.string ?? "", path.string ?? "", node) : nil
                    }
                } ?? []
            }
        } ?? []
    }

    private func resolved(_ node: Node) -> Node {
        node["$ref"]?.string.flatMap(target) ?? node
    }

    /// The place of `#/a/b`. RFC 6901.
    private func target(_ reference: String) -> Node? {
        guard reference.hasPrefix("#/") else { return nil }
        var node = root
        for part in reference.dropFirst(2).split(separator: "/") {
            let name = part.replacing("~1", with: "/").replacing("~0", with: "~")
            guard let next = node[Node(String(name))] ?? node[String(name)] else { return nil }
            node = next
        }
        return node
    }
}
