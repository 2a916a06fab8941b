/// The rows of one column that may be sealed, in the order of their key, some at a time.
struct SealedRows {
    let connection: any SQLConnection
    let column: SealedColumn

    /// What one step did.
    struct Step {
        /// The key of the last row that was looked at; nil where there was none.
        var last: [SQLValue]?
        var isLast = true
        var looked = 0
        var written = 0
        /// Of those that were opened.
        var bytes: Int64 = 0
        /// Of those that do not open.
        var broken: [String] = []
    }

    /// A row as it is first looked at, without its value.
    private struct Row {
        let key: [SQLValue]
        let length: Int64
        /// The first byte of the value; nil for one without bytes.
        let form: UInt8?
    }

    private var names: String { column.key.map(\.name).joined(separator: ", ") }
    private var marks: String { column.key.map { _ in "?" }.joined(separator: ", ") }

    /// The next rows behind a key, as many as have not too many bytes, and one at least; and whether there are no more.
    /// Where they are cut their lengths tell, which a database gives without reading the values.
    private func rows(
        after place: [SQLValue]?, limit: Int, bytes: Int64
    ) throws -> (rows: [Row], isLast: Bool) {
        let condition = place == nil ? "" : "WHERE (\(names)) > (\(marks)) "
        func statement(_ columns: String) -> String {
            "SELECT \(columns) FROM \(column.table) \(condition)ORDER BY \(names) LIMIT ?"
        }
        let lengths = try connection.all(
            statement("length(\(column.column))"), (place ?? []) + [.int(Int64(limit))]
        ) { try $0.optionalInt(0) ?? 0 }
        var (count, sum) = (0, Int64(0))
        while count < lengths.count, count == 0 || sum + lengths[count] <= bytes {
            sum += lengths[count]
            count += 1
        }
        let isCut = count < lengths.count
        let rows = try connection.all(
            statement("\(names), length(\(column.column)), substr(\(column.column), 1, 1)"),
            (place ?? []) + [.int(Int64(isCut ? count : limit))]
        ) { row in
            let key = try column.key.enumerated().map { index, part in
                part.kind == .int ? SQLValue.int(try row.int(index)) : .text(try row.text(index))
            }
            return Row(
                key: key, length: try row.optionalInt(key.count) ?? 0,
                form: try row.optionalBytes(key.count + 1)?.first)
        }
        return (rows, !isCut && rows.count < limit)
    }

    /// How many rows there are behind a key.
    func count(after place: [SQLValue]?) throws -> Int64 {
        let condition = place == nil ? "" : " WHERE (\(names)) > (\(marks))"
        return try connection.first("SELECT COUNT(*) FROM \(column.table)\(condition)", place ?? []) { try $0.int(0) }
            ?? 0
    }

    /// Calls `body` for the rows of a step that are `wanted`.
    private func step(
        after place: [SQLValue]?, rows limit: Int, bytes: Int64, wanted: (Row) -> Bool,
        _ body: (Row, inout Step) throws -> Void
    ) throws -> Step {
        var step = Step()
        let (rows, isLast) = try rows(after: place, limit: limit, bytes: bytes)
        for row in rows {
            if wanted(row) {
                step.bytes += row.length
                try body(row, &step)
            }
            step.looked += 1
            step.last = row.key
        }
        step.isLast = isLast
        return step
    }

    /// The opened value of a row, with its identity; nil for one that is gone.
    private func opened(_ key: [SQLValue]) throws -> (identity: String, value: Result<[UInt8], SQLStoreError>)? {
        try connection.first(
            "SELECT \(column.identity), \(column.column) FROM \(column.table) WHERE (\(names)) = (\(marks))", key
        ) { row in
            let identity = try row.text(0)
            do { return (identity, .success(try row.opened(1, column, identity))) } catch let error as SQLStoreError
                where error.code == .unopened
            { return (identity, .failure(error)) }
        }
    }

    /// Writes values anew that are in the other form than the one that is wanted.
    func rewrite(after place: [SQLValue]?, seals: Bool, rows: Int, bytes: Int64) throws -> Step {
        try step(after: place, rows: rows, bytes: bytes, wanted: { isOther($0.form, seals: seals) }) { row, step in
            guard let (identity, value) = try opened(row.key) else { return }
            switch value {
            case .success(let value):
                try connection.run(
                    "UPDATE \(column.table) SET \(column.column) = ? WHERE (\(names)) = (\(marks))",
                    [.sealable(column, identity, value)] + row.key)
                step.written += 1
            case .failure(let error): step.broken.append(error.message)
            }
        }
    }

    private func isOther(_ form: UInt8?, seals: Bool) -> Bool {
        guard let form = form.map(BodySeal.form) else { return false }
        return (form == .sealed || form == .changed) != seals
    }

    /// Whether the first or the last rows have values in the other form.
    func sampleHasOther(seals: Bool) throws -> Bool {
        for order in ["", " DESC"] {
            let keys = column.key.map { $0.name + order }.joined(separator: ", ")
            let forms = try connection.all(
                "SELECT substr(\(column.column), 1, 1) FROM \(column.table) ORDER BY \(keys) LIMIT 20"
            ) { try $0.optionalBytes(0)?.first }
            if forms.contains(where: { isOther($0, seals: seals) }) { return true }
        }
        return false
    }

    /// Opens what is sealed.
    func broken(after place: [SQLValue]?, rows: Int, bytes: Int64) throws -> Step {
        try step(
            after: place, rows: rows, bytes: bytes,
            wanted: { row in
                row.form.map { [.sealed, .changed].contains(BodySeal.form($0)) } ?? false
            }
        ) { row, step in
            if case .failure(let error)? = try opened(row.key)?.value { step.broken.append(error.message) }
        }
    }
}
