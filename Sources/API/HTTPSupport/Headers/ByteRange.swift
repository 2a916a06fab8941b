/// A part of a representation, in bytes. RFC 9110 §14.
package struct ByteRange: Sendable, Hashable {
    /// From the first byte of the whole, which is 0.
    package let offset: Int64
    /// At least 1.
    package let count: Int64

    /// - Parameters:
    ///   - offset: 0 or more.
    ///   - count: 1 or more.
    package init(offset: Int64, count: Int64) {
        self.offset = offset
        self.count = count
    }

    /// What a request asks for of so many bytes.
    package enum Wanted: Sendable, Hashable {
        case whole
        case part(ByteRange)
        /// Nothing of the range is there: 416.
        case unsatisfiable
    }

    /// What a Range field asks for: one range of bytes, of which what is behind the end is passed over. Another unit, several
    /// ranges, and what is malformed ask for the whole, as RFC 9110 §14.2 lets a server take them.
    package static func wanted(_ field: String?, of size: Int64) -> Wanted {
        guard let field, field.utf8.count <= 128 else { return .whole }
        let halves = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard halves.count == 2, trimmed(halves[0]).lowercased() == "bytes" else { return .whole }
        let bounds = halves[1].split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false).map(trimmed)
        guard bounds.count == 2, !halves[1].contains(",") else { return .whole }
        switch (number(bounds[0]), number(bounds[1])) {
        case (let first?, let last) where last != nil || bounds[1].isEmpty:
            if let last, last < first { return .whole }
            guard first < size else { return .unsatisfiable }
            return .part(ByteRange(offset: first, count: min(last ?? .max, size - 1) - first + 1))
        case (nil, let suffix?) where bounds[0].isEmpty:
            guard suffix > 0, size > 0 else { return .unsatisfiable }
            let count = min(suffix, size)
            return .part(ByteRange(offset: size - count, count: count))
        default: return .whole
        }
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text
        while text.first == " " || text.first == "\t" { text.removeFirst() }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return text
    }

    /// Digits alone; a number that is too large is the largest there is.
    private static func number(_ text: Substring) -> Int64? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
            return nil
        }
        return Int64(text) ?? .max
    }

    /// The Content-Range field of an answer that is this part. RFC 9110 §14.4.
    package func contentRange(of size: Int64) -> String { "bytes \(offset)-\(offset + count - 1)/\(size)" }
    /// That of a 416.
    package static func contentRange(unsatisfiable size: Int64) -> String { "bytes */\(size)" }
}
