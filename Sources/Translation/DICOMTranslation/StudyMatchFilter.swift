import DICOMData
import Workflow

/// Whether what an archive answered is what was looked for, by the rules of the index: an archive may not heed a key, or
/// heed it otherwise. PS3.4 §C.2.2.2.
package struct StudyMatchFilter: Sendable {
    package enum Verdict: Sendable, Hashable {
        case matches
        case differs
        /// The answer does not tell of something that is looked for.
        case unknown
    }

    private let keys: SearchKeys
    /// Keys of which an attribute without a value tells that there is none.
    private let known: Set<SearchKey>

    /// - Parameter level: of the answers, which do not tell of what is looked for in the levels below.
    package init(_ keys: SearchKeys, of capabilities: ArchiveCapabilities, at level: StudyQueryLevel = .instance) {
        self.keys = keys
        let below = QueryKeys.matchable.filter { Self.isBelow(level, $0.level) }.map(\.key)
        let ofRequests = level == .study ? QueryKeys.requestAttributes.map(\.key) : []
        known = capabilities.matched.subtracting(below + ofRequests)
    }

    private static func isBelow(_ level: StudyQueryLevel, _ other: StudyQueryLevel) -> Bool {
        switch (level, other) {
        case (.study, .series), (.study, .instance), (.series, .instance): true
        default: false
        }
    }

    package func verdict(_ match: StudyMatch) -> Verdict {
        var verdicts = keys.matches.map { key, asked -> Verdict in
            let values = Self.values(of: key, match)
            if values.contains(where: asked.matches) { return .matches }
            if !values.isEmpty { return .differs }
            guard known.contains(key) else { return .unknown }
            return asked.admitsEmpty ? .matches : .differs
        }
        verdicts += keys.periods.map { period in
            guard let date = Self.values(of: period.date, match).first,
                let time = Self.values(of: period.time, match).first
            else { return known.isSuperset(of: [period.date, period.time]) ? .differs : .unknown }
            return period.contains(SearchPeriod.Moment(date: date, time: time)) ? .matches : .differs
        }
        if verdicts.contains(.differs) { return .differs }
        return verdicts.contains(.unknown) ? .unknown : .matches
    }

    /// The values of an attribute in the form in which they are matched; none for one that the answer does not tell of.
    private static func values(of key: SearchKey, _ match: StudyMatch) -> [String] {
        let study = match.study.attributes
        let series = match.series?.attributes
        let instance = match.instance
        let values: [String?] =
            switch key {
            case .patientName: [study.patientName]
            case .patientID: [study.patientID]
            case .issuerOfPatientID: [study.issuerOfPatientID]
            case .patientIDSystem: [study.patientIDSystem]
            case .patientBirthDate: [day(study.patientBirthDate)]
            case .patientSex: [study.patientSex]
            case .studyDate: [day(study.studyDate)]
            case .studyTime: [time(study.studyTime)]
            case .accessionNumber: [study.accessionNumber]
            case .modalitiesInStudy: match.modalitiesInStudy
            case .referringPhysicianName: [study.referringPhysicianName]
            case .studyInstanceUID: [match.study.studyInstanceUID]
            case .studyID: [study.studyID]
            case .studyDescription: [study.studyDescription]
            case .modality: [series?.modality]
            case .seriesInstanceUID: [match.series?.seriesInstanceUID]
            case .seriesNumber: [series?.seriesNumber.map(String.init)]
            case .seriesDescription: [series?.seriesDescription]
            case .bodyPartExamined: [series?.bodyPartExamined]
            case .performedProcedureStepStartDate: [day(series?.performedProcedureStepStartDate)]
            case .performedProcedureStepStartTime: [time(series?.performedProcedureStepStartTime)]
            case .sopClassUID: [instance?.sopClassUID]
            case .sopInstanceUID: [instance?.sopInstanceUID]
            case .instanceNumber: [instance?.instanceNumber.map(String.init)]
            case .scheduledProcedureStepID, .requestedProcedureID, .scheduledStationAETitle, .scheduledStartDate,
                .scheduledStartTime, .scheduledPerformingPhysicianName:
                []
            }
        return values.compactMap { $0 }.filter { !$0.isEmpty }
    }

    private static func day(_ text: String?) -> String? { text.flatMap { DICOMDate(text: $0)?.description } }
    private static func time(_ text: String?) -> String? { text.flatMap { DICOMTime(text: $0)?.earliestText } }
}
