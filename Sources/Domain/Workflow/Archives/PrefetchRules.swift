/// What a rule does with one study.
package struct PrefetchFinding: Sendable, Hashable {
    package enum Verdict: String, Sendable, Hashable, CaseIterable {
        /// It is fetched.
        case fetched
        /// It is here, or was asked for already.
        case known
        /// The archive does not have it any more.
        case missing
        case otherArchive = "other-archive"
        case otherModality = "other-modality"
        case otherDescription = "other-description"
        case tooOld = "too-old"
        /// There are as many that are newer.
        case beyondNumber = "beyond-number"
    }
    package var rule: String
    package var study: RemoteStudy
    package var verdict: Verdict
    package init(rule: String, study: RemoteStudy, verdict: Verdict) {
        self.rule = rule
        self.study = study
        self.verdict = verdict
    }
}

/// The rules of a site.
package struct PrefetchRules: Sendable, Hashable {
    package var rules: [PrefetchRule]
    package init(_ rules: [PrefetchRule] = []) { self.rules = rules }

    /// What gives cause to look.
    package var causes: Set<ArchiveQuestion.Cause> { rules.reduce(into: []) { $0.formUnion($1.causes) } }

    /// What the rules do with each study of the patient that an archive has: by rule, the newest first. A study is of the
    /// patient where its patient id and issuer say so, and nothing else counts: names and birth dates are not looked at.
    package func findings(_ occasion: PrefetchOccasion, in unit: any UnitOfWork) throws -> [PrefetchFinding] {
        let fitting = rules.filter { $0.fits(occasion) }
        guard !fitting.isEmpty else { return [] }
        let patient = occasion.question.patientID
        let studies = try unit.remoteStudies(.ofPatient(patient)).filter {
            !occasion.own.contains($0.studyInstanceUID)
        }.sorted {
            ($0.attributes.studyDate ?? "", $0.attributes.studyTime ?? "", $0.studyInstanceUID)
                > ($1.attributes.studyDate ?? "", $1.attributes.studyTime ?? "", $1.studyInstanceUID)
        }
        let today = StudyDay.digits(Int(unit.time.microseconds / 86_400_000_000))
        var taken: Set<String> = []
        var findings: [PrefetchFinding] = []
        for rule in fitting {
            var number = 0
            for study in studies {
                var verdict = rule.objection(to: study, on: today) ?? (study.isMissing ? .missing : nil)
                if verdict == nil {
                    // What is here already is one of the newest all the same.
                    number += 1
                    let uid = study.studyInstanceUID
                    if number > rule.priors.number {
                        verdict = .beyondNumber
                    } else if try taken.contains(uid) || Self.isKnown(uid, in: unit) {
                        verdict = .known
                    } else {
                        taken.insert(uid)
                    }
                }
                findings.append(PrefetchFinding(rule: rule.name, study: study, verdict: verdict ?? .fetched))
            }
        }
        return findings
    }

    /// What lies here whole or in part, is on its way, or could not be had a while ago.
    private static func isKnown(_ uid: String, in unit: any UnitOfWork) throws -> Bool {
        if try RemoteMatches().isHeld(uid, in: unit) { return true }
        guard let copy = try unit.archiveCopy(of: uid) else { return false }
        return copy.state != .left
    }

    /// Puts on record that what the rules take is to be fetched: once, however often this is done.
    /// - Returns: what is fetched because of it.
    package func request(_ question: ArchiveQuestion, in unit: any UnitOfWork) throws -> [PrefetchFinding] {
        guard let occasion = try PrefetchOccasion(question, in: unit) else { return [] }
        let fetched = try findings(occasion, in: unit).filter { $0.verdict == .fetched }
        for finding in fetched {
            _ = try ArchiveCopyService().request(
                finding.study.studyInstanceUID, of: finding.study.archive, expected: finding.study.numberOfInstances,
                reason: "prefetch \(finding.rule): \(question.cause.rawValue)", in: unit)
        }
        return fetched
    }
}
