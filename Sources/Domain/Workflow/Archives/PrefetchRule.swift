/// Which of a patient's studies in archives are fetched before anybody asks for them, because of what has come.
package struct PrefetchRule: Sendable, Hashable {
    /// Which studies are taken.
    package struct Priors: Sendable, Hashable {
        /// One of the study's modalities must fit one of these; empty for any. A study of which the archive does not tell
        /// them fits.
        package var modalities: [TextPattern] = []
        /// The study's description must fit one of these; empty for any.
        package var descriptions: [TextPattern] = []
        /// No older than so many days; nil for any age. A study without a date is not taken where this is asked.
        package var days: Int?
        /// The newest so many.
        package var number = 3
        package init() {}
    }

    /// As the site calls it; told with each fetch.
    package var name: String
    package var causes: Set<ArchiveQuestion.Cause>
    /// What has come must be of one of these modalities; empty for any.
    package var modalities: [TextPattern] = []
    package var bodyParts: [TextPattern] = []
    package var descriptions: [TextPattern] = []
    /// The hospital service of the visit (PV1-10, Encounter.serviceType), by code or text, must fit one of these; empty for
    /// any.
    package var specialties: [TextPattern] = []
    package var priors = Priors()
    /// The archives that studies are fetched from, by AE title; empty for all.
    package var archives: Set<String> = []

    package init(name: String, causes: Set<ArchiveQuestion.Cause>) {
        self.name = name
        self.causes = causes
    }

    /// Whether the rule is for what has come.
    package func fits(_ occasion: PrefetchOccasion) -> Bool {
        func fits(_ patterns: [TextPattern], _ values: Set<String>) -> Bool {
            patterns.isEmpty || patterns.contains { pattern in values.contains(where: pattern.fits) }
        }
        return causes.contains(occasion.question.cause) && fits(modalities, occasion.modalities)
            && fits(bodyParts, occasion.bodyParts) && fits(descriptions, occasion.descriptions)
            && fits(specialties, occasion.specialties)
    }

    /// Why the rule does not take a study; nil where it does, but for the number.
    package func objection(to study: RemoteStudy, on today: String) -> PrefetchFinding.Verdict? {
        if !archives.isEmpty, !archives.contains(study.archive) { return .otherArchive }
        let isOfModality =
            priors.modalities.isEmpty || study.modalities.isEmpty
            || priors.modalities.contains { pattern in study.modalities.contains(where: pattern.fits) }
        guard isOfModality else { return .otherModality }
        if !priors.descriptions.isEmpty {
            guard let text = study.attributes.studyDescription, priors.descriptions.contains(where: { $0.fits(text) })
            else { return .otherDescription }
        }
        if let days = priors.days {
            guard let date = study.attributes.studyDate, let then = StudyDay.number(date),
                let now = StudyDay.number(today), now - then <= days
            else { return .tooOld }
        }
        return nil
    }
}
