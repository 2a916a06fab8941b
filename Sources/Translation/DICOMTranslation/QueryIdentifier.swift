import DICOMData
import Workflow

/// The identifier of a Query/Retrieve C-FIND: its level, what it asks of the index, and what its responses return.
/// PS3.4 §C.4.1.
package struct QueryIdentifier: Sendable {
    /// What was agreed on by SOP Class Extended Negotiation. PS3.4 §C.5.1.1.
    package struct Options: Sendable, Hashable {
        /// Keys of any level, without the unique keys of those above.
        package var isRelational: Bool
        /// A date key and its time key with ranges are one period.
        package var combinesDateAndTime: Bool
        /// Names are matched by their words, as they are written or as they sound.
        package var isFuzzy: Bool
        package init(isRelational: Bool = false, combinesDateAndTime: Bool = false, isFuzzy: Bool = false) {
            self.isRelational = isRelational
            self.combinesDateAndTime = combinesDateAndTime
            self.isFuzzy = isFuzzy
        }
    }

    package let level: QueryRetrieveLevel
    package let keys: SearchKeys
    /// Whether the identifier has keys that are not matched, or asks for attributes that no answer has: each response
    /// then says so by FF01. PS3.4 §C.4.1.1.4.
    package let hasUnsupportedKeys: Bool
    private let identifier: DataSet

    /// Throws ``IdentifierProblem``.
    package init(
        _ identifier: DataSet, root: QueryRetrieveRoot, options: Options = Options()
    ) throws(IdentifierProblem) {
        guard let level = QueryRetrieveLevel(identifier, root: root) else {
            throw IdentifierProblem(.level, .queryRetrieveLevel)
        }
        var reading = Reading(
            level: level, isRelational: options.isRelational, keys: KeyReader(isFuzzy: options.isFuzzy))
        for element in identifier.elements
        where !IdentifierSelection.isAside(element.tag) && element.tag != .queryRetrieveLevel {
            do throws(QueryKeys.Problem) { try reading.add(element, of: identifier) } catch {
                switch error {
                case .badValue(let tag): throw IdentifierProblem(.value, tag)
                }
            }
        }
        let keys = reading.keys.result(combinesDateAndTime: options.combinesDateAndTime)
        if !options.isRelational {
            for above in level.levelsAbove(root) {
                guard let key = QueryKeys.key(for: above.uniqueKey)?.key, keys.exact(key) != nil else {
                    throw IdentifierProblem(.uniqueKey, above.uniqueKey)
                }
            }
        }
        self.level = level
        self.keys = keys
        self.identifier = identifier
        hasUnsupportedKeys = reading.hasUnsupportedKeys
    }

    /// The response for one match: the keys that were asked for, each present, its unique key and where to get it: here,
    /// or at the archive that has it.
    package func response(for match: StudyMatch, retrieveAETitle: String) -> DataSet {
        let full =
            level == .patient
            ? StudyMatchDataSet.patient(match.study.attributes)
            : StudyMatchDataSet.dataSet(match, level: level.ofIndex, retrieveBase: nil)
        var answer = IdentifierSelection.select(full, by: identifier)
        answer[level.uniqueKey] = full[level.uniqueKey]
        answer.set(.queryRetrieveLevel, string: level.rawValue)
        answer.set(.retrieveAETitle, string: match.archive ?? retrieveAETitle)
        return answer
    }

    /// Whose match it is at the level of patients, each of which is answered once.
    package static func patient(of match: StudyMatch) -> String {
        let study = match.study.attributes
        return "\(study.patientIDSystem ?? study.issuerOfPatientID ?? "")|\(study.patientID ?? "")"
    }

    // MARK: Reading keys

    private struct Reading {
        let level: QueryRetrieveLevel
        let isRelational: Bool
        var keys: KeyReader
        var hasUnsupportedKeys = false

        mutating func add(_ element: DataElement, of identifier: DataSet) throws(QueryKeys.Problem) {
            if element.tag == .requestAttributesSequence, level.depth >= QueryRetrieveLevel.series.depth || isRelational
            {
                return try addRequest(element)
            }
            guard let own = QueryIdentifier.level(of: element.tag) else {
                hasUnsupportedKeys = true
                return
            }
            if own.depth > level.depth {
                // A level below is asked for nothing that one above could return.
                hasUnsupportedKeys = true
                guard isRelational else { return }
            }
            let text = element.text(in: identifier)
            if let key = QueryKeys.key(for: element.tag)?.key {
                try keys.add(text, for: element.tag, as: key)
            } else if !IdentifierSelection.isUniversal(text) {
                hasUnsupportedKeys = true
            }
        }

        private mutating func addRequest(_ element: DataElement) throws(QueryKeys.Problem) {
            let items = element.items ?? []
            if items.count > 1 { hasUnsupportedKeys = true }
            guard let item = items.first else { return }
            for inner in item.elements where !IdentifierSelection.isAside(inner.tag) {
                if let key = QueryKeys.requestAttributes.first(where: { $0.tag == inner.tag })?.key {
                    try keys.add(inner.text(in: item), for: inner.tag, as: key)
                } else if inner.tag != .accessionNumber || !IdentifierSelection.isUniversal(inner.text(in: item)) {
                    hasUnsupportedKeys = true
                }
            }
        }
    }

    /// The level of an attribute that answers have; nil for one that none has.
    static func level(of tag: Tag) -> QueryRetrieveLevel? {
        if ofPatient.contains(tag) { return .patient }
        switch QueryKeys.key(for: tag)?.level {
        case .study: return .study
        case .series: return .series
        case .instance: return .image
        case nil: return returned[tag]
        }
    }

    private static let ofPatient: Set<Tag> = [
        .patientName, .patientID, .issuerOfPatientID, .patientBirthDate, .patientSex,
    ]
    /// Attributes that are returned and not matched.
    private static let returned: [Tag: QueryRetrieveLevel] = [
        .retrieveAETitle: .patient, .instanceAvailability: .study, .timezoneOffsetFromUTC: .study,
        .numberOfStudyRelatedSeries: .study, .numberOfStudyRelatedInstances: .study,
        .numberOfSeriesRelatedInstances: .series, .laterality: .series, .rows: .image, .columns: .image,
        .bitsAllocated: .image, .numberOfFrames: .image, .availableTransferSyntaxUID: .image,
    ]
}
