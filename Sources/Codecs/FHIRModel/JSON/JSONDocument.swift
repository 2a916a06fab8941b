/// One JSON text, read strictly and kept as it was written: the bytes and a tape over them.
///
/// Nothing is converted: numbers stay text, members keep their order, unknown members are as present as known ones,
/// and `bytes` is exactly what was read. A copy shares its storage.
package struct JSONDocument: Sendable {
    final class Storage: Sendable {
        let bytes: [UInt8]
        let nodes: [JSONTapeNode]

        init(bytes: [UInt8], nodes: [JSONTapeNode]) {
            self.bytes = bytes
            self.nodes = nodes
        }
    }

    let storage: Storage

    /// Reads `bytes`.
    ///
    /// Throws at the first broken rule; see `JSONError.Reason`. RFC 8259, FHIR R4 json.html.
    package init(parsing bytes: [UInt8], limits: JSONLimits = .resource) throws(JSONError) {
        storage = Storage(bytes: bytes, nodes: try JSONReader.tape(of: bytes, limits: limits))
    }

    /// Reads the UTF-8 of `text`.
    package init(parsing text: String, limits: JSONLimits = .resource) throws(JSONError) {
        try self.init(parsing: Array(text.utf8), limits: limits)
    }

    /// Writes `value` compactly and reads it back, so that it can be navigated and stored like any other text.
    package init(_ value: JSONValue, limits: JSONLimits = .stored) throws(JSONError) {
        try self.init(parsing: JSONWriter.compact(value), limits: limits)
    }

    /// The text as it was read, byte for byte.
    package var bytes: [UInt8] { storage.bytes }

    /// The text's one value.
    package var root: JSONNode { JSONNode(storage: storage, index: 0) }

    /// The root's member called `name`; nil when the root is no object or has none.
    package subscript(name: String) -> JSONNode? { root[name] }
}
