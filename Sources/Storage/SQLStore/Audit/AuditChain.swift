import Cryptography

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
        /// Empty for one that does not open.
        package let record: [UInt8]
        package let hash: [UInt8]
        /// Why the record does not open: it is damaged, or its key is not there; nil for one that is read.
        package let unopened: String?

        package init(number: Int64, time: Int64, record: [UInt8], hash: [UInt8], unopened: String? = nil) {
            self.unopened = unopened
            self.number = number
            self.time = time
            self.record = record
            self.hash = hash
        }
    }

    /// A place in the chain: a row's number and hash.
    package struct Link: Sendable, Hashable {
        package let number: Int64
        package let hash: [UInt8]

        package init(number: Int64, hash: [UInt8]) {
            self.number = number
            self.hash = hash
        }

        /// Before the first row.
        package static let start = Link(number: 0, hash: [UInt8](repeating: 0, count: SHA256.digestBytes))

        /// The place of the row behind. Throws `.corrupt` for a row that does not follow, or does not open.
        package func following(_ row: Row) throws -> Link {
            if let why = row.unopened {
                throw SQLStoreError(.corrupt, "the audit chain breaks at row \(row.number): \(why)")
            }
            guard row.number == number + 1, row.hash == AuditChain.next(hash, row.number, row.time, row.record) else {
                throw SQLStoreError(.corrupt, "the audit chain breaks at row \(row.number) after row \(number)")
            }
            return Link(number: row.number, hash: row.hash)
        }
    }

    private static let insert = SQLRowInsert(
        into: "audit", [("number", .int), ("time", .int), ("record", .bytes), ("hash", .bytes)])

    /// Appends records in order as part of the open unit of work.
    ///
    /// - Parameter patients: of whom the first records are, empty for one that is of nobody known; the rest is of nobody.
    package static func append(
        _ records: [[UInt8]], of patients: [[String]] = [], _ transaction: SQLTransaction
    ) throws {
        let tip =
            try transaction.memo.auditTip
            ?? transaction.connection.first("SELECT number, hash FROM audit ORDER BY number DESC LIMIT 1") {
                (try $0.int(0), try $0.bytes(1))
            }
        var (number, hash) = tip ?? (0, [UInt8](repeating: 0, count: SHA256.digestBytes))
        let rows = records.map { record -> [SQLValue] in
            number += 1
            hash = next(hash, number, transaction.stamp.time, record)
            return [
                .int(number), .int(transaction.stamp.time), .sealable(.audit, String(number), record), .bytes(hash),
            ]
        }
        try transaction.connection.insert(insert, rows: rows)
        try AuditPatientTable.add(
            zip(patients, (number - Int64(records.count) + 1)...).flatMap { patients, number in
                patients.map { ($0, number) }
            }, transaction.connection)
        transaction.memo.auditTip = (number, hash)
    }

    /// Up to `limit` rows after row `number`, oldest first. One whose record does not open is among them, and says so.
    package static func rows(after number: Int64, limit: Int, _ connection: any SQLConnection) throws -> [Row] {
        try connection.all(
            "SELECT number, time, record, hash FROM audit WHERE number > ? ORDER BY number LIMIT ?",
            [.int(number), .int(Int64(limit))], row)
    }

    /// Of a row with number, time, record and hash.
    static func row(_ row: SQLRow) throws -> Row {
        let (number, time, hash) = (try row.int(0), try row.int(1), try row.bytes(3))
        do {
            return Row(number: number, time: time, record: try row.opened(2, .audit, String(number)), hash: hash)
        } catch let error as SQLStoreError where error.code == .unopened {
            return Row(number: number, time: time, record: [], hash: hash, unopened: error.message)
        }
    }

    /// Checks every row after `start` and tells each. Returns the last one; throws `.corrupt` naming the first row that
    /// does not follow from the one before.
    package static func walk(
        after start: Link, _ connection: any SQLConnection, _ each: (Link) throws -> Void = { _ in }
    ) throws -> Link {
        var last = start
        while true {
            let page = try rows(after: last.number, limit: 1_000, connection)
            if page.isEmpty { return last }
            for row in page {
                last = try last.following(row)
                try each(last)
            }
        }
    }

    /// Checks the chain of the rows that are there. Returns the number of the last row; throws `.corrupt` naming the first
    /// row that does not follow from the one before.
    package static func verify(_ connection: any SQLConnection) throws -> Int64 {
        try walk(after: try lastCut(connection)?.link ?? .start, connection).number
    }

    /// The newest row, or the place where the last cut was made; ``Link/start`` for a trail without rows.
    package static func tip(_ connection: any SQLConnection) throws -> Link {
        try connection.first("SELECT number, hash FROM audit ORDER BY number DESC LIMIT 1") {
            Link(number: try $0.int(0), hash: try $0.bytes(1))
        } ?? lastCut(connection)?.link ?? .start
    }

    /// The row of a number; nil when it is not there.
    package static func link(_ number: Int64, _ connection: any SQLConnection) throws -> Link? {
        try connection.first("SELECT number, hash FROM audit WHERE number = ?", [.int(number)]) {
            Link(number: try $0.int(0), hash: try $0.bytes(1))
        }
    }

    // MARK: Cutting

    /// Up to where rows were removed, with the signed checkpoint that says so; nil when none were.
    package static func lastCut(_ connection: any SQLConnection) throws -> (link: Link, checkpoint: String)? {
        try connection.first("SELECT number, hash, checkpoint FROM audit_cuts ORDER BY number DESC LIMIT 1") {
            (Link(number: try $0.int(0), hash: try $0.bytes(1)), try $0.text(2))
        }
    }

    /// The newest row up to `number` that was written before a time and is not the last of the trail; nil when there is
    /// none. Rows rise in time as they do in number.
    package static func cutPlace(
        upTo number: Int64, before time: Int64, _ connection: any SQLConnection
    ) throws -> Link? {
        let last = try tip(connection).number
        let first: Int64?? = try connection.first("SELECT MIN(number) FROM audit") { try $0.optionalInt(0) }
        guard let lowest = first, var low = lowest else { return nil }
        var high = min(number, last - 1)
        var found: Link?
        while low <= high {
            let middle = low + (high - low) / 2
            let row = try rows(after: middle - 1, limit: 1, connection).first
            guard let row, row.number == middle else { return nil }
            if row.time < time {
                found = Link(number: row.number, hash: row.hash)
                low = middle + 1
            } else {
                high = middle - 1
            }
        }
        return found
    }

    /// Notes that the rows up to one may be removed. The row must be there and must not be the last one.
    package static func allowCut(at link: Link, checkpoint: String, _ connection: any SQLConnection) throws {
        guard try self.link(link.number, connection) == link, try tip(connection).number > link.number else {
            throw SQLStoreError(.constraint, "the rows up to \(link.number) cannot be cut: the last row stays")
        }
        try connection.run(
            "INSERT INTO audit_cuts (number, hash, checkpoint) VALUES (?, ?, ?)",
            [.int(link.number), .bytes(link.hash), .text(checkpoint)])
    }

    /// Removes some of the rows that may be removed; false when none is left.
    package static func removeCut(limit: Int, _ connection: any SQLConnection) throws -> Bool {
        guard let cut = try lastCut(connection) else { return false }
        let least: Int64?? = try connection.first(
            "SELECT MIN(number) FROM audit WHERE number <= ?", [.int(cut.link.number)]
        ) { try $0.optionalInt(0) }
        guard let least, let first = least else { return false }
        let rows = try connection.all(
            "SELECT number, time, record, hash FROM audit WHERE number >= ? AND number < ? AND number <= ?",
            [.int(first), .int(first + Int64(limit)), .int(cut.link.number)], row)
        try AuditPatientTable.remove(
            rows.map { ($0.number, $0.unopened == nil ? AuditRecordText.patients($0.record) : nil) }, connection)
        return try connection.run(
            "DELETE FROM audit WHERE number >= ? AND number < ? AND number <= ?",
            [.int(first), .int(first + Int64(limit)), .int(cut.link.number)]) > 0
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
