import Access
import FHIRModel
import FHIRSearch

/// Which rows of the audit trail one search has to look at, and which of them answer it. Pure.
///
/// What the caller may see is the third reader of ``Access/Visibility``: a compartment of a Patient is the rows of that
/// patient, and of nobody else's; a search constraint is looked at in the event as the caller sees it; labels, practices
/// and other compartments cannot be told of a row, so that a rule which asks for them lets nothing through.
package struct AuditEventPlan: Sendable {
    private struct Rule: Sendable {
        var patients: Set<String>
        var filters: [SearchFilter]
    }

    /// Nil for a caller who sees the whole trail.
    private var rules: [Rule]?
    private let filters: [SearchFilter]
    /// The rows of these alone can answer; nil for rows of everybody and nobody.
    package private(set) var patients: Set<String>?
    /// Into whose record somebody's was merged, by the id of the record that is no more.
    private var survivors: [String: String] = [:]
    /// Microseconds since 1970 UTC from which on, and before which, rows can answer.
    package let times: Range<Int64>
    /// Every row of the patients within the times answers: they can be counted without being read.
    package let isExact: Bool

    package var shape: AuditEvent.Shape { rules == nil ? .whole : .ofPatient }

    /// - Parameter parser: reads the constraints of granular scopes.
    package init(
        _ filters: [SearchFilter], _ permission: Permissions, _ access: AccessContext, _ parser: SearchQueryParser
    ) {
        self.filters = filters
        var patients: Set<String>?
        switch access.visibility(permission, of: AuditEvent.type) {
        case .whole: rules = nil
        case .nothing:
            rules = []
            patients = []
        case .anyOf(let all):
            let kept = all.compactMap { Self.rule($0, parser) }
            rules = kept
            // One rule that is of no patient in particular leads through all rows.
            if kept.allSatisfy({ !$0.patients.isEmpty }) { patients = Set(kept.flatMap(\.patients)) }
        }
        var (from, to) = (Int64.min, Int64.max)
        var isExact = rules?.allSatisfy { $0.filters.isEmpty && $0.patients.count == 1 } ?? true
        for filter in filters {
            guard case .parameter(let condition) = filter, case .matches(let values) = condition.test else {
                isExact = false
                continue
            }
            if condition.parameter.code == "patient" {
                let wanted = Set(
                    values.compactMap { value -> String? in
                        guard case .reference(let types, let id) = value,
                            types.isEmpty || types.contains("Patient")
                        else { return nil }
                        return id
                    })
                patients = patients.map { $0.intersection(wanted) } ?? wanted
            } else if ["date", "_lastUpdated"].contains(condition.parameter.code) {
                let ranges = values.map(Self.range)
                if ranges.count != 1 || Self.isNotEqual(values) { isExact = false }
                from = max(from, ranges.map(\.lower).min() ?? .min)
                to = min(to, ranges.map(\.upper).max() ?? .max)
            } else {
                isExact = false
            }
        }
        self.patients = patients
        self.isExact = isExact
        times = from..<max(from, to)
    }

    /// Nil for a rule that no row meets.
    private static func rule(_ rule: VisibilityRule, _ parser: SearchQueryParser) -> Rule? {
        var made = Rule(patients: [], filters: [])
        for condition in rule.conditions {
            switch condition {
            case .compartment(let compartment):
                guard compartment == .patient(compartment.id) else { return nil }
                made.patients.insert(compartment.id)
            case .search(let constraint):
                guard
                    let filter = parser.filter(
                        AuditEvent.type, SearchQuery.Parameter(name: constraint.name, value: constraint.value)),
                    case .parameter(let condition) = filter,
                    AuditEvent.searchParameters.contains(condition.parameter.code)
                else { return nil }
                made.filters.append(filter)
            case .carriesNone, .reach: return nil
            }
        }
        return made.patients.count > 1 ? nil : made
    }

    private static func isNotEqual(_ values: [SearchValue]) -> Bool {
        values.contains { if case .date(.notEqual, _, _) = $0 { true } else { false } }
    }

    /// Where a value's moments lie.
    private static func range(_ value: SearchValue) -> DateTimeRange {
        guard case .date(let prefix, let range, _) = value else { return DateTimeRange(lower: .min, upper: .max) }
        return switch prefix {
        case .equal, .approximately: range
        case .notEqual: DateTimeRange(lower: .min, upper: .max)
        case .greater, .startsAfter: DateTimeRange(lower: range.upper, upper: .max)
        case .greaterOrEqual: DateTimeRange(lower: range.lower, upper: .max)
        case .less, .endsBefore: DateTimeRange(lower: .min, upper: range.lower)
        case .lessOrEqual: DateTimeRange(lower: .min, upper: range.upper)
        }
    }

    /// The same for patients whose records have absorbed others: the rows of those are theirs too, as long as the merge
    /// stands.
    ///
    /// - Parameter merged: the ids of the records that were merged into one.
    package func following(_ merged: (_ survivor: String) throws -> [String]) rethrows -> AuditEventPlan {
        var plan = self
        for survivor in (rules ?? []).reduce(patients ?? [], { $0.union($1.patients) }).sorted() {
            for id in try merged(survivor) where id != survivor {
                plan.survivors[id] = survivor
                if patients?.contains(survivor) == true { plan.patients?.insert(id) }
                for (index, rule) in (rules ?? []).enumerated() where rule.patients.contains(survivor) {
                    plan.rules?[index].patients.insert(id)
                }
            }
        }
        return plan
    }

    /// The event of a row as the caller may see it; nil where they may not, or where it does not answer.
    package func event(_ row: AuditRow, base: String) -> AuditEvent? {
        let patients = row.record.patientIDs
        guard let rules else {
            let event = AuditEvent(
                row, base: base, shape: shape, survivors: Set(patients.compactMap { survivors[$0] }))
            return filters.allSatisfy { event.meets($0) } ? event : nil
        }
        // Each rule judges what it shows itself, and only what a rule lets through is shown by it.
        let fitting = rules.filter { rule in
            guard rule.patients.isEmpty || !rule.patients.isDisjoint(with: patients) else { return false }
            if rule.filters.isEmpty { return true }
            let event = self.event(row, [rule], base)
            return rule.filters.allSatisfy { event.meets($0) }
        }
        if fitting.isEmpty { return nil }
        let event = self.event(row, fitting, base)
        return filters.allSatisfy { event.meets($0) } ? event : nil
    }

    /// The event as some rules show it: of a row of several patients nobody sees whose the others' are.
    private func event(_ row: AuditRow, _ rules: [Rule], _ base: String) -> AuditEvent {
        let shown = rules.contains { $0.patients.isEmpty } ? nil : Set(rules.flatMap(\.patients))
        return AuditEvent(
            row, base: base, shape: shape, shown: shown,
            survivors: Set(row.record.patientIDs.compactMap { shown?.contains($0) ?? true ? survivors[$0] : nil }))
    }
}

/// The port to the audit trail as AuditEvents: what the caller may not see is not there.
package protocol AuditEventStore: Sendable {
    /// The event of a row.
    func auditEvent(_ number: Int64, access: AccessContext) async throws -> StoredResource?
    /// The first page of a search on AuditEvent, newest first, or the page that a token names; only its filters, count and
    /// total are looked at. A page that has looked at many rows in vain ends before it is full, with a link to what is
    /// older. An invalid or foreign token throws `StoreError(.notFound)`.
    func searchAuditEvents(_ query: SearchQuery, token: String?, access: AccessContext) async throws -> SearchPage
}
