import DICOMData

/// The palettes that a UID is enough for: Hot Iron, PET, Hot Metal Blue, PET 20 Step, Spring, Summer, Fall and Winter.
/// PS3.6 Annex B.
enum WellKnownPalette {
    private static let entriesOfEach = 256

    /// The palette of a UID; nil for one that is none of these.
    static func table(_ uid: String) -> PaletteTable? {
        guard let colours = segments[uid] else { return nil }
        let tables = colours.compactMap { bytes in
            LookUpTable(
                firstMapped: 0, entries: PaletteTable.expanded(bytes, isBytes: true, count: entriesOfEach), bits: 8)
        }
        return PaletteTable(tables)
    }
}
