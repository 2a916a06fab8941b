import DICOMData

extension DataSet {
    /// Each of these attributes has this first value, in any case of letters; true for none.
    func says(_ attributes: [Tag: String]) -> Bool {
        attributes.allSatisfy { tag, wanted in string(tag)?.lowercased() == wanted.lowercased() }
    }
}
