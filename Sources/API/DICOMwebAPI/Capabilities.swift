import DICOMData
import DICOMTranslation
import HTTPSupport
import HTTPTypes
import Hummingbird
import NIOCore
import Synchronization
import Workflow

/// What the services can do, as a WADL document or the same in JSON: made of the routes that are served, so that it says
/// neither more nor less. A description is made once: anybody may ask for it, where connections are served.
/// PS3.18 §8.9, Annex H.
final class Capabilities: Sendable {
    static let wadl = MediaType(type: "application", subtype: "vnd.sun.wadl+xml")
    private static let json = MediaType(type: "application", subtype: "json")

    /// One resource and what lies below it.
    private struct Resource {
        /// A segment, of the first one all that lead to it; `{name}` for a parameter.
        var path: String
        var methods: [Operation] = []
        var resources: [Resource] = []

        mutating func add(_ operation: Operation, at segments: ArraySlice<Substring>) {
            guard let segment = segments.first else {
                methods.append(operation)
                return
            }
            let index =
                resources.firstIndex { $0.path == segment }
                ?? {
                    resources.append(Resource(path: String(segment)))
                    return resources.count - 1
                }()
            resources[index].add(operation, at: segments.dropFirst())
        }
    }

    /// A method of a resource.
    struct Operation: Sendable, Hashable {
        let method: String
        let id: String
        /// What an answer is had as, the default first.
        let types: [String]
        let parameters: [String]
    }

    /// Absolute, without a slash at its end.
    let baseURL: String
    /// The templates below the base, with what they do.
    private let operations: [(template: [Substring], operation: Operation)]
    /// By template and form: as many as there are routes, at most twice.
    private let made = Mutex<[String: ByteBuffer]>([:])

    /// - Parameters:
    ///   - prefix: of all templates; what stands behind it is below `baseURL`.
    init(baseURL: String, prefix: String, routes: [Route]) {
        self.baseURL = baseURL
        operations = routes.map { route in
            (
                route.template.dropFirst(prefix.count).split(separator: "/"),
                Operation(
                    method: route.method.rawValue, id: route.operationID,
                    types: CapabilityTable.types(of: route.operationID),
                    parameters: CapabilityTable.parameters(of: route.operationID))
            )
        }
    }

    /// The description of what is at a path below the base and of all below it; of everything at the base. Throws
    /// `.notAcceptable`, which lists the two forms.
    ///
    /// - Parameter segments: of the path below the base, as sent.
    func response(at segments: [Substring], accept: String?) throws(HTTPFailure) -> Response {
        guard let form = AcceptHeader(accept).best(of: [Self.wadl, Self.json]) else {
            throw HTTPFailure(.notAcceptable, "available: \(Self.wadl.essence), \(Self.json.essence)")
        }
        let target = template(of: segments)
        let key = "\(form.essence) \(target.joined(separator: "/"))"
        if let known = made.withLock({ $0[key] }) { return .buffer(known, contentType: form.essence) }
        let root = root(at: target)
        let bytes = ByteBuffer(bytes: form == Self.json ? text(root) : Array(document(root).utf8))
        made.withLock { $0[key] = bytes }
        return .buffer(bytes, contentType: form.essence)
    }

    private func root(at target: [Substring]) -> Resource {
        var root = Resource(path: "")
        if target.isEmpty {
            for entry in operations where !entry.template.isEmpty { root.add(entry.operation, at: entry.template[...]) }
        } else {
            var resource = Resource(path: target.joined(separator: "/"))
            for entry in operations where entry.template.starts(with: target) {
                resource.add(entry.operation, at: entry.template.dropFirst(target.count))
            }
            root.resources = [resource]
        }
        return root
    }

    /// The template that a path is of, with the fewest parameters where there are several; none for an unknown one.
    private func template(of segments: [Substring]) -> [Substring] {
        operations.map(\.template).filter { template in
            template.count == segments.count
                && zip(template, segments).allSatisfy { $0.hasPrefix("{") || $0 == $1 }
        }.min { Self.parameterCount($0) < Self.parameterCount($1) } ?? []
    }

    private static func parameterCount(_ template: [Substring]) -> Int { template.count { $0.hasPrefix("{") } }

    // MARK: WADL

    private func document(_ root: Resource) -> String {
        var text = """
            <?xml version="1.0" encoding="UTF-8"?>
            <application xmlns="http://wadl.dev.java.net/2009/02" xmlns:xs="http://www.w3.org/2001/XMLSchema">
            <resources base="\(Self.quoted(baseURL))">

            """
        for resource in root.resources { Self.write(resource, to: &text) }
        return text + "</resources>\n</application>\n"
    }

    private static func write(_ resource: Resource, to text: inout String) {
        text += "<resource path=\"\(quoted(resource.path))\">\n"
        for name in parameterNames(resource.path) {
            text += "<param name=\"\(quoted(name))\" style=\"template\" type=\"xs:string\" required=\"true\"/>\n"
        }
        for operation in resource.methods {
            text += "<method name=\"\(operation.method)\" id=\"\(quoted(operation.id))\">\n<request>\n"
            if let first = operation.types.first {
                text += "<param name=\"Accept\" style=\"header\" type=\"xs:string\" default=\"\(quoted(first))\">\n"
                for type in operation.types { text += "<option value=\"\(quoted(type))\"/>\n" }
                text += "</param>\n"
            }
            for name in operation.parameters {
                text += "<param name=\"\(quoted(name))\" style=\"query\" type=\"xs:string\"/>\n"
            }
            text += "</request>\n<response>\n"
            for type in operation.types { text += "<representation mediaType=\"\(quoted(type))\"/>\n" }
            text += "</response>\n</method>\n"
        }
        for child in resource.resources { write(child, to: &text) }
        text += "</resource>\n"
    }

