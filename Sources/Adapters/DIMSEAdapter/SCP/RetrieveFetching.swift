import Access
import DICOMNetwork
import DICOMTranslation
import Synchronization
import Workflow

/// Has what a C-MOVE or C-GET names fetched from the archives where it lies there alone, before it is selected.
struct RetrieveFetching: Sendable {
    /// Studies of one retrieval that archives are asked for; of further ones what lies here is sent.
    private static let studiesMax = 100

    let fetch: ArchiveFetch
    let pace: RetrieveSCP.Pace

    /// What is on its way.
    private final class Coming: Sendable {
        private let state = Mutex<[FetchProgress]>([])
        var all: [FetchProgress] { state.withLock { $0 } }
        /// Instances that are to come; one at least while archives are asked.
        var remaining: Int {
            max(1, all.reduce(0) { $0 + max($1.isWhole == nil ? 1 : 0, $1.expected - $1.count) })
        }
        func add(_ progress: FetchProgress) { state.withLock { $0.append(progress) } }
    }

    /// How the look for what is lacking ended.
    private enum Brought: Sendable {
        case whole
        case cancelled
        case refused(DIMSEStatus, String)
    }

    /// Returns once all that can be had is here. The requestor is told meanwhile that it goes on, while archives are asked
    /// and while they send: what is still to come are remaining sub-operations. False when the request has been answered
    /// instead: it was cancelled, or an archive did not give what it has. PS3.4 §C.4.2.3.1.
    func bring(
        _ keys: RetrieveIdentifier, for association: AssociationInfo, _ responder: Responder
    ) async throws -> Bool {
        let coming = Coming()
        let brought = try await withThrowingTaskGroup(of: Brought?.self) { group in
            group.addTask { await bring(keys, association, responder, coming) }
            group.addTask {
                while true {
                    do { try await Task.sleep(for: pace.unchanged) } catch { return nil }
                    let remaining = coming.remaining
                    // When it cannot be sent the requestor is gone, and the retrieval is told so when it looks.
                    try? await responder.send(.pending) {
                        SubOperations.Counts(remaining: remaining).write(into: &$0, isFinal: false)
                    }
                }
            }
            group.addTask {
                // What archives are asked for is left when the requestor asks for nothing any more.
                while !responder.isCancelled {
                    do { try await Task.sleep(for: pace.changed) } catch { return nil }
                }
                return .cancelled
            }
            // The last pending is sent before the end is.
            var result: Brought?
            for try await case let brought? in group {
                if result == nil { result = brought }
                group.cancelAll()
            }
            return result ?? .cancelled
        }
        switch brought {
        case .whole: return true
        case .cancelled: try await responder.send(.cancelled)
        case .refused(let status, let comment): try await responder.send(status, comment: comment)
        }
        return false
    }

    private func bring(
        _ keys: RetrieveIdentifier, _ association: AssociationInfo, _ responder: Responder,
        _ coming: Coming
    ) async -> Brought {
        let (names, access) = (association.archives, association.access)
        var studies = Array(keys.studyInstanceUIDs.prefix(Self.studiesMax))
        if studies.isEmpty, let patientID = keys.patientID {
            // Of all that a patient has, an archive that is away costs its own studies alone.
            studies = await fetch.studies(
                SearchKeys([.patientID: .exact(patientID)]), among: names, access: access
            ).uids
        }
        for study in studies {
            if responder.isCancelled { return .cancelled }
            switch await fetch.standing(of: study, among: names, access: access) {
            case .here, .absent: continue
            case .coming(let progress): coming.add(progress)
            case .later(let seconds):
                return .refused(.matchesNotCounted, "an archive does not give it now; again in \(seconds) s")
            }
        }
        let deadline = ContinuousClock.now + .seconds(fetch.rule.seconds)
        for progress in coming.all {
            _ = await progress.wait(within: deadline - .now) { _ in false }
        }
        if responder.isCancelled { return .cancelled }
        guard coming.all.allSatisfy({ $0.isWhole == true }) else {
            return .refused(.subOperationsFailed, "an archive did not send all of it; try again")
        }
        return .whole
    }
}
