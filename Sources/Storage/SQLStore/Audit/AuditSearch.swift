import Access
import FHIRModel

/// Looks through the rows of the audit trail from the newest back, so many at most: the trail has no index, so that a row
/// costs what it must and no more. Rows rise in time as they do in number.
struct AuditSearch {
    /// Rows that one search looks at: some 10 MB.
    static let rowsMax = 20_000
    private static let pageRows = 1_000

    let connection: any SQLConnection
    var rowsMax = AuditSearch.rowsMax

    func run(_ query: AuditQuery) throws -> AuditFindings {
        var found = AuditFindings(rows: [], next: nil)
        var before = query.before ?? Int64.max
        if let until = query.until { before = min(before, try firstNumber(notBefore: until)) }
        let words = Self.words(query)
        var looked = 0
        while looked < rowsMax {
            let count = min(Self.pageRows, rowsMax - looked)
            let rows = try connection.all(
                "SELECT number, time, record FROM audit WHERE number < ? ORDER BY number DESC LIMIT ?",
                [.int(before), .int(Int64(count))]
            ) { (number: try $0.int(0), time: try $0.int(1), record: try $0.bytes(2)) }
            for row in rows {
                if let since = query.since, row.time < since { return AuditFindings(rows: found.rows, next: nil) }
                before = row.number
                guard words.allSatisfy({ Self.contains(row.record, $0) }),
                    let record = AuditRecordText.decode(row.record), query.matches(record)
                else { continue }
                found.rows.append(AuditRow(number: row.number, time: row.time, record: record))
                if found.rows.count == query.limit {
                    found.next = before
                    return found
                }
            }
            if rows.count < count { return found }
            looked += rows.count
        }
        found.next = before
        return found
    }

    /// The number of the first row that was written at a time or later; that behind the last one where there is none.
    private func firstNumber(notBefore time: Int64) throws -> Int64 {
        let ends = try connection.first("SELECT MIN(number), MAX(number) FROM audit", []) {
            (try $0.optionalInt(0), try $0.optionalInt(1))
        }
        guard var low = ends?.0, let last = ends?.1 else { return Int64.max }
        var high = last + 1
        while low < high {
            let middle = low + (high - low) / 2
            let found = try connection.first(
                "SELECT time FROM audit WHERE number >= ? ORDER BY number LIMIT 1", [.int(middle)]
            ) { try $0.int(0) }
            guard let found, found < time else {
                high = middle
                continue
            }
            low = middle + 1
        }
        return low
    }

    /// What the bytes of a row hold that is asked for, so that few others are read.
    private static func words(_ query: AuditQuery) -> [[UInt8]] {
        [query.patientID, query.principal, query.interaction].compactMap { $0 }.filter { !$0.isEmpty }.map { text in
            var out: [UInt8] = []
            JSONWriter.appendString(text, to: &out)
            // Without the quotes around it: it may be a part.
            return Array(out.dropFirst().dropLast())
        }
    }

    static func contains(_ bytes: [UInt8], _ word: [UInt8]) -> Bool {
        guard let first = word.first, bytes.count >= word.count else { return word.isEmpty }
        for start in 0...(bytes.count - word.count) where bytes[start] == first {
            if bytes[start..<(start + word.count)].elementsEqual(word) { return true }
        }
        return false
    }
}
