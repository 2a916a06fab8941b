import Access
import Workflow

/// What the caller may see of the imaging tables, as conditions on their rows. The other reader of
/// ``Access/Visibility`` is of the resources.
///
/// Images are reached with the rights of ImagingStudy, the worklist with those of ServiceRequest. A rule is applied as far
/// as the tables can tell whether it holds: they know the patient, the study and the order, and nothing that a search
/// condition speaks of, so a rule with one of these lets nothing through. What is kept aside belongs to no patient.
struct ImagingSight: Sendable {
    private enum Extent: Sendable {
        case whole
        /// The rows of these patients, by id; none for nobody.
        case patients([String])
        /// The rows that one of the rules lets through: at least one, each of conditions that the tables can tell.
        case rules([VisibilityRule])
    }
    /// A kind of row, which tells by what resource its labels are found.
    private enum Row { case study, series, step }

    private let extent: Extent
    private let isOfWorklist: Bool

    /// Every row.
    static let whole = ImagingSight(Visibility.whole)

    init(_ visibility: Visibility, isOfWorklist: Bool = false) {
        self.isOfWorklist = isOfWorklist
        switch visibility {
        case .whole: extent = .whole
        case .nothing: extent = .patients([])
        case .anyOf(let rules):
            // A row is of one patient, so that a rule of two lets nothing through.
            let told = rules.filter { $0.conditions.allSatisfy(Self.isTold) && Self.patients(of: $0).count < 2 }
            let patients = told.compactMap(\.onlyPatient)
            extent = patients.count == told.count ? .patients(patients) : .rules(told)
        }
    }

    private static func patients(of rule: VisibilityRule) -> Set<String> {
        Set(rule.conditions.compactMap { if case .compartment(let own) = $0 { own.id } else { nil } })
    }

    private static func isTold(_ condition: VisibilityRule.Condition) -> Bool {
        switch condition {
        case .compartment(let own): own == .patient(own.id)
        case .search: false
        case .carriesNone, .reach: true
        }
    }

    /// No row at all: there is nothing to ask the database.
    var isNothing: Bool { if case .patients(let ids) = extent { ids.isEmpty } else { false } }
    /// Every row, those of no patient among them: what is kept aside, and conflicts of instances.
    var isWhole: Bool { if case .whole = extent { true } else { false } }

    /// The condition on a study, or on a step of the worklist where it is a sight of that; nil where there is none.
    func root(_ alias: String, _ dialect: SQLDialect) -> SQLCondition? {
        guard var condition = row(alias, isOfWorklist ? .step : .study, dialect) else { return nil }
        if let candidates { condition.add("\(alias).patient_id IN (\(candidates.text))", values: candidates.values) }
        return condition
    }

    /// The condition on a series; nil where there is none. A series that is kept aside has no patient.
    func series(_ alias: String, _ dialect: SQLDialect) -> SQLCondition? { row(alias, .series, dialect) }

    private func row(_ alias: String, _ row: Row, _ dialect: SQLDialect) -> SQLCondition? {
        switch extent {
        case .whole: nil
        case .patients(let ids):
            SQLCondition(dialect.isInTexts("\(alias).patient_id"), [.texts(ids)])
        case .rules(let rules):
            .anyOf(rules.map { rule in .allOf(rule.conditions.map { condition($0, alias, row, dialect) }) })
        }
    }

    private func condition(
        _ condition: VisibilityRule.Condition, _ alias: String, _ row: Row, _ dialect: SQLDialect
    ) -> SQLCondition {
        switch condition {
        case .compartment(let own): return SQLCondition("\(alias).patient_id = ?", [.text(own.id)])
        case .reach(let reach): return reach.condition(on: "\(alias).patient_id", dialect)
        case .carriesNone(let labels):
            let (type, id) =
                switch row {
                case .study: ("ImagingStudy", "\(alias).id")
                case .series: ("ImagingStudy", "(SELECT lt.id FROM studies lt WHERE lt.uid = \(alias).study_uid)")
                case .step: ("ServiceRequest", "\(alias).order_id")
                }
            // What hides a patient hides what is theirs.
            let all = [(type, id), ("Patient", "\(alias).patient_id")].compactMap {
                PatientReach.labelled($0.0, $0.1, labels, dialect.apart)
            }
            return .allOf([SQLCondition("\(alias).patient_id IS NOT NULL")] + all.map(SQLCondition.not))
        case .search: return SQLCondition("1 = 0")
        }
    }

    /// A SELECT of the patients whose rows may be seen and some others; nil where these are as many as all.
    private var candidates: SQLCondition? {
        guard case .rules(let rules) = extent else { return nil }
        var parts: [SQLCondition] = []
        for rule in rules {
            var own: SQLCondition?
            for condition in rule.conditions {
                if case .reach(let reach) = condition { own = reach.candidates }
            }
            guard let own else { return nil }
            parts.append(own)
        }
        return SearchCompiler.union(parts)
    }

    /// The condition on a row that belongs to a series by `study_uid` and `series_uid`.
    func ofSeries(_ alias: String, _ dialect: SQLDialect) -> SQLCondition? {
        guard let series = series("n", dialect) else { return nil }
        return SQLCondition(
            """
            EXISTS (SELECT 1 FROM series n WHERE n.study_uid = \(alias).study_uid AND n.uid = \(alias).series_uid \
            AND \(series.text))
            """, series.values)
    }

    /// The condition on an instance: one may be kept aside within a series that is not.
    func instance(_ alias: String, _ dialect: SQLDialect) -> SQLCondition? {
        guard var condition = ofSeries(alias, dialect) else { return nil }
        condition.add("NOT EXISTS (SELECT 1 FROM aside_instances q WHERE q.sop_uid = \(alias).sop_uid)")
        return condition
    }
}

extension AccessContext {
    /// Of studies, series, instances, what is kept aside, and conflicts; of reading, the objects themselves.
    func imagingSight(_ permission: Permissions) -> ImagingSight {
        ImagingSight(permission == .read ? imageVisibility : visibility(permission, of: "ImagingStudy"))
    }

    /// Of the worklist and the steps that wait for it.
    var worklistSight: ImagingSight {
        ImagingSight(visibility(.search, of: "ServiceRequest"), isOfWorklist: true)
    }
}
