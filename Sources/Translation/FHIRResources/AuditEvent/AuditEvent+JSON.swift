import Basics
import FHIRModel
import Workflow

extension AuditEvent {
    /// The event as a resource, in its only version.
    package var resource: StoredResource {
        StoredResource(
            type: Self.type, id: id, version: 1, lastUpdated: UTCInstant(microseconds: time), sequence: number,
            isDeleted: false, method: .create, bytes: JSONWriter.compact(json))
    }

    var json: JSONValue {
        object(
            id: .string(id),
            meta: [
                ("versionId", "1"), ("lastUpdated", Datatypes.instant(UTCInstant(microseconds: time))),
                ("profile", profile.map { .array([.string($0)]) }),
            ], references: "")
    }

    /// The event as another server is to create it, as UTF-8: without an id, with its place here as `meta.source`, by which
    /// one that came twice is known, and with references that lead here from anywhere. IHE ITI-20.
    package var toldElsewhere: [UInt8] {
        JSONWriter.compact(
            object(
                id: nil,
                meta: [
                    ("source", .string("\(base)/\(Self.type)/\(id)")),
                    ("profile", profile.map { .array([.string($0)]) }),
                ], references: base + "/"))
    }

    /// - Parameter references: what stands before type and id of a reference.
    private func object(
        id: JSONValue?, meta: [(String, JSONValue?)], references start: String
    ) -> JSONValue {
        let recorded = Datatypes.instant(UTCInstant(microseconds: time))
        return Datatypes.object([
            ("resourceType", .string(Self.type)),
            ("id", id),
            ("meta", Datatypes.object(meta)),
            ("type", Self.coding(type)),
            ("subtype", Datatypes.array(subtypes.map(Self.coding))),
            ("action", .string(action)),
            ("recorded", recorded),
            ("outcome", .string(outcome)),
            ("outcomeDesc", Datatypes.string(outcomeText)),
            (
                "purposeOfEvent",
                purpose.map { .array([Datatypes.object([("coding", .array([Self.coding($0)]))])]) }
            ),
            ("agent", .array(agents.map(Self.json))),
            (
                "source",
                Datatypes.object([
                    ("observer", Self.who(nil, base, "Hilum")),
                    (
                        "type",
                        .array([
                            Self.coding(
                                Code(
                                    "http://terminology.hl7.org/CodeSystem/security-source-type", "4",
                                    "Application Server"))
                        ])
                    ),
                ])
            ),
            ("entity", Datatypes.array(entities.map { Self.json($0, references: start) })),
        ])
    }

    private static func coding(_ code: Code) -> JSONValue {
        Datatypes.object([
            ("system", .string(code.system)), ("code", .string(code.code)), ("display", .string(code.display)),
        ])
    }

    private static func who(_ system: String?, _ value: String, _ display: String?) -> JSONValue {
        Datatypes.object([
            ("identifier", identifier(Identifier(system: system, value: value))),
            ("display", Datatypes.string(display)),
        ])
    }

    private static func identifier(_ identifier: Identifier) -> JSONValue {
        Datatypes.object([("system", Datatypes.string(identifier.system)), ("value", .string(identifier.value))])
    }

    private static func json(_ agent: Agent) -> JSONValue {
        Datatypes.object([
            ("type", Datatypes.object([("coding", .array([coding(agent.type)]))])),
            ("who", who(agent.identifierSystem, agent.identifierValue, agent.name)),
            ("name", Datatypes.string(agent.name)),
            ("requestor", .bool(agent.requestor)),
            ("policy", agent.tokenID.map { .array([.string("urn:ietf:params:oauth:jti:" + $0)]) }),
            (
                "network",
                agent.network.map { Datatypes.object([("address", .string($0.address)), ("type", .string($0.type))]) }
            ),
        ])
    }

    private static func json(_ entity: Entity, references start: String) -> JSONValue {
        var what: JSONValue?
        if let reference = entity.reference {
            let version = reference.version.map { "/_history/" + $0 } ?? ""
            what = Datatypes.object([("reference", .string("\(start)\(reference.type)/\(reference.id)\(version)"))])
        } else if let identifier = entity.identifier {
            what = Datatypes.object([("identifier", self.identifier(identifier))])
        }
        return Datatypes.object([
            ("what", what),
            ("type", coding(entity.type)),
            ("role", entity.role.map(coding)),
            ("name", Datatypes.string(entity.name)),
            ("query", entity.query.map { .string(Base64.encode(Array($0.utf8))) }),
        ])
    }
}
