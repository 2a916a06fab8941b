/// What a caller may see of one resource type with one permission: the one value that every check of rights comes to.
///
/// Two compilers make SQL of it: one of the resources, one of the imaging tables. What is not visible is answered as
/// what is not there. Answers from memory exist for ``whole``, for parts that ``asksVersionsAlone`` is true of, and for those
/// that are ``timeless``.
package enum Visibility: Sendable, Hashable {
    /// No resource of the type.
    case nothing
    /// Every resource of the type.
    case whole
    /// What at least one of the rules lets through; at least one rule, each once, none of which is a part of another.
    case anyOf([VisibilityRule])

    /// Whether no resource of the type has to be looked at before it is shown.
    package var isWhole: Bool { self == .whole }
    package var isNothing: Bool { self == .nothing }

    /// Whether a version tells by itself, and for as long as it is current, whether it may be seen: no practice is asked, and
    /// no condition of a search, which may be about the time of asking.
    package var asksVersionsAlone: Bool {
        switch self {
        case .whole: true
        case .nothing: false
        case .anyOf(let rules):
            rules.allSatisfy { rule in
                rule.conditions.allSatisfy { if case .compartment = $0 { true } else { false } }
            }
        }
    }

    /// What is asked of practices and versions, without the time of asking, and that time in microseconds since 1970 UTC.
    ///
    /// Nil where no practice is asked, where several times are, and where a condition of a search is, which may be about the
    /// time as well.
    package var timeless: (visibility: Visibility, time: Int64)? {
        guard case .anyOf(let rules) = self else { return nil }
        var times: Set<Int64> = []
        var kept: [VisibilityRule] = []
        for rule in rules {
            var conditions: [VisibilityRule.Condition] = []
            for condition in rule.conditions {
                switch condition {
                case .search: return nil
                case .compartment, .carriesNone: conditions.append(condition)
                case .reach(let reach):
                    times.insert(reach.time)
                    conditions.append(.reach(reach.timeless))
                }
            }
            kept.append(VisibilityRule(conditions))
        }
        guard times.count == 1, let time = times.first else { return nil }
        return (.anyOf(kept), time)
    }

    /// Whether what is known to belong to one patient, and of which nothing else is known, may be seen.
    ///
    /// - Parameter patient: a logical id; nil for what belongs to nobody who is known, which only the whole type shows.
    package func shows(ofPatient patient: String?) -> Bool {
        switch self {
        case .whole: true
        case .nothing: false
        case .anyOf(let rules): patient != nil && rules.contains { $0.onlyPatient == patient }
        }
    }

    /// Whether something of a patient might be seen, whatever it is: false where every rule asks for another patient, or for
    /// one within a practice that this one is not within.
    package func mayConcern(
        patient: String, isWithin: (PatientReach) throws -> Bool
    ) rethrows -> Bool {
        switch self {
        case .whole: true
        case .nothing: false
        case .anyOf(let rules):
            try rules.contains { rule in
                try rule.conditions.allSatisfy { condition in
                    switch condition {
                    case .compartment(let own): own != .patient(own.id) || own.id == patient
                    case .reach(let reach): try isWithin(reach)
                    case .search, .carriesNone: true
                    }
                }
            }
        }
    }

    /// The same where nobody is within a practice.
    package func mayConcern(patient: String) -> Bool { mayConcern(patient: patient) { _ in false } }

    /// Whether what is known to belong to one patient, and of which nothing else is known but its labels, may be seen by a
    /// rule that asks for a practice.
    package func shows(
        ofPatient patient: String, carriesNone: ([SecurityLabel]) throws -> Bool,
        isWithin: (PatientReach) throws -> Bool
    ) rethrows -> Bool {
        if shows(ofPatient: patient) { return true }
        guard case .anyOf(let rules) = self else { return false }
        return try rules.contains { rule in
            var isAsked = false
            return try rule.conditions.allSatisfy { condition in
                switch condition {
                case .compartment(let own): return own == .patient(patient)
                case .reach(let reach):
                    isAsked = true
                    return try isWithin(reach)
                case .carriesNone(let labels): return try carriesNone(labels)
                case .search: return false
                }
            } && isAsked
        }
    }

    /// What any of the rules lets through. A rule without conditions lets everything through, no rule nothing.
    package init(anyOf rules: [VisibilityRule]) {
        var kept: [VisibilityRule] = []
        for rule in rules {
            if rule.conditions.isEmpty {
                self = .whole
                return
            }
            if kept.contains(where: { rule.asks(allOf: $0) }) { continue }
            kept.removeAll { $0.asks(allOf: rule) }
            kept.append(rule)
        }
        self = kept.isEmpty ? .nothing : .anyOf(kept)
    }
}

/// A part of a resource type: what all of the conditions hold for. A condition that cannot be told of a resource does not
/// hold for it.
package struct VisibilityRule: Sendable, Hashable {
    package enum Condition: Sendable, Hashable {
        /// A search parameter has a value, as a granular scope says. SMART 2.2 §Finer-grained resource constraints.
        case search(ScopeConstraint)
        /// The resource belongs to the compartment. FHIR R4 compartmentdefinition.html.
        case compartment(Compartment)
        /// The resource carries none of these labels in `meta.security`. FHIR R4 security-labels.html.
        case carriesNone(of: [SecurityLabel])
        /// The resource belongs to the compartment of a patient within the reach; with everyone in it, to none who is cut
        /// out of it.
        case reach(PatientReach)
    }

    /// Each once.
    package let conditions: [Condition]

    package init(_ conditions: [Condition]) {
        var once: [Condition] = []
        for condition in conditions where !once.contains(condition) { once.append(condition) }
        self.conditions = once
    }

    /// The logical id of the one patient of whom the rule lets everything through; nil for a rule that asks for anything
    /// else, or for two patients.
    package var onlyPatient: String? {
        var ids: Set<String> = []
        for condition in conditions {
            guard case .compartment(let own) = condition, own == .patient(own.id) else { return nil }
            ids.insert(own.id)
        }
        return ids.count == 1 ? ids.first : nil
    }

    /// Whether the rule asks all that another one asks, and so lets nothing through that the other one does not.
    func asks(allOf other: VisibilityRule) -> Bool { other.conditions.allSatisfy(conditions.contains) }
}

/// What belongs to one patient, practitioner, device, encounter or related person. FHIR R4 compartmentdefinition.html.
package struct Compartment: Sendable, Hashable {
    /// The resource type that the compartment is of, such as `Patient`.
    package let type: String
    /// The logical id of the focal resource.
    package let id: String

    package init(type: String, id: String) {
        self.type = type
        self.id = id
    }

    package static func patient(_ id: String) -> Compartment { Compartment(type: "Patient", id: id) }
}

/// A code that marks a resource as in need of protection. FHIR R4 security-labels.html.
package struct SecurityLabel: Sendable, Hashable {
    /// The URI of the code system.
    package let system: String
    package let code: String

    package init(system: String, code: String) {
        self.system = system
        self.code = code
    }
}
