import Access
import Workflow

/// The series of studies that lie in archives alone: asked for when somebody looks at such a study, and kept with it.
extension ArchiveRegistry {
    /// Studies of one look of which the series are asked for.
    private static let studiesMax = 50
    /// Seconds for all studies of one archive.
    private static let seconds = 5
    /// Series of a study that are kept; of one with more none are.
    private static let seriesMax = 1_000
    /// Series after which a unit of work takes up no further study.
    private static let stepSeries = 200

    /// One study to be asked for.
    private struct Asked: Sendable {
        let uid: String
        let archive: String
    }
    private struct Told: Sendable {
        let uid: String
        let archive: String
        let series: [RemoteSeries]
    }

    package func tellSeries(of ids: [String], access: AccessContext) async -> ToldSeries {
        guard !ids.isEmpty, await search.hasArchives() else { return ToldSeries() }
        var lacking: [Asked]
        do {
            lacking = try await store.read(access) { unit in
                try unit.remoteStudies(.ids(ids.map { EntityID($0) }))
                    .filter { try RemoteStudyService().lacksSeries($0, in: unit) }
                    .map { Asked(uid: $0.studyInstanceUID, archive: $0.archive) }
            }
        } catch {
            failed(error)
            return ToldSeries(isWhole: false)
        }
        guard !lacking.isEmpty else { return ToldSeries() }
        let all = lacking.count
        lacking = Array(lacking.filter { mayAsk(forSeriesOf: $0.uid) }.prefix(Self.studiesMax))
        var isWhole = lacking.count == all
        let told = await withTaskGroup(of: (told: [Told], isWhole: Bool).self) { group in
            // Of one archive one after the other, as it is one caller who looks.
            for studies in Dictionary(grouping: lacking, by: \.archive).values {
                group.addTask { await self.ask(studies, access) }
            }
            var all: [Told] = []
            for await answer in group {
                all += answer.told
                isWhole = isWhole && answer.isWhole
            }
            return all
        }
        var hasNew = false
        for step in Self.steps(told) {
            do {
                let isNew = try await store.write(.server(requestID: "archives")) { unit in
                    try step.reduce(false) { hasNew, study in
                        try RemoteStudyService().tell(study.series, of: study.uid, at: study.archive, in: unit)
                            || hasNew
                    }
                }
                hasNew = hasNew || isNew
            } catch {
                failed(error)
                // What cannot be kept is not asked for by each who looks.
                for study in step { rest(study.uid) }
                isWhole = false
            }
        }
        return ToldSeries(hasNew: hasNew, isWhole: isWhole)
    }

    /// What is taken up in one unit of work after the other.
    private static func steps(_ told: [Told]) -> [[Told]] {
        var steps: [[Told]] = []
        var series = stepSeries
        for study in told.sorted(by: { $0.uid < $1.uid }) {
            if series >= stepSeries { (series, steps) = (0, steps + [[]]) }
            series += study.series.count
            steps[steps.count - 1].append(study)
        }
        return steps
    }

    private func ask(_ studies: [Asked], _ access: AccessContext) async -> (told: [Told], isWhole: Bool) {
        let deadline = ContinuousClock.now + .seconds(Self.seconds)
        var told: [Told] = []
        var isWhole = true
        for study in studies {
            guard ContinuousClock.now < deadline, !Task.isCancelled else { return (told, false) }
            let keys = SearchKeys([.studyInstanceUID: .exact(study.uid)])
            let surveyed = await search.survey(
                keys, level: .series, at: study.archive, matchesMax: Self.seriesMax, seconds: Self.seconds,
                access: access)
            guard let said = surveyed?.first, said.outcome == .answered, !said.findings.matches.isEmpty else {
                if surveyed?.first?.isToBeAskedAgain == false { rest(study.uid) }
                isWhole = false
                continue
            }
            told.append(
                Told(uid: study.uid, archive: study.archive, series: said.findings.matches.compactMap(Self.series)))
        }
        return (told, isWhole)
    }

    private static func series(_ match: StudyMatch) -> RemoteSeries? {
        match.series.map {
            RemoteSeries(
                seriesInstanceUID: $0.seriesInstanceUID, attributes: $0.attributes,
                numberOfInstances: match.numberOfSeriesRelatedInstances)
        }
    }
}
