import Access
import FHIRModel
import FHIRSearch

/// What the caller may see of the resources, as a condition on one version. The other reader of ``Access/Visibility`` is
/// of the imaging tables.
extension SearchCompiler {
    /// What the caller's rights ask of a row; nil when they ask nothing.
    ///
    /// A condition that is not understood, or has no meaning for the type, lets nothing through. Chains are not followed
    /// here: a scope must not be able to look further than the resource it limits.
    func allowed(_ type: String, _ alias: String, _ permission: Permissions, _ depth: Int) -> SQLCondition? {
        condition(access.visibility(permission, of: type), type, alias, depth)
    }

    func condition(_ visibility: Visibility, _ type: String, _ alias: String, _ depth: Int) -> SQLCondition? {
        switch visibility {
        case .whole: nil
        case .nothing: SQLCondition("1 = 0")
        case .anyOf(let rules):
            .anyOf(rules.compactMap { rule($0, type, alias, depth) })
        }
    }

    /// Nil for a rule that no resource of the type meets.
    private func rule(_ rule: VisibilityRule, _ type: String, _ alias: String, _ depth: Int) -> SQLCondition? {
        var filters: [SearchFilter] = []
        var reaches: [SQLCondition] = []
        var patient: String?
        for case .compartment(let compartment) in rule.conditions where compartment.type == PatientTypes.patient {
            patient = compartment.id
        }
        for condition in rule.conditions {
            if case .reach(let reach) = condition {
                guard let within = within(reach, type, alias, boundTo: patient) else { return nil }
                reaches.append(within)
            } else {
                guard let filter = parser.filter(condition, type) else { return nil }
                filters.append(filter)
            }
        }
        if reaches.isEmpty { return probe(.allOf(filters), type, alias, depth) }
        return .allOf(filters.map { probe($0, type, alias, depth) } + reaches)
    }

    /// The current versions of the compartments that the caller is bound to; nil for who may see anything beside these.
    func compartmentLeader(_ type: String) -> Leader? {
        guard case .anyOf(let rules) = access.visibility(.search, of: type) else { return nil }
        var selects: [SQLCondition] = []
        for rule in rules {
            let own = rule.conditions.first { if case .compartment = $0 { true } else { false } }
            guard let own else { return nil }
            // Where no resource of the type is in such a compartment the rule lets nothing through.
            guard let filter = parser.filter(own, type) else { continue }
            guard let leader = leader(filter, type, 0) else { return nil }
            selects.append(leader.select)
        }
        guard !selects.isEmpty, selects.count <= Self.unionsMax else { return nil }
        return Leader(select: Self.union(selects), isExact: false, rank: 3)
    }

    // MARK: Practices

    /// Whether a version belongs to a patient within a practice, and to none who is cut out of it; nil where no resource of
    /// the type belongs to a patient. With everyone in it, what belongs to nobody is seen, too.
    ///
    /// - Parameter patient: in whose compartment the version is, where it is in one.
    private func within(
        _ reach: PatientReach, _ type: String, _ alias: String, boundTo patient: String?
    ) -> SQLCondition? {
        let isPatient = type == PatientTypes.patient
        let codes = reach.isEveryone ? PatientTypes.references(type) : PatientTypes.compartment(type)
        var all: [SQLCondition] = []
        if !reach.isEveryone {
            if isPatient {
                all.append(reach.letsIn("\(alias).id", dialect))
            } else {
                guard !codes.isEmpty else { return nil }
                let any = patients(of: alias, by: codes, type, reach.letsIn("pr.target_id", dialect))
                all.append(once(patient) { reach.letsIn($0, dialect) }.map { .anyOf([$0, any]) } ?? any)
            }
        }
        if isPatient, let cut = reach.keepsOut("\(alias).id", dialect) { all.append(.not(cut)) }
        if !codes.isEmpty, let cut = reach.keepsOut("pr.target_id", dialect) {
            if let patient, let own = once(patient, { reach.keepsOut($0, dialect) }) {
                all.append(.not(own))
                let other = SQLCondition("pr.target_id <> ? AND \(cut.text)", [.text(patient)] + cut.values)
                all.append(.not(patients(of: alias, by: codes, type, other)))
            } else {
                all.append(.not(patients(of: alias, by: codes, type, cut)))
            }
        }
        return .allOf(all)
    }

