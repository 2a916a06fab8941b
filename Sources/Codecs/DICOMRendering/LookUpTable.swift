import DICOMData

/// A table from whole numbers to whole numbers, as Modality and VOI LUT Sequences and palettes hold one. PS3.3 §C.11.1.1.
struct LookUpTable: Sendable, Equatable {
    /// More entries no descriptor can name.
    static let entriesMax = 65_536

    /// The value that the first entry is for; those below have it too.
    let firstMapped: Int
    /// At least one; values beyond have the last.
    let entries: [UInt16]
    /// Bits that the entries use, 1...16.
    let bits: Int

    init?(firstMapped: Int, entries: [UInt16], bits: Int) {
        guard !entries.isEmpty, entries.count <= Self.entriesMax else { return nil }
        self.firstMapped = firstMapped
        self.entries = entries
        // Descriptors that name fewer bits than their entries have are met with.
        let used = 16 - (entries.max() ?? 0).leadingZeroBitCount
        self.bits = max(1, used, (1...16).contains(bits) ? bits : 1)
    }

    /// Reads descriptor and data of a data set or an item; nil when they are absent or unusable.
    ///
    /// - Parameter isSigned: the values that are looked up can be negative, so that the first mapped one is signed
    ///   whatever the VR says.
    init?(_ dataSet: DataSet, descriptor: Tag = .lutDescriptor, data: Tag = .lutData, isSigned: Bool) {
        guard let head = Descriptor(dataSet, descriptor, isSigned: isSigned), let bytes = dataSet.bytes(data) else {
            return nil
        }
        let entries: [UInt16]
        if bytes.count < 2 * head.count, head.bits <= 8, bytes.count >= head.count {
            entries = bytes.prefix(head.count).map(UInt16.init)
        } else {
            entries = words(bytes, max: head.count)
        }
        self.init(firstMapped: head.firstMapped, entries: entries, bits: head.bits)
    }

    /// The three values of a LUT Descriptor. PS3.3 §C.11.1.1.
    struct Descriptor {
        /// 1...65,536.
        let count: Int
        let firstMapped: Int
        let bits: Int

        init?(_ dataSet: DataSet, _ tag: Tag, isSigned: Bool) {
            guard let element = dataSet[tag], let bytes = element.bytes, bytes.count >= 6 else { return nil }
            let values = words(bytes, max: 3)
            count = values[0] == 0 ? LookUpTable.entriesMax : Int(values[0])
            firstMapped = isSigned || element.vr == .SS ? Int(Int16(bitPattern: values[1])) : Int(values[1])
            bits = Int(values[2])
        }
    }

    /// The greatest value that an entry can have.
    var maximum: Int { 1 << bits - 1 }

    /// The entry of a value.
    func value(_ input: Int) -> UInt16 {
        // Values beyond an Int32 are far outside of any table.
        let index = max(-0x8000_0000, min(0x7FFF_FFFF, input)) - firstMapped
        return entries[max(0, min(entries.count - 1, index))]
    }
}

/// Words of 16 bits in little endian, at most `max`.
func words(_ bytes: [UInt8], max: Int) -> [UInt16] {
    (0..<min(max, bytes.count / 2)).map { UInt16(bytes[2 * $0]) | UInt16(bytes[2 * $0 + 1]) << 8 }
}
