/// Writes a Bundle piece by piece, copying each entry's stored bytes, so that a page is never held as a tree.
///
/// Call `init`, `append` for each entry, `finish`; between calls `takeBytes` drains what is ready for a stream.
/// FHIR R4 bundle.html.
package struct BundleWriter: Sendable {
    /// FHIR R4 valueset-bundle-type.html.
    package enum BundleType: String, Sendable, Hashable, CaseIterable {
        case document, message, transaction, batch, history, searchset, collection
        case transactionResponse = "transaction-response"
        case batchResponse = "batch-response"
    }

    /// Why an entry is in a searchset. FHIR R4 valueset-search-entry-mode.html.
    package enum SearchMode: String, Sendable, Hashable { case match, include, outcome }

    /// `Bundle.link`. FHIR R4 bundle.html#link.
    package struct Link: Sendable, Hashable {
        package var relation: String
        package var url: String

        package init(_ relation: String, _ url: String) {
            self.relation = relation
            self.url = url
        }
    }

    /// One entry. The resource's bytes must be one JSON object; they are copied as they stand.
    package struct Entry: Sendable {
        package var fullURL: String?
        package var resource: ArraySlice<UInt8>?
        package var searchMode: SearchMode?
        /// `request.method` and `request.url`, for a history. FHIR R4 http.html#history.
        package var request: (method: String, url: String)?
        package var response: Response?

        package init(
            fullURL: String? = nil, resource: ArraySlice<UInt8>? = nil, searchMode: SearchMode? = nil,
            request: (method: String, url: String)? = nil, response: Response? = nil
        ) {
            self.fullURL = fullURL
            self.resource = resource
            self.searchMode = searchMode
            self.request = request
            self.response = response
        }
    }

    /// `Bundle.entry.response`. FHIR R4 bundle-definitions.html#Bundle.entry.response.
    package struct Response: Sendable, Hashable {
        /// `201 Created` or the like, starting with the HTTP code.
        package var status: String
        package var location: String?
        /// Such as `W/"3"`.
        package var etag: String?
        /// An instant.
        package var lastModified: String?
        package var outcome: OperationOutcome?

        package init(
            status: String, location: String? = nil, etag: String? = nil, lastModified: String? = nil,
            outcome: OperationOutcome? = nil
        ) {
            self.status = status
            self.location = location
            self.etag = etag
            self.lastModified = lastModified
            self.outcome = outcome
        }
    }

    private var out: [UInt8] = []
    private var hasEntries = false

    /// Writes everything before the entries. `total` is the number of matches, not of entries (search.html#total).
    package init(
        type: BundleType, id: String? = nil, timestamp: String? = nil, total: Int? = nil, links: [Link] = []
    ) {
        out.reserveCapacity(16_384)
        put("{\"resourceType\":\"Bundle\"")
        if let id { member("id", id) }
        if let timestamp {
            put(",\"meta\":{\"lastUpdated\":")
            quote(timestamp)
            put("}")
        }
        member("type", type.rawValue)
        if let timestamp { member("timestamp", timestamp) }
        if let total { put(",\"total\":\(total)") }
        guard !links.isEmpty else { return }
        put(",\"link\":[")
        for (position, link) in links.enumerated() {
            put(position == 0 ? "{\"relation\":" : ",{\"relation\":")
            quote(link.relation)
            member("url", link.url)
            put("}")
        }
        put("]")
    }

    /// Writes one entry.
    package mutating func append(_ entry: Entry) {
        put(hasEntries ? ",{" : ",\"entry\":[{")
        hasEntries = true
        var mark = ""
        if let fullURL = entry.fullURL {
            put("\"fullUrl\":")
            quote(fullURL)
            mark = ","
        }
        if let resource = entry.resource {
            put(mark + "\"resource\":")
            out.append(contentsOf: resource)
            mark = ","
        }
        if let mode = entry.searchMode {
            put(mark + "\"search\":{\"mode\":\"\(mode.rawValue)\"}")
            mark = ","
        }
        if let request = entry.request {
            put(mark + "\"request\":{\"method\":")
            quote(request.method)
            member("url", request.url)
            put("}")
            mark = ","
        }
        if let response = entry.response { put(response, mark) }
        put("}")
    }

    /// Writes the end. Nothing may be appended after it.
    package mutating func finish() { put(hasEntries ? "]}" : "}") }

    /// The bytes written since the last call.
    package mutating func takeBytes() -> [UInt8] {
        defer { out.removeAll(keepingCapacity: true) }
        return out
    }

    /// Bytes waiting in `takeBytes`.
    package var pendingBytes: Int { out.count }

    private mutating func put(_ response: Response, _ mark: String) {
        put(mark + "\"response\":{\"status\":")
        quote(response.status)
        if let location = response.location { member("location", location) }
        if let etag = response.etag { member("etag", etag) }
        if let lastModified = response.lastModified { member("lastModified", lastModified) }
        if let outcome = response.outcome {
            put(",\"outcome\":")
            out.append(contentsOf: outcome.bytes)
        }
        put("}")
    }

    private mutating func put(_ text: String) { out.append(contentsOf: text.utf8) }
    private mutating func quote(_ text: String) { JSONWriter.appendString(text, to: &out) }
    private mutating func member(_ name: String, _ text: String) {
        put(",\"\(name)\":")
        quote(text)
    }
}
