import Access
import FHIRModel
import FHIRSearch

/// Makes SQL of search filters and of what the caller may see. Every value is bound, never written into the text.
///
/// Each filter is made in two forms. A *probe* is a condition on one version under an alias (`v` for the matches, `t1`,
/// `t2` inside chains): it reads the few entries of that version by their key. A *leader*
/// (``SearchCompiler/leader(_:_:_:)``) is a list of versions read from an index by the searched value. A search is led by
/// its smallest leader and asks the probes of the rest; where no leader is small it walks the versions in the order of the
/// page and ends with the page. So what a search costs follows what it finds, not what is stored.
/// What the caller may not see is cut out at every node, so a chain cannot ask about it either (house decision 5).
struct SearchCompiler {
    /// Which versions are seen.
    enum View: Sendable, Hashable {
        /// What is current in the transaction of the statements.
        case current
        /// What was current after this commit, for a further page of a search.
        case past(Int64)
        /// The same, but that what is referred to counts that was current at any time until then: of what a deletion deleted
        /// it may be gone as well.
        case ever(Int64)
    }

    /// A part of the versions in view, by the index that leads to it.
    enum Part {
        case all
        /// Those that are current still.
        case lasting
        /// Those that were replaced since; none where the view is the current one.
        case replaced
    }

    let dialect: SQLDialect
    var view: View
    let access: AccessContext
    /// Reads the conditions of granular scopes.
    let parser: SearchQueryParser
    /// Set while the conditions are on a resource that is contained in the row: the row's type and the reference to it.
    var container: (type: String, reference: String)?

    /// The number under which the entries of a parameter are.
    func key(_ type: String, _ code: String, _ aspect: SearchParameterKey.Aspect = .value) -> SQLValue {
        let own = SearchParameterKey(type, code, aspect)
        guard let container else { return .int(own.number) }
        return .int(SearchParameterKey(container.type, reference: container.reference, contained: own).number)
    }

    /// For conditions on what deletions have deleted.
    var ofDeleted: SearchCompiler {
        guard case .past(let sequence) = view else { return self }
        var ofDeleted = self
        ofDeleted.view = .ever(sequence)
        return ofDeleted
    }

    /// For conditions on resources that stand by themselves.
    var outside: SearchCompiler {
        var outside = self
        outside.container = nil
        return outside
    }

    /// For conditions on what the reference of a row leads to within it; nil within what is contained itself.
    func within(_ type: String, _ reference: String) -> SearchCompiler? {
        guard container == nil else { return nil }
        var within = self
        within.container = (type, reference)
        return within
    }

    /// The versions in view, deletion markers left out unless they are asked for, which only what was replaced can be.
    func standing(_ alias: String, _ part: Part = .all, deletions: Bool = false) -> SQLCondition {
        let current = "\(alias).end_sequence = \(ResourceTable.current) AND \(alias).deleted = 0"
        switch (view, part) {
        case (.current, .replaced): return SQLCondition("1 = 0")
        case (.current, _): return SQLCondition(current)
        case (.past(let sequence), .lasting), (.ever(let sequence), .lasting):
            return SQLCondition("\(current) AND \(alias).first_sequence <= ?", [.int(sequence)])
        case (.past(let sequence), .all):
            return SQLCondition(
                "\(alias).deleted = 0 AND \(alias).first_sequence <= ? AND \(alias).end_sequence > ?",
                [.int(sequence), .int(sequence)])
        case (.past(let sequence), .replaced), (.ever(let sequence), .replaced):
            return SQLCondition(
                """
                \(alias).end_sequence > ? AND \(alias).end_sequence < \(ResourceTable.current) \
                AND \(alias).first_sequence <= ?\(deletions ? "" : " AND \(alias).deleted = 0")
                """, [.int(sequence), .int(sequence)])
        case (.ever(let sequence), .all):
            return SQLCondition("\(alias).deleted = 0 AND \(alias).first_sequence <= ?", [.int(sequence)])
        }
    }

    /// The deletion markers in view that nothing has replaced since.
    func gone(_ alias: String) -> SQLCondition {
        let gone = "\(alias).end_sequence = \(ResourceTable.current) AND \(alias).deleted = 1"
        return switch view {
        case .current: SQLCondition(gone)
        case .past(let sequence), .ever(let sequence):
            SQLCondition("\(gone) AND \(alias).first_sequence <= ?", [.int(sequence)])
        }
    }

    /// The parts of the view that have to be asked one by one.
    var parts: [Part] { view == .current ? [.lasting] : [.lasting, .replaced] }

