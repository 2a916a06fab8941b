import DICOMData
import DICOMNetwork
import DICOMTranslation
import NIOCore
import Synchronization
import Workflow

/// Asks archives by C-FIND, Study Root. PS3.4 §C.4.1.
package struct ArchiveSCU: ArchiveDirectory {
    /// Bytes that are taken of one answer, at either level.
    private static let bytesMax = 8 << 20

    private let calling: PeerCalling
    private let callingAETitle: AETitle
    private let associations: OutgoingAssociations
    private let reader: ArchiveAnswerReader

    /// - Parameter callingAETitle: by which the archives know this server.
    package init(
        calling: PeerCalling, callingAETitle: AETitle, associations: OutgoingAssociations,
        authorities: AssigningAuthorities
    ) {
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
        let run = Run(query: query, archive: archive, reader: reader)
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
        private let found = Mutex<[String: StudyMatch]>([:])

        init(query: ArchiveQuery, archive: Peer, reader: ArchiveAnswerReader) {
            self.query = query
            self.archive = archive
            self.reader = reader
        }

        var matches: [StudyMatch] { found.withLock { $0.sorted { $0.key < $1.key }.map(\.value) } }

        /// Asked a second time it begins anew.
        func ask(_ find: FindSCU) async throws {
            found.withLock { $0 = [:] }
            guard let identifier = ArchiveIdentifier.studies(query.keys, at: archive) else { return }
            guard query.level == .series else {
                return try await each(find, identifier, matchesMax: query.matchesMax) { answer in
                    guard let match = reader.study(answer, from: archive) else { return }
                    keep(match, match.study.studyInstanceUID)
                }
            }
            // Whose a series is, only its study tells.
            let uid = query.keys.exact(.studyInstanceUID)
            let study = Mutex<StudyMatch?>(nil)
            try await each(find, identifier, matchesMax: 2) { answer in
                guard let match = reader.study(answer, from: archive), match.study.studyInstanceUID == uid else {
                    return
                }
                study.withLock { $0 = match }
            }
            guard let uid, let study = study.withLock({ $0 }) else { return }
            let ofSeries = ArchiveIdentifier.series(query.keys, of: uid, at: archive)
            try await each(find, ofSeries, matchesMax: query.matchesMax) { answer in
                guard let match = reader.series(answer, of: study, from: archive) else { return }
                keep(match, match.series?.seriesInstanceUID ?? "")
            }
        }

        private func each(
            _ find: FindSCU, _ identifier: DataSet, matchesMax: Int, _ body: (DataSet) -> Void
        ) async throws {
            var limits = FindSCU.Limits()
            limits.matches = matchesMax
            limits.bytes = ArchiveSCU.bytesMax
            for try await answer in try find.matches(identifier, limits: limits) { body(answer) }
        }

        private func keep(_ match: StudyMatch, _ uid: String) {
            found.withLock { found in
                if found[uid] == nil { found[uid] = match }
            }
        }
    }
}
