/// What the queries of an archive can be asked, as far as it is known. What it is not known to match is not asked of it,
/// but looked for in its answers.
package struct ArchiveCapabilities: Sendable, Hashable, Codable {
    /// The keys that it matches and returns. No archive is asked for a day and a time as one moment.
    package var keys: Set<SearchKey>

    package init(keys: Set<SearchKey> = Self.least) { self.keys = keys }

    /// What every archive has to match: unique and required keys of the Study Root at the levels of study and series.
    /// PS3.4 §C.6.2.1, Tables C.6-1 to C.6-3.
    package static let least: Set<SearchKey> = [
        .studyDate, .studyTime, .accessionNumber, .patientName, .patientID, .studyID, .studyInstanceUID,
        .modality, .seriesNumber, .seriesInstanceUID,
    ]

    /// The same with what every archive has to match at the level of instances. PS3.4 Table C.6-4.
    package var matched: Set<SearchKey> { keys.union([.sopInstanceUID, .instanceNumber]) }

    /// A key that this version does not know is not asked for.
    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        keys = Set(try values.decode([String].self, forKey: .keys).compactMap(SearchKey.init(rawValue:)))
    }

    /// Keys in order, so that equal capabilities have equal rows.
    package func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(keys.map(\.rawValue).sorted(), forKey: .keys)
    }

    private enum CodingKeys: String, CodingKey { case keys }
}
