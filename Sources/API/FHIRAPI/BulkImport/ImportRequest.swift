import Access
import Basics
import Cryptography
import FHIRModel
import FHIRResources
import Workflow

/// What a kick-off asks for: the input list of the Bulk Data Import proposal as JSON, or the same, or the export of another
/// server, as Parameters. github.com/smart-on-fhir/bulk-import import-manifest.md, import-pnp.md.
struct ImportRequest: Sendable, Hashable {
    /// In the order in which they are read: what others refer to first, whichever order they were sent in.
    private(set) var inputs: [ImportInput] = []
    /// The base of the server that the resources are from, with a slash at its end.
    private(set) var source: String?
    private(set) var manifestURL: String?
    private(set) var ids = ImportJob.IDRule.keep

    private static let formats: Set<String> = ["application/fhir+ndjson", "application/ndjson", "ndjson"]

    /// Throws ``InteractionError``, saying which member is meant.
    init(_ document: JSONDocument, inputsMax: Int, isLenient: Bool) throws {
        let root = JSONValue(document)
        guard root.object != nil else { throw InteractionError(.malformed, "what is posted to $import is an object") }
        var listed: [(type: String, url: String)] = []
        for (name, value) in try Self.members(root) {
            switch name {
            case "inputFormat":
                guard let text = value.string, Self.formats.contains(text) else {
                    throw InteractionError(.unsupported, "inputFormat must be application/fhir+ndjson")
                }
            case "inputSource": source = try Self.base(value)
            case "storageDetail":
                guard (value["type"]?.string ?? "https") == "https" else {
                    throw InteractionError(.unsupported, "storageDetail.type must be https: files are fetched by it")
                }
            case "input":
                for item in value.array ?? [value] {
                    guard listed.count < inputsMax else {
                        throw InteractionError(.unsupported, "more than \(inputsMax) files in one import")
                    }
                    listed.append(try Self.input(item))
                }
            case "exportUrl": manifestURL = try Self.url(value, name)
            case "exportType":
                guard value.string == "static" else {
                    throw InteractionError(
                        .unsupported,
                        "exportType must be static: exportUrl is where an export's manifest is, or will be")
                }
            case "ids":
                guard let rule = value.string.flatMap(ImportJob.IDRule.init(rawValue:)) else {
                    throw InteractionError(.unsupported, "ids must be keep or mapped")
                }
                ids = rule
            default:
                if !isLenient {
                    throw InteractionError(
                        .unsupported,
                        "$import takes inputFormat, inputSource, storageDetail, input, exportUrl, exportType and ids")
                }
            }
        }
        guard listed.isEmpty != (manifestURL == nil) else {
            throw InteractionError(.malformed, "an import has either input, with one file or more, or exportUrl")
        }
        if ids == .mapped, source == nil {
            throw InteractionError(.malformed, "ids are mapped by their inputSource, which is missing")
        }
        inputs = try Self.inOrder(listed)
    }

    /// Of a command. Throws `.malformed` for a file that is named twice, and for a source that is none.
    init(_ files: [(type: String, url: String)], manifestURL: String?, source: String?, ids: ImportJob.IDRule) throws {
        inputs = try Self.inOrder(files)
        self.source = try source.map { try Self.base(.string($0)) }
        self.manifestURL = manifestURL
        self.ids = ids
        guard ids == .keep || source != nil else {
            throw InteractionError(.malformed, "ids are mapped by their source, which is missing")
        }
    }

    /// The files in the order in which they are read. Throws `.malformed` for one that is named twice.
    static func inOrder(_ listed: [(type: String, url: String)]) throws -> [ImportInput] {
        var known: Set<String> = []
        for item in listed where !known.insert(item.url).inserted {
            throw InteractionError(.malformed, "one file is named twice")
        }
        let sorted = listed.enumerated().sorted {
            (FedTypes.place($0.element.type), $0.offset) < (FedTypes.place($1.element.type), $1.offset)
        }
        return sorted.enumerated().map { place, item in
            ImportInput(place: place, url: item.element.url, type: item.element.type)
        }
    }

    /// The types that are named, each once, in the order of the files.
    var types: [String] {
        var seen: Set<String> = []
        return inputs.map(\.type).filter { seen.insert($0).inserted }
    }

    /// Tells what is asked for and by whom.
    func key(of ownerID: String) -> String {
        var parts = [ownerID, source ?? "", manifestURL ?? "", ids.rawValue]
        for input in inputs { parts += [input.type, input.url] }
        // No part holds what parts them: URLs are without control characters, and so is the name of a client.
        return Hexadecimal.encode(SHA256.digest(Array(parts.joined(separator: "\u{0}").utf8)))
    }

    // MARK: details

    /// Members of the object, or the parameters of Parameters, whose parts are members of an object.
    private static func members(_ root: JSONValue) throws -> [(String, JSONValue)] {
        guard let type = root["resourceType"] else {
            return (root.object?.members ?? []).map { ($0.name, $0.value) }
        }
        guard type.string == "Parameters" else {
            throw InteractionError(.mismatch, "what is posted to $import is a list of input or Parameters")
        }
        return try (root["parameter"]?.array ?? []).map { parameter in
            guard let name = parameter["name"]?.string else {
                throw InteractionError(.malformed, "a parameter has no name")
            }
            return (name, try value(of: parameter))
        }
    }

    private static func value(of parameter: JSONValue) throws -> JSONValue {
        if let parts = parameter["part"]?.array {
            return .object(
                JSONObject(
                    try parts.map { part in (part["name"]?.string ?? "", try value(of: part)) }))
        }
        for member in parameter.object?.members ?? [] where member.name.hasPrefix("value") {
            if let code = member.value["code"] { return code }
            return member.value
        }
        throw InteractionError(.malformed, "a parameter has neither a value nor parts")
    }

    private static func input(_ item: JSONValue) throws -> (type: String, url: String) {
        guard let type = item["type"]?.string ?? item["resourceType"]?.string,
            FHIRDefinitions.r4.isResourceType(type)
        else { throw InteractionError(.malformed, "input.type must be a resource type") }
        return (type, try url(item["url"] ?? .null, "input.url"))
    }

    private static func url(_ value: JSONValue, _ name: String) throws -> String {
        guard let text = value.string else { throw InteractionError(.malformed, "\(name) must be a URL") }
        do throws(OutboundRefusal) { _ = try OutboundURL(text) } catch {
            throw InteractionError(.malformed, "\(name): \(error.rawValue)")
        }
        return text
    }

    private static func base(_ value: JSONValue) throws -> String {
        guard let text = value.string, (1...2048).contains(text.utf8.count), text.contains(":"),
            text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        else { throw InteractionError(.malformed, "inputSource must be an absolute URI") }
        return text.hasSuffix("/") ? text : text + "/"
    }
}
