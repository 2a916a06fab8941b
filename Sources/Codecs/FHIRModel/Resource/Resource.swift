/// One FHIR R4 resource: its JSON as it was written, and the few elements that every resource has.
///
/// Whatever this type does not name is in `document`, in the order and spelling of its author. FHIR R4 resource.html.
package struct Resource: Sendable {
    package let document: JSONDocument
    /// The type's name, one of `FHIRDefinitions.r4.resourceTypes`.
    package let resourceType: String

    /// Takes a document that has been read; throws unless it is an object with a known resourceType, an id that is
    /// absent or legal, and a meta that is absent or an object.
    package init(_ document: JSONDocument) throws(ResourceError) {
        guard document.root.kind == .object else { throw .notAnObject }
        guard let type = document["resourceType"]?.string else { throw .missingResourceType }
        guard FHIRDefinitions.r4.isResourceType(type) else { throw .unknownResourceType }
        if let id = document["id"] {
            guard let text = id.stringBytes, PrimitiveFormat.isID(text) else { throw .invalidID }
        }
        if let meta = document["meta"], meta.kind != .object { throw .invalidMeta }
        self.document = document
        resourceType = type
    }

    /// Reads bytes received from a client, or, with `.stored`, the server's own.
    package init(parsing bytes: [UInt8], limits: JSONLimits = .resource) throws(ResourceError) {
        let document: JSONDocument
        do throws(JSONError) {
            document = try JSONDocument(parsing: bytes, limits: limits)
        } catch {
            throw .json(error)
        }
        try self.init(document)
    }

    /// Writes a tree compactly and takes it as a resource.
    package init(_ value: JSONValue) throws(ResourceError) {
        try self.init(parsing: JSONWriter.compact(value), limits: .stored)
    }

    /// The resource's bytes as they were read.
    package var bytes: [UInt8] { document.bytes }
    package var root: JSONNode { document.root }
    /// The member of the root called `name`.
    package subscript(name: String) -> JSONNode? { document[name] }

    /// The logical id; nil before the server has given one. FHIR R4 resource.html#id.
    package var id: String? { document["id"]?.string }
    package var meta: JSONNode? { document["meta"] }
    /// `meta.versionId`. FHIR R4 resource.html#Meta.
    package var versionID: String? { meta?["versionId"]?.string }
    /// `meta.lastUpdated` as text; an instant. FHIR R4 resource.html#Meta.
    package var lastUpdated: String? { meta?["lastUpdated"]?.string }
    /// `Type/id`; nil without an id.
    package var reference: String? { id.map { "\(resourceType)/\($0)" } }
}
