/// How many characters fields have room for, by the version and by what a destination says of itself.
///
/// The standard's lengths of fields that identify are shorter than those of their data types (ORC-2 has 22, its EI 427),
/// and no receiver holds to them: those that are listed here are of fields that hold words, names and addresses.
/// From version 2.7 on the standard sets none. HL7 v2.3.1 and v2.5.1, attribute tables of chapters 2 to 4 and 7.
package struct FieldLengths: Sendable, Hashable {
    /// A field of a segment, such as `PID-5`.
    package struct Place: Sendable, Hashable {
        package var segment: SegmentID
        package var field: Int
        package init(_ segment: SegmentID, _ field: Int) {
            self.segment = segment
            self.field = field
        }
        /// Reads `PID-5`. Nil for anything else.
        package init?(_ text: String) {
            guard let path = try? FieldPath(text), path.occurrence == 1, path.repetition == 1, path.component == nil
            else { return nil }
            self.init(path.segment, path.field)
        }
    }

    private let ofVersion: [Place: Int]
    private let ofDestination: [Place: Int]

    /// - Parameter ofDestination: lengths that the destination has instead of those of its version.
    package init(version: String, ofDestination: [Place: Int] = [:]) {
        let version = VersionNumber(version)
        ofVersion =
            version < VersionNumber(2, 4) ? Self.before24 : version < VersionNumber(2, 7) ? Self.before27 : [:]
        self.ofDestination = ofDestination
    }

    /// The most characters of one repetition, separators and escape sequences counted; nil without a limit.
    func limit(_ segment: SegmentID, _ field: Int) -> Int? {
        let place = Place(segment, field)
        return ofDestination[place] ?? ofVersion[place]
    }

    private static let before24 = table([
        ("PID", [(5, 48), (6, 48), (9, 48), (11, 106), (13, 40), (14, 40), (15, 60), (16, 80)]),
        ("PV1", [(3, 80), (7, 60), (8, 60)]),
        ("ORC", [(12, 120), (16, 200)]),
        ("OBR", [(4, 200), (13, 300), (16, 120), (31, 300), (44, 200)]),
        ("OBX", [(5, 65_536), (6, 60), (7, 60)]), ("NTE", [(3, 65_536)]), ("AL1", [(5, 15)]), ("MSA", [(3, 80)]),
    ])

    private static let before27 = table([
        ("PID", [(5, 250), (6, 250), (9, 250), (11, 250), (13, 250), (14, 250), (15, 250), (16, 250)]),
        ("PV1", [(3, 80), (7, 250), (8, 250)]),
        ("ORC", [(12, 250), (16, 250)]),
        ("OBR", [(4, 250), (13, 300), (16, 250), (31, 250), (44, 250)]),
        ("OBX", [(5, 99_999), (6, 250), (7, 60)]), ("NTE", [(3, 65_536)]), ("AL1", [(5, 15)]), ("MSA", [(3, 80)]),
        ("IPC", [(6, 250), (8, 80)]),
    ])

    private static func table(_ rows: [(SegmentID, [(Int, Int)])]) -> [Place: Int] {
        var lengths: [Place: Int] = [:]
        for (segment, fields) in rows {
            for (field, length) in fields { lengths[Place(segment, field)] = length }
        }
        return lengths
    }
}
