extension Scope {
    /// The part of a requested scope that the registered ones allow; empty when none of it.
    ///
    /// A request is narrowed to the letters and types that are registered, and to both sides' constraints. What a
    /// narrower registration adds to a wider one is left out. A version 1 request is answered in version 1 as long
    /// as the letters left have such a form. *Spec:* SMART App Launch 2.2 §Scopes, backend-services §Scopes.
    package func granted(from registered: [Scope]) -> [Scope] {
        var grants: [Scope] = []
        for allowed in registered where allowed.level == level {
            let type: String
            if allowed.resourceType == "*" || allowed.resourceType == resourceType {
                type = resourceType
            } else if resourceType == "*" {
                type = allowed.resourceType
            } else {
                continue
            }
            let both = permissions.intersection(allowed.permissions)
            guard !both.isEmpty else { continue }
            let limits = constraints + allowed.constraints.filter { !constraints.contains($0) }
            if let same = grants.firstIndex(where: { $0.resourceType == type && Set($0.constraints) == Set(limits) }) {
                grants[same] = grants[same].with(grants[same].permissions.union(both), asked: self)
            } else {
                grants.append(
                    Scope(level: level, resourceType: type, permissions: both, constraints: limits).with(
                        both, asked: self))
            }
        }
        return grants.enumerated().filter { index, grant in
            !grants.enumerated().contains { other, wider in other != index && wider.includes(grant) }
        }.map(\.element)
    }

    /// Whether everything that another scope allows is allowed by this one.
    package func includes(_ other: Scope) -> Bool {
        level == other.level && covers(other.resourceType) && permissions.isSuperset(of: other.permissions)
            && Set(constraints).isSubset(of: other.constraints)
    }

    private func with(_ permissions: Permissions, asked: Scope) -> Scope {
        let hasVersion1Form =
            permissions == .all || permissions == [.read, .search] || permissions == [.create, .update, .delete]
        return Scope(
            level: level, resourceType: resourceType, permissions: permissions, constraints: constraints,
            isVersion1: asked.isVersion1 && hasVersion1Form)
    }
}

extension [Scope] {
    /// The scopes granted for a request of several, each once, in the order of the request.
    package func granted(from registered: [Scope]) -> [Scope] {
        var grants: [Scope] = []
        for scope in self {
            for grant in scope.granted(from: registered) where !grants.contains(grant) { grants.append(grant) }
        }
        return grants
    }

    /// Whether those of the system level give each of the permissions, single letters, on all of a type.
    package func giveWhole(_ type: String, _ permissions: [Permissions]) -> Bool {
        permissions.allSatisfy { permission in
            contains {
                $0.level == .system && $0.permissions.contains(permission) && $0.covers(type) && $0.constraints.isEmpty
            }
        }
    }
}
