import Access
import Workflow

extension RelationalStore: QuarantineDesk, RejectionDesk {
    package func quarantine(
        _ state: QuarantineState?, limit: Int, access: AccessContext
    ) async throws -> [QuarantinedSeries] {
        guard access.imagingSight(.search).isWhole else { return [] }
        return try await readUnit(access) { unit in
            var found: [QuarantinedSeries] = []
            if state != .rejected {
                found = try StudyQueryRun(connection: unit.connection).quarantine(state, limit: limit)
            }
            if state == .rejected || state == nil {
                found += try RejectionTable(connection: unit.connection).all(limit: limit)
            }
            // Each list is newest first; so is what both make together.
            if state == nil { found.sort { $0.isNewer(than: $1) } }
            return Array(found.prefix(limit))
        }
    }

    package func quarantine(
        ofStudy studyInstanceUID: String, access: AccessContext
    ) async throws -> [QuarantinedSeries]? {
        guard access.imagingSight(.search).isWhole else { return nil }
        return try await readUnit(access) { unit in
            let found = try Self.quarantine(ofStudy: studyInstanceUID, in: unit)
            return try found.isEmpty && unit.study(studyInstanceUID) == nil ? nil : found
        }
    }

    package func decide(_ request: QuarantineRequest, access: AccessContext) async throws -> [QuarantinedSeries] {
        guard access.imagingSight(.update).isWhole else { throw QuarantineService.Refusal.unknown }
        do {
            return try await writeUnit(access) { unit in
                try QuarantineService().decide(request, in: unit)
                return try Self.quarantine(ofStudy: request.studyInstanceUID, in: unit)
            }
        } catch let refusal as QuarantineService.Refusal {
            try await record(
                AuditRecord(
                    category: .application, interaction: "quarantine-\(request.ask.name)", action: .update,
                    outcome: .minorFailure, access: access, entity: "study:\(request.studyInstanceUID)",
                    detail: refusal.description))
            throw refusal
        }
    }

    package func reject(_ request: QuarantineRequest, access: AccessContext) async throws -> RejectionOutcome {
        do {
            guard access.imagingSight(.delete).isWhole else { throw QuarantineService.Refusal.unknown }
            while true {
                let outcome = try await writeUnit(access) { unit in
                    if let step = try Self.letGo(request, in: unit) { return step }
                    try QuarantineService().decide(request, in: unit)
                    return .done(.rejected)
                }
                if case .done(let outcome) = outcome { return outcome }
                try Task.checkCancellation()
            }
        } catch let refusal as QuarantineService.Refusal {
            try await record(
                AuditRecord(
                    category: .application, interaction: "quarantine-reject", action: .update, outcome: .minorFailure,
                    access: access, entity: "study:\(request.studyInstanceUID)", detail: refusal.description))
            throw refusal
        }
    }

    private enum RejectionStep { case hasMore, done(RejectionOutcome) }

    /// Lets a copy of an archive's study go, a step at a time; nil for what this server keeps. A part of a study, of which
    /// another is an archive's, is neither's to delete here.
    private static func letGo(_ request: QuarantineRequest, in unit: SQLUnitOfWork) throws -> RejectionStep? {
        let uid = request.studyInstanceUID
        let all = try unit.series(in: uid)
        let isNamed = all.contains {
            $0.archive != nil && request.seriesInstanceUID ?? $0.seriesInstanceUID == $0.seriesInstanceUID
        }
        guard isNamed else { return nil }
        guard request.seriesInstanceUID == nil, request.sopInstanceUID == nil, all.allSatisfy({ $0.archive != nil }),
            let archive = try unit.archiveCopy(of: uid)?.archive
        else { throw QuarantineService.Refusal.ofArchive }
        switch try ArchiveCopyService().letGo(uid, in: unit) {
        case .stays: throw QuarantineService.Refusal.ofArchive
        case .hasMore: return .hasMore
        case .done:
            try unit.audit(
                AuditRecord(
                    category: .application, interaction: "archive-cache", action: .delete, outcome: .success,
                    access: unit.access, entity: "study:\(uid)",
                    detail: "copy from \(archive), deleted: \(request.reason)"))
            return .done(.letGo(archive: archive))
        }
    }

    private static func quarantine(ofStudy uid: String, in unit: SQLUnitOfWork) throws -> [QuarantinedSeries] {
        try StudyQueryRun(connection: unit.connection).quarantine(ofStudy: uid)
            + RejectionTable(connection: unit.connection).all(in: uid)
    }
}

extension QuarantinedSeries {
    /// When it was rejected, or else changed last.
    private var changedAt: UTCInstant {
        guard reason == .rejected else { return series.updatedAt }
        return (instanceDecisions.values + [decision].compactMap { $0 }).map(\.decidedAt).max() ?? study.updatedAt
    }

    fileprivate func isNewer(than other: Self) -> Bool {
        if changedAt != other.changedAt { return changedAt > other.changedAt }
        return series.seriesInstanceUID < other.series.seriesInstanceUID
    }
}
