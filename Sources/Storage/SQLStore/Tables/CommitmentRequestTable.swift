import Workflow

/// Requests for storage commitment that came by HTTP. PS3.18 §13.
struct CommitmentRequestTable {
    let connection: any SQLConnection

    func request(_ key: CommitmentRequest.Key) throws -> CommitmentRequest? {
        try connection.first(
            """
            SELECT instances, state, accepted_at, ended_at, named, outcome FROM commitment_requests
            WHERE client = ? AND transaction_uid = ?
            """, [.text(key.client), .text(key.transactionUID)]
        ) { row in
            guard let state = CommitmentRequest.State(rawValue: try row.text(1)) else {
                throw SQLStoreError(.corrupt, "a request for storage commitment has an unknown state")
            }
            return CommitmentRequest(
                key: key, count: Int(try row.int(0)), references: try row.text(4), state: state,
                outcome: try row.optionalText(5), acceptedAt: UTCInstant(microseconds: try row.int(2)),
                endedAt: try row.optionalInt(3).map { UTCInstant(microseconds: $0) })
        }
    }

    func save(_ request: CommitmentRequest) throws {
        try connection.run(
            """
            INSERT INTO commitment_requests
            (client, transaction_uid, instances, state, accepted_at, ended_at, named, outcome)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (client, transaction_uid) DO UPDATE SET instances = excluded.instances, state = excluded.state,
            accepted_at = excluded.accepted_at, ended_at = excluded.ended_at, named = excluded.named,
            outcome = excluded.outcome
            """,
            [
                .text(request.key.client), .text(request.key.transactionUID), .int(Int64(request.count)),
                .text(request.state.rawValue), .int(request.acceptedAt.microseconds),
                SQLValue(request.endedAt?.microseconds), .text(request.references), SQLValue(request.outcome),
            ])
    }

    func remove(_ key: CommitmentRequest.Key) throws {
        try connection.run(
            "DELETE FROM commitment_requests WHERE client = ? AND transaction_uid = ?",
            [.text(key.client), .text(key.transactionUID)])
    }

    func load(of client: String?) throws -> CommitmentRequest.Load {
        var condition = SQLCondition("1 = 1")
        if let client { condition.add("client = ?", .text(client)) }
        return try connection.first(
            """
            SELECT COUNT(*), CAST(COALESCE(SUM(instances), 0) AS BIGINT) FROM commitment_requests
            WHERE \(condition.text)
            """, condition.values
        ) { CommitmentRequest.Load(requests: Int(try $0.int(0)), instances: Int(try $0.int(1))) }
            ?? CommitmentRequest.Load()
    }

    func open(limit: Int) throws -> [CommitmentRequest.Key] {
        try connection.all(
            """
            SELECT client, transaction_uid FROM commitment_requests WHERE state = 'working'
            ORDER BY accepted_at, client, transaction_uid LIMIT ?
            """, [.int(Int64(limit))]
        ) { CommitmentRequest.Key(client: try $0.text(0), transactionUID: try $0.text(1)) }
    }

    func hasOne(endedBefore time: UTCInstant) throws -> Bool {
        try connection.first(
            "SELECT 1 FROM commitment_requests WHERE ended_at < ? LIMIT 1", [.int(time.microseconds)]
        ) { try $0.int(0) } != nil
    }

    func remove(endedBefore time: UTCInstant, limit: Int) throws -> Int {
        let keys = try connection.all(
            """
            SELECT client, transaction_uid FROM commitment_requests WHERE ended_at < ?
            ORDER BY ended_at, client, transaction_uid LIMIT ?
            """, [.int(time.microseconds), .int(Int64(limit))]
        ) { CommitmentRequest.Key(client: try $0.text(0), transactionUID: try $0.text(1)) }
        for key in keys { try remove(key) }
        return keys.count
    }
}

extension SQLUnitOfWork: CommitmentRequestUnit {
    private var commitmentTable: CommitmentRequestTable { CommitmentRequestTable(connection: connection) }

    func commitmentRequest(_ key: CommitmentRequest.Key) throws -> CommitmentRequest? {
        try commitmentTable.request(key)
    }
    func save(_ request: CommitmentRequest) throws {
        _ = try writing()
        try commitmentTable.save(request)
    }
    func removeCommitmentRequest(_ key: CommitmentRequest.Key) throws {
        _ = try writing()
        try commitmentTable.remove(key)
    }
    func commitmentLoad(of client: String?) throws -> CommitmentRequest.Load { try commitmentTable.load(of: client) }
    func openCommitmentRequests(limit: Int) throws -> [CommitmentRequest.Key] {
        try commitmentTable.open(limit: limit)
    }
    func hasCommitmentRequest(endedBefore time: UTCInstant) throws -> Bool {
        try commitmentTable.hasOne(endedBefore: time)
    }
    func removeCommitmentRequests(endedBefore time: UTCInstant, limit: Int) throws -> Int {
        _ = try writing()
        return try commitmentTable.remove(endedBefore: time, limit: limit)
    }
}
