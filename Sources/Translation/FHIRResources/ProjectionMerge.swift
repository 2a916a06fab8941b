import FHIRModel

/// Puts a projection over what a client wrote: the domain owns named elements, everything else stays as it was.
/// House decision 2.
package enum ProjectionMerge {
    /// The merged resource.
    ///
    /// - existing: the stored resource, or nil for a new one.
    /// - projected: the domain's view, with `resourceType` and `id`.
    /// - owned: the root elements that the domain answers for.
    /// - understood: the domain's view of `existing` itself, when the type can be read back into the domain. An owned
    ///   element that says the same in both views is kept as the client wrote it, with whatever the domain does not
    ///   model (extensions, periods); one that differs is replaced.
    /// - shared: root elements that the domain answers for only while it says something in them.
    /// - extensions: the URLs of the root extensions that the domain answers for, each only while it says something in
    ///   it: a client's race or maiden name stays where no message tells one.
    package static func merge(
        existing: JSONValue?, projected: JSONValue, owned: [String], shared: [String] = [], extensions: [String] = [],
        understood: JSONValue? = nil
    ) -> JSONValue {
        guard let existing else { return projected }
        var merged = existing
        for name in owned {
            let new = projected[name]
            if let understood, understood[name] == new { continue }
            if merged[name] == new { continue }
            merged[name] = new
            // A primitive's extensions belong to the value that is gone. FHIR R4 json.html#primitive.
            merged["_" + name] = nil
        }
        for name in shared {
            if let new = projected[name], merged[name] != new { merged[name] = new }
        }
        if !extensions.isEmpty {
            let said = projected["extension"]?.array ?? []
            let others = (existing["extension"]?.array ?? []).filter { element in
                guard let url = element["url"]?.string, extensions.contains(url) else { return true }
                return !said.contains { $0["url"]?.string == url }
            }
            let all = others + said
            merged["extension"] = all.isEmpty ? nil : .array(all)
        }
        return merged
    }

    /// Whether a stored resource says what the projection says and nothing else, apart from the server's own
    /// `meta.versionId` and `meta.lastUpdated`.
    static func isOnly(_ projected: JSONValue, _ stored: JSONValue) -> Bool {
        var rest = stored
        rest["meta"]?["versionId"] = nil
        rest["meta"]?["lastUpdated"] = nil
        if rest["meta"]?.object?.isEmpty == true { rest["meta"] = nil }
        return rest.isEquivalent(to: projected)
    }
}
