import DICOMData
import Workflow

/// What an archive is asked by C-FIND, Study Root: the part of a query that it can match, and every attribute that its
/// answer is checked by and shown with. PS3.4 §C.4.1, §C.6.2.1.
package enum ArchiveIdentifier {
    /// UIDs of one list at most; a longer one is looked for in the answer.
    private static let valuesMax = 100

    /// The identifier at the level of studies; nil where nothing that the archive matches narrows the query: no archive
    /// is asked for all that it has.
    package static func studies(_ keys: SearchKeys, at archive: Peer) -> DataSet? {
        var values = values(keys, at: archive, .study)
        // Some take a day and a time as one moment without having agreed on it.
        if values[.studyDate] != nil { values[.studyTime] = nil }
        if values.isEmpty { values = names(keys, at: archive) }
        let set = identifier(.study, values, returning: ofStudies, in: sets(of: archive))
        return values.keys.contains { set.string($0) != nil } ? set : nil
    }

    /// The identifier at the level of the series of one study.
    package static func series(_ keys: SearchKeys, of studyInstanceUID: String, at archive: Peer) -> DataSet {
        var values = values(keys, at: archive, .series)
        values[.studyInstanceUID] = studyInstanceUID
        return identifier(.series, values, returning: ofSeries, in: sets(of: archive))
    }

    /// The identifier at the level of the instances of one series.
    package static func instances(
        _ keys: SearchKeys, of studyInstanceUID: String, series seriesInstanceUID: String, at archive: Peer
    ) -> DataSet {
        var values = values(keys, at: archive, .instance)
        values[.studyInstanceUID] = studyInstanceUID
        values[.seriesInstanceUID] = seriesInstanceUID
        return identifier(.image, values, returning: ofInstances, in: sets(of: archive))
    }

    private static let ofStudies: [Tag] = [
        .studyDate, .studyTime, .accessionNumber, .modalitiesInStudy, .referringPhysicianName, .patientName, .patientID,
        .issuerOfPatientID, .patientBirthDate, .patientSex, .studyInstanceUID, .studyID, .studyDescription,
        .numberOfStudyRelatedSeries, .numberOfStudyRelatedInstances,
    ]
    private static let ofSeries: [Tag] = [
        .modality, .seriesInstanceUID, .seriesNumber, .seriesDescription, .bodyPartExamined,
        .performedProcedureStepStartDate, .performedProcedureStepStartTime, .numberOfSeriesRelatedInstances,
        .laterality,
    ]
    private static let ofInstances: [Tag] = [
        .sopInstanceUID, .sopClassUID, .instanceNumber, .rows, .columns, .bitsAllocated, .numberOfFrames,
        .availableTransferSyntaxUID,
    ]

    // MARK: Keys

    /// Whether an archive is asked for a name by which it finds less than the query does: it matches names as they are
    /// written.
    package static func asksLess(_ keys: SearchKeys, at archive: Peer) -> Bool {
        values(keys, at: archive, .study).isEmpty && !names(keys, at: archive).isEmpty
    }

    /// Names that are looked for by their words, as they are written: all that narrows the query.
    private static func names(_ keys: SearchKeys, at archive: Peer) -> [Tag: String] {
        var values: [Tag: String] = [:]
        for (tag, key, level) in QueryKeys.matchable where level == .study {
            guard archive.archive?.matched.contains(key) == true, case .similarName(let text) = keys[key] else {
                continue
            }
            values[tag] = text
        }
        return values
    }

    private static func values(_ keys: SearchKeys, at archive: Peer, _ level: StudyQueryLevel) -> [Tag: String] {
        guard let known = archive.archive?.matched else { return [:] }
        var matches = keys.matches
        // Of a period the days are asked for, and the times looked for in the answer.
        for period in keys.periods where matches[period.date] == nil {
            matches[period.date] = .dates(from: period.from?.date, to: period.to?.date)
        }
        var values: [Tag: String] = [:]
        for (tag, key, own) in QueryKeys.matchable where own == level && known.contains(key) {
            values[tag] = matches[key].flatMap { text($0, isUID: DataDictionary.vr(tag) == .UI) }
        }
        return values
    }

    /// As it stands in an identifier; nil for what not every archive understands.
    private static func text(_ match: KeyMatch, isUID: Bool) -> String? {
        switch match {
        case .exact(let text), .wildcard(let text), .name(let text): return text
        case .dates(let from, let to), .times(let from, let to):
            if from == nil, to == nil { return nil }
            return from == to ? from : "\(from ?? "")-\(to ?? "")"
        case .anyOf(let all):
            // Only lists of UIDs are of the standard without negotiation. PS3.4 §C.2.2.2.2.
            let uids = all.compactMap { one -> String? in
                if case .exact(let uid) = one { uid } else { nil }
            }
            return isUID && uids.count == all.count && uids.count <= valuesMax ? uids.joined(separator: "\\") : nil
        // Looked for in the answer.
        case .similarName, .empty: return nil
        }
    }

    // MARK: Character sets

    /// Those that text may be sent in, the first that has all of it counts.
    private static func sets(of archive: Peer) -> [SpecificCharacterSet] {
        if let term = archive.characterSet { return [.defaultRepertoire, SpecificCharacterSet(terms: [term])] }
        return [.defaultRepertoire, SpecificCharacterSet(terms: ["ISO_IR 100"]), .utf8]
    }

    /// Where none of the sets has all of the text, a key with what is lacking is left out.
    private static func identifier(
        _ level: QueryRetrieveLevel, _ values: [Tag: String], returning tags: [Tag], in sets: [SpecificCharacterSet]
    ) -> DataSet {
        var set = DataSet()
        for candidate in sets {
            set = DataSet()
            set.convert(to: candidate)
            for (tag, value) in values { set.set(tag, string: value) }
            if set.characterSet == candidate { break }
        }
        if let last = sets.last, !sets.contains(set.characterSet) {
            set = DataSet()
            set.convert(to: last)
            for (tag, value) in values {
                var with = set
                with.set(tag, string: value)
                if with.characterSet == last { set = with }
            }
        }
        set.set(.queryRetrieveLevel, string: level.rawValue)
        for tag in tags where !set.contains(tag) { set.setEmpty(tag) }
        return set
    }
}
