import DICOMData
import DICOMNetwork
import DICOMTranslation
import Workflow

/// Learns by C-FIND which keys an archive matches beside those that every archive has to.
///
/// A few studies are taken as they come. Each key that one of them tells of is then asked for of that study alone, twice:
/// with its own value, which has to find it, and with another, which must not. Only names of keys leave this: no value of
/// a patient is shown, kept or logged. PS3.4 §C.2.2.2, §C.4.1.
struct ArchiveTrial {
    /// What one query was answered with.
    struct Answer {
        var status: DIMSEStatus
        var matches: [DataSet]
    }

    /// A query that had no answer: the association is lost, or the time is over.
    struct Unanswered: Error {
        /// Such as `C-FIND with PatientSex`.
        let what: String
        let reason: any Error
    }

    let peer: Peer
    /// Days since 1970-01-01.
    let today: Int
    /// Asks the archive, and stops it after so many matches.
    let find: (_ identifier: DataSet, _ limit: Int) async throws -> Answer

    /// Studies that are asked about, until all keys are told of.
    private static let studiesMax = 8
    /// Days that are looked back, one after the other, until there is a study.
    private static let daysBack = [7, 90, 3_650]

    /// Throws ``Unanswered``.
    func learn() async throws(Unanswered) -> ArchiveLesson {
        let (studies, refusal) = try await self.studies()
        if let refusal { return ArchiveLesson(refusal, of: "the studies of some days") }
        guard !studies.isEmpty else { return ArchiveLesson.ofNoStudy }
        let (series, seriesRefusal) = try await self.series(of: studies)
        let samples = ArchiveSamples(studies: studies, series: series)
        var verdicts: [KeyVerdict] = []
        for (tag, key, level) in QueryKeys.matchable where level != .instance && key.isAsked {
            if level == .series, seriesRefusal != nil { continue }
            var outcome = KeyVerdict.Outcome.untold
            if let sample = samples.first(with: tag, at: level) { outcome = try await self.outcome(tag, sample) }
            verdicts.append(KeyVerdict(tag: tag, key: key, outcome: outcome))
        }
        var lesson = ArchiveLesson(verdicts, known: peer.archive?.keys ?? ArchiveCapabilities.least)
        if let seriesRefusal { lesson.findings += ArchiveLesson(seriesRefusal, of: "the series of a study").findings }
        return lesson
    }

    // MARK: Asking

    private func ask(_ what: String, _ identifier: DataSet) async throws(Unanswered) -> Answer {
        do { return try await find(identifier, Self.studiesMax) } catch {
            throw Unanswered(what: "a C-FIND \(what)", reason: error)
        }
    }

    /// Some studies as the archive tells of them where it is asked for those of some days, or with what it refuses that.
    private func studies() async throws(Unanswered) -> ([DataSet], DIMSEStatus?) {
        for days in Self.daysBack {
            let from = DICOMDate(daysSince1970: today - days)?.description
            let keys = SearchKeys([.studyDate: .dates(from: from, to: nil)])
            guard let identifier = ArchiveIdentifier.studies(keys, at: peer) else { continue }
            let answer = try await ask("of the studies of some days", identifier)
            let found = answer.matches.filter { $0.uid(.studyInstanceUID)?.isEmpty == false }
            if !found.isEmpty { return (found, nil) }
            if answer.status.kind == .failure { return ([], answer.status) }
        }
        return ([], nil)
    }

    /// Series of some of the studies; the status where the archive refuses to tell of any.
    private func series(
        of studies: [DataSet]
    ) async throws(Unanswered) -> ([(study: DataSet, series: DataSet)], DIMSEStatus?) {
        var found: [(study: DataSet, series: DataSet)] = []
        var refusal: DIMSEStatus?
        for study in studies.prefix(Self.studiesMax / 2) {
            guard let uid = study.uid(.studyInstanceUID) else { continue }
            let answer = try await ask(
                "of the series of a study", ArchiveIdentifier.series(SearchKeys(), of: uid, at: peer))
            found += answer.matches.map { (study, $0) }
            if answer.status.kind == .failure { refusal = answer.status }
        }
        return (found, found.isEmpty ? refusal : nil)
    }

    private func outcome(_ tag: Tag, _ sample: ArchiveSamples.Sample) async throws(Unanswered) -> KeyVerdict.Outcome {
        guard let own = sample.identifier(tag, sample.value),
            let other = sample.identifier(tag, KeyVerdict.other(than: sample.value, of: tag))
        else { return .untold }
        let what = "with \(KeyVerdict.name(of: tag))"
        let first = try await ask(what, own)
        if first.status.kind == .failure { return .refused(first.status) }
        let second = try await ask(what, other)
        if second.status.kind == .failure { return .refused(second.status) }
        switch (sample.isAmong(first.matches), sample.isAmong(second.matches)) {
        case (true, false): return .heeded
        case (false, false): return .missed
        case (_, true): return .ignored
        }
    }
}

extension SearchKey {
    /// Whether a trial asks for it: the unique keys find the study that it is about.
    fileprivate var isAsked: Bool { self != .studyInstanceUID && self != .seriesInstanceUID }
}
