import FHIRModel

/// Makes the addresses of attachments absolute, which the files of an export have to say: what stands here as `Binary/1` is
/// found by whoever reads the file where this server is. All else stays as it is stored. Bulk Data 2.0 §Attachments.
struct AttachmentLinks: Sendable {
    private static let members = MemberScan("url")
    private static let name = Array("Binary/".utf8)
    /// The types with an element that is, or may be, an Attachment; FHIR R4 datatypes.html#Attachment.
    private static let types = Set(FHIRDefinitions.r4.resourceTypes.filter { hasAttachments($0, []) })

    /// The server's own address, with a slash at its end.
    private let base: [UInt8]

    /// - Parameters:
    ///   - baseURL: without a slash at its end.
    ///   - type: of the resources.
    /// - Returns: nil where resources of the type have no attachments, or the address is not known.
    init?(baseURL: String, type: String) {
        guard !baseURL.isEmpty, Self.types.contains(type) else { return nil }
        base = Array((baseURL + "/").utf8)
    }

    /// The resource with its addresses absolute; nil where it has none that is not.
    func absolute(_ bytes: UnsafeRawBufferPointer) -> [UInt8]? {
        var found: [UInt8]?
        var copied = 0
        Self.members.texts(in: bytes) { place, hasEscapes in
            let unescaped = hasEscapes ? MemberScan.unescaped(bytes, place) : []
            let isBinary = hasEscapes ? Self.isBinary(unescaped) : Self.isBinary(bytes[place])
            guard isBinary else { return }
            if found == nil { found = [] }
            found?.append(contentsOf: bytes[copied..<place.lowerBound])
            found?.append(contentsOf: base)
            // What has escapes has no character that needs one: an id has none.
            if hasEscapes { found?.append(contentsOf: unescaped) } else { found?.append(contentsOf: bytes[place]) }
            copied = place.upperBound
        }
        found?.append(contentsOf: bytes[copied...])
        return found
    }

    /// `Binary/id` or `Binary/id/_history/n`. FHIR R4 references.html#literal.
    private static func isBinary(_ text: some Collection<UInt8>) -> Bool {
        guard text.starts(with: name), text.count <= 256 else { return false }
        if case .relative("Binary", _, _) = Reference(String(decoding: text, as: UTF8.self)) { return true }
        return false
    }

    /// - Parameter above: nested types that are being looked at, some of which hold themselves.
    private static func hasAttachments(_ type: String, _ above: Set<String>) -> Bool {
        guard let definition = FHIRDefinitions.r4.type(named: type), !above.contains(type) else { return false }
        return definition.elements.contains { element in
            element.types.contains { one in
                one.name == "Attachment" || one.name == "*"
                    || (FHIRDefinitions.r4.type(named: one.name)?.kind == .nested
                        && hasAttachments(one.name, above.union([type])))
            }
        }
    }
}
