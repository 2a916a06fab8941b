/// Why bytes are no FHIR resource that this server can hold.
package enum ResourceError: Error, Hashable, Sendable {
    /// Not the strict JSON that `JSONReader` reads.
    case json(JSONError)
    /// The root is no object. FHIR R4 json.html#resources.
    case notAnObject
    /// `resourceType` is absent or no string.
    case missingResourceType
    /// `resourceType` names no R4 resource type. FHIR R4 resourcelist.html.
    case unknownResourceType
    /// `id` is present but no string of 1 to 64 characters A-Z a-z 0-9 - . FHIR R4 datatypes.html#id.
    case invalidID
    /// `meta` is present but no object.
    case invalidMeta
}

extension ResourceError {
    /// The OperationOutcome that tells a client. FHIR R4 operationoutcome.html.
    package var outcome: OperationOutcome {
        switch self {
        case .json(let error):
            let isLimit: Bool =
                switch error.reason {
                case .textTooLong, .tooDeep, .tooManyTokens, .stringTooLong, .numberTooLong: true
                default: false
                }
            return OperationOutcome(.error, isLimit ? .tooLong : .structure, diagnostics: error.sentence)
        case .notAnObject:
            return OperationOutcome(.error, .structure, diagnostics: "A resource is a JSON object.")
        case .missingResourceType:
            return OperationOutcome(.error, .required, diagnostics: "The resource has no resourceType.")
        case .unknownResourceType:
            return OperationOutcome(.error, .structure, diagnostics: "The resourceType is no FHIR R4 resource type.")
        case .invalidID:
            return OperationOutcome(
                .error, .value, diagnostics: "The id is not 1 to 64 characters of A-Z, a-z, 0-9, '-' and '.'.",
                expression: ["id"])
        case .invalidMeta:
            return OperationOutcome(.error, .structure, diagnostics: "meta is not an object.", expression: ["meta"])
        }
    }
}
