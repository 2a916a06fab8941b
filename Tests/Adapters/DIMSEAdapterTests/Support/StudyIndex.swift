import Access
import Synchronization
import Workflow

/// An index of studies in memory, which keeps the queries it was asked.
final class StudyIndex: ImagingIndex {
    struct State {
        var queries: [StudyQuery] = []
        var matches: [StudyMatch] = []
        var instances: [Instance] = []
        var headers: [String: InstanceHeader] = [:]
        var failure: StoreError?
    }
    let state = Mutex(State())
    /// Waited for by each query.
    let gate: Gate?

    init(matches: [StudyMatch] = [], instances: [Instance] = [], gate: Gate? = nil) {
        self.gate = gate
        state.withLock {
            $0.matches = matches
            $0.instances = instances
        }
    }

    func worklist(_ query: WorklistQuery, access: AccessContext) async throws -> [WorklistEntry] { [] }

    func studies(_ query: StudyQuery, access: AccessContext) async throws -> StudyMatches {
        await gate?.wait()
        return try state.withLock { state in
            state.queries.append(query)
            if let failure = state.failure { throw failure }
            let rest = state.matches.dropFirst(query.offset)
            let page = Array(rest.prefix(query.limit))
            return StudyMatches(matches: page, remaining: rest.count - page.count)
        }
    }

    func instances(
        studyInstanceUID: String, seriesInstanceUID: String?, sopInstanceUID: String?, after: Instance.Place?,
        limit: Int, access: AccessContext
    ) async throws -> [Instance] {
        state.withLock { state in
            let all = state.instances.filter {
                $0.studyInstanceUID == studyInstanceUID
                    && (seriesInstanceUID == nil || $0.seriesInstanceUID == seriesInstanceUID)
                    && (sopInstanceUID == nil || $0.sopInstanceUID == sopInstanceUID)
            }
            let start = after.flatMap { last in all.firstIndex { $0.place == last } }.map { $0 + 1 } ?? 0
            return Array(all[start...].prefix(limit))
        }
    }

    func headers(
        studyInstanceUID: String, seriesInstanceUID: String?, sopInstanceUID: String?, after: Instance.Place?,
        limit: Int, access: AccessContext
    ) async throws -> [InstanceHeader] {
        state.withLock { state in sopInstanceUID.flatMap { state.headers[$0] }.map { [$0] } ?? [] }
    }

    func quarantine(limit: Int, access: AccessContext) async throws -> [QuarantinedSeries] { [] }

    /// A study of a patient, matched at its own level.
    static func match(_ number: Int, patient: String = "P1", name: String = "Doe^Jane") -> StudyMatch {
        var attributes = StudyAttributes()
        attributes.patientID = patient
        attributes.patientIDSystem = "urn:patients"
        attributes.patientName = name
        attributes.studyDate = "20260105"
        return StudyMatch(
            study: Study(
                id: EntityID("s\(number)"), studyInstanceUID: "1.2.\(number)",
                reconciliation: .quarantined(.unknownPatient), attributes: attributes,
                updatedAt: UTCInstant(microseconds: 1)), modalitiesInStudy: ["CT"], numberOfStudyRelatedSeries: 1,
            numberOfStudyRelatedInstances: 1)
    }
}
