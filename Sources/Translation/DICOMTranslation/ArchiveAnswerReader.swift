import DICOMData
import Workflow

/// Reads what an archive answers to C-FIND. Nothing in it is trusted: what is no answer to what was asked is left out.
package struct ArchiveAnswerReader: Sendable {
    private let attributes: AttributeReader

    /// - Parameter authorities: whose a patient id is of which no issuer, or one of the site, is named.
    package init(authorities: AssigningAuthorities) { attributes = AttributeReader(authorities: authorities) }

    /// A study; nil for an answer of another level, without a UID, or with an identifier that can be no one's.
    package func study(_ answer: DataSet, from archive: Peer) -> StudyMatch? {
        let set = labelled(answer, archive)
        guard isOf(.study, set), let uid = set.string(.studyInstanceUID), UID.isSafe(uid) else { return nil }
        let study = attributes.study(set)
        let looked = [study.patientID, study.patientIDSystem, study.issuerOfPatientID, study.accessionNumber]
        guard looked.allSatisfy({ $0.flatMap(TextRule.reason) == nil }) else { return nil }
        // It has no resource; its UID stands in for the id of one.
        var match = StudyMatch(
            study: Study(
                id: EntityID(uid), studyInstanceUID: uid, reconciliation: .quarantined(.unknownPatient),
                attributes: study, updatedAt: .distantPast),
            modalitiesInStudy: Array(Set(set.strings(.modalitiesInStudy).filter { !$0.isEmpty })).sorted(),
            numberOfStudyRelatedSeries: count(set, .numberOfStudyRelatedSeries),
            numberOfStudyRelatedInstances: count(set, .numberOfStudyRelatedInstances))
        match.archive = archive.name
        return match
    }

    /// A series of a study; nil for an answer of another level or study, or without a UID.
    package func series(_ answer: DataSet, of study: StudyMatch, from archive: Peer) -> StudyMatch? {
        let set = labelled(answer, archive)
        let studyUID = study.study.studyInstanceUID
        guard isOf(.series, set), (set.string(.studyInstanceUID) ?? studyUID) == studyUID,
            let uid = set.string(.seriesInstanceUID), UID.isSafe(uid)
        else { return nil }
        var match = study
        match.series = Series(
            studyInstanceUID: studyUID, seriesInstanceUID: uid, reconciliation: study.study.reconciliation,
            attributes: attributes.series(set), updatedAt: .distantPast)
        match.numberOfSeriesRelatedInstances = count(set, .numberOfSeriesRelatedInstances)
        return match
    }

    /// An instance of a series; nil for an answer of another level, study or series, or without a UID. What only the bytes
    /// of an instance tell is as of none.
    package func instance(_ answer: DataSet, of series: StudyMatch, from archive: Peer) -> StudyMatch? {
        let set = labelled(answer, archive)
        let studyUID = series.study.studyInstanceUID
        guard isOf(.image, set), (set.string(.studyInstanceUID) ?? studyUID) == studyUID,
            let seriesUID = series.series?.seriesInstanceUID,
            (set.string(.seriesInstanceUID) ?? seriesUID) == seriesUID,
            let uid = set.string(.sopInstanceUID), UID.isSafe(uid)
        else { return nil }
        func uidOrNone(_ tag: Tag) -> String { set.string(tag).flatMap { UID.isSafe($0) ? $0 : nil } ?? "" }
        func number(_ tag: Tag) -> Int? { set.int(tag).flatMap { (0...Int(Int32.max)).contains($0) ? $0 : nil } }
        var match = series
        match.instance = Instance(
            studyInstanceUID: studyUID, seriesInstanceUID: seriesUID, sopInstanceUID: uid,
            sopClassUID: uidOrNone(.sopClassUID), instanceNumber: set.int(.instanceNumber),
            transferSyntaxUID: uidOrNone(.availableTransferSyntaxUID), rows: number(.rows), columns: number(.columns),
            bitsAllocated: number(.bitsAllocated), numberOfFrames: number(.numberOfFrames) ?? 0, blobID: BlobID(""),
            size: 0, dataSetOffset: 0, pixelDataOffset: nil, pixelDataLength: nil, receivedAt: .distantPast,
            receivedFrom: nil, archive: archive.name)
        return match
    }

    /// Text beyond ASCII without a word of its character set is in that of the archive.
    private func labelled(_ answer: DataSet, _ archive: Peer) -> DataSet {
        guard let term = archive.characterSet, answer.string(.specificCharacterSet) == nil else { return answer }
        var labelled = answer
        labelled[.specificCharacterSet] = DataElement(.specificCharacterSet, .CS, bytes: Array(term.utf8))
        return labelled
    }

    private func isOf(_ level: QueryRetrieveLevel, _ set: DataSet) -> Bool {
        (set.string(.queryRetrieveLevel) ?? level.rawValue) == level.rawValue
    }

    private func count(_ set: DataSet, _ tag: Tag) -> Int { min(max(0, set.int(tag) ?? 0), Int(Int32.max)) }
}