    /// Whether something holds of one patient, whichever version is looked at: SQLite asks it once for a statement, and
    /// what is asked of each version of a page is done without. Nil where that is no gain: PostgreSQL takes longer to plan
    /// a statement twice as long than to answer it.
    private func once(_ patient: String?, _ test: (_ patient: String) -> SQLCondition?) -> SQLCondition? {
        guard dialect == .sqlite, let patient, let test = test("bp.id") else { return nil }
        return exists("(SELECT ? AS id) bp WHERE \(test.text)", [.text(patient)] + test.values)
    }

    /// Whether a version refers to a patient `pr.target_id` of whom something holds.
    private func patients(
        of alias: String, by codes: [String], _ type: String, _ test: SQLCondition
    ) -> SQLCondition {
        exists(
            """
            idx_reference pr WHERE \(test.text) AND pr.version_key = \(alias).version_key \
            AND pr.param IN (\(codes.map { _ in "?" }.joined(separator: ", "))) \
            AND \(dialect.probeMark)pr.target_type = 'Patient'
            """, test.values + codes.map { .int(SearchParameterKey(type, $0).number) })
    }

    /// The current versions that belong to somebody's patients, for who sees no others; nil for anybody else, and where these
    /// are as many as all.
    func practiceLeader(_ type: String) -> Leader? {
        guard access.practice != nil, case .anyOf(let rules) = access.visibility(.search, of: type) else { return nil }
        var selects: [SQLCondition] = []
        for rule in rules {
            var own: SQLCondition?
            for condition in rule.conditions {
                if case .reach(let reach) = condition { own = reach.candidates }
            }
            guard let own else { return nil }
            if type == PatientTypes.patient {
                selects.append(
                    SQLCondition(
                        """
                        SELECT pd.version_key AS version_key FROM (\(own.text)) pn CROSS JOIN resource_versions pd \
                        WHERE pd.type = 'Patient' AND pd.id = pn.id AND pd.end_sequence = \(ResourceTable.current) \
                        AND pd.deleted = 0
                        """, own.values))
                continue
            }
            for code in PatientTypes.compartment(type) {
                selects.append(
                    SQLCondition(
                        """
                        SELECT pr.version_key AS version_key FROM (\(own.text)) pn CROSS JOIN idx_reference pr \
                        WHERE pr.param = ? AND pr.target_id = pn.id AND pr.is_current = 1 AND pr.target_type = 'Patient'
                        """, own.values + [.int(SearchParameterKey(type, code).number)]))
            }
        }
        guard !selects.isEmpty, selects.count <= Self.unionsMax else { return nil }
        return Leader(select: Self.union(selects), isExact: false, rank: 4)
    }
}

/// By which references resources of a type belong to patients.
private enum PatientTypes {
    static let patient = "Patient"
    private static let definitions = FHIRDefinitions.r4

    /// Codes of the compartment's parameters. FHIR R4 compartmentdefinition-patient.html. A Patient belongs to itself alone
    /// here: whom it is linked to grants nothing.
    static func compartment(_ type: String) -> [String] {
        if type == patient { return [] }
        return (definitions.compartment(patient)?.parameters[type] ?? []).filter {
            definitions.searchParameter($0, for: type)?.type == .reference
        }
    }

    /// Codes of all references of a type, that may lead to a patient.
    static func references(_ type: String) -> [String] {
        definitions.searchParameters(for: type).filter { $0.type == .reference }.map(\.code)
    }
}

extension SearchQueryParser {
    /// One condition of a rule as a search has it; nil where no resource of the type meets it.
    fileprivate func filter(_ condition: VisibilityRule.Condition, _ type: String) -> SearchFilter? {
        switch condition {
        case .search(let constraint):
            guard let filter = filter(type, .init(name: constraint.name, value: constraint.value)),
                case .parameter = filter
            else { return nil }
            return filter
        case .compartment(let compartment):
            return compartmentFilter(compartment.type, id: compartment.id, type: type)
        case .carriesNone(let labels):
            guard let security = parameter("_security", for: type) else { return nil }
            let values = labels.map { SearchValue.token(system: .uri($0.system), code: $0.code) }
            return .parameter(SearchCondition(security, .matchesNone(values)))
        // No filter has a form for it.
        case .reach: return nil
        }
    }
}
