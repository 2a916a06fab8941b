import Workflow

/// What destinations are asked to keep for good. PS3.4 §J.3.
struct PeerCommitmentTable {
    let connection: any SQLConnection

    // MARK: What was sent

    func save(_ sent: SentInstance) throws {
        let forwarded = sent.forwarded
        try connection.run(
            """
            INSERT INTO sent_instances (destination, sop_uid, study_uid, series_uid, sent_class, sent_uid, tries, \
            sent_at, transaction_uid) VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL)
            ON CONFLICT (destination, sop_uid) DO UPDATE SET study_uid = excluded.study_uid, \
            series_uid = excluded.series_uid, sent_class = excluded.sent_class, sent_uid = excluded.sent_uid, \
            tries = excluded.tries, sent_at = excluded.sent_at, transaction_uid = NULL
            """,
            [
                .text(forwarded.destination), .text(forwarded.sopInstanceUID), .text(forwarded.studyInstanceUID),
                .text(forwarded.seriesInstanceUID), .text(sent.reference.sopClassUID),
                .text(sent.reference.sopInstanceUID), .int(Int64(forwarded.tries)), .int(sent.sentAt.microseconds),
            ])
    }

    func unaskedStudies(at destinations: [String], due: UnaskedStudy.Due, limit: Int) throws -> [UnaskedStudy] {
        if destinations.isEmpty { return [] }
        return try connection.all(
            """
            SELECT destination, study_uid, COUNT(*), MIN(sent_at), MAX(sent_at) FROM sent_instances
            WHERE transaction_uid IS NULL AND \(connection.dialect.isInTexts("destination"))
            GROUP BY destination, study_uid
            HAVING MAX(sent_at) <= ? OR MIN(sent_at) <= ? OR COUNT(*) >= ?
            ORDER BY MIN(sent_at), destination, study_uid LIMIT ?
            """,
            [
                .texts(destinations), .int(due.quietSince.microseconds), .int(due.waitingSince.microseconds),
                .int(Int64(due.count)), .int(Int64(limit)),
            ]
        ) { row in
            UnaskedStudy(
                destination: try row.text(0), studyInstanceUID: try row.text(1), count: Int(try row.int(2)),
                oldest: UTCInstant(microseconds: try row.int(3)), newest: UTCInstant(microseconds: try row.int(4)))
        }
    }

    private static let columns =
        "destination, sop_uid, study_uid, series_uid, sent_class, sent_uid, tries, sent_at"

    private static func sent(_ row: SQLRow) throws -> SentInstance {
        SentInstance(
            ForwardedInstance(
                destination: try row.text(0), studyInstanceUID: try row.text(2), seriesInstanceUID: try row.text(3),
                sopInstanceUID: try row.text(1), tries: Int(clamping: try row.int(6))),
            as: .init(sopClassUID: try row.text(4), sopInstanceUID: try row.text(5)),
            at: UTCInstant(microseconds: try row.int(7)))
    }

    func unaskedInstances(of study: UnaskedStudy, limit: Int) throws -> [SentInstance] {
        try connection.all(
            """
            SELECT \(Self.columns) FROM sent_instances
            WHERE transaction_uid IS NULL AND destination = ? AND study_uid = ? ORDER BY sop_uid LIMIT ?
            """, [.text(study.destination), .text(study.studyInstanceUID), .int(Int64(limit))], Self.sent)
    }

    func ask(for sopInstanceUIDs: [String], at destination: String, in transactionUID: String) throws {
        try connection.run(
            """
            UPDATE sent_instances SET transaction_uid = ? WHERE destination = ? \
            AND \(connection.dialect.isInTexts("sop_uid"))
            """, [.text(transactionUID), .text(destination), .texts(sopInstanceUIDs)])
    }

    func sentInstances(of transactionUID: String) throws -> [SentInstance] {
        try connection.all(
            "SELECT \(Self.columns) FROM sent_instances WHERE transaction_uid = ? ORDER BY sop_uid",
            [.text(transactionUID)], Self.sent)
    }

