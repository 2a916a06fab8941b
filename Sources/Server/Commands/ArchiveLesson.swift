import DICOMData
import DICOMNetwork
import Workflow

/// What a trial of an archive has learned: what there is to say, and which keys it is asked for from now on.
struct ArchiveLesson {
    var findings: [PeerFinding]
    /// Nil where nothing was learned.
    var keys: Set<SearchKey>?

    /// Nothing, for there was nothing to ask for.
    static var ofNoStudy: ArchiveLesson {
        ArchiveLesson(
            findings: [
                .note(
                    "keys", "it shows no study of the last ten years, so what it matches is not learned",
                    fix: "test it again when it has one")
            ], keys: nil)
    }

    init(findings: [PeerFinding], keys: Set<SearchKey>?) {
        self.findings = findings
        self.keys = keys
    }

    /// Nothing, for the archive refuses a query that every archive has to answer.
    init(_ refusal: DIMSEStatus, of what: String) {
        self.init(
            findings: [
                .fail(
                    "keys", "a C-FIND of \(what) is answered with \(refusal)",
                    fix: "see its log: it may not know a key that is asked for")
            ], keys: nil)
    }

    /// - Parameter known: the keys that it was asked for before; those that nothing is learned of stay.
    init(_ verdicts: [KeyVerdict], known: Set<SearchKey>) {
        keys = verdicts.reduce(into: known) { keys, verdict in
            switch verdict.outcome {
            case .heeded: keys.insert(verdict.key)
            case .ignored, .missed, .refused: if !verdict.isRequired { keys.remove(verdict.key) }
            case .untold: break
            }
        }
        func names(_ isMeant: (KeyVerdict.Outcome) -> Bool) -> String? {
            let names = verdicts.filter { isMeant($0.outcome) }.map { KeyVerdict.name(of: $0.tag) }
            return names.isEmpty ? nil : names.joined(separator: ", ")
        }
        findings = []
        if let names = names({ if case .heeded = $0 { true } else { false } }) {
            findings.append(.ok("keys", "it matches \(names), which it is asked for"))
        }
        if let names = names({ if case .ignored = $0 { true } else { false } }) {
            findings.append(
                .note(
                    "keys", "it does not heed \(names)",
                    fix: "nothing: what is looked for by these is looked for in its answers"))
        }
        findings += verdicts.compactMap(Self.complaint)
        if let names = names({ if case .untold = $0 { true } else { false } }) {
            findings.append(
                .note(
                    "keys", "its studies told nothing of \(names)",
                    fix: "test it again later, or say what it matches with --archive-key"))
        }
    }

    /// What is said of a key that the archive refuses, or finds nothing by.
    private static func complaint(_ verdict: KeyVerdict) -> PeerFinding? {
        let name = KeyVerdict.name(of: verdict.tag)
        switch verdict.outcome {
        case .refused(let status):
            let text = "it answers a C-FIND with \(name) with \(status)"
            return verdict.isRequired
                ? .fail("keys", text, fix: "see its log: every archive has to match this key")
                : .note("keys", text, fix: "nothing: it is not asked for this key")
        case .missed:
            return .note(
                "keys", "it does not find a study by the \(name) that it tells of it",
                fix: verdict.isRequired
                    ? "see its settings of queries: who searches by this finds nothing there"
                    : "nothing: it is not asked for this key")
        case .heeded, .ignored, .untold: return nil
        }
    }
}
