import DICOMData

/// A sequence written as a value of UN. PS3.5 §6.2.2.
enum UnknownSequence {
    /// The items of the value in Implicit VR Little Endian; nil for bytes that are none.
    static func items(_ bytes: [UInt8], inheriting characterSet: SpecificCharacterSet) -> [DataSet]? {
        if bytes.isEmpty { return [] }
        guard bytes.count < Int(UInt32.max) else { return nil }
        let tag = Tag.referencedStudySequence
        let encoder = DataSetEncoder(transferSyntax: .implicitVRLittleEndian)
        var whole: [UInt8] = []
        if !characterSet.terms.isEmpty {
            var named = DataSet()
            named.set(.specificCharacterSet, string: characterSet.description)
            guard let encoded = try? encoder.encode(named) else { return nil }
            whole += encoded
        }
        whole += encoder.elementHeader(tag, .SQ, length: UInt32(bytes.count)) + bytes
        return (try? DataSetDecoder(transferSyntax: .implicitVRLittleEndian).decode(whole))?[tag]?.items
    }
}
