/// Turns each `?` of a statement into `$1`, `$2`, … as PostgreSQL wants them.
///
/// Question marks in string literals, quoted names, dollar-free comments and `?` escapes of our own do not exist in
/// our SQL except inside quotes and comments, so those are skipped: '…' with '' inside, "…", -- to the line's end,
/// and /* … */ without nesting.
enum PlaceholderNumbering {
    static func numbered(_ sql: String) -> String {
        let source = Array(sql.utf8)
        var result: [UInt8] = []
        result.reserveCapacity(source.count + 16)
        var count = 0
        var index = 0
        while index < source.count {
            let byte = source[index]
            if byte == UInt8(ascii: "?") {
                count += 1
                result.append(UInt8(ascii: "$"))
                result.append(contentsOf: String(count).utf8)
                index += 1
                continue
            }
            let end = endOfQuoted(source, index) ?? index + 1
            result.append(contentsOf: source[index..<end])
            index = end
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// The index after the literal, quoted name or comment that starts at `index`, or nil when none starts there.
    private static func endOfQuoted(_ source: [UInt8], _ index: Int) -> Int? {
        let next = index + 1 < source.count ? source[index + 1] : 0
        switch (source[index], next) {
        case (UInt8(ascii: "'"), _), (UInt8(ascii: "\""), _):
            // A doubled quote ends one literal and starts the next, which copies the same bytes.
            return source[(index + 1)...].firstIndex(of: source[index]).map { $0 + 1 } ?? source.count
        case (UInt8(ascii: "-"), UInt8(ascii: "-")):
            return source[index...].firstIndex(of: UInt8(ascii: "\n")) ?? source.count
        case (UInt8(ascii: "/"), UInt8(ascii: "*")):
            var end = index + 2
            while end + 1 < source.count, source[end] != UInt8(ascii: "*") || source[end + 1] != UInt8(ascii: "/") {
                end += 1
            }
            return min(end + 2, source.count)
        default: return nil
        }
    }
}
