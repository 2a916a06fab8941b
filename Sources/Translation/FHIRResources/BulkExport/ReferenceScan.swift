import FHIRModel

/// Finds what a stored resource refers to without reading it: the member's name with its quotes stands in no string, where
/// they would be escaped. What its author put around the colon is passed over, and a value with escapes is read; a name
/// that is written with escapes is not known.
package struct ReferenceScan {
    private static let pattern = Array(#""reference""#.utf8)
    /// Of the server's own address; empty where that is not known.
    private let prefix: [UInt8]
    /// How far the pattern moves on, by the byte below its end.
    private let skip: [Int]
    private let types: [(name: String, bytes: [UInt8])]

    /// - Parameters:
    ///   - baseURL: the server's own address without a slash at its end, by which absolute references are known as its own.
    ///   - types: whose resources are looked for.
    package init(baseURL: String, types: Set<String>) {
        self.types = types.map { ($0, Array($0.utf8)) }
        prefix = baseURL.isEmpty ? [] : Array((baseURL + "/").utf8)
        var skip = [Int](repeating: Self.pattern.count, count: 256)
        for (index, byte) in Self.pattern.dropLast().enumerated() {
            skip[Int(byte)] = Self.pattern.count - 1 - index
        }
        self.skip = skip
    }

    /// Calls `report` with the type and logical id of each reference to a resource of the types, repeats kept. A reference
    /// to a version counts as one to its resource.
    package func references(in bytes: UnsafeRawBufferPointer, _ report: (String, String) -> Void) {
        let pattern = Self.pattern
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
            let found =
                hasEscapes
                ? Self.unescaped(UnsafeRawBufferPointer(rebasing: bytes[opening...end])).withUnsafeBytes(target)
                : target(UnsafeRawBufferPointer(rebasing: bytes[(opening + 1)..<end]))
            if let (type, id) = found { report(type, id) }
            start = end
        }
    }

    private static let quote = UInt8(ascii: "\"")
    private static let slash = UInt8(ascii: "/")
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

    /// The text of a string token, which has its quotes.
    private static func unescaped(_ token: UnsafeRawBufferPointer) -> [UInt8] {
        Array(((try? JSONDocument(parsing: Array(token), limits: .stored))?.root.string ?? "").utf8)
    }

    /// `Type/id`, `Type/id/_history/n`, or the same below the server's own address.
    private func target(_ text: UnsafeRawBufferPointer) -> (String, String)? {
        var rest = text[...]
        if rest.starts(with: prefix) { rest = rest.dropFirst(prefix.count) }
        // Most are of other types, and are passed over here.
        guard let slash = rest.firstIndex(of: Self.slash),
            let type = types.first(where: { rest[..<slash].elementsEqual($0.bytes) })?.name
        else { return nil }
        rest = rest[(slash + 1)...]
        let id = rest.prefix { $0 != Self.slash }
        let version = rest[id.endIndex...]
        guard (1...64).contains(id.count), version.isEmpty || version.starts(with: "/_history/".utf8),
            id.allSatisfy({
                switch $0 {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."):
                    true
                default: false
                }
            })
        else { return nil }
        return (type, String(decoding: id, as: UTF8.self))
    }
}
