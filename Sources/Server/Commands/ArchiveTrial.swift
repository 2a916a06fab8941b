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

    /// What is known of the keys of an archive.
    struct Lesson {
        var findings: [PeerFinding] = []
        /// The keys that it is asked for from now on; nil where nothing was learned.
        var keys: Set<SearchKey>?
    }

    private enum Verdict {
        case heeded, ignored
        case refused(DIMSEStatus)
    }
    private typealias Key = (tag: Tag, key: SearchKey, level: StudyQueryLevel)

    let peer: Peer
    /// Days since 1970-01-01.
    let today: Int
    /// Asks the archive, and stops it after so many matches.
    let find: (_ identifier: DataSet, _ limit: Int) async throws -> Answer

    /// Studies that are asked about, until all keys are told of.
    private static let studiesMax = 8
    /// Days that are looked back, one after the other, until there is a study.
    private static let daysBack = [7, 90, 3_650]

    /// Throws what `find` throws.
    func learn() async throws -> Lesson {
        var lesson = Lesson()
        let studies: [DataSet]
        switch try await samples() {
        case .success(let found): studies = found
        case .failure(let refusal):
            lesson.findings = [
                .fail(
                    "keys", "a C-FIND of the studies of some days is answered with \(refusal.status)",
                    fix: "see its log: it may not know a key that is asked for")
            ]
            return lesson
        }
        guard !studies.isEmpty else {
            lesson.findings = [
                .note(
                    "keys", "it shows no study of the last ten years, so what it matches is not learned",
                    fix: "test it again when it has one")
            ]
            return lesson
        }
        var verdicts: [(key: Key, verdict: Verdict)] = []
        var untold: [Key] = []
        var series: [(study: DataSet, series: DataSet)] = []
        for study in studies.prefix(Self.studiesMax / 2) {
            guard let uid = study.uid(.studyInstanceUID) else { continue }
            let answer = try await find(ArchiveIdentifier.series(SearchKeys(), of: uid, at: peer), Self.studiesMax)
            series += answer.matches.map { (study, $0) }
        }
        for key in QueryKeys.matchable where key.level != .instance && key.key.isAsked {
            let told =
                key.level == .study
                ? studies.lazy.compactMap { sample in Self.value(of: key.tag, in: sample).map { (sample, nil, $0) } }
                    .first
                : series.lazy.compactMap { pair in
                    Self.value(of: key.tag, in: pair.series).map { (pair.study, pair.series, $0) }
                }.first
            guard let (study, one, value) = told as (DataSet, DataSet?, String)? else {
                untold.append(key)
                continue
            }
            verdicts.append((key, try await verdict(key, value, of: study, one)))
        }
        lesson.keys = kept(verdicts)
        lesson.findings = findings(verdicts, untold)
        return lesson
    }

    // MARK: Asking

    private struct Refusal: Error {
        let status: DIMSEStatus
    }

    /// Some studies as the archive tells of them where it is asked for those of some days.
    private func samples() async throws -> Result<[DataSet], Refusal> {
        for days in Self.daysBack {
            let from = DICOMDate(daysSince1970: today - days)?.description
            let keys = SearchKeys([.studyDate: .dates(from: from, to: nil)])
            guard let identifier = ArchiveIdentifier.studies(keys, at: peer) else { continue }
            let answer = try await find(identifier, Self.studiesMax)
            let found = answer.matches.filter { $0.uid(.studyInstanceUID)?.isEmpty == false }
            if !found.isEmpty { return .success(found) }
            if answer.status.kind == .failure { return .failure(Refusal(status: answer.status)) }
        }
        return .success([])
    }

    private func verdict(_ key: Key, _ value: String, of study: DataSet, _ series: DataSet?) async throws -> Verdict {
        let unique: Tag = series == nil ? .studyInstanceUID : .seriesInstanceUID
        guard let uid = (series ?? study).uid(unique) else { return .ignored }
        func isFound(_ value: String) async throws -> Result<Bool, Refusal> {
            var asked = DataSet()
            asked.set(
                .queryRetrieveLevel,
                string: (series == nil ? QueryRetrieveLevel.study : QueryRetrieveLevel.series).rawValue)
            if let uid = study.uid(.studyInstanceUID) { asked.set(.studyInstanceUID, string: uid) }
            asked.set(unique, string: uid)
            asked.set(key.tag, string: value)
            let answer = try await find(asked, Self.studiesMax)
            if answer.status.kind == .failure { return .failure(Refusal(status: answer.status)) }
            return .success(answer.matches.contains { $0.uid(unique) == uid })
        }
        switch try await (isFound(value), isFound(Self.other(than: value, key.tag))) {
        case (.failure(let refusal), _), (_, .failure(let refusal)): return .refused(refusal.status)
        case (.success(let own), .success(let other)): return own && !other ? .heeded : .ignored
        }
    }

    /// A value that can be asked for as it is, of an attribute that has one; nil for none.
    private static func value(of tag: Tag, in answer: DataSet) -> String? {
        guard let text = answer.strings(tag).first(where: { !$0.isEmpty }) else { return nil }
        // Wildcards, and what one character set has and another lacks, say nothing of the key.
        return text.utf8.allSatisfy { $0 >= 32 && $0 < 127 } && !text.contains { "*?\\".contains($0) } ? text : nil
    }

    /// A value of the same kind that the attribute does not have.
    private static func other(than value: String, _ tag: Tag) -> String {
        switch DataDictionary.vr(tag) {
        case .DA: value == "19000102" ? "19000103" : "19000102"
        case .TM: value.hasPrefix("000001") ? "000002" : "000001"
        case .IS: value == "987654" ? "987653" : "987654"
        case .CS where tag == .patientSex: value == "O" ? "F" : "O"
        case .CS: value == "XX" ? "YY" : "XX"
        case .PN: "NOBODY^OF THIS NAME"
        default: "NOTHING OF IT"
        }
    }

    // MARK: What was learned

    private func kept(_ verdicts: [(key: Key, verdict: Verdict)]) -> Set<SearchKey> {
        var keys = peer.archive?.keys ?? ArchiveCapabilities.least
        for (key, verdict) in verdicts {
            if case .heeded = verdict {
                keys.insert(key.key)
            } else if !ArchiveCapabilities.least.contains(key.key) {
                keys.remove(key.key)
            }
        }
        return keys
    }

    private func findings(_ verdicts: [(key: Key, verdict: Verdict)], _ untold: [Key]) -> [PeerFinding] {
        func names(_ keys: [Key]) -> String {
            keys.map { DataDictionary.keyword($0.tag) ?? "\($0.tag)" }.joined(separator: ", ")
        }
        var findings: [PeerFinding] = []
        let heeded = verdicts.filter { if case .heeded = $0.verdict { true } else { false } }.map(\.key)
        if !heeded.isEmpty { findings.append(.ok("keys", "it matches \(names(heeded)), which it is asked for")) }
        let ignored = verdicts.filter { if case .ignored = $0.verdict { true } else { false } }.map(\.key)
        if !ignored.isEmpty {
            findings.append(
                .note(
                    "keys", "it does not heed \(names(ignored))",
                    fix: "nothing: what is looked for by these is looked for in its answers"))
        }
        for case (let key, .refused(let status)) in verdicts {
            let text = "it answers a C-FIND with \(names([key])) with \(status)"
            findings.append(
                ArchiveCapabilities.least.contains(key.key)
                    ? .fail("keys", text, fix: "see its log: every archive has to match this key")
                    : .note("keys", text, fix: "nothing: it is not asked for this key"))
        }
        if !untold.isEmpty {
            findings.append(
                .note(
                    "keys", "its studies told nothing of \(names(untold))",
                    fix: "test it again later, or say what it matches with --archive-key"))
        }
        return findings
    }
}

extension SearchKey {
    /// Whether a trial asks for it: the unique keys find the study that it is about.
    fileprivate var isAsked: Bool { self != .studyInstanceUID && self != .seriesInstanceUID }
}
