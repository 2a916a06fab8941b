import FHIRModel

/// Finds the texts of a member in a stored resource without reading it, at any depth: the member's name with its quotes stands
/// in no string, where they would be escaped. What its author put around the colon is passed over; a name that is written
/// with escapes is not known. RFC 8259 §7.
struct MemberScan: Sendable {
    private let pattern: [UInt8]
    /// How far the pattern moves on, by the byte below its end.
    private let skip: [Int]

    /// - Parameter name: of ASCII letters.
    init(_ name: String) {
        pattern = Array("\"\(name)\"".utf8)
        var skip = [Int](repeating: pattern.count, count: 256)
        for (index, byte) in pattern.dropLast().enumerated() { skip[Int(byte)] = pattern.count - 1 - index }
        self.skip = skip
    }

    /// Calls `report` with the place of each text, without its quotes, and whether there are escapes in it, in order.
    func texts(in bytes: UnsafeRawBufferPointer, _ report: (Range<Int>, _ hasEscapes: Bool) -> Void) {
        var start = 0
        while start + pattern.count <= bytes.count {
            let last = start + pattern.count - 1
            var index = pattern.count - 1
            while index >= 0, bytes[start + index] == pattern[index] { index -= 1 }
            if index >= 0 {
                start += skip[Int(bytes[last])]
                continue
            }
            let isName = start == 0 || bytes[start - 1] != Self.backslash
            start = last + 1
            guard isName, let opening = Self.opening(bytes, start) else { continue }
            var end = opening + 1
            var hasEscapes = false
            while end < bytes.count, bytes[end] != Self.quote {
                let isEscape = bytes[end] == Self.backslash
                hasEscapes = hasEscapes || isEscape
                end += isEscape ? 2 : 1
            }
            guard end < bytes.count else { return }
            report((opening + 1)..<end, hasEscapes)
            start = end
        }
    }

    /// The text between its quotes, without its escapes; empty where it is none.
    static func unescaped(_ bytes: UnsafeRawBufferPointer, _ place: Range<Int>) -> [UInt8] {
        let token = Array(bytes[(place.lowerBound - 1)...place.upperBound])
        return Array(((try? JSONDocument(parsing: token, limits: .stored))?.root.string ?? "").utf8)
    }

    private static let quote = UInt8(ascii: "\"")
    private static let backslash = UInt8(ascii: "\\")

    /// Where the text of a member begins whose name ends before `start`: its quote. Nil for what is no name, or no text.
    private static func opening(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> Int? {
        func next(_ start: Int) -> Int? {
            bytes[start...].firstIndex { $0 != 0x20 && $0 != 0x09 && $0 != 0x0A && $0 != 0x0D }
        }
        guard let colon = next(start), bytes[colon] == UInt8(ascii: ":"), let opening = next(colon + 1),
            bytes[opening] == quote
        else { return nil }
        return opening
    }
}
