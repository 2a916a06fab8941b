import FHIRModel

/// What exported resources refer to of the types outside of the patients' compartment.
struct ReferredResources {
    /// Ids in one condition.
    private static let batch = 500

    private let baseURL: String
    private var ids: [String: Set<String>] = [:]

    init(baseURL: String) { self.baseURL = baseURL }

    /// Takes note of every `reference` of a resource. Bytes that are no JSON refer to nothing.
    mutating func note(_ bytes: [UInt8]) {
        guard let document = try? JSONDocument(parsing: bytes, limits: .stored) else { return }
        note(JSONValue(document))
    }

    private mutating func note(_ value: JSONValue) {
        switch value {
        case .object(let object):
            for member in object.members {
                guard member.name == "reference", let text = member.value.string else {
                    note(member.value)
                    continue
                }
                guard case .relative(let type, let id, _) = Reference(text).relative(to: baseURL),
                    ExportScope.outside.contains(type)
                else { continue }
                ids[type, default: []].insert(id)
            }
        case .array(let values): for value in values { note(value) }
        default: return
        }
    }

    /// The ids of a type, in order, as many as go into one condition each.
    func batches(of type: String) -> [[String]] {
        let all = (ids[type] ?? []).sorted()
        return stride(from: 0, to: all.count, by: Self.batch).map { Array(all[$0..<min($0 + Self.batch, all.count)]) }
    }
}
