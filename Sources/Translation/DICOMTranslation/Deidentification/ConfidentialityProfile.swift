import DICOMData

/// What the Basic Application Level Confidentiality Profile and its options do with each attribute that they list.
/// PS3.15 Table E.1-1.
///
/// The combined codes leave it to the Type of an attribute in an IOD whether it may be missing or empty. Which IOD an
/// object is of does not say that for each module that its maker put in, so the form is taken that is right for any Type:
/// Z/D, X/D and X/Z/D give a dummy, X/Z an empty value, X/Z/U* the items with their UIDs replaced.
enum ConfidentialityProfile {
    /// What is done with an attribute. PS3.15 Table E.1-1a.
    enum Action: Sendable, Equatable {
        /// D: a value that says nothing, of the same VR.
        case dummy
        /// Z: no value.
        case empty
        /// X
        case remove
        /// K: as it is; items are gone through.
        case keep
        /// C: a value of like meaning that identifies nobody.
        case clean
        /// U: another UID, the same one wherever it stands.
        case uid
    }

    /// What the options chosen ask for, and what the profile alone does where that cannot be done.
    struct Decision: Sendable, Equatable {
        let action: Action
        let basic: Action
    }

    /// nil for an attribute that the table does not list. Where one option retains what another cleans, it is cleaned.
    static func decision(_ tag: Tag, _ options: DeidentificationOptions) -> Decision? {
        guard let row = rows[tag] ?? repeating.first(where: { tag.rawValue & $0.mask == $0.value })?.row else {
            return nil
        }
        if !row.cleaning.isDisjoint(with: options) { return Decision(action: .clean, basic: row.basic) }
        return Decision(action: row.keeping.isDisjoint(with: options) ? row.basic : .keep, basic: row.basic)
    }

    /// The tags that have a row of their own, in no order; repeating groups have none.
    static var tags: [Tag] { Array(rows.keys) }

    private struct Row {
        let basic: Action
        var keeping: DeidentificationOptions = []
        var cleaning: DeidentificationOptions = []
    }

    private struct Pattern {
        let value: UInt32
        let mask: UInt32
        let row: Row
    }

    private static let columns: [DeidentificationOptions] = [
        .retainUIDs, .retainDeviceIdentity, .retainInstitutionIdentity, .retainPatientCharacteristics,
        .retainFullDates, .retainModifiedDates, .cleanDescriptors, .cleanStructuredContent, .cleanGraphics,
    ]
    private static let actions: [Substring: Action] = [
        "D": .dummy, "Z": .empty, "X": .remove, "U": .uid, "Z/D": .dummy, "X/Z": .empty, "X/D": .dummy,
        "X/Z/D": .dummy, "X/Z/U*": .uid,
    ]

    private static let table: (rows: [Tag: Row], repeating: [Pattern]) = {
        var rows: [Tag: Row] = [:]
        var repeating: [Pattern] = []
        for line in "\(lines)".split(separator: "\n") {
            let fields = line.split(separator: "|", omittingEmptySubsequences: false)
            guard fields.count == columns.count + 2, let basic = actions[fields[1]] else { continue }
            var row = Row(basic: basic)
            for (option, code) in zip(columns, fields.dropFirst(2)) {
                if code == "K" { row.keeping.insert(option) }
                if code == "C" { row.cleaning.insert(option) }
            }
            if let tag = Tag(hex: fields[0]) {
                rows[tag] = row
            } else if let pattern = pattern(fields[0], row) {
                repeating.append(pattern)
            }
        }
        return (rows, repeating)
    }()
    private static var rows: [Tag: Row] { table.rows }
    private static var repeating: [Pattern] { table.repeating }

    /// A tag in which x is any digit; of repeating groups only the even ones are meant. PS3.5 §7.6.
    private static func pattern(_ text: Substring, _ row: Row) -> Pattern? {
        let digits = String(text.map { $0 == "x" ? "0" : $0 })
        let places = String(text.map { $0 == "x" ? "0" : "F" })
        guard let value = Tag(hex: digits), let mask = Tag(hex: places) else { return nil }
        return Pattern(value: value.rawValue, mask: mask.rawValue | 0x0001_0000, row: row)
    }
}
