import FHIRModel
import FHIRResources
import FHIRSearch
import HTTPTypes
import Workflow

/// `/metadata`: made once at start from the definitions that the interactions themselves use. FHIR R4 http.html#capabilities.
struct CapabilityStatement: Sendable {
    private let bytes: [UInt8]
    /// Changes whenever the statement does.
    private let tag: String

    init(
        baseURL: String, oauth: OAuthEndpoints, softwareVersion: String, date: UTCInstant,
        conditionalDelete: ConditionalDelete
    ) {
        bytes = JSONWriter.compact(
            Self.statement(
                baseURL: baseURL, oauth: oauth, softwareVersion: softwareVersion, date: date,
                conditionalDelete: conditionalDelete))
        // FNV-1a; nobody gains by a collision with the server's own words.
        let digest = bytes.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        tag = String(digest, radix: 16)
    }

    /// The statement, or 304 for whoever has it. FHIR R4 http.html#capabilities, RFC 9110 §13.1.2.
    func response(to request: FHIRCall) -> FHIRResponse {
        // It holds no health data: it may be kept, and is asked for again.
        let headers = [("ETag", "W/\"\(tag)\""), ("Cache-Control", "no-cache")]
        if let tags = request.headers[.ifNoneMatch], ETag.list(tags, holds: tag) {
            return FHIRResponse(304, headers: headers)
        }
        return .json(200, bytes, headers: headers)
    }

    static let interactions = [
        "read", "vread", "update", "patch", "delete", "history-instance", "history-type", "create", "search-type",
    ]

    private static func statement(
        baseURL: String, oauth: OAuthEndpoints, softwareVersion: String, date: UTCInstant,
        conditionalDelete: ConditionalDelete
    ) -> JSONValue {
        let definitions = FHIRDefinitions.r4
        let rest: JSONValue = [
            "mode": "server",
            "security": [
                "extension": [oauth.json],
                "service": [
                    [
                        "coding": [
                            [
                                "system": "http://terminology.hl7.org/CodeSystem/restful-security-service",
                                "code": "SMART-on-FHIR",
                            ]
                        ]
                    ]
                ],
            ],
            "resource": .array(definitions.resourceTypes.map { resource($0, conditionalDelete, definitions) }),
            "interaction": [["code": "transaction"], ["code": "batch"], ["code": "history-system"]],
            "operation": [
                [
                    "name": "export", "definition": "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/export",
                ],
                // A proposal that has no OperationDefinition of its own.
                ["name": "import", "definition": "https://github.com/smart-on-fhir/bulk-import"],
            ],
        ]
        return [
            "resourceType": "CapabilityStatement",
            "status": "active",
            "date": .string(date.instantText),
            "publisher": "Hilum",
            "kind": "instance",
            "instantiates": ["http://hl7.org/fhir/uv/bulkdata/CapabilityStatement/bulk-data"],
            "software": ["name": "Hilum", "version": .string(softwareVersion)],
            "implementation": ["description": "Hilum FHIR R4 server", "url": .string(baseURL)],
            "fhirVersion": "4.0.1",
            "format": ["json", "application/fhir+json"],
            "patchFormat": ["application/json-patch+json", "application/fhir+json"],
            "rest": [rest],
        ]
    }

    /// The exports that are asked for at a type or one of its resources. Bulk Data 2.0 §Server Capability Documentation.
    private static let exports = ["Patient": "patient-export", "Group": "group-export"]

    private static func resource(
        _ type: String, _ conditionalDelete: ConditionalDelete, _ definitions: FHIRDefinitions
    ) -> JSONValue {
        if type == AuditEvent.type { return auditEvent(definitions) }
        let parameters = definitions.searchParameters(for: type).filter { SearchSupport.isSupported($0) }
        let includes = parameters.filter { $0.type == .reference }.map { JSONValue.string("\(type):\($0.code)") }
        var value: JSONValue = [
            "type": .string(type),
            "interaction": .array(interactions.map { ["code": .string($0)] }),
            "versioning": "versioned",
            "readHistory": true,
            "updateCreate": true,
            "conditionalCreate": true,
            "conditionalRead": "full-support",
            "conditionalUpdate": true,
            "conditionalDelete": .string(conditionalDelete.rawValue),
        ]
        if let operation = Self.exports[type] {
            value["operation"] = [
                [
                    "name": "export",
                    "definition": .string("http://hl7.org/fhir/uv/bulkdata/OperationDefinition/\(operation)"),
                ]
            ]
        }
        if !includes.isEmpty { value["searchInclude"] = .array(includes) }
        if !parameters.isEmpty {
            value["searchParam"] = .array(
                parameters.map { ["name": .string($0.code), "type": .string($0.type.rawValue)] })
        }
        return value
    }

    /// Rows of the audit trail: nobody writes them.
    private static func auditEvent(_ definitions: FHIRDefinitions) -> JSONValue {
        let parameters = definitions.searchParameters(for: AuditEvent.type).filter {
            AuditEvent.searchParameters.contains($0.code)
        }
        return [
            "type": .string(AuditEvent.type),
            "documentation": .string(
                "Made of the server's audit trail by the patterns of IHE BALP 1.1; read and searched, the newest first."
            ),
            "interaction": .array(
                ["read", "vread", "history-instance", "history-type", "search-type"].map { ["code": .string($0)] }),
            "versioning": "versioned",
            "readHistory": true,
            "updateCreate": false,
            "conditionalCreate": false,
            "conditionalRead": "full-support",
            "conditionalUpdate": false,
            "conditionalDelete": "not-supported",
            "searchParam": .array(
                parameters.map { ["name": .string($0.code), "type": .string($0.type.rawValue)] }),
        ]
    }
}

/// Which search parameters the server answers.
enum SearchSupport {
    /// Special parameters (`near`) and the text ones need what is not there; everything else is indexed.
    static func isSupported(_ parameter: SearchParameterDefinition) -> Bool {
        parameter.type != .special && !["_text", "_content", "_query"].contains(parameter.code)
    }
}
