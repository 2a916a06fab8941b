/// Checks a JSON value against a primitive type. FHIR R4 json.html#primitive, datatypes.html#primitive.
enum PrimitiveCheck {
    struct Fault {
        var code: OperationOutcome.Code
        var text: String
    }

    /// Characters of a `string` beyond which FHIR R4 datatypes.html#string forbids it, here in bytes.
    static let stringBytesMax = 1 << 20

    /// What is wrong with `node` as a value of the type; nil when nothing is.
    static func fault(_ node: JSONNode, _ type: String) -> Fault? {
        switch type {
        case "boolean":
            return node.kind == .bool ? nil : Fault(code: .structure, text: "A boolean is true or false, unquoted.")
        case "integer", "unsignedInt", "positiveInt", "decimal":
            guard node.kind == .number else { return Fault(code: .structure, text: "This must be a JSON number.") }
            let least: Int64 = type == "integer" ? Int64(Int32.min) : type == "positiveInt" ? 1 : 0
            let range = least...Int64(Int32.max)
            if type == "decimal" || PrimitiveFormat.isInteger(node.rawBytes, in: range) { return nil }
            return Fault(code: .value, text: "This is not a valid \(type).")
        default:
            guard let text = node.stringBytes else {
                return Fault(code: .structure, text: "A \(type) is a JSON string.")
            }
            if type == "string" || type == "markdown", text.count > stringBytesMax {
                return Fault(code: .tooLong, text: "A string is at most 1 MB long.")
            }
            return isValid(text, type) ? nil : Fault(code: .value, text: "This is not a valid \(type).")
        }
    }

    private static func isValid(_ text: ArraySlice<UInt8>, _ type: String) -> Bool {
        switch type {
        case "string", "markdown", "xhtml": PrimitiveFormat.isString(text)
        case "code": PrimitiveFormat.isCode(text)
        case "uri", "url", "canonical": PrimitiveFormat.isURI(text)
        case "id": PrimitiveFormat.isID(text)
        case "date": FHIRDateTime(utf8: text, as: .date) != nil
        case "dateTime": FHIRDateTime(utf8: text, as: .dateTime) != nil
        case "instant": FHIRDateTime(utf8: text, as: .instant) != nil
        case "time": ClockTime(utf8: text) != nil
        case "base64Binary": PrimitiveFormat.isBase64(text)
        case "oid": PrimitiveFormat.isOID(text)
        case "uuid": PrimitiveFormat.isUUID(text)
        default: true
        }
    }
}
