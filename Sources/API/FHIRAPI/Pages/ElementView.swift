import FHIRModel
import HTTPSupport

/// A resource, or a part of one, as a list of its elements in the order of the definition, with their names as labels.
///
/// What the definitions do not know comes last; what a type says in one line is one line. Of hostile breadth and depth it
/// shows so much and says that there is more.
struct ElementView {
    /// Elements on one page.
    static let elementsMax = 4000
    /// Lists within lists.
    static let depthMax = 16
    /// Characters of one value.
    static let textMax = 4000

    let baseURL: String
    let language: PageLanguage
    private let definitions = FHIRDefinitions.r4
    private var count = 0

    init(baseURL: String, _ language: PageLanguage) {
        self.baseURL = baseURL
        self.language = language
    }

    /// The elements of a resource, without its type and its narrative.
    mutating func resource(_ object: JSONObject) -> HTML {
        let type = object["resourceType"]?.string ?? ""
        return .element(
            "div", [.init("class", "tree")], list(object, type: type, depth: 0, leaving: ["resourceType", "text"]),
            count > Self.elementsMax ? .element("p", [.init("class", "quiet")], language.html(.cutShort)) : .none)
    }

    /// One element by its name in the definition, in a line; nothing where there is none.
    mutating func cell(_ name: String, of object: JSONObject, type: String) -> HTML {
        let definition = definitions.type(named: type)
        for member in object.members where !member.name.hasPrefix("_") {
            guard let property = definition?.property(member.name), property.element.name == name else { continue }
            return value(member.value, type: property.type, depth: Self.depthMax - 2)
        }
        return .none
    }

    private mutating func list(
        _ object: JSONObject, type: String, depth: Int, leaving: Set<String>
    ) -> HTML {
        let definition = definitions.type(named: type)
        var items: [HTML] = []
        for member in ordered(object, definition) where !leaving.contains(member.name) {
            count += 1
            guard count <= Self.elementsMax else { break }
            let name = member.name.hasPrefix("_") ? String(member.name.dropFirst()) : member.name
            let itsType = member.name.hasPrefix("_") ? "Element" : definition?.property(name)?.type ?? ""
            items.append(.element("dt", [], .text(Self.label(name))))
            items.append(.element("dd", [], value(member.value, type: itsType, depth: depth + 1)))
        }
        return .element("dl", [], items)
    }

    /// Members by the place of their element in the definition; unknown ones behind, all else as they came.
    private func ordered(_ object: JSONObject, _ definition: TypeDefinition?) -> [JSONObject.Member] {
        guard let definition else { return object.members }
        let places = Dictionary(
            definition.elements.enumerated().map { ($0.element.name, $0.offset) },
            uniquingKeysWith: { first, _ in first })
        return object.members.enumerated().map { index, member in
            let name = member.name.hasPrefix("_") ? String(member.name.dropFirst()) : member.name
            let place = definition.property(name).flatMap { places[$0.element.name] } ?? Int.max
            return (place, index, member)
        }.sorted { ($0.0, $0.1) < ($1.0, $1.1) }.map(\.2)
    }

    private mutating func value(_ value: JSONValue, type: String, depth: Int) -> HTML {
        switch value {
        case .null: return .text(language[.nothingThere])
        case .bool(let isTrue): return .text(isTrue ? "true" : "false")
        case .number(let text): return .text(text)
        case .string(let text): return string(text, type: type)
        case .array(let items):
            guard depth < Self.depthMax else { return .text("…") }
            if items.count == 1 { return self.value(items[0], type: type, depth: depth) }
            var pieces: [HTML] = []
            for item in items {
                count += 1
                guard count <= Self.elementsMax else { break }
                pieces.append(.element("li", [], self.value(item, type: type, depth: depth + 1)))
            }
            return .element("ul", [.init("class", "plain")], pieces)
        case .object(let object):
            guard depth < Self.depthMax else { return .text("…") }
            // What is contained says itself what it is, and can be gone to.
            if let own = object["resourceType"]?.string {
                let content = list(object, type: own, depth: depth, leaving: ["text"])
                guard let id = object["id"]?.string, PrimitiveFormat.isID(id) else { return content }
                return .element("div", [.init("id", ElementText.anchor(id))], content)
            }
            guard let line = ElementText.line(object, type: type, baseURL) else {
                return list(object, type: type, depth: depth, leaving: [])
            }
            let isWhole = object.members.allSatisfy { line.told.contains($0.name) }
            return isWhole ? line.html : .all([line.html, list(object, type: type, depth: depth, leaving: line.told)])
        }
    }

    private func string(_ text: String, type: String) -> HTML {
        if type == "base64Binary" { return .text("\(text.utf8.count) \(language[.dataLeftOut])") }
        if text.utf8.count > Self.textMax {
            return .text(String(text.prefix(Self.textMax)) + language[.textCut])
        }
        return .text(text)
    }

    /// A member's name in words: `birthDate` is `Birth date`.
    private static func label(_ name: String) -> String {
        var words = ""
        for scalar in name.unicodeScalars.prefix(64) {
            if ("A"..."Z").contains(scalar) {
                words += " " + String(scalar).lowercased()
            } else {
                words.unicodeScalars.append(scalar)
            }
        }
        return words.prefix(1).uppercased() + words.dropFirst()
    }
}
