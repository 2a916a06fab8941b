import DICOMData

/// The mark that this server leaves in an object that it changes and passes on: an item of Contributing Equipment
/// Sequence. Changed objects are new to those who had the original, so that nothing but the marks ends their going
/// round. PS3.3 §C.12.1.1.5.
enum PassingOn {
    static let sequence = Tag(0x0018, 0xA001)
    private static let purposeSequence = Tag(0x0040, 0xA170)
    private static let contributionDateTime = Tag(0x0018, 0xA002)
    private static let manufacturer = "Hilum"
    /// Items that are looked at.
    private static let itemsMax = 1_000

    /// What was done with the object. PS3.16 CID 7005.
    enum Purpose: String {
        case modifying = "109103"
        case deidentifying = "109104"

        var meaning: String {
            switch self {
            case .modifying: "Modifying Equipment"
            case .deidentifying: "De-identifying Equipment"
            }
        }
    }

    /// How often systems like this one have changed the object.
    static func hops(_ dataSet: DataSet) -> Int { marks(dataSet).count }

    /// Adds a mark, behind what `original` has of them: nothing in them identifies a patient or a site.
    static func mark(_ dataSet: inout DataSet, _ purpose: Purpose, after original: DataSet, at dateTime: String?) {
        var items = dataSet.items(sequence)
        if hops(dataSet) < hops(original) { items += marks(original).map(bare) }
        var item = self.item(purpose)
        if let dateTime { item.set(contributionDateTime, .DT, string: dateTime) }
        dataSet.set(sequence, .SQ, items: items + [item])
    }

    private static func marks(_ dataSet: DataSet) -> [DataSet] {
        dataSet.items(sequence).prefix(itemsMax).filter {
            $0.string(.manufacturer) == manufacturer && purpose($0) != nil
        }
    }

    private static func purpose(_ item: DataSet) -> Purpose? {
        item.item(purposeSequence)?.string(.codeValue).flatMap(Purpose.init)
    }

    /// A mark without when it was made.
    private static func bare(_ mark: DataSet) -> DataSet { item(purpose(mark) ?? .modifying) }

    private static func item(_ purpose: Purpose) -> DataSet {
        var code = DataSet()
        code.set(.codeValue, .SH, string: purpose.rawValue)
        code.set(.codingSchemeDesignator, .SH, string: "DCM")
        code.set(.codeMeaning, .LO, string: purpose.meaning)
        var item = DataSet()
        item.set(.manufacturer, .LO, string: manufacturer)
        item.set(purposeSequence, .SQ, items: [code])
        return item
    }
}