    /// The versions of a type that are in view and may be seen. What is deepest comes first here and in what is made of it:
    /// it takes the least of the room that a database has for what is open.
    func visible(
        _ type: String, _ alias: String = "v", permission: Permissions = .search, depth: Int = 0, part: Part = .all
    ) -> SQLCondition {
        var condition = SQLCondition("\(alias).type = ?", [.text(type)])
        condition.add(standing(alias, part))
        return .allOf([allowed(type, alias, permission, depth), condition].compactMap { $0 })
    }

    /// The versions of a type that are in view, may be seen and hold a filter: first what is deeper, a chain's own chain or
    /// the rights.
    func wanted(
        _ filter: SearchFilter, _ type: String, _ alias: String, _ depth: Int, part: Part = .all
    ) -> SQLCondition {
        let both = [
            visible(type, alias, depth: depth, part: part), probe(filter, type, alias, depth),
        ]
        return .allOf(filter.isChained ? both.reversed() : both)
    }

    // MARK: Probes

    /// The filter as a condition on one version.
    func probe(_ filter: SearchFilter, _ type: String, _ alias: String, _ depth: Int) -> SQLCondition {
        switch filter {
        case .parameter(let condition): probe(condition, type, alias)
        case .anyOf(let filters): .anyOf(filters.map { probe($0, type, alias, depth) })
        case .allOf(let filters): .allOf(filters.map { probe($0, type, alias, depth) })
        case .chain(let reference, let targets): .anyOf(targets.map { chain(reference, $0, type, alias, depth) })
        case .reverseChain(let source, let reference, let inner):
            reverseChain(source, reference, inner, type, alias, depth)
        }
    }

    /// A subquery that is answered for each row by itself.
    func exists(_ text: String, _ values: [SQLValue]) -> SQLCondition {
        .exists(text + dialect.apart, values)
    }

    /// FHIR R4 search.html#chaining.
    private func chain(
        _ reference: SearchParameterDefinition, _ target: SearchFilter.Target, _ type: String, _ alias: String,
        _ depth: Int
    ) -> SQLCondition {
        let (r, t) = ("r\(depth)", "t\(depth + 1)")
        let wanted = outside.wanted(target.filter, target.type, t, depth + 1)
        let referred = exists(
            """
            idx_reference \(r) CROSS JOIN resource_versions \(t) WHERE \(wanted.text) \
            AND \(r).version_key = \(alias).version_key AND \(r).param = ? \
            AND \(dialect.probeMark)\(r).target_type = ? AND \(t).id = \(r).target_id
            """, wanted.values + [key(type, reference.code), .text(target.type)])
        // What is contained is seen with its container. FHIR R4 search.html#contained.
        guard let within = within(type, reference.code) else { return referred }
        let w = "w\(depth + 1)"
        let test = within.probe(target.filter, target.type, w, depth + 1)
        let contained = exists(
            "idx_token \(w) WHERE \(test.text) AND \(w).version_key = \(alias).version_key AND \(w).param = ?",
            test.values + [within.key(target.type, SearchIndexer.typeCode)])
        return .anyOf([referred, contained])
    }

    /// FHIR R4 search.html#has.
    private func reverseChain(
        _ source: String, _ reference: SearchParameterDefinition, _ filter: SearchFilter, _ type: String,
        _ alias: String, _ depth: Int
    ) -> SQLCondition {
        // Nothing refers to a contained resource but its container.
        guard container == nil else { return SQLCondition("1 = 0") }
        let (r, t) = ("r\(depth)", "t\(depth + 1)")
        let key = key(source, reference.code)
        let wanted = wanted(filter, source, t, depth + 1, part: .lasting)
        let lasting = exists(
            """
            idx_reference \(r) CROSS JOIN resource_versions \(t) WHERE \(wanted.text) AND \(r).param = ? \
            AND \(r).target_id = \(alias).id AND \(r).is_current = 1 AND \(r).target_type = ? \
            AND \(t).version_key = \(r).version_key
            """, wanted.values + [key, .text(type)])
        if view == .current { return lasting }
        // What was replaced since is in no index by its values, and is little: it is listed once.
        let replaced = self.wanted(filter, source, t, depth + 1, part: .replaced)
        return .anyOf([
            lasting,
            SQLCondition(
                """
                \(alias).id IN (SELECT \(r).target_id FROM resource_versions \(t) CROSS JOIN idx_reference \(r) \
                WHERE \(replaced.text) AND \(r).version_key = \(t).version_key AND \(r).param = ? \
                AND \(dialect.probeMark)\(r).target_type = ?)
                """, replaced.values + [key, .text(type)]),
        ])
    }
}

extension SearchFilter {
    /// Whether it goes along a reference.
    fileprivate var isChained: Bool {
        switch self {
        case .parameter: false
        case .chain, .reverseChain: true
        case .anyOf(let filters), .allOf(let filters): filters.contains(where: \.isChained)
        }
    }
}
