import Access
import FHIRModel
import FHIRResources
import FHIRSearch
import HTTPSupport
import HTTPTypes

/// One call of an interaction, from a request of its own or an entry of a Bundle: after authentication, its path read.
package struct FHIRCall: Sendable {
    /// What the segments of the interaction's template stand for.
    package var parameters: PathParameters
    /// Below the base, for the audit trail.
    package var path: String
    /// The query, decoded, in order, repeats kept.
    package var query: [(name: String, value: String)]
    /// The query as it stood in the URL, for the audit trail and the export's `request`.
    package var rawQuery: String
    /// The header fields as sent; of an entry of a Bundle, what its `request` says in place of them.
    package var headers: HTTPFields
    /// The whole body, within the limit of the listener; empty without one.
    package var body: [UInt8]
    /// The caller's rights.
    package var access: AccessContext

    /// Also for calls without a socket, hence the defaults.
    package init(
        parameters: PathParameters = PathParameters(), path: String = "",
        query: [(name: String, value: String)] = [], rawQuery: String = "", headers: HTTPFields = [:],
        body: [UInt8] = [], access: AccessContext
    ) {
        self.parameters = parameters
        self.path = path
        self.query = query
        self.rawQuery = rawQuery
        self.headers = headers
        self.body = body
        self.access = access
    }

    func first(_ name: String) -> String? { query.first { $0.name == name }?.value }

    var conditions: ReadConditions { ReadConditions(headers) }

    var preferences: Preferences { Preferences(headers[values: .prefer]) }

    /// The resource type of the path. Throws `.notFound` for what is none, 501 for an operation.
    func type() throws -> String {
        let name = parameters["type"]
        if name.hasPrefix("$") { throw FHIRErrorBody.noOperation([name]) }
        guard FHIRDefinitions.r4.isResourceType(name) else {
            throw InteractionError(.notFound, "there is no resource type of this name in FHIR R4")
        }
        return name
    }

    /// The logical id of the path. Throws `.malformed` for what can be none, 501 for an operation.
    func id() throws -> String {
        let text = parameters["id"]
        if text.hasPrefix("$") { throw FHIRErrorBody.noOperation([parameters["type"], text]) }
        guard Self.isLegalID(text) else {
            throw InteractionError(.malformed, "an id has 1 to 64 letters, digits, dots and hyphens")
        }
        return text
    }

    /// FHIR R4 datatypes.html#id.
    static func isLegalID(_ text: String) -> Bool { PrimitiveFormat.isID(text) }

    /// What If-Match and If-None-Match ask of a write. A field that is no list of entity tags throws `.malformed`.
    func precondition() throws -> WritePrecondition {
        func tags(_ name: HTTPField.Name) throws -> WritePrecondition.Tags? {
            guard let text = headers[name] else { return nil }
            guard let tags = ETag.tags(text) else {
                throw InteractionError(.malformed, "\(name.rawName) must be * or entity tags, such as W/\"3\"")
            }
            return tags
        }
        return WritePrecondition(ifMatch: try tags(.ifMatch), ifNoneMatch: try tags(.ifNoneMatch))
    }
}
