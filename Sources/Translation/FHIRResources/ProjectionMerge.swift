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
    package static func merge(
        existing: JSONValue?, projected: JSONValue, owned: [String], understood: JSONValue? = nil
    ) -> JSONValue {
        guard var merged = existing else { return projected }
        for name in owned {
            let new = projected[name]
            if let understood, understood[name] == new { continue }
            if merged[name] == new { continue }
            merged[name] = new
            // A primitive's extensions belong to the value that is gone. FHIR R4 json.html#primitive.
            merged["_" + name] = nil
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
