import Access
import Workflow

/// The doors of the images and of the worklist. What the caller may not see is not there.
extension RelationalStore: ImagingIndex {
    package func worklist(_ query: WorklistQuery, access: AccessContext) async throws -> [WorklistEntry] {
        let sight = access.worklistSight
        guard !sight.isNothing else { return [] }
        let stations = stations
        return try await readUnit(access) {
            try WorklistTable(connection: $0.connection, stations: stations, sight: sight).entries(query)
        }
    }

    package func waitingSteps(limit: Int, access: AccessContext) async throws -> [WaitingStep] {
        let sight = access.worklistSight
        guard !sight.isNothing else { return [] }
        let stations = stations
        return try await readUnit(access) {
            try WorklistTable(connection: $0.connection, stations: stations, sight: sight).waiting(limit: limit)
        }
    }

    /// Brings the worklist in line with the site's stations: to be called once, before the first query.
    package func refreshWorklist() async throws {
        let stations = stations
        try await translating {
            try await self.database.write { transaction in
                try OrderTable(connection: transaction.connection, stations: stations).refreshSteps()
            }
        }
    }

    package func studies(_ query: StudyQuery, access: AccessContext) async throws -> StudyMatches {
        let sight = access.imagingSight(.search)
        guard !sight.isNothing else { return StudyMatches(matches: [], remaining: 0) }
        let authorities = authorities
        // Who may see a row is told whose it was when they might.
        return try await readUnit(access, .search(client: access.principal.id)) { unit in
            var found = try StudyQueryRun(connection: unit.connection, sight: sight).matches(query)
            if let authorities {
                var lookup = SubjectLookup(unit, authorities)
                try lookup.state(&found.matches)
            }
            return found
        }
    }

    package func instances(
        studyInstanceUID: String, seriesInstanceUID: String?, sopInstanceUID: String?, after: Instance.Place?,
        limit: Int, access: AccessContext
    ) async throws -> [Instance] {
        try await page(
            studyInstanceUID, seriesInstanceUID, sopInstanceUID, after: after, limit: limit, withHeaders: false, access
        ).map(\.instance)
    }

    package func headers(
        studyInstanceUID: String, seriesInstanceUID: String?, sopInstanceUID: String?, after: Instance.Place?,
        limit: Int, access: AccessContext
    ) async throws -> [InstanceHeader] {
        try await page(
            studyInstanceUID, seriesInstanceUID, sopInstanceUID, after: after, limit: limit, withHeaders: true, access)
    }

    package func searchedHeader(
        studyInstanceUID: String, seriesInstanceUID: String?, sopInstanceUID: String?, access: AccessContext
    ) async throws -> InstanceHeader? {
        try await page(
            studyInstanceUID, seriesInstanceUID, sopInstanceUID, after: nil, limit: 1, withHeaders: true, access,
            .search(client: access.principal.id)
        ).first
    }

    private func page(
        _ study: String, _ series: String?, _ instance: String?, after: Instance.Place?, limit: Int,
        withHeaders: Bool, _ access: AccessContext, _ readClass: SQLReadClass = .door
    ) async throws -> [InstanceHeader] {
        let sight = access.imagingSight(.read)
        guard !sight.isNothing else { return [] }
        let (strangers, subjects) = (database.resources.strangers, instanceRows.subjects)
        let (authorities, rows, database) = (authorities, instanceRows, database)
        // Who may see a row is told whose it was when they might.
        let found = try await readUnit(access, readClass, snapshot: authorities != nil) { unit in
            var found = try StudyTable(connection: unit.connection).page(
                studyUID: study, seriesUID: series, sopUID: instance, after: after, limit: limit,
                withHeaders: withHeaders, sight: sight)
            if let authorities, !found.isEmpty {
                // What is remembered is of this state of the database, or of a later one, unless others have brought it about.
                let isKnown = try database.isKnown(unit.connection)
                let strangers = database.resources.strangers
                var lookup = SubjectLookup(unit, authorities)
                for index in found.indices {
                    let row = found[index].instance
                    if isKnown, let known = rows.find(row, strangers: strangers) {
                        found[index].instance = known
                    } else {
                        found[index].instance.subject = try lookup.subject(of: row)
                    }
                }
            }
            return found
        }
        instanceRows.keep(found.lazy.map(\.instance), readAt: strangers, subjects: subjects)
        return found
    }

    package func changes(ofSeries seriesInstanceUID: String) async throws -> UInt64? {
        let (seriesChanges, database) = (seriesChanges, database)
        return try await reading { connection -> UInt64? in
            // Counted behind the look: what others have written is known then.
            guard try database.isKnown(connection) else { return nil }
            return seriesChanges.count(of: seriesInstanceUID) &+ database.resources.strangers
        }
    }

    package func remembered(
        studyInstanceUID: String, seriesInstanceUID: String, sopInstanceUID: String, access: AccessContext
    ) -> Instance? {
        let strangers = database.resources.strangers
        guard access.imagingSight(.read).isWhole,
            let known = instanceRows.find(sopInstanceUID, strangers: strangers),
            known.studyInstanceUID == studyInstanceUID, known.seriesInstanceUID == seriesInstanceUID
        else { return nil }
        return known
    }

    package func patient(of instance: Instance, access: AccessContext) async throws -> PatientOfInstance {
        let sight = access.imagingSight(.read)
        guard !sight.isNothing else { return .uncertain }
        let (study, uid) = (instance.studyInstanceUID, instance.sopInstanceUID)
        return try await readUnit(access) { unit in
            let rows = try StudyTable(connection: unit.connection).page(
                studyUID: study, seriesUID: instance.seriesInstanceUID, sopUID: uid, after: nil, limit: 1,
                withHeaders: false, sight: sight)
            guard !rows.isEmpty, let series = try unit.series(instance.seriesInstanceUID, in: study) else {
                return .uncertain
            }
            return try PatientOfInstance(uid, in: series, unit: unit)
        }
    }

    package func conflicts(limit: Int, access: AccessContext) async throws -> [InstanceConflict] {
        guard access.imagingSight(.search).isWhole else { return [] }
        return try await readUnit(access) { try ConflictTable(connection: $0.connection).conflicts(limit: limit) }
    }
}
