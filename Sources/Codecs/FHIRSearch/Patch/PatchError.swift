import FHIRModel

/// Why a patch was not applied; nothing of it is then. FHIR R4 http.html#patch, RFC 5789 §2.2.
package struct PatchError: Error, Hashable, Sendable {
    package enum Kind: String, Hashable, Sendable {
        /// The document is no patch: 400.
        case malformed
        /// A patch that this resource does not allow: a place that is not there, a test that fails: 422.
        case notApplicable
        /// More operations, or more or deeper content made by them, than one patch may have: 413.
        case tooLarge
    }
    package let kind: Kind
    /// The operation at fault, counted from 0; nil when it is the document as a whole.
    package let operation: Int?
    /// A sentence for the client, without values of the resource.
    package let sentence: String

    init(_ kind: Kind, operation: Int? = nil, _ sentence: String) {
        self.kind = kind
        self.operation = operation
        self.sentence = sentence
    }

    /// The sentence with the operation it speaks of.
    package var message: String { operation.map { "Operation \($0) of the patch: \(sentence)" } ?? sentence }

    func at(_ operation: Int) -> PatchError { PatchError(kind, operation: self.operation ?? operation, sentence) }
}

/// How much one patch may do. The reader's own limits hold for its text.
package struct PatchLimits: Hashable, Sendable {
    /// Operations of one patch.
    package var operationsMax: Int
    /// Values that all operations together may add, as the reader counts them: copies of copies grow fast.
    package var addedValuesMax: Int
    /// Bytes of strings and numbers that all operations together may add.
    package var addedBytesMax: Int

    package init(operationsMax: Int = 1_000, addedValuesMax: Int = 1_000_000, addedBytesMax: Int = 16 << 20) {
        self.operationsMax = operationsMax
        self.addedValuesMax = addedValuesMax
        self.addedBytesMax = addedBytesMax
    }
}

/// What the operations of a patch have added so far.
struct PatchGrowth {
    private let limits: PatchLimits
    private var values = 0
    private var bytes = 0

    init(_ limits: PatchLimits) { self.limits = limits }

    /// Counts what is about to be placed within `depth` objects and arrays. Throws `.tooLarge`, also where the resource
    /// would become deeper than a stored one may be: what reads and writes it goes as deep as it is.
    mutating func add(_ value: JSONValue, within depth: Int) throws(PatchError) {
        values += 1
        let isOpen = value.kind == .array || value.kind == .object
        guard depth + (isOpen ? 1 : 0) <= JSONLimits.stored.depthMax else {
            throw PatchError(.tooLarge, "The patch nests content deeper than a resource may be.")
        }
        switch value {
        case .null, .bool: break
        case .number(let text), .string(let text): bytes += text.utf8.count
        case .array(let elements): for element in elements { try add(element, within: depth + 1) }
        case .object(let object):
            for member in object.members {
                bytes += member.name.utf8.count
                try add(member.value, within: depth + 1)
            }
        }
        guard values <= limits.addedValuesMax, bytes <= limits.addedBytesMax else {
            throw PatchError(.tooLarge, "The patch adds more content than one patch may.")
        }
    }
}

extension JSONValue {
    /// Without the arrays and objects that have become empty: FHIR knows none. FHIR R4 json.html#null.
    var withoutEmpties: JSONValue? {
        switch self {
        case .null, .bool, .number, .string: return self
        case .array(let elements):
            let kept = elements.compactMap(\.withoutEmpties)
            return kept.isEmpty || kept.allSatisfy { $0 == .null } ? nil : .array(kept)
        case .object(let object):
            let kept = JSONObject(
                object.members.compactMap { member in member.value.withoutEmpties.map { (member.name, $0) } })
            return kept.isEmpty ? nil : .object(kept)
        }
    }
}