    private static func parameterNames(_ path: String) -> [String] {
        path.split(separator: "/").filter { $0.hasPrefix("{") }.map { String($0.dropFirst().dropLast()) }
    }

    private static func quoted(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing("\"", with: "&quot;")
    }

    // MARK: JSON

    private func text(_ root: Resource) -> [UInt8] {
        var json = JSONText()
        json.object { json in
            json.object("application") { json in
                json.object("resources") { json in
                    json.member("base", baseURL)
                    json.array("resource") { json in for child in root.resources { Self.write(child, to: &json) } }
                }
            }
        }
        return json.bytes
    }

    private static func write(_ resource: Resource, to json: inout JSONText) {
        json.object { json in
            json.member("path", resource.path)
            json.array("method") { json in
                for operation in resource.methods {
                    json.object { json in
                        json.member("name", operation.method)
                        json.member("id", operation.id)
                        json.member("accept", operation.types)
                        json.member("query", operation.parameters)
                    }
                }
            }
            json.array("resource") { json in for child in resource.resources { write(child, to: &json) } }
        }
    }
}

/// What the operations answer with and are asked by. PS3.18 Annex H.
enum CapabilityTable {
    private static let sets = [
        "application/dicom+json", "application/json", "multipart/related; type=\"application/dicom+xml\"",
    ]
    private static let pictures = ["image/jpeg", "image/png", "image/gif"]

    /// Media types of an operation's answers, the default first; none for what answers by its status alone.
    static func types(of operationID: String) -> [String] {
        switch operationID {
        case _ where operationID.hasPrefix("search") || operationID.hasSuffix("Metadata"): sets
        case "retrieveWorkitem": sets
        case "storeInstances", "storeStudyInstances": ["application/dicom+json", "application/dicom+xml"]
        case "retrieveStudy", "retrieveSeries":
            ["multipart/related; type=\"application/dicom\"; transfer-syntax=*", "application/zip"]
        case "retrieveInstance":
            [
                "multipart/related; type=\"application/dicom\"; transfer-syntax=*",
                "application/dicom; transfer-syntax=*", "application/zip",
            ]
        case "retrieveFrames", "retrieveBulkData", "retrievePixelData":
            ["multipart/related; type=\"application/octet-stream\"", "application/octet-stream"]
                + DICOMwebMediaType.frameDefaults.map { "multipart/related; type=\"\($0.mediaType)\"" }
        case _ where operationID.hasPrefix("retrieveRendered"):
            pictures + ["text/html", "text/plain", "application/pdf"]
        case _ where operationID.hasSuffix("Thumbnail"): pictures
        case "retrieveByURI": pictures + ["application/dicom", "text/html", "text/plain", "application/pdf"]
        default: []
        }
    }

    /// Names of an operation's query parameters.
    static func parameters(of operationID: String) -> [String] {
        switch operationID {
        case "searchStudies": searching + keys { $0 == .study }
        case "searchSeries", "searchStudySeries": searching + keys { $0 != .instance }
        case "searchInstances", "searchStudyInstances", "searchSeriesInstances": searching + keys { _ in true }
        case "searchWorkitems": searching
        case _ where operationID.hasPrefix("retrieveRendered"):
            ["accept", "annotation", "iccprofile", "quality", "viewport", "window"]
        case _ where operationID.hasSuffix("Thumbnail"): ["accept", "viewport"]
        case "retrieveByURI": URIQuery.names
        case _ where operationID.hasPrefix("retrieve"): ["accept"]
        default: []
        }
    }

    private static let searching = [
        "accept", "emptyvaluematching", "fuzzymatching", "includefield", "limit", "multiplevaluematching", "offset",
    ]

    private static func keys(_ isIncluded: (StudyQueryLevel) -> Bool) -> [String] {
        QueryKeys.matchable.filter { isIncluded($0.level) }.compactMap { DataDictionary.keyword($0.tag) }
    }
}

extension RouteGroup {
    /// The same with the description of its routes: by OPTIONS of the prefix, and of whatever they end at. PS3.18 §8.9.
    func described(baseURL: String) -> RouteGroup {
        let (prefix, form) = (prefix, errorBody)
        let capabilities = Capabilities(baseURL: baseURL, prefix: prefix, routes: routes)
        let base = Route(.options, prefix, operationID: "retrieveCapabilities", access: .open) { request in
            var response = try capabilities.response(at: [], accept: request.headers[.accept])
            response.headers[.allow] = "OPTIONS"
            return response
        }
        return RouteGroup(
            name: name, prefix: prefix, errorBody: form, routes: routes + [base],
            describe: { (path, accept) throws(HTTPFailure) in
                try capabilities.response(at: path.dropFirst(prefix.count).split(separator: "/"), accept: accept)
            })
    }
}
