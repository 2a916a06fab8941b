/// Finds what a stored resource refers to without reading it: stored JSON is compact, so that the member's name stands
/// before its value as it is looked for, and in no string, where its quotes would be escaped.
package struct ReferenceScan {
    private static let pattern = Array(#""reference":""#.utf8)
    private let prefixes: [[UInt8]]
    /// How far the pattern moves on, by the byte below its end.
    private let skip: [Int]
    private let types: Set<String>

    /// - Parameters:
    ///   - baseURL: the server's own address without a slash at its end, by which absolute references are known as its own.
    ///   - types: whose resources are looked for.
    package init(baseURL: String, types: Set<String>) {
        self.types = types
        prefixes = baseURL.isEmpty ? [] : [Array((baseURL + "/").utf8)]
        var skip = [Int](repeating: Self.pattern.count, count: 256)
        for (index, byte) in Self.pattern.dropLast().enumerated() {
            skip[Int(byte)] = Self.pattern.count - 1 - index
        }
        self.skip = skip
    }

    /// Calls `found` with the type and logical id of each reference to a resource of the types, repeats kept. A reference
    /// to a version counts as one to its resource.
    package func references(in bytes: UnsafeRawBufferPointer, _ found: (String, String) -> Void) {
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
            var end = last + 1
            while end < bytes.count, bytes[end] != UInt8(ascii: "\"") { end += 1 }
            if let (type, id) = target(UnsafeRawBufferPointer(rebasing: bytes[(last + 1)..<end])) { found(type, id) }
            start = end
        }
    }

    /// `Type/id`, `Type/id/_history/n`, or the same below the server's own address.
    private func target(_ text: UnsafeRawBufferPointer) -> (String, String)? {
        var rest = text[...]
        for prefix in prefixes where rest.starts(with: prefix) {
            rest = rest.dropFirst(prefix.count)
            break
        }
        let parts = rest.split(separator: UInt8(ascii: "/"), maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 2 || (parts.count == 4 && parts[2].elementsEqual("_history".utf8)), !parts[1].isEmpty,
            parts[1].count <= 64,
            parts[1].allSatisfy({
                switch $0 {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."):
                    true
                default: false
                }
            })
        else { return nil }
        let type = String(decoding: parts[0], as: UTF8.self)
        return types.contains(type) ? (type, String(decoding: parts[1], as: UTF8.self)) : nil
    }
}