    func removeSentInstances(of transactionUID: String) throws {
        try connection.run("DELETE FROM sent_instances WHERE transaction_uid = ?", [.text(transactionUID)])
    }

    // MARK: Transactions

    private static let transactionColumns = """
        transaction_uid, destination, peer, study_uid, instances, failed, state, asks, created_at, due_at, reported_at
        """

    /// Its report is waited for, as the index of these says it.
    private static let isOpen = "state IN ('asked', 'overdue')"

    private static func transaction(_ row: SQLRow) throws -> CommitmentTransaction {
        func time(_ column: Int) throws -> UTCInstant? {
            try row.optionalInt(column).map { UTCInstant(microseconds: $0) }
        }
        return CommitmentTransaction(
            uid: try row.text(0), destination: try row.text(1), peer: try row.text(2),
            studyInstanceUID: try row.text(3), count: Int(clamping: try row.int(4)),
            failed: Int(clamping: try row.int(5)), state: try state(try row.text(6)),
            asks: Int(clamping: try row.int(7)), createdAt: UTCInstant(microseconds: try row.int(8)),
            dueAt: try time(9), reportedAt: try time(10))
    }

    private static func state(_ word: String) throws -> CommitmentTransaction.State {
        guard let state = CommitmentTransaction.State(rawValue: word) else {
            throw SQLStoreError(.corrupt, "a transaction of storage commitment has an unknown state")
        }
        return state
    }

    func transaction(_ uid: String) throws -> CommitmentTransaction? {
        try connection.first(
            "SELECT \(Self.transactionColumns) FROM commitment_transactions WHERE transaction_uid = ?", [.text(uid)],
            Self.transaction)
    }

    func save(_ transaction: CommitmentTransaction) throws {
        try connection.run(
            """
            INSERT INTO commitment_transactions (\(Self.transactionColumns))
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (transaction_uid) DO UPDATE SET peer = excluded.peer, failed = excluded.failed, \
            state = excluded.state, asks = excluded.asks, due_at = excluded.due_at, reported_at = excluded.reported_at
            """,
            [
                .text(transaction.uid), .text(transaction.destination), .text(transaction.peer),
                .text(transaction.studyInstanceUID), .int(Int64(transaction.count)), .int(Int64(transaction.failed)),
                .text(transaction.state.rawValue), .int(Int64(transaction.asks)),
                .int(transaction.createdAt.microseconds), SQLValue(transaction.dueAt?.microseconds),
                SQLValue(transaction.reportedAt?.microseconds),
            ])
    }

    func remove(_ uid: String) throws {
        try removeSentInstances(of: uid)
        try connection.run("DELETE FROM commitment_transactions WHERE transaction_uid = ?", [.text(uid)])
    }

    func overdue(at time: UTCInstant, limit: Int) throws -> [CommitmentTransaction] {
        try connection.all(
            """
            SELECT \(Self.transactionColumns) FROM commitment_transactions WHERE due_at <= ?
            ORDER BY due_at, transaction_uid LIMIT ?
            """, [.int(time.microseconds), .int(Int64(limit))], Self.transaction)
    }

    func open(before time: UTCInstant, limit: Int) throws -> [CommitmentTransaction] {
        try connection.all(
            """
            SELECT \(Self.transactionColumns) FROM commitment_transactions
            WHERE created_at < ? AND \(Self.isOpen) ORDER BY created_at, transaction_uid LIMIT ?
            """, [.int(time.microseconds), .int(Int64(limit))], Self.transaction)
    }

    func newest(limit: Int) throws -> [CommitmentTransaction] {
        try connection.all(
            """
            SELECT \(Self.transactionColumns) FROM commitment_transactions
            ORDER BY created_at DESC, transaction_uid LIMIT ?
            """, [.int(Int64(limit))], Self.transaction)
    }

    func open() throws -> [OpenCommitments] {
        try connection.all(
            """
            SELECT destination, state, COUNT(*), MIN(created_at) FROM commitment_transactions
            WHERE \(Self.isOpen) GROUP BY destination, state ORDER BY destination, state
            """, []
        ) { row in
            OpenCommitments(
                destination: try row.text(0), state: try Self.state(try row.text(1)), count: Int(try row.int(2)),
                oldest: UTCInstant(microseconds: try row.int(3)))
        }
    }

