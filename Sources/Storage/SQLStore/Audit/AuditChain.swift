/// The audit trail's rows: append only, each row's hash covering its record and the row before.
///
/// hash(n) = SHA-256(hash(n-1) ‖ number as 8 bytes big-endian ‖ time as 8 bytes big-endian ‖ record); hash(0) is 32
/// zero bytes. Changing, removing or reordering a row breaks every later hash.
package enum AuditChain {
    /// One stored row.
    package struct Row: Sendable, Hashable {
        package let number: Int64
        /// Microseconds since 1970 UTC.
        package let time: Int64
        package let record: [UInt8]
        package let hash: [UInt8]
    }

    private static let insert = SQLRowInsert(
        into: "audit", [("number", .int), ("time", .int), ("record", .bytes), ("hash", .bytes)])

    /// Appends records in order as part of the open unit of work.
    package static func append(_ records: [[UInt8]], _ transaction: SQLTransaction) throws {
        let tip =
            try transaction.memo.auditTip
            ?? transaction.connection.first("SELECT number, hash FROM audit ORDER BY number DESC LIMIT 1") {
                (try $0.int(0), try $0.bytes(1))
            }
        var (number, hash) = tip ?? (0, [UInt8](repeating: 0, count: SHA256.digestBytes))
        let rows = records.map { record -> [SQLValue] in
            number += 1
            hash = next(hash, number, transaction.stamp.time, record)
            return [.int(number), .int(transaction.stamp.time), .bytes(record), .bytes(hash)]
        }
        try transaction.connection.insert(insert, rows: rows)
        transaction.memo.auditTip = (number, hash)
    }

    /// Up to `limit` rows after row `number`, oldest first.
    package static func rows(after number: Int64, limit: Int, _ connection: any SQLConnection) throws -> [Row] {
        try connection.all(
            "SELECT number, time, record, hash FROM audit WHERE number > ? ORDER BY number LIMIT ?",
            [.int(number), .int(Int64(limit))]
        ) { Row(number: try $0.int(0), time: try $0.int(1), record: try $0.bytes(2), hash: try $0.bytes(3)) }
    }

    /// Checks the whole chain. Returns the number of its rows; throws `.corrupt` naming the first row that does not
    /// follow from the one before.
    package static func verify(_ connection: any SQLConnection) throws -> Int64 {
        var last: Int64 = 0
        var hash = [UInt8](repeating: 0, count: SHA256.digestBytes)
        while true {
            let page = try rows(after: last, limit: 1_000, connection)
            if page.isEmpty { return last }
            for row in page {
                guard row.number == last + 1, row.hash == next(hash, row.number, row.time, row.record) else {
                    throw SQLStoreError(.corrupt, "the audit chain breaks at row \(row.number) after row \(last)")
                }
                last = row.number
                hash = row.hash
            }
        }
    }

    static func next(_ previous: [UInt8], _ number: Int64, _ time: Int64, _ record: [UInt8]) -> [UInt8] {
        var input = previous
        input.reserveCapacity(previous.count + 16 + record.count)
        withUnsafeBytes(of: number.bigEndian) { input.append(contentsOf: $0) }
        withUnsafeBytes(of: time.bigEndian) { input.append(contentsOf: $0) }
        input.append(contentsOf: record)
        return SHA256.digest(input)
    }
}
