import Access

/// What accounts were given beyond their roles, and the desks of readers.
struct PracticeTable {
    let connection: any SQLConnection

    // MARK: Grants

    /// Whether it was kept: not for an account that is gone, locked or of another role, nor for a patient who is not in the
    /// record, nor in a session that has ended. What changes the account or ends the session waits for this unit.
    func save(_ grant: PatientGrant, inSession sessionID: String? = nil) throws -> Bool {
        guard let account = try AccountTable(connection: connection).held(grant.accountID), account.state == .active,
            grant.kind.isFor(account.role)
        else { return false }
        if let sessionID, try !BrowserSessionTable(connection: connection).hold(sessionID, of: account.id) {
            return false
        }
        return try connection.run(
            """
            INSERT INTO patient_grants (id, account, patient_id, kind, reason, given_by, given_at, expires) \
            SELECT ?, ?, v.id, ?, ?, ?, ?, ? FROM resource_versions v WHERE v.type = 'Patient' AND v.id = ? \
            AND v.end_sequence = \(ResourceTable.current) AND v.deleted = 0
            """,
            [
                .text(grant.id), .text(account.id), .text(grant.kind.rawValue), .text(grant.reason),
                .text(grant.givenBy), .int(grant.givenAt), .int(grant.expires), .text(grant.patientID),
            ]) > 0
    }

    /// Of all records of the patient, as a grant of one counts for all.
    func revoke(ofAccount account: String, patientID: String, at time: Int64) throws -> Int {
        try connection.run(
            """
            UPDATE patient_grants SET revoked_at = ? WHERE account = ? AND revoked_at IS NULL AND expires > ? \
            AND (patient_id = ? OR patient_id IN (SELECT mr.merged_into FROM patients mr WHERE mr.id = ?) \
            OR patient_id IN (SELECT mo.id FROM patients mr CROSS JOIN patients mo \
            WHERE mr.id = ? AND mo.merged_into = COALESCE(mr.merged_into, mr.id)))
            """,
            [.int(time), .text(account), .int(time)] + [SQLValue](repeating: .text(patientID), count: 3))
    }

    /// Newest first.
    func grants(_ kind: PatientGrant.Kind?, ofAccount account: String?, limit: Int) throws -> [PatientGrant] {
        var condition = SQLCondition("1 = 1")
        if let kind { condition.add("kind = ?", .text(kind.rawValue)) }
        if let account { condition.add("account = ?", .text(account)) }
        return try connection.all(
            """
            SELECT id, account, patient_id, kind, reason, given_by, given_at, expires, revoked_at FROM patient_grants \
            WHERE \(condition.text) ORDER BY given_at DESC, id LIMIT ?
            """, condition.values + [.int(Int64(limit))]
        ) { row in
            guard let kind = PatientGrant.Kind(rawValue: try row.text(3)) else {
                throw SQLStoreError(.corrupt, "a grant of a patient has an unknown kind")
            }
            return PatientGrant(
                id: try row.text(0), accountID: try row.text(1), patientID: try row.text(2), kind: kind,
                reason: try row.text(4), givenBy: try row.text(5), givenAt: try row.int(6), expires: try row.int(7),
                revokedAt: try row.optionalInt(8))
        }
    }

    /// Of an account that is removed: its grants end, and stay on record; its desk is gone.
    func forget(account: String, at time: Int64) throws {
        try connection.run(
            "UPDATE patient_grants SET revoked_at = ? WHERE account = ? AND revoked_at IS NULL AND expires > ?",
            [.int(time), .text(account), .int(time)])
        try connection.run("DELETE FROM reading_desks WHERE account = ?", [.text(account)])
    }

    // MARK: Patients

    /// The logical ids of those of a record number, the survivors of merged records; at most 10.
    func patients(numbered value: String, system: String?) throws -> [String] {
        var condition = SQLCondition("i.value = ?", [.text(value)])
        if let system { condition.add("i.system = ?", .text(system)) }
        return try connection.all(
            """
            SELECT DISTINCT COALESCE(p.merged_into, p.id) AS id FROM patient_identifiers i \
            JOIN patients p ON p.id = i.patient_id WHERE \(condition.text) ORDER BY 1 LIMIT 10
            """, condition.values
        ) { try $0.text(0) }
    }

    // MARK: Desks

    private enum DeskKind: String { case modality, station, site }

    func desk(ofAccount account: String) throws -> ReadingDesk {
        var desk = ReadingDesk()
        try connection.run(
            "SELECT kind, value FROM reading_desks WHERE account = ? ORDER BY kind, value", [.text(account)]
        ) { row in
            switch DeskKind(rawValue: try row.text(0)) {
            case .modality: desk.modalities.append(try row.text(1))
            case .station: desk.stations.append(try row.text(1))
            case .site: desk.sites.append(try row.text(1))
            case nil: throw SQLStoreError(.corrupt, "a desk has an unknown kind of entry")
            }
        }
        return desk
    }

    /// False where there is no such account.
    func save(_ desk: ReadingDesk, ofAccount account: String) throws -> Bool {
        guard try AccountTable(connection: connection).account(id: account) != nil else { return false }
        try connection.run("DELETE FROM reading_desks WHERE account = ?", [.text(account)])
        for (kind, values) in [
            (DeskKind.modality, desk.modalities), (.station, desk.stations), (.site, desk.sites),
        ] {
            for value in Set(values).sorted() {
                try connection.run(
                    "INSERT INTO reading_desks (account, kind, value) VALUES (?, ?, ?)",
                    [.text(account), .text(kind.rawValue), .text(value)])
            }
        }
        return true
    }
}

extension RelationalStore: PracticeDirectory {
    package func save(_ grant: PatientGrant, inSession sessionID: String?) async throws -> Bool {
        try await change { try $0.save(grant, inSession: sessionID) }
    }

    package func revokeGrants(ofAccount accountID: String, patientID: String, at time: Int64) async throws -> Int {
        try await change { try $0.revoke(ofAccount: accountID, patientID: patientID, at: time) }
    }

    package func grants(
        _ kind: PatientGrant.Kind?, ofAccount accountID: String?, limit: Int
    ) async throws -> [PatientGrant] {
        try await look { try $0.grants(kind, ofAccount: accountID, limit: limit) }
    }

    package func patients(numbered value: String, system: String?) async throws -> [String] {
        try await look { try $0.patients(numbered: value, system: system) }
    }

    package func desk(ofAccount accountID: String) async throws -> ReadingDesk {
        try await look { try $0.desk(ofAccount: accountID) }
    }

    package func save(_ desk: ReadingDesk, ofAccount accountID: String) async throws -> Bool {
        try await change { try $0.save(desk, ofAccount: accountID) }
    }

    private func look<Value: Sendable>(
        _ body: @escaping @Sendable (PracticeTable) throws -> Value
    ) async throws -> Value {
        try await translating { try await self.database.read { try body(PracticeTable(connection: $0)) } }
    }

    private func change<Value: Sendable>(
        _ body: @escaping @Sendable (PracticeTable) throws -> Value
    ) async throws -> Value {
        try await translating { try await self.database.write { try body(PracticeTable(connection: $0.connection)) } }
    }
}
