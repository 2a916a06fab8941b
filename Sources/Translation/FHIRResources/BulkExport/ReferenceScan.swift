import FHIRModel

/// Finds what a stored resource refers to without reading it; see ``MemberScan``.
package struct ReferenceScan: Sendable {
    private static let members = MemberScan("reference")
    /// Of the server's own address; empty where that is not known.
    private let prefix: [UInt8]
    private let types: [(name: String, bytes: [UInt8])]

    /// - Parameters:
    ///   - baseURL: the server's own address without a slash at its end, by which absolute references are known as its own.
    ///   - types: whose resources are looked for.
    package init(baseURL: String, types: Set<String>) {
        self.types = types.map { ($0, Array($0.utf8)) }
        prefix = baseURL.isEmpty ? [] : Array((baseURL + "/").utf8)
    }

    /// Calls `report` with the type and logical id of each reference to a resource of the types, repeats kept. A reference
    /// to a version counts as one to its resource.
    package func references(in bytes: UnsafeRawBufferPointer, _ report: (String, String) -> Void) {
        Self.members.texts(in: bytes) { place, hasEscapes in
            let found =
                hasEscapes
                ? MemberScan.unescaped(bytes, place).withUnsafeBytes(target)
                : target(UnsafeRawBufferPointer(rebasing: bytes[place]))
            if let (type, id) = found { report(type, id) }
        }
    }

    private static let slash = UInt8(ascii: "/")

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
