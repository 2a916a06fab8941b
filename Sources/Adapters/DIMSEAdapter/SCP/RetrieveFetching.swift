import Access
import DICOMNetwork
import DICOMTranslation
import Workflow

/// Has what a C-MOVE or C-GET names fetched from the archives where it lies there alone, before it is selected.
struct RetrieveFetching: Sendable {
    /// Studies of one retrieval that archives are asked for; of further ones what lies here is sent.
    private static let studiesMax = 100

    let fetch: ArchiveFetch
    let pace: RetrieveSCP.Pace

    /// Returns once all that can be had is here. The requestor is told meanwhile that it goes on: what is still to come
    /// are remaining sub-operations. False when the request has been answered instead: it was cancelled, or an archive
    /// did not give what it has. PS3.4 §C.4.2.3.1.
    func bring(_ keys: RetrieveIdentifier, access: AccessContext, _ responder: Responder) async throws -> Bool {
        var studies = Array(keys.studyInstanceUIDs.prefix(Self.studiesMax))
        if studies.isEmpty, let patientID = keys.patientID {
            // Of all that a patient has, an archive that is away costs its own studies alone.
            studies = await fetch.studies(SearchKeys([.patientID: .exact(patientID)]), access: access).uids
        }
        var coming: [FetchProgress] = []
        for study in studies {
            if responder.isCancelled { break }
            switch await fetch.standing(of: study, access: access) {
            case .here, .absent: continue
            case .coming(let progress): coming.append(progress)
            case .later(let seconds):
                try await responder.send(
                    .matchesNotCounted, comment: "an archive does not give it now; again in \(seconds) s")
                return false
            }
        }
        try await wait(for: coming, responder)
        if responder.isCancelled {
            try await responder.send(.cancelled)
            return false
        }
        guard coming.allSatisfy({ $0.isWhole == true }) else {
            try await responder.send(.subOperationsFailed, comment: "an archive did not send all of it; try again")
            return false
        }
        return true
    }

    private func wait(for coming: [FetchProgress], _ responder: Responder) async throws {
        let deadline = ContinuousClock.now + .seconds(fetch.rule.seconds)
        var toldAt = ContinuousClock.now
        while coming.contains(where: { $0.isWhole == nil }), !responder.isCancelled, ContinuousClock.now < deadline {
            try await Task.sleep(for: pace.changed)
            guard ContinuousClock.now - toldAt >= pace.unchanged else { continue }
            toldAt = .now
            let remaining = coming.reduce(0) { $0 + max($1.isWhole == nil ? 1 : 0, $1.expected - $1.count) }
            let counts = SubOperations.Counts(remaining: remaining)
            try await responder.send(.pending) { counts.write(into: &$0, isFinal: false) }
        }
    }
}
