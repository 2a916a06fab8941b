/// The UIDs that the standard registers: transfer syntaxes, SOP classes, well-known instances. PS3.6 Annex A.
package enum UIDRegistry {
    /// What a registered UID identifies.
    package enum Kind: Character, Sendable {
        case storageSOPClass = "G"
        case sopClass = "S"
        case metaSOPClass = "M"
        case transferSyntax = "T"
        case wellKnownInstance = "I"
        case other = "O"
    }

    /// One registered UID.
    package struct Entry: Sendable, Equatable {
        package let uid: String
        package let kind: Kind
        package let keyword: String
        package let name: String
        package let isRetired: Bool
    }

    /// The registered entry of a UID, nil for private and unknown ones.
    package static func entry(_ uid: String) -> Entry? { entries[uid] }

    /// The name of a UID as PS3.6 Table A-1 gives it.
    package static func name(_ uid: String) -> String? { entries[uid]?.name }

    /// The UID is a SOP class whose instances are composite objects that C-STORE and STOW-RS transfer. PS3.4 §B.5.
    package static func isStorage(_ uid: String) -> Bool { entries[uid]?.kind == .storageSOPClass }

    /// All storage SOP classes, retired ones included, in the order of their UIDs' text.
    package static let storageSOPClasses: [String] =
        entries.values.filter { $0.kind == .storageSOPClass }.map(\.uid).sorted()

    /// All registered UIDs of a kind.
    package static func entries(of kind: Kind) -> [Entry] { entries.values.filter { $0.kind == kind } }

    private static let entries: [String: Entry] = {
        var entries: [String: Entry] = [:]
        FactLines(lines).forEachLine { _, line in
            let fields = String(decoding: line, as: UTF8.self).split(separator: "|", omittingEmptySubsequences: false)
            guard fields.count >= 4, let code = fields[1].first, let kind = Kind(rawValue: code) else { return }
            let uid = String(fields[0])
            entries[uid] = Entry(
                uid: uid, kind: kind, keyword: String(fields[2]), name: String(fields[3]), isRetired: fields.count > 4)
        }
        return entries
    }()
}