    // MARK: What is old

    func hasOne(before time: UTCInstant) throws -> Bool {
        let time = SQLValue.int(time.microseconds)
        return try connection.first(
            """
            SELECT CASE WHEN EXISTS (SELECT 1 FROM sent_instances WHERE sent_at < ? AND transaction_uid IS NULL) \
            OR EXISTS (SELECT 1 FROM commitment_transactions WHERE created_at < ?) THEN 1 ELSE 0 END
            """, [time, time]
        ) { try $0.bool(0) } ?? false
    }

    func remove(before time: UTCInstant, limit: Int) throws {
        let values: [SQLValue] = [.int(time.microseconds), .int(Int64(limit))]
        let old = try connection.all(
            """
            SELECT transaction_uid FROM commitment_transactions
            WHERE created_at < ? AND NOT \(Self.isOpen) ORDER BY created_at LIMIT ?
            """, values
        ) { try $0.text(0) }
        try connection.run(
            "DELETE FROM commitment_transactions WHERE \(connection.dialect.isInTexts("transaction_uid"))",
            [.texts(old)])
        let sent = try connection.all(
            """
            SELECT destination, sop_uid FROM sent_instances WHERE sent_at < ? AND transaction_uid IS NULL
            ORDER BY sent_at LIMIT ?
            """, values
        ) { (destination: try $0.text(0), uid: try $0.text(1)) }
        for (destination, those) in Dictionary(grouping: sent, by: \.destination) {
            try connection.run(
                """
                DELETE FROM sent_instances WHERE destination = ? AND \(connection.dialect.isInTexts("sop_uid"))
                """, [.text(destination), .texts(those.map(\.uid))])
        }
    }
}

extension SQLUnitOfWork: PeerCommitmentUnit {
    private var commitments: PeerCommitmentTable { PeerCommitmentTable(connection: connection) }
    private func changing() throws -> PeerCommitmentTable {
        _ = try writing()
        return commitments
    }

    func save(_ sent: SentInstance) throws { try changing().save(sent) }
    func unaskedStudies(at destinations: [String], due: UnaskedStudy.Due, limit: Int) throws -> [UnaskedStudy] {
        try commitments.unaskedStudies(at: destinations, due: due, limit: limit)
    }
    func unaskedInstances(of study: UnaskedStudy, limit: Int) throws -> [SentInstance] {
        try commitments.unaskedInstances(of: study, limit: limit)
    }
    func ask(for sopInstanceUIDs: [String], at destination: String, in transactionUID: String) throws {
        try changing().ask(for: sopInstanceUIDs, at: destination, in: transactionUID)
    }
    func sentInstances(of transactionUID: String) throws -> [SentInstance] {
        try commitments.sentInstances(of: transactionUID)
    }
    func removeSentInstances(of transactionUID: String) throws {
        try changing().removeSentInstances(of: transactionUID)
    }
    func commitmentTransaction(_ uid: String) throws -> CommitmentTransaction? { try commitments.transaction(uid) }
    func save(_ transaction: CommitmentTransaction) throws { try changing().save(transaction) }
    func removeCommitmentTransaction(_ uid: String) throws { try changing().remove(uid) }
    func overdueCommitments(at time: UTCInstant, limit: Int) throws -> [CommitmentTransaction] {
        try commitments.overdue(at: time, limit: limit)
    }
    func openCommitments(before time: UTCInstant, limit: Int) throws -> [CommitmentTransaction] {
        try commitments.open(before: time, limit: limit)
    }
    func openCommitments() throws -> [OpenCommitments] { try commitments.open() }
    func commitmentTransactions(limit: Int) throws -> [CommitmentTransaction] {
        try commitments.newest(limit: limit)
    }
    func hasCommitment(before time: UTCInstant) throws -> Bool { try commitments.hasOne(before: time) }
    func removeCommitments(before time: UTCInstant, limit: Int) throws {
        try changing().remove(before: time, limit: limit)
    }
}
