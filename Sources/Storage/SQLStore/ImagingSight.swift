import Access
import Workflow

/// What the caller may see of the imaging tables, as conditions on their rows. The other reader of
/// ``Access/Visibility`` is of the resources.
///
/// Images are reached with the rights of ImagingStudy, the worklist with those of ServiceRequest. A rule is applied as far
/// as the tables can tell whether it holds: they know the patient, and nothing that a search condition or a label speaks
/// of, so a rule with one of these lets nothing through. What is kept aside belongs to no patient.
struct ImagingSight: Sendable {
    private enum Extent: Sendable {
        case whole
        /// The rows of these patients, by id; none for nobody.
        case patients([String])
    }
    private let extent: Extent

    /// Every row.
    static let whole = ImagingSight(.whole)

    init(_ visibility: Visibility) {
        switch visibility {
        case .whole: extent = .whole
        case .nothing: extent = .patients([])
        case .anyOf(let rules): extent = .patients(rules.compactMap(\.onlyPatient))
        }
    }

    /// No row at all: there is nothing to ask the database.
    var isNothing: Bool { if case .patients(let ids) = extent { ids.isEmpty } else { false } }
    /// Every row, those of no patient among them: what is kept aside, and conflicts of instances.
    var isWhole: Bool { if case .whole = extent { true } else { false } }

    /// The condition on a study, a series or a step of the worklist; nil where there is none. A series that is kept aside
    /// has no patient.
    func row(_ alias: String, _ dialect: SQLDialect) -> SQLCondition? {
        guard case .patients(let ids) = extent else { return nil }
        return SQLCondition(dialect.isInTexts("\(alias).patient_id"), [.texts(ids)])
    }

    /// The condition on a row that belongs to a series by `study_uid` and `series_uid`.
    func ofSeries(_ alias: String, _ dialect: SQLDialect) -> SQLCondition? {
        guard let series = row("n", dialect) else { return nil }
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
    /// Of studies, series, instances, what is kept aside, and conflicts.
    func imagingSight(_ permission: Permissions) -> ImagingSight {
        ImagingSight(visibility(permission, of: "ImagingStudy"))
    }

    /// Of the worklist and the steps that wait for it.
    var worklistSight: ImagingSight { ImagingSight(visibility(.search, of: "ServiceRequest")) }
}
