import Access
import FHIRResources
import Workflow

/// Publishing of studies: what costs as much as the study is large is done by a reader, and the unit of work that
/// stores the version only stores it.
extension RelationalStore {
    /// How often a publication is prepared before it is worked out inside of its unit of work: somebody else changes the
    /// same resource each time.
    private static let preparationsMax = 3

    /// Studies that a rule says are to be published now, those that have waited longest first; at most `limit`.
    package func publicationsDue(
        _ rule: PublicationRule, at now: UTCInstant, limit: Int, access: AccessContext
    ) async throws -> [AwaitedPublication] {
        try await readUnit(access) { unit in
            try unit.awaitedPublications(
                quietSince: rule.quietSince(now), waitingSince: rule.waitingSince(now), limit: limit)
        }
    }

    /// How many studies await publication, and the time of the oldest change that does; nil when none does.
    package func publicationsWaiting() async throws -> (count: Int64, since: UTCInstant?) {
        try await translating { try await self.database.read { try PublicationTable(connection: $0).waiting() } }
    }

    /// Publishes a study that awaits it. Does nothing for one that does not.
    package func publish(_ studyInstanceUID: String, access: AccessContext) async throws {
        for _ in 0..<Self.preparationsMax {
            guard let preparation = try await prepare(studyInstanceUID, access) else { break }
            if try await writeUnit(access, { try preparation.store(in: $0) }) { return }
        }
        try await writeUnit(access) { try StudyService().publish(studyInstanceUID, in: $0) }
    }

    private func prepare(_ uid: String, _ access: AccessContext) async throws -> PreparedPublication? {
        let (observers, indexer) = (observers, indexer)
        return try await readUnit(access) { unit in
            guard let awaited = try unit.awaitedPublication(of: uid),
                let projection = try observers.prepare(.studyChanged(studyInstanceUID: uid), in: unit)
            else { return nil }
            let version: ResourceTable.Prepared? =
                if case .put(let document, let method) = projection.change {
                    try ResourceTable.prepare(
                        projection.type, document, method: method, after: projection.basis, indexer: indexer)
                } else { nil }
            return PreparedPublication(
                awaited: awaited, seenAt: unit.time, projection: projection, version: version)
        }
    }
}

extension SQLUnitOfWork {
    /// Instances above which a study is not shown in the unit of work that has changed it (a merge, a decision) but by
    /// the publisher, at once: the writer would wait for as long as the study is large.
    static let inlineInstancesMax = 500

    /// The events that are projected in this unit. What a client has put is: it is answered with the result.
    func withoutLargeStudies(_ events: [DomainEvent]) throws -> [DomainEvent] {
        guard access.principal.kind != .client else { return events }
        return try events.filter { event in
            guard case .studyChanged(let uid) = event, try isLarge(uid) else { return true }
            try awaitPublication(of: uid, isDue: true)
            return false
        }
    }

    private func isLarge(_ studyInstanceUID: String) throws -> Bool {
        let count = try connection.first(
            "SELECT COUNT(*) FROM (SELECT 1 FROM instances WHERE study_uid = ? LIMIT ?) AS counted",
            [.text(studyInstanceUID), .int(Int64(Self.inlineInstancesMax) + 1)]
        ) { try $0.int(0) }
        return (count ?? 0) > Self.inlineInstancesMax
    }
}

/// A publication made ready by a reader.
private struct PreparedPublication: Sendable {
    let awaited: AwaitedPublication
    /// No change that was committed later is in it for certain.
    let seenAt: UTCInstant
    let projection: PreparedProjection
    /// Nil when there is nothing to store.
    let version: ResourceTable.Prepared?

    /// False, and nothing is done, when the resource has changed meanwhile.
    func store(in unit: SQLUnitOfWork) throws -> Bool {
        guard try unit.newestVersion(projection.type, projection.id) == projection.basis?.version else { return false }
        if let version {
            guard let stored = try unit.putResource(projection.type, projection.id, version) else { return false }
            if let kept = projection.kept { unit.keep(kept, of: stored) }
            unit.emit(.studyPublished(studyInstanceUID: awaited.studyInstanceUID))
        } else if case .delete = projection.change {
            try unit.deleteResource(projection.type, projection.id)
        }
        try unit.endAwaiting(awaited, seenAt: seenAt)
        try StudyService().tellReports(awaited.studyInstanceUID, in: unit)
        return true
    }
}
