import DICOMData

/// What writing an object anew without loss may change beside its encoding: the object stays the same.
///
/// - An element without a value says what its absence says. PS3.5 §7.4.5, §7.4.6.
/// - Derivation Description and Derivation Code Sequence: whoever compresses may add what was done; the pixel values, which
///   are compared, tell whether anything was. PS3.3 §C.7.6.1.1.3.
/// - Contributing Equipment Sequence: whoever passes an object on may add itself. PS3.3 §C.12.1.1.5.
/// - Lossy Image Compression of `00` says that nothing was lost, as does its absence. `01` is never taken back, so that
///   it tells. PS3.3 §C.7.6.1.1.5.
/// - YBR_RCT is what JPEG 2000 calls RGB whose components it has transformed. PS3.3 §C.7.6.3.1.2, PS3.5 §8.2.4.
///
/// What is added may be added by either of two senders, and only in the data set itself, not in items. Words and items
/// that are replaced are a difference, and so is everything else: Image Type (compressing without loss derives nothing),
/// Lossy Image Compression Ratio and Method, bit depths, times and other people's comments.
enum Reencoding {
    static let additions: Set<Tag> = [
        .derivationDescription, derivationCodeSequence, contributingEquipmentSequence,
    ]
    private static let derivationCodeSequence = Tag(0x0008, 0x9215)
    private static let contributingEquipmentSequence = Tag(0x0018, 0xA001)

    /// False for an element that says nothing.
    static func isTelling(_ element: DataElement, in dataSet: DataSet) -> Bool {
        switch element.value {
        case .bytes(let bytes):
            if bytes.isEmpty || (element.vr.isString && bytes.allSatisfy { $0 == 0x20 || $0 == 0 }) { return false }
            return element.tag != .lossyImageCompression || dataSet.string(element.tag) != "00"
        case .items(let items): return !items.isEmpty
        case .fragments, .external: return true
        }
    }

    /// The photometric interpretation of the pixels once they are decoded.
    static func photometricInterpretation(_ dataSet: DataSet, _ syntax: TransferSyntax) -> String {
        let named = dataSet.string(.photometricInterpretation) ?? ""
        return named == "YBR_RCT" && [.jpeg2000Lossless, .jpeg2000].contains(syntax) ? "RGB" : named
    }
}
