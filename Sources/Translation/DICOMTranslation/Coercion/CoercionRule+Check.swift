import DICOMData

extension CoercionRule.Step {
    /// Throws where the step could not be done on every object, so that a site learns it before the first one comes.
    func check() throws(CoercionError) {
        guard !Self.fixed.contains(tag), tag.group > 2, tag.group != 0xFFFE, !tag.isGroupLength, !tag.isPixelData,
            !tag.isPrivateCreator
        else { throw CoercionError(.notCoercible, tag) }
        switch self {
        case .remove: return
        case .set(let tag, let text): try Self.check(text, of: tag)
        case .map(let tag, let values):
            for value in values.values { try Self.check(value, of: tag) }
        case .copy(let source, let tag):
            guard let vr = DataDictionary.vr(tag), let other = DataDictionary.vr(source) else {
                throw CoercionError(.noText, tag)
            }
            guard (vr == .SQ) == (other == .SQ) else { throw CoercionError(.unlike, tag) }
            guard vr == .SQ || !(vr.isBulk || other.isBulk) else { throw CoercionError(.noText, tag) }
        }
    }

    private static func check(_ text: String, of tag: Tag) throws(CoercionError) {
        guard let vr = DataDictionary.vr(tag), vr.isString || vr.numberSize != nil else {
            throw CoercionError(.noText, tag)
        }
        let values = vr.isMultiValued ? text.split(separator: "\\").map(String.init) : [text]
        guard values.allSatisfy({ $0.isEmpty || isValue($0, vr) }) else { throw CoercionError(.invalidValue, tag) }
    }

    /// PS3.5 §6.2.
    private static func isValue(_ text: String, _ vr: VR) -> Bool {
        switch vr {
        case .AE, .CS: text.utf8.count <= 16 && text.utf8.allSatisfy { (0x20...0x7E).contains($0) }
        case .SH: text.count <= 16
        case .LO, .PN: text.count <= 64 || vr == .PN
        case .UI: UID.isValid(text)
        case .DA: DICOMDate(text: text) != nil
        case .TM: DICOMTime(text: text) != nil
        case .DT: DICOMDateTime(text: text) != nil
        case .IS: text.utf8.count <= 12 && Int(text) != nil
        case .DS: text.utf8.count <= 16 && Double(text)?.isFinite == true
        case .FD, .FL: Double(text) != nil
        case .SL, .SS, .SV, .UL, .US, .UV: Int128(text) != nil
        default: true
        }
    }

    private static let fixed: Set<Tag> = [
        .specificCharacterSet, .sopClassUID, .sopInstanceUID, .originalAttributesSequence, .bitsAllocated, .bitsStored,
        .highBit, .pixelRepresentation, .rows, .columns, .samplesPerPixel, .photometricInterpretation,
        .planarConfiguration, .numberOfFrames, .extendedOffsetTable, .extendedOffsetTableLengths,
    ]
}
