/// What one scope lets its holder do with a resource type, as the letters of SMART v2.
///
/// *Spec:* SMART App Launch 2.2 §Scopes for requesting FHIR Resources.
package struct Permissions: OptionSet, Sendable, Hashable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// `c`: create.
    package static let create = Permissions(rawValue: 1)
    /// `r`: read, vread, instance history.
    package static let read = Permissions(rawValue: 2)
    /// `u`: update and patch.
    package static let update = Permissions(rawValue: 4)
    /// `d`: delete.
    package static let delete = Permissions(rawValue: 8)
    /// `s`: search, type history, export.
    package static let search = Permissions(rawValue: 16)
    /// What changes resources.
    package static let changes: Permissions = [.create, .update, .delete]
    package static let all: Permissions = [.create, .read, .update, .delete, .search]

    /// The letters in the order that SMART demands, for example `rs`.
    package var letters: String {
        var text = ""
        for (letter, bit) in Permissions.inOrder where contains(bit) { text.append(letter) }
        return text
    }

    /// Its letters by themselves, in that order.
    package var each: [Permissions] { Permissions.inOrder.map(\.1).filter(contains) }

    static let inOrder: [(Character, Permissions)] = [
        ("c", .create), ("r", .read), ("u", .update), ("d", .delete), ("s", .search),
    ]
}

/// A search parameter and value that narrows a granular scope, for example `category=laboratory`.
package struct ScopeConstraint: Sendable, Hashable {
    package let name: String
    package let value: String
    package init(name: String, value: String) {
        self.name = name
        self.value = value
    }
}

/// One SMART resource scope, such as `system/ImagingStudy.rs` or `system/*.read`.
///
/// The text that was asked for is kept, so that a v1 request is answered in v1 form.
/// *Spec:* SMART App Launch 2.2 §Scopes and Launch Context.
package struct Scope: Sendable, Hashable {
    /// Whose data the scope reaches.
    package enum Level: String, Sendable, Hashable { case patient, user, system }

    package let level: Level
    /// A FHIR resource type or `*`.
    package let resourceType: String
    package let permissions: Permissions
    /// Conditions that all must hold; empty for an unconstrained scope.
    package let constraints: [ScopeConstraint]
    /// Whether the scope was written as `.read`, `.write` or `.*`.
    package let isVersion1: Bool

    package init(
        level: Level, resourceType: String, permissions: Permissions, constraints: [ScopeConstraint] = [],
        isVersion1: Bool = false
    ) {
        self.level = level
        self.resourceType = resourceType
        self.permissions = permissions
        self.constraints = constraints
        self.isVersion1 = isVersion1
    }

    /// Reads one scope. Letters out of the order `cruds`, an unknown level, or an empty part give nil.
    package init?(_ text: String) {
        guard let slash = text.firstIndex(of: "/"), let level = Level(rawValue: String(text[..<slash])) else {
            return nil
        }
        var rest = text[text.index(after: slash)...]
        var constraints: [ScopeConstraint] = []
        if let mark = rest.firstIndex(of: "?") {
            for pair in rest[rest.index(after: mark)...].split(separator: "&") {
                guard let equals = pair.firstIndex(of: "="), equals > pair.startIndex else { return nil }
                constraints.append(
                    ScopeConstraint(name: String(pair[..<equals]), value: String(pair[pair.index(after: equals)...])))
            }
            guard !constraints.isEmpty else { return nil }
            rest = rest[..<mark]
        }
        guard let dot = rest.firstIndex(of: ".") else { return nil }
        let type = String(rest[..<dot])
        let verbs = String(rest[rest.index(after: dot)...])
        guard type == "*" || (type.first?.isUppercase == true && type.allSatisfy { $0.isASCII && $0.isLetter }) else {
            return nil
        }
        switch verbs {
        case "read":
            self.init(
                level: level, resourceType: type, permissions: [.read, .search], constraints: constraints,
                isVersion1: true)
        case "write":
            self.init(
                level: level, resourceType: type, permissions: [.create, .update, .delete], constraints: constraints,
                isVersion1: true)
        case "*":
            self.init(level: level, resourceType: type, permissions: .all, constraints: constraints, isVersion1: true)
        default:
            var remaining = Permissions.inOrder[...]
            var permissions: Permissions = []
            for letter in verbs {
                guard let found = remaining.firstIndex(where: { $0.0 == letter }) else { return nil }
                permissions.insert(remaining[found].1)
                remaining = remaining[(found + 1)...]
            }
            guard !permissions.isEmpty else { return nil }
            self.init(level: level, resourceType: type, permissions: permissions, constraints: constraints)
        }
    }

    /// The scope as text, in the version in which it was written.
    package var text: String {
        let query = constraints.isEmpty ? "" : "?" + constraints.map { "\($0.name)=\($0.value)" }.joined(separator: "&")
        let verbs: String
        if isVersion1 {
            verbs = permissions == .all ? "*" : permissions == [.read, .search] ? "read" : "write"
        } else {
            verbs = permissions.letters
        }
        return "\(level.rawValue)/\(resourceType).\(verbs)\(query)"
    }

    /// Whether this scope speaks of a resource type.
    package func covers(_ type: String) -> Bool { resourceType == "*" || resourceType == type }
}
