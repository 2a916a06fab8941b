/// Which rows of the audit trail are of a patient, and where a time begins in it.
enum AuditPatientTable {
    private static let insert = SQLRowInsert(into: "audit_patients", [("patient", .text), ("number", .int)])
    /// Rows that are looked at together when the table is made.
    private static let pageRows = 1_000

    static func add(_ rows: [(patient: String, number: Int64)], _ connection: any SQLConnection) throws {
        if rows.isEmpty { return }
        try connection.insert(insert, rows: rows.map { [.text($0.patient), .int($0.number)] })
    }

    /// - Parameter rows: numbers of rows of the trail with their patients; nil where the row does not say of whom it is.
    static func remove(_ rows: [(number: Int64, patients: [String]?)], _ connection: any SQLConnection) throws {
        let unknown = rows.filter { $0.patients == nil }.map(\.number)
        // Looks at the whole table, which has no order of its own for numbers.
        if !unknown.isEmpty {
            try connection.run(
                "DELETE FROM audit_patients WHERE \(connection.dialect.isInInts("number"))", [.ints(unknown)])
        }
        for (number, patients) in rows {
            for patient in patients ?? [] {
                try connection.run(
                    "DELETE FROM audit_patients WHERE patient = ? AND number = ?", [.text(patient), .int(number)])
            }
        }
    }

    /// Makes the rows of a trail that is older than the table.
    @Sendable static func rebuild(_ connection: any SQLConnection) throws {
        try connection.run("DELETE FROM audit_patients")
        var last: Int64 = 0
        while true {
            let rows = try AuditChain.rows(after: last, limit: pageRows, connection)
            guard let end = rows.last else { return }
            try add(
                rows.flatMap { row in AuditRecordText.patients(row.record).map { ($0, row.number) } }, connection)
            last = end.number
        }
    }

    // MARK: Reading

    /// Rows of the trail above `floor` and below `number`, the newest first, at most `limit`.
    ///
    /// - Parameter patients: theirs alone; nil for all rows.
    static func rows(
        of patients: Set<String>?, above floor: Int64, below number: Int64, limit: Int, _ connection: any SQLConnection
    ) throws -> [AuditChain.Row] {
        guard let patients else {
            return try rows(
                "WHERE number > ? AND number < ? ORDER BY number DESC LIMIT ?",
                [.int(floor), .int(number), .int(Int64(limit))], connection)
        }
        // A row may be of several of them.
        var found: Set<Int64> = []
        for patient in patients {
            found.formUnion(
                try connection.all(
                    """
                    SELECT number FROM audit_patients WHERE patient = ? AND number > ? AND number < ? \
                    ORDER BY number DESC LIMIT ?
                    """, [.text(patient), .int(floor), .int(number), .int(Int64(limit))]
                ) { try $0.int(0) })
        }
        let numbers = Array(found.sorted(by: >).prefix(limit))
        if numbers.isEmpty { return [] }
        return try rows(
            "WHERE \(connection.dialect.isInInts("number")) ORDER BY number DESC", [.ints(numbers)], connection)
    }

    private static func rows(
        _ condition: String, _ values: [SQLValue], _ connection: any SQLConnection
    ) throws -> [AuditChain.Row] {
        try connection.all("SELECT number, time, record, hash FROM audit " + condition, values, AuditChain.row)
    }

    /// How many rows there are above `floor` and below `number`; of all rows as their numbers tell, which have no gaps.
    static func count(
        of patients: Set<String>?, above floor: Int64, below number: Int64, _ connection: any SQLConnection
    ) throws -> Int {
        guard let patients else {
            // Each by itself is one look into the index; both in one query would read all rows.
            let ends = try connection.first(
                """
                SELECT (SELECT MIN(number) FROM audit WHERE number > ?), \
                (SELECT MAX(number) FROM audit WHERE number < ?)
                """, [.int(floor), .int(number)]
            ) { (try $0.optionalInt(0), try $0.optionalInt(1)) }
            guard let lowest = ends?.0, let highest = ends?.1 else { return 0 }
            return max(0, Int(highest - lowest + 1))
        }
        return Int(
            try connection.first(
                """
                SELECT COUNT(DISTINCT number) FROM audit_patients WHERE \(connection.dialect.isInTexts("patient")) \
                AND number > ? AND number < ?
                """, [.texts(patients.sorted()), .int(floor), .int(number)]
            ) { try $0.int(0) } ?? 0)
    }

    /// The number of the first row of a time or later, found by halving: rows rise in time as they do in number. One more
    /// than the last number where there is none.
    static func firstNumber(from time: Int64, _ connection: any SQLConnection) throws -> Int64 {
        let ends = try connection.first(
            "SELECT (SELECT MIN(number) FROM audit), (SELECT MAX(number) FROM audit)"
        ) {
            (try $0.optionalInt(0), try $0.optionalInt(1))
        }
        guard let lowest = ends?.0, let highest = ends?.1 else { return 1 }
        var (low, high) = (lowest, highest + 1)
        while low < high {
            let middle = low + (high - low) / 2
            let found = try connection.first(
                "SELECT time FROM audit WHERE number >= ? ORDER BY number LIMIT 1", [.int(middle)]
            ) { try $0.int(0) }
            if let found, found < time { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
