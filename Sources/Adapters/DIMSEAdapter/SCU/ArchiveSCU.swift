import DICOMData
import DICOMNetwork
import DICOMTranslation
import NIOCore
import Synchronization
import Workflow

/// Asks archives by C-FIND, Study Root. PS3.4 §C.4.1.
package struct ArchiveSCU: ArchiveDirectory {
    /// Bytes that are taken of the answer to one question.
    private static let bytesMax = 8 << 20

    private let calling: PeerCalling
    private let callingAETitle: AETitle
    private let associations: OutgoingAssociations
    private let reader: ArchiveAnswerReader
    private let bytesOfQueryMax: Int

    /// - Parameters:
    ///   - callingAETitle: by which the archives know this server.
    ///   - bytesOfQueryMax: what is taken of all answers to the questions of one query.
    package init(
        calling: PeerCalling, callingAETitle: AETitle, associations: OutgoingAssociations,
        authorities: AssigningAuthorities, bytesOfQueryMax: Int = 32 << 20
    ) {
        self.bytesOfQueryMax = bytesOfQueryMax
        self.calling = calling
        self.callingAETitle = callingAETitle
        self.associations = associations
        reader = ArchiveAnswerReader(authorities: authorities)
    }

    package func search(_ query: ArchiveQuery, at archive: Peer) async -> ArchiveAnswer {
        let destination: SCUAssociation.Destination
        do { destination = try calling.destination(archive, as: callingAETitle) } catch {
            return ArchiveAnswer(end: .failed(error.description))
        }
        let run = Run(query: query, archive: archive, reader: reader, bytesMax: bytesOfQueryMax)
        do {
            try await associations.with(
                destination, contexts: FindSCU.contexts(UID.studyRootFind), within: .seconds(Int64(query.seconds)),
                mayRepeat: true
            ) { try await run.ask(try FindSCU($0.association, sopClassUID: UID.studyRootFind)) }
            return ArchiveAnswer(matches: run.matches, end: .whole)
        } catch {
            return ArchiveAnswer(matches: run.matches, end: Self.end(error))
        }
    }

    /// What an error tells of an archive. The comment of a failure is left out: it may name a patient.
    private static func end(_ error: any Error) -> ArchiveAnswer.End {
        switch error {
        case SCUError.responsesOverLimit: .cut
        case SCUError.failed(let status, _) where !DIMSEFailure(status).isTransient: .refused("\(status)")
        case SCUError.failed(let status, _): .failed("\(status)")
        case let error as SCUError: .failed("\(error)")
        case is DICOMDataError: .refused("the query has no encoding")
        default: .failed("no connection")
        }
    }

    /// One query at one archive.
    private final class Run: Sendable {
        private let query: ArchiveQuery
        private let archive: Peer
        private let reader: ArchiveAnswerReader
        private let bytesMax: Int
        private struct State {
            var found: [String: StudyMatch] = [:]
            /// Of all answers.
            var bytes = 0
        }
        private let state = Mutex(State())

        init(query: ArchiveQuery, archive: Peer, reader: ArchiveAnswerReader, bytesMax: Int) {
            self.bytesMax = bytesMax
            self.query = query
            self.archive = archive
            self.reader = reader
        }

        var matches: [StudyMatch] { state.withLock { $0.found.sorted { $0.key < $1.key }.map(\.value) } }

        /// Asks from the top down, as every archive can be asked: whose a series is, only its study tells, and of which
        /// series an instance is, only the question. PS3.4 §C.4.1.2.2.1. Asked a second time it begins anew.
        func ask(_ find: FindSCU) async throws {
            state.withLock { $0 = State() }
            guard let ofStudies = ArchiveIdentifier.studies(query.keys, at: archive) else { return }
            let uid = query.keys.exact(.studyInstanceUID)
            let studies = try await matches(find, ofStudies, at: .study, named: uid, matchesMax: query.matchesMax) {
                reader.study($0, from: archive)
            }
            guard query.level != .study else { return studies.forEach(keep) }
            var left = query.matchesMax
            var questions = Self.questionsMax
            for study in studies {
                let studyUID = study.study.studyInstanceUID
                // One that does not heed the key of the study is not asked for those of others.
                if let uid, uid != studyUID { continue }
                try Self.take(&questions)
                let series = try await matches(
                    find, ArchiveIdentifier.series(query.keys, of: studyUID, at: archive), at: .series,
                    named: query.keys.exact(.seriesInstanceUID),
                    matchesMax: query.level == .series ? left : query.matchesMax
                ) { reader.series($0, of: study, from: archive) }
                guard query.level == .instance else {
                    series.forEach(keep)
                    left -= series.count
                    continue
                }
                for series in series {
                    guard let seriesUID = series.series?.seriesInstanceUID else { continue }
                    try Self.take(&questions)
                    let identifier = ArchiveIdentifier.instances(
                        query.keys, of: studyUID, series: seriesUID, at: archive)
                    let instances = try await matches(find, identifier, at: .instance, matchesMax: left) {
                        reader.instance($0, of: series, from: archive)
                    }
                    instances.forEach(keep)
                    left -= instances.count
                }
            }
        }

        /// Questions of one query below its studies: 200 of studies for their series, and of series for their instances.
        private static let questionsMax = 200

        private static func take(_ questions: inout Int) throws(SCUError) {
            guard questions > 0 else { throw .responsesOverLimit }
            questions -= 1
        }

        /// What an archive answers at one level, each once, without what differs from what is looked for down to there.
        private func matches(
            _ find: FindSCU, _ identifier: DataSet, at level: StudyQueryLevel, named uid: String? = nil,
            matchesMax: Int, _ read: (DataSet) -> StudyMatch?
        ) async throws -> [StudyMatch] {
            let filter = StudyMatchFilter(query.keys, of: archive.archive ?? ArchiveCapabilities(), at: level)
            var matches: [StudyMatch] = []
            var seen: Set<String> = []
            // At the level of the query it is the caller who filters, and tells what is lacking.
            let isOwn = level == query.level
            // Above it one that is named is one; a second tells that the key is not heeded.
            let isOne = !isOwn && uid != nil
            do {
                try await each(find, identifier, matchesMax: isOne ? 2 : max(0, matchesMax)) { answer in
                    guard let match = read(answer), seen.insert(match.key).inserted,
                        isOwn || filter.verdict(match) != .differs
                    else { return }
                    matches.append(match)
                }
            } catch {
                // What came is kept.
                if isOwn { matches.forEach(keep) }
                if case SCUError.responsesOverLimit = error, isOne { return matches }
                throw error
            }
            return matches
        }

        private func each(
            _ find: FindSCU, _ identifier: DataSet, matchesMax: Int, _ body: (DataSet) -> Void
        ) async throws {
            var limits = FindSCU.Limits()
            limits.matches = matchesMax
            limits.bytes = min(ArchiveSCU.bytesMax, bytesMax - state.withLock { $0.bytes })
            var answers = try find.matches(identifier, limits: limits).makeAsyncIterator()
            defer {
                let bytes = answers.bytes
                state.withLock { $0.bytes += bytes }
            }
            while let answer = try await answers.next() { body(answer) }
        }

        private func keep(_ match: StudyMatch) {
            state.withLock { state in
                if state.found[match.key] == nil { state.found[match.key] = match }
            }
        }
    }
}
