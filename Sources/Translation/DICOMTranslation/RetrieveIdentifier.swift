import DICOMData
import Workflow

/// The identifier of a C-MOVE or C-GET: a level and the unique keys of what is to be sent. PS3.4 §C.4.2.1.4, §C.4.3.1.3.
package struct RetrieveIdentifier: Sendable, Hashable {
    /// Values of one key at most.
    static let valuesMax = 10_000

    package let level: QueryRetrieveLevel
    package let patientID: String?
    package let studyInstanceUIDs: [String]
    package let seriesInstanceUIDs: [String]
    package let sopInstanceUIDs: [String]

    /// The unique key of the level has one value or, of UIDs, several; those of the levels above have one each, or with
    /// `isRelational` none. Other keys are passed over. Throws ``IdentifierProblem``.
    package init(_ identifier: DataSet, root: QueryRetrieveRoot, isRelational: Bool = false) throws(IdentifierProblem) {
        guard let level = QueryRetrieveLevel(identifier, root: root) else {
            throw IdentifierProblem(.level, .queryRetrieveLevel)
        }
        self.level = level
        var values: [QueryRetrieveLevel: [String]] = [:]
        for one in level.levelsAbove(root) + [level] {
            let found = identifier.strings(one.uniqueKey).map(\.trimmed).filter { !$0.isEmpty }
            guard found.count <= Self.valuesMax else { throw IdentifierProblem(.value, one.uniqueKey) }
            let isValid =
                one == .patient
                ? found.allSatisfy { !WorklistKeys.isPattern($0) } : found.allSatisfy { UID.isSafe($0) }
            guard isValid else { throw IdentifierProblem(.value, one.uniqueKey) }
            let mayBeMany = one == level && one != .patient
            guard found.count == 1 || (mayBeMany && found.count > 1) || (isRelational && one != level && found.isEmpty)
            else { throw IdentifierProblem(.uniqueKey, one.uniqueKey) }
            values[one] = found
        }
        patientID = values[.patient]?.first
        studyInstanceUIDs = values[.study] ?? []
        seriesInstanceUIDs = values[.series] ?? []
        sopInstanceUIDs = values[.image] ?? []
    }

    /// Where the studies have to be looked up: those of a patient, those that must be of a patient, and, in a relational
    /// retrieval, those that a series or an instance belongs to. nil where the studies are named.
    package var lookup: SearchKeys? {
        guard patientID != nil || studyInstanceUIDs.isEmpty || (level == .image && seriesInstanceUIDs.isEmpty) else {
            return nil
        }
        var keys = SearchKeys()
        if let patientID { keys[.patientID] = .exact(patientID) }
        for (key, uids) in [
            (SearchKey.studyInstanceUID, studyInstanceUIDs), (.seriesInstanceUID, seriesInstanceUIDs),
            (.sopInstanceUID, sopInstanceUIDs),
        ] where !uids.isEmpty {
            keys[key] = uids.count == 1 ? .exact(uids[0]) : .anyOf(uids.map { .exact($0) })
        }
        return keys
    }

    /// Whether an instance of one of the studies is to be sent.
    package func names(_ instance: Instance, series: Set<String>, instances: Set<String>) -> Bool {
        (series.isEmpty || series.contains(instance.seriesInstanceUID))
            && (instances.isEmpty || instances.contains(instance.sopInstanceUID))
    }
}
