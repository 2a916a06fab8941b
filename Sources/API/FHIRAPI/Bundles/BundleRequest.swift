import Access
import FHIRModel
import FHIRResources
import HTTPSupport
import HTTPTypes

/// A Bundle of requests, read: its entries with the interactions they ask for. FHIR R4 http.html#transaction, bundle.html.
struct BundleRequest: Sendable {
    enum Kind: String, Sendable {
        case batch, transaction
    }

    struct Entry: Sendable {
        /// In the Bundle, from 0.
        let index: Int
        let fullURL: String?
        let interaction: Interaction
        let call: FHIRCall
    }

    let kind: Kind
    /// What each entry asks for, or why that cannot be known.
    let entries: [Result<Entry, ChangeSet.Refusal>]

    /// Reads a Bundle. Throws ``InteractionError`` and ``OutcomeError`` for what concerns it as a whole.
    /// - Parameters:
    ///   - call: that brought the Bundle; its rights and preferences are those of every entry.
    ///   - baseURL: an entry's absolute URL must be below it.
    init(_ bundle: JSONDocument, of call: FHIRCall, baseURL: String, limits: FHIRLimits) throws {
        guard bundle["resourceType"]?.string == "Bundle" else {
            throw InteractionError(.mismatch, "what is posted to the base is a Bundle")
        }
        guard let kind = bundle["type"]?.string.flatMap(Kind.init(rawValue:)) else {
            throw InteractionError(.invalid, "a Bundle that is posted to the base is a batch or a transaction")
        }
        self.kind = kind
        let nodes = bundle["entry"]
        guard nodes == nil || nodes?.kind == .array else {
            throw InteractionError(.invalid, "Bundle.entry must be an array")
        }
        guard (nodes?.count ?? 0) <= limits.bundleEntriesMax else {
            throw OutcomeError(
                status: 413,
                outcome: OperationOutcome(
                    .error, .tooCostly, details: "a Bundle of at most \(limits.bundleEntriesMax) entries is taken"))
        }
        entries = (nodes.map { Array($0.elements) } ?? []).enumerated().map { index, node in
            do { return .success(try Entry(node, index, of: call, baseURL: baseURL)) } catch {
                return .failure(ChangeSet.Refusal(index: index, cause: error))
            }
        }
    }
}

extension BundleRequest.Entry {
    /// Throws ``InteractionError`` and ``HTTPFailure``.
    fileprivate init(_ node: JSONNode, _ index: Int, of call: FHIRCall, baseURL: String) throws {
        guard node.kind == .object, let request = node["request"], request.kind == .object else {
            throw InteractionError(.invalid, "an entry of a batch or transaction needs a request")
        }
        let name = request["method"]?.string ?? ""
        guard ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"].contains(name), let sent = HTTPRequest.Method(name)
        else {
            throw InteractionError(.invalid, "request.method must be GET, HEAD, POST, PUT, PATCH or DELETE")
        }
        guard var url = request["url"]?.string, !url.isEmpty else {
            throw InteractionError(.invalid, "request.url is missing")
        }
        if url.hasPrefix(baseURL + "/") { url.removeFirst(baseURL.utf8.count + 1) }
        guard !url.hasPrefix("/"),
            !url.contains("://") || url.firstIndex(of: "?").map({ url[..<$0].contains("://") }) == false
        else {
            throw InteractionError(.invalid, "request.url must be relative to the base, or below it")
        }
        let mark = url.firstIndex(of: "?")
        let path = String(url[..<(mark ?? url.endIndex)])
        let query = mark.map { String(url[url.index(after: $0)...]) } ?? ""
        let (interaction, parameters) = try Interaction.at(path, sent == .head ? .get : sent)
        guard interaction.isForEntries else {
            throw HTTPFailure(.notImplemented, "\(interaction.name) is asked for by itself, not in a Bundle")
        }
        var body: [UInt8] = []
        if interaction.isChange, interaction.hasBody {
            guard let resource = node["resource"], resource.kind == .object else {
                throw InteractionError(.invalid, "an entry of this method needs a resource")
            }
            body = Array(resource.rawBytes)
        }
        self.index = index
        fullURL = node["fullUrl"]?.string
        self.interaction = interaction
        self.call = FHIRCall(
            parameters: parameters, path: path,
            query: try QueryParameters(query, plusIsSpace: true).map { ($0.name, $0.value) }, rawQuery: query,
            headers: Self.headers(request, of: call), body: body, access: call.access)
    }

    /// What the entry's request says as a request by itself says it in its head. FHIR R4 http.html#transaction.
    private static func headers(_ request: JSONNode, of call: FHIRCall) -> HTTPFields {
        var headers = HTTPFields()
        for value in call.headers[values: .prefer] { headers.append(HTTPField(name: .prefer, value: value)) }
        for (member, name) in [
            ("ifMatch", HTTPField.Name.ifMatch), ("ifNoneMatch", .ifNoneMatch), ("ifNoneExist", .ifNoneExist),
        ] {
            if let text = request[member]?.string { headers[name] = text }
        }
        if let text = request["ifModifiedSince"]?.string, let time = FHIRDateTime(text, as: .instant) {
            let seconds = time.range().lower / 1_000_000
            headers[.ifModifiedSince] = HTTPDate.text(secondsSince1970: seconds)
        }
        return headers
    }
}
