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
        let isAll = try walk(before: &before) { number, time, bytes in
            if let since = query.since, time < since { return .end }
            // Whether it is what is asked for nobody can say.
            guard let bytes else {
                found.unopened.append(number)
                return .goOn
            }
            guard words.allSatisfy({ Self.contains(bytes, $0) }), let record = AuditRecordText.decode(bytes),
                query.matches(record)
            else { return .goOn }
            found.rows.append(AuditRow(number: number, time: time, record: record))
            return found.rows.count == query.limit ? .pause : .goOn
        }
        if !isAll { found.next = before }
        return found
    }

    /// When each caller was last let in, by its kind and id; and the numbers of rows that do not open.
    func lastContacts() throws -> (times: [Principal: Int64], unopened: [Int64]) {
        var unopened: [Int64] = []
        var times: [Principal: Int64] = [:]
        var before = Int64.max
        _ = try walk(before: &before) { number, time, bytes in
            guard let bytes else {
                unopened.append(number)
                return .goOn
            }
            if let record = AuditRecordText.decode(bytes), record.outcome == .success, times[record.principal] == nil {
                times[record.principal] = time
            }
            return .goOn
        }
        return (times, unopened)
    }

    /// What becomes of a walk after a row.
    private enum Step {
        case goOn
        /// There may be more behind it that is asked for.
        case pause
        /// There is not.
        case end
    }

    /// Tells rows with smaller numbers than `before`, newest first, and moves `before` to the last that was told; one that
    /// does not open without its record. Whether that was all that there is to tell.
    private func walk(
        before: inout Int64, _ body: (_ number: Int64, _ time: Int64, _ record: [UInt8]?) throws -> Step
    ) throws -> Bool {
        var looked = 0
        while looked < rowsMax {
            let count = min(Self.pageRows, rowsMax - looked)
            let rows = try connection.all(
                "SELECT number, time, record, hash FROM audit WHERE number < ? ORDER BY number DESC LIMIT ?",
                [.int(before), .int(Int64(count))], AuditChain.row)
            for row in rows {
                switch try body(row.number, row.time, row.unopened == nil ? row.record : nil) {
                case .goOn: before = row.number
                case .pause:
                    before = row.number
                    return false
                case .end: return true
                }
            }
            if rows.count < count { return true }
            looked += rows.count
        }
        return false
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
